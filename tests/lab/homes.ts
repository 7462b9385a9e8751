/** Six homes behind mixed NATs, and what goes on in them while one open node after the other dies. */
import { DEFAULT_SETTINGS } from '../../src/node/settings.ts';
import { fixture } from '../fixtures/make.ts';
import type { Service } from './command.ts';
import { evenLink } from './link.ts';
import type { NatKind } from './nat.ts';
import { type Home, type Network, SERVERS } from './network.ts';
import { newcomerRow } from './newcomer.ts';
import { arrive, becomesLinked, type Person } from './person.ts';
import { finishPlayback, followPlayback, loadedTo, openInPage } from './playback.ts';
import { readNotes } from './recorder.ts';
import type { LabRow } from './row.ts';
import { LASTING_STUN, openNodeAt, startOpenNode } from './servers.ts';
import { spokenKinds } from './spoken.ts';
import { countTraffic, readTraffic } from './traffic.ts';
import { inWorld, type World } from './world.ts';

/** How the six homes are played. */
export interface HomesOptions {
  /** One way from a home to the public network (ms). */
  readonly delay: number;
  /** Of watching over which signalling is counted. */
  readonly minutes: number;
  /** Leaves out what takes long: the counting, the second video that plays, and a first one of many bytes. */
  readonly brief: boolean;
  readonly say: (line: string) => void;
}

/** Mbit/s of a home's link. */
const RATE = 20;
/** A shorter halt of the picture is none that a person minds (ms). */
const LONGEST_STALL = 500;
/** A video plays as it will when so much is loaded ahead, or at this time of its own (s); the beginning has its own delays. */
const AHEAD = 15;
const UNDER_WAY = 25;
/** Played beyond what was loaded when the server died (s): it came from somewhere after that. */
const PLAYED_ON = 5;
/** No video here ends before (s). */
const SHORTEST = 58;
/** For nodes to notice a death, or to find each other (ms): they look around only every few seconds. */
const PATIENCE = 60_000;
/** For a tab to notice that an open node can't be reached any more, which it is not told (ms): the silence that a node bears, and some. */
const UNTOLD = DEFAULT_SETTINGS.socketHeartbeatMost + 30_000;
/** To play what was loaded and more (ms). */
const PLAYING = 120_000;
/** Kinds of messages that are named, those with the most bytes. */
const MOST_KINDS = 6;
/** IP bytes between a tab and all servers in an hour of watching. */
const MOST_SIGNALLING = 50_000;

/** A row for each thing that must go on. */
export function runHomes(options: HomesOptions): Promise<LabRow[]> {
  return inWorld((world) => play(world, options));
}

async function play(world: World, { delay, minutes, brief, say }: HomesOptions): Promise<LabRow[]> {
  const { network } = world;
  const rows: LabRow[] = [];
  const add = (one: LabRow): void => {
    say(`${one.what}: ${one.got}`);
    rows.push(one);
  };
  await countTraffic(network);
  // Of its STUN alone: no tab knows that it is a node, too.
  await world.serve(startOpenNode({ network, address: SERVERS.relay }));
  const [first, second] = await startOpenNodes(world);
  const home = (nat: NatKind): Promise<Home> => network.addHome({ nat, link: evenLink({ delay, rate: RATE }) });
  const come = async (nat: NatKind): Promise<Person> => arrive(world, await home(nat), [LASTING_STUN]);

  const publisher = await come('port-restricted');
  const reloader = await come('open');
  const secluded = await come('full-cone');
  const other = await come('port-restricted');
  const video = await publisher.tab.publish(await fixture(brief ? 'three-minutes.mp4' : 'minute720.mp4'), 'Goes on');
  say(`four have joined; ${(await video.copies()).stored} others keep the video`);

  await network.cutFromOpenNodes(secluded.home);
  await untilNoOpenNode(secluded, UNTOLD);
  const late = await come('symmetric');
  add(await neverMetRow(secluded, late));

  const watcher = await come('symmetric');
  await openInPage(watcher.tab.page, video.watchUrl);
  const kill = (node: Service) => (): Promise<void> => node.stop({ kill: true });
  add(await goesOnRow('the open node is killed: the video goes on', { watcher, network, kill: kill(first) }));
  add(await reloadRow(reloader));
  if (brief) await second.stop({ kill: true });
  else {
    await watcher.tab.untilOnline();
    add(await signallingRow({ network, watcher, minutes }));
    const next = await other.tab.publish(await fixture('three-minutes.mp4'), 'Goes on again');
    await openInPage(watcher.tab.page, next.watchUrl);
    add(await goesOnRow('the last open node is killed: the video goes on', { watcher, network, kill: kill(second) }));
  }
  const people = [publisher, reloader, secluded, other, late, watcher];
  for (const person of people) await untilNoOpenNode(person);
  add(await publishRow({ publisher: other, viewer: reloader }));
  add(await newcomerRow(world, { inviter: publisher, home: await home('full-cone'), watchUrl: video.watchUrl }));
  add(await videoRow(people));
  return rows;
}

/** Two that know of each other; tabs come by the first. */
async function startOpenNodes(world: World): Promise<readonly [Service, Service]> {
  const [first, second] = [SERVERS.openNode, SERVERS.secondOpenNode];
  return Promise.all([
    world.serve(startOpenNode({ network: world.network, address: first, bootstrap: [openNodeAt(second)] })),
    world.serve(startOpenNode({ network: world.network, address: second, bootstrap: [openNodeAt(first)] })),
  ]);
}

/** What the watcher and the servers say to each other while it plays, IP headers included. */
async function signallingRow({ network, watcher, minutes }: { network: Network; watcher: Person; minutes: number }): Promise<LabRow> {
  const { page } = watcher.tab;
  const home = watcher.home.address;
  await followPlayback(page);
  const before = await readTraffic(network);
  const began = performance.now();
  const since = Date.now();
  // The clip is shorter than this: it begins anew, then from the disk, which is nothing to a server.
  const timeout = minutes * 60_000 + PATIENCE;
  await page.waitForFunction((until) => Date.now() >= until, Date.now() + minutes * 60_000, { timeout, polling: 1000 });
  const hours = (performance.now() - began) / 3_600_000;
  const after = await readTraffic(network);
  const { longestStall } = await finishPlayback(page, { until: 0, timeout: PLAYING });
  const bytes = after.server({ home }) - before.server({ home });
  const packets = after.packets({ home }) - before.packets({ home });
  const stun = after.server({ home, protocol: 'udp' }) - before.server({ home, protocol: 'udp' });
  const spoken = spokenKinds((await readNotes(page)).messages.filter(({ at }) => at >= since));
  const most = spoken.slice(0, MOST_KINDS).map(({ kind, messages, bytes }) => `${kind} ${bytes} B in ${messages}`);
  const anHour = bytes / hours;
  return {
    part: 'homes',
    what: `signalling in ${minutes} min of watching, scaled to an hour`,
    got: `${(anHour / 1000).toFixed(0)} kB/h with all servers (${bytes} B in ${packets} packets, ${stun} B of it STUN; messages alone: ${most.join(', ')}); longest stall ${Math.round(longestStall)} ms`,
    must: `≤ ${MOST_SIGNALLING / 1000} kB/h`,
    ok: anHour <= MOST_SIGNALLING,
    figures: { bytes, packets, stun, minutes, anHour, longestStall, ...Object.fromEntries(spoken.map(({ kind, bytes }) => [kind, bytes])) },
  };
}

/** One for which all servers are dead, and one that came after that: whoever introduced them is a tab. */
async function neverMetRow(secluded: Person, late: Person): Promise<LabRow> {
  const start = performance.now();
  const both = await Promise.all([becomesLinked(late, secluded, PATIENCE), becomesLinked(secluded, late, PATIENCE)]);
  const linked = both.every(Boolean);
  const { links } = await secluded.tab.stats();
  return {
    part: 'homes',
    what: 'two tabs that never met, one of them without any server',
    got: linked ? `linked through a third tab after ${Math.round(performance.now() - start)} ms` : `not linked within ${PATIENCE / 1000} s`,
    must: 'linked through a third',
    ok: linked && links.openNodes === 0,
  };
}

/** The server dies when the video is well under way, and it is watched until it shows what was loaded after that. */
async function goesOnRow(
  what: string,
  { watcher, network, kill }: { watcher: Person; network: Network; kill: () => Promise<void> },
): Promise<LabRow> {
  const { page } = watcher.tab;
  await watcher.tab.untilMoving();
  await followPlayback(page);
  await page.waitForFunction(isUnderWay, { ahead: AHEAD, until: UNDER_WAY }, { timeout: PLAYING, polling: 50 });
  const beginning = await finishPlayback(page, { until: 0, timeout: PLAYING });
  const loaded = await loadedTo(page);
  const from = (await watcher.tab.player()).currentTime;
  const before = (await readTraffic(network)).direct;
  await followPlayback(page);
  await kill();
  const { played, longestStall } = await finishPlayback(page, { until: Math.min(loaded + PLAYED_ON, SHORTEST), timeout: PLAYING });
  const came = (await readTraffic(network)).direct - before;
  return {
    part: 'homes',
    what,
    got: `played ${played.toFixed(0)} s more (${(loaded - from).toFixed(0)} s were loaded), longest stall ${Math.round(longestStall)} ms (${Math.round(beginning.longestStall)} ms while it began); ${came} B from home to home`,
    must: `no stall over ${LONGEST_STALL} ms`,
    ok: longestStall <= LONGEST_STALL,
    figures: { played, loaded, longestStall, came, beginning: beginning.longestStall },
  };
}

/** In the page. */
function isUnderWay({ ahead, until }: { ahead: number; until: number }): boolean {
  const video = document.querySelector('video');
  if (!video) return false;
  const { buffered, currentTime } = video;
  return currentTime >= until || (buffered.length > 0 && buffered.end(buffered.length - 1) - currentTime >= ahead);
}

/** The page comes from the service worker's cache: the server that it once came from is dead. */
async function reloadRow({ tab }: Person): Promise<LabRow> {
  const start = performance.now();
  await tab.page.reload();
  const rejoined = await tab.untilOnline().then(
    () => true,
    () => false,
  );
  const time = performance.now() - start;
  const tabs = rejoined
    ? await tab.page.waitForFunction(() => window.kadreel?.node.stats().links.tabs).then((value) => value.jsonValue())
    : 0;
  return {
    part: 'homes',
    what: 'a tab reloads after the death of the open node that it came by',
    got: rejoined ? `rejoined by the second one after ${Math.round(time)} ms, then linked to ${tabs} tabs` : 'did not rejoin',
    must: 'rejoins by a remembered one',
    ok: rejoined,
    figures: { time },
  };
}

/** Without any open node. */
async function publishRow({ publisher, viewer }: { publisher: Person; viewer: Person }): Promise<LabRow> {
  const start = performance.now();
  const video = await publisher.tab.publish(await fixture('barcode.mp4'), 'New');
  const live = performance.now() - start;
  await openInPage(viewer.tab.page, video.watchUrl);
  const plays = await viewer.tab.untilMoving().then(
    () => true,
    () => false,
  );
  return {
    part: 'homes',
    what: 'without any open node, a new video is published and another home watches it',
    got: plays ? `link works after ${Math.round(live)} ms; it plays` : 'it does not play',
    must: 'plays',
    ok: plays,
    figures: { live },
  };
}

/** Bytes of video that anyone got from an open node. */
async function videoRow(people: readonly Person[]): Promise<LabRow> {
  const all = await Promise.all(people.map(({ tab }) => tab.stats()));
  const servers = all.reduce((sum, { received }) => sum + received.openNodes, 0);
  const tabs = all.reduce((sum, { received }) => sum + received.tabs, 0);
  return {
    part: 'homes',
    what: 'video through servers, all homes',
    got: `${servers} B, and ${tabs} B from tab to tab`,
    must: '0 B',
    ok: servers === 0 && tabs > 0,
    figures: { servers, tabs },
  };
}

async function untilNoOpenNode({ tab }: Person, timeout = PATIENCE): Promise<void> {
  await tab.page.waitForFunction(() => window.kadreel?.node.stats().links.openNodes === 0, null, { timeout, polling: 100 });
}
