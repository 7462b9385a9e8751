/** Lower qualities that helpers make while a video is watched, over real links of simulated nodes (docs/protocol.md, J9 to J14). */
import { afterEach, describe, expect, test } from 'vitest';
import type { LowerAsked, LowerView, WatchSession } from '../../../src/app/api.ts';
import '../../../src/app/lower-quality.ts';
import { type Bytes, equal } from '../../../src/base/bytes.ts';
import { wait } from '../../../src/base/timing.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { decodeCatalogue } from '../../../src/media/catalogue.ts';
import type { Catalogue } from '../../../src/media/hls-responder.ts';
import { locateSegment } from '../../../src/media/hls-responder.ts';
import { lowerQualities, madeTopic, packMade } from '../../../src/media/lower-quality.ts';
import type { MadeSegment } from '../../../src/media/transcode-job.ts';
import { parseHlsPath } from '../../../src/media/urls.ts';
import { doJob, syntheticInit, syntheticSource, withNumber } from '../media/synthetic-video.ts';
import { type AppWorld, createAppWorld, type Tab, type TabOptions } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';

let world: AppWorld;
afterEach(() => world.close());

const SIGNAL = new AbortController().signal;
const video = syntheticSource(48);
const SEGMENTS = video.segments.length;
const ALL = ['480p', '360p', '240p'];
const taking = (ms: number): FakeCut => ({ converting: (signal) => wait(world.scheduler.clock, ms, signal) });
/** What a piece of 360p should be. */
const right = (n: number): MadeSegment =>
  doJob(
    { ...(video.sources[n] as (typeof video.sources)[number]), width: 640, height: 360, bitrate: 1, rate: 30_000 },
    video.segments[n] as Bytes,
  );

/** A published video with no lower quality, and helpers; a piece takes each of them so many ms. */
async function network(helpers: readonly number[], options: { seed?: number; keeps?: boolean } = {}) {
  world = createAppWorld(options.seed ?? 21);
  world.openNode();
  const publisher = world.tab({ cut: { height: 720, video } });
  const tabs: Tab[] = [];
  for (const ms of helpers) {
    const tab = world.tab({ cut: taking(ms), keeps: options.keeps ?? true });
    await world.run(tab.app.help.set(true));
    tabs.push(tab);
  }
  await world.pass(10_000);
  const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', without: ALL }));
  done.catch(() => undefined);
  await world.pass(20_000);
  return { publisher, helpers: tabs, videoId };
}

interface Viewer {
  readonly tab: Tab;
  readonly session: WatchSession;
  readonly views: LowerView[];
  readonly asked: LowerAsked;
  /** Waits until a view shows it; gives the ms that it took. */
  until(isSo: (view: LowerView) => boolean, most?: number): Promise<number>;
  catalogue(): Promise<Catalogue>;
  /** A segment of the lower quality as the player asks for it. */
  segment(n: number): Promise<Bytes>;
}

async function viewer(videoId: Key, options: TabOptions & { at?: number; name?: string } = {}): Promise<Viewer> {
  const { at = 0, name = '360p', ...more } = options;
  const tab = world.tab({ quota: 1e8, ...more });
  await world.pass(10_000);
  const session = await world.run(tab.app.watch(videoId, SIGNAL));
  const views: LowerView[] = [];
  const asked = session.askLower({ name, at, onView: (view) => views.push(view) });
  const last = (): LowerView | undefined => views.at(-1);
  const catalogue = async (): Promise<Catalogue> => {
    const path = parseHlsPath(last()?.playlistUrl ?? '');
    const found = path && decodeCatalogue(await world.run(tab.app.catalogue(path.video, SIGNAL)));
    if (!found) throw new Error('There is no playlist yet.');
    return found;
  };
  return {
    ...{ tab, session, views, asked, catalogue },
    async until(isSo, most = 60_000) {
      const since = world.scheduler.clock.now();
      while (!last() || !isSo(last() as LowerView)) {
        if (world.scheduler.clock.now() - since > most) throw new Error(`It never came: ${JSON.stringify(last())}`);
        await world.pass(250);
      }
      return world.scheduler.clock.now() - since;
    },
    async segment(n) {
      const { groups } = await catalogue();
      const place = locateSegment(groups.at(-1) ?? [], n);
      if (!place) throw new Error(`There is no segment ${n}.`);
      return world.run(tab.app.segment(place.group.key, place.index, SIGNAL));
    },
  };
}

const ready = ({ playlistUrl }: LowerView): boolean => playlistUrl !== null;
const jobs = (tabs: readonly Tab[]): number => tabs.reduce((sum, { app }) => sum + app.help.view().jobs, 0);

describe('[J9] a viewer that asks for 360p', () => {
  test('is offered what is below all that the video has, plays it, aligned and whole, and it is kept', async () => {
    const { helpers, videoId } = await network([2_000]);
    const one = await viewer(videoId);
    expect((await one.session.lower()).map(({ name }) => name)).toEqual(ALL);
    const took = await one.until(ready);
    console.info(`360p can be played ${took} ms after it was asked for, with one helper that takes 2 s for 4 s`);
    expect(took).toBeLessThan(12_000);
    const { manifest, groups } = await one.catalogue();
    const [top, lower] = [manifest.renditions[0], manifest.renditions.at(-1)];
    expect([lower?.width, lower?.height, lower?.codecs]).toEqual([640, 360, 'avc1.4d401f']);
    expect(lower?.bandwidth).toBeGreaterThanOrEqual(lower?.averageBandwidth ?? Number.NaN);
    expect(lower?.averageBandwidth).toBeLessThan(top?.averageBandwidth ?? 0);
    expect(groups.at(-1)?.map(({ durations }) => durations)).toEqual(groups[0]?.map(({ durations }) => durations));
    for (let n = 0; n < SEGMENTS; n++) expect(equal(await one.segment(n), right(n).bytes), `segment ${n}`).toBe(true);
    expect(equal(lower?.init ?? new Uint8Array(), right(0).init)).toBe(true);
    expect(jobs(helpers)).toBe(SEGMENTS);
  });

  test('that has begun in the middle gets what comes next first, then what is missing of the group', async () => {
    const { helpers, videoId } = await network([2_000]);
    const one = await viewer(videoId, { at: 21 });
    await one.until(ready);
    expect(equal(await one.segment(5), right(5).bytes)).toBe(true);
    expect(jobs(helpers)).toBeLessThan(5);
    // What plays was made for this one: nobody asked for it before.
    await world.pass(120_000);
    expect(one.views.some(({ found }) => found)).toBe(false);
    const [group] = (await one.catalogue()).groups.at(-1) ?? [];
    expect(await world.run(one.tab.node.made.find(group?.key as Key, SIGNAL))).toHaveLength(1);
    expect(jobs(helpers)).toBeLessThanOrEqual(SEGMENTS);
    expect(equal(await one.segment(0), right(0).bytes)).toBe(true);
  });

  test('that has the source sends it to nobody: its line is the slow one', async () => {
    const { helpers, videoId } = await network([2_000], { keeps: false });
    const one = await viewer(videoId, { name: '480p' });
    one.asked.close();
    const { manifest } = one.session;
    const { groups } = manifest.renditions[0] ?? {};
    if (groups?.type !== 'inline') throw new Error('no list');
    for (const { key, durations } of groups.groups)
      for (const index of durations.keys()) await world.run(one.tab.app.segment(key, index, SIGNAL));
    await world.pass(2_000);
    const before = one.tab.node.stats().served;
    const views: LowerView[] = [];
    one.session.askLower({ name: '360p', at: 0, onView: (view) => views.push(view) });
    while (!views.some(ready)) await world.pass(500);
    expect(jobs(helpers)).toBeGreaterThan(1);
    expect(one.tab.node.stats().served).toBe(before);
  });

  test('of its own video that no other disk has sends the source', async () => {
    const { publisher, videoId } = await network([2_000], { keeps: false });
    const views: LowerView[] = [];
    const session = await world.run(publisher.app.watch(videoId, SIGNAL));
    session.askLower({ name: '360p', at: 0, onView: (view) => views.push(view) });
    await world.pass(20_000);
    expect(views.at(-1)).toMatchObject({ problem: null });
    expect(views.some(ready)).toBe(true);
  });

  test('after a seek waits for that segment alone', async () => {
    const { videoId } = await network([2_000]);
    const one = await viewer(videoId);
    await one.until(ready);
    const since = world.scheduler.clock.now();
    expect(equal(await one.segment(11), right(11).bytes)).toBe(true);
    // One may be under work, and one waits already.
    expect(world.scheduler.clock.now() - since).toBeLessThan(9_000);
  });

  test('hears that nobody helps, and is not left waiting', async () => {
    const { videoId } = await network([]);
    const one = await viewer(videoId);
    const took = await one.until(({ problem }) => problem !== null);
    expect(took).toBeLessThan(15_000);
    expect(one.views.at(-1)?.problem?.message).toMatch(/No one linked helps with transcoding right now/);
  });

  test('hears it when the last helper has gone', async () => {
    const { videoId, helpers } = await network([2_000]);
    const one = await viewer(videoId);
    await one.until(ready);
    helpers[0]?.crash();
    await world.pass(10_000);
    const waiting = one.segment(11).catch((error: Error) => error.message);
    expect(await world.run(waiting)).toMatch(/Those who helped have gone/);
  });

  test('closes: nothing runs on, here or at the helper', async () => {
    const { videoId, helpers } = await network([600_000]);
    const one = await viewer(videoId);
    await world.pass(12_000);
    expect(helpers[0]?.working()).toBe(1);
    one.session.close();
    await world.pass(2_000);
    expect(helpers[0]?.working()).toBe(0);
    const told = one.views.length;
    await world.pass(30_000);
    expect(one.views).toHaveLength(told);
  });

  test('of two helpers waits for both to make the first piece at once, and no longer', async () => {
    const { videoId } = await network([4_000, 4_000]);
    const one = await viewer(videoId);
    const took = await one.until(ready);
    console.info(`360p can be played ${took} ms after it was asked for, with two helpers that take 4 s for 4 s`);
    expect(took).toBeLessThan(10_500);
  });

  test('that plays on meanwhile changes over farther ahead, where a helper is slower than it plays', async () => {
    const { videoId } = await network([7_000]);
    const one = await viewer(videoId);
    let at = 0;
    while (!one.views.some(ready) && at < 44) {
      await world.pass(1_000);
      at++;
      one.asked.playhead(at);
    }
    console.info(`with a helper that takes 7 s for 4 s, 360p plays from second ${at} on`);
    expect(at).toBeLessThan(40);
    const n = Math.floor(at / 4);
    expect(equal(await one.segment(n), right(n).bytes)).toBe(true);
  });

  test('of a slow helper hears how slow', async () => {
    const { videoId } = await network([8_000]);
    const one = await viewer(videoId);
    await one.until(({ speed }) => speed !== null);
    await one.until(ready);
    expect(one.views.at(-1)?.speed).toBeGreaterThan(0.3);
    expect(one.views.at(-1)?.speed).toBeLessThan(0.7);
  });
});

describe('[J12] [J13] kept for the next', () => {
  test('a later viewer finds it when the first one and the publisher have gone, and nothing is made again', async () => {
    const { publisher, helpers, videoId } = await network([1_000]);
    const one = await viewer(videoId);
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await one.segment(n);
    await world.pass(30_000);
    one.session.close();
    one.tab.app.close('the tab was closed');
    one.tab.crash();
    publisher.crash();
    await world.pass(30_000);
    const before = jobs(helpers);
    const next = await viewer(videoId);
    await next.until(ready);
    for (let n = 0; n < SEGMENTS; n++) expect(equal(await next.segment(n), right(n).bytes), `segment ${n}`).toBe(true);
    await next.until(({ found }) => found, 2_000);
    expect(jobs(helpers)).toBe(before);
  });

  test('what was made and kept here, and is lost by everybody since, is made anew and kept again', async () => {
    const { videoId } = await network([1_000]);
    const one = await viewer(videoId);
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await one.segment(n);
    await world.pass(30_000);
    const lists = (await one.catalogue()).groups.at(-1) ?? [];
    const claims = await Promise.all(lists.map(({ key }) => world.run(one.tab.node.made.find(key, SIGNAL))));
    const lost = claims.flat().map(({ group }) => group);
    expect(lost).toHaveLength(lists.length);
    for (const { node } of world.tabs()) for (const key of lost) await world.run(node.groups.remove(key));
    for (let n = 0; n < SEGMENTS; n++) expect(equal(await one.segment(n), right(n).bytes), `segment ${n}`).toBe(true);
    await world.pass(30_000);
    for (const key of lost) expect(await world.run(one.tab.node.groups.get(key))).toMatchObject({ complete: true });
  });

  test('[J14] what one node alone says is compared in one place by another', async () => {
    const { helpers, videoId } = await network([1_000, 1_000]);
    const [first, second] = helpers as [Tab, Tab];
    await world.run(second.app.help.set(false));
    await world.pass(2_000);
    const one = await viewer(videoId);
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await one.segment(n);
    await world.pass(30_000);
    for (const { key } of (await one.catalogue()).groups.at(-1) ?? []) {
      const claims = await world.run(one.tab.node.made.find(key, SIGNAL));
      expect(claims.map(({ by }) => by)).toEqual([[first.node.contact.id]]);
    }
    one.session.close();
    await world.run(second.app.help.set(true));
    await world.pass(2_000);
    const before = jobs([first]);
    const next = await viewer(videoId);
    await next.until(ready);
    for (let n = 0; n < SEGMENTS; n++) expect(equal(await next.segment(n), right(n).bytes), `segment ${n}`).toBe(true);
    expect([jobs([first]) - before, jobs([second])]).toEqual([0, 2]);
    // Its own word stands beside the first one's now.
    await world.pass(10_000);
    const [claim] = await world.run(next.tab.node.made.find((await next.catalogue()).groups.at(-1)?.[0]?.key as Key, SIGNAL));
    expect(claim?.by).toHaveLength(2);
  });

  test('[J14] what one node alone says is taken soon when the only one who could compare it leaves', async () => {
    const { helpers, videoId } = await network([1_000, 1_000]);
    const [, second] = helpers as [Tab, Tab];
    await world.run(second.app.help.set(false));
    await world.pass(2_000);
    const one = await viewer(videoId);
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await one.segment(n);
    await world.pass(30_000);
    one.session.close();
    // It never comes to an end with what it was asked to compare.
    second.node.helping.offer({ slots: 1, run: (_, __, signal) => wait(world.scheduler.clock, 600_000, signal).then(() => right(0)) });
    await world.pass(2_000);
    const next = await viewer(videoId);
    await next.until((view) => view.helpers === 2);
    await world.pass(5_000);
    expect(next.views.some(ready)).toBe(false);
    second.crash();
    expect(await next.until(ready)).toBeLessThan(15_000);
  });

  test('[J13] two that made it together have all of it; the word is that of who compared them', async () => {
    const { helpers, videoId } = await network([1_000, 1_000]);
    const one = await viewer(videoId);
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await one.segment(n);
    await world.pass(30_000);
    const key = (await one.catalogue()).groups.at(-1)?.[0]?.key as Key;
    const [claim, ...others] = await world.run(one.tab.node.made.find(key, SIGNAL));
    expect(others).toEqual([]);
    expect(claim?.by).toEqual([one.tab.node.contact.id]);
    // Of the second group nothing was compared by chance.
    const second = (await one.catalogue()).groups.at(-1)?.[1]?.key as Key;
    expect((await world.run(one.tab.node.made.find(second, SIGNAL)))[0]?.by).toContain(one.tab.node.contact.id);
    for (const { node } of helpers)
      expect(await world.run(node.groups.get(claim?.group as Key))).toMatchObject({ complete: true, role: 'kept' });
  });
});

describe('a hostile helper', () => {
  type Manner = (made: MadeSegment) => MadeSegment;
  const rubbish: Manner = (made) => ({ ...made, bytes: made.bytes.map((byte) => byte ^ 0x55) as Bytes });
  const mistimed: Manner = (made) => ({ ...made, bytes: withNumber(made.bytes, ['moof', 'traf', 'tfdt'], { at: 8, value: 77 }) });
  const shorter: Manner = (made) => ({ ...made, bytes: made.bytes.slice(0, made.bytes.length >> 1) });
  const header: Manner = (made) => ({ ...made, init: syntheticInit(426, 240) });
  const another: Manner = (made) => {
    const bytes = made.bytes.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    return { ...made, bytes };
  };
  const turn = (tab: Tab | undefined, manner: Manner): void =>
    tab?.node.helping.offer({
      slots: 1,
      async run(job, source, signal) {
        await wait(world.scheduler.clock, 500, signal);
        return manner(doJob(job, source));
      },
    });
  const playsRight = async (one: Viewer): Promise<void> => {
    await one.until(ready);
    for (let n = 0; n < SEGMENTS; n++) expect(equal(await one.segment(n), right(n).bytes), `segment ${n}`).toBe(true);
  };

  test.each([
    ['rubbish', rubbish],
    ['a wrong time', mistimed],
    ['half a segment', shorter],
    ['another header', header],
  ] as const)('[J10] %s never reaches the player, and its sender is not asked again', async (_, manner) => {
    const { helpers, videoId } = await network([2_000, 2_000]);
    turn(helpers[0], manner);
    const one = await viewer(videoId);
    await playsRight(one);
    const asked = helpers[0]?.node.helping.done.jobs ?? 0;
    expect(asked).toBeLessThanOrEqual(2);
    expect(one.views.at(-1)?.helpers).toBe(1);
  });

  test('[J10] rubbish alone ends in words, not on the screen', async () => {
    const { helpers, videoId } = await network([2_000]);
    turn(helpers[0], rubbish);
    const one = await viewer(videoId);
    await one.until(({ problem }) => problem !== null);
    expect(one.views.some(ready)).toBe(false);
  });

  test('[J11] another video from one of two is found by the first comparison, before anything is shown', async () => {
    for (const bad of [0, 1]) {
      const { helpers, videoId } = await network([6_000, 6_000], { seed: 30 + bad });
      turn(helpers[bad], another);
      const one = await viewer(videoId, { cut: taking(2_000) });
      // By then the bad one alone would have made enough.
      expect(await one.until(ready)).toBeGreaterThan(6_000);
      await playsRight(one);
      expect(one.views.at(-1)?.helpers).toBe(1);
      world.close();
    }
  });

  test('[J14] a wrong word of what came out is not believed when a helper can compare', async () => {
    const { helpers, videoId } = await network([1_000, 1_000]);
    turn(helpers[0], another);
    await world.run(helpers[1]?.app.help.set(false) ?? Promise.resolve());
    await world.pass(2_000);
    const fooled = await viewer(videoId);
    await fooled.until(ready);
    for (let n = 0; n < SEGMENTS; n++) await fooled.segment(n);
    await world.pass(30_000);
    const reference = (await fooled.catalogue()).groups.at(-1)?.[0]?.key as Key;
    expect((await world.run(fooled.tab.node.made.find(reference, SIGNAL)))[0]?.by).toEqual([helpers[0]?.node.contact.id]);
    await world.run(helpers[0]?.app.help.set(true) ?? Promise.resolve());
    helpers[0]?.node.helping.withdraw('Enough.');
    await world.run(helpers[1]?.app.help.set(true) ?? Promise.resolve());
    await world.pass(2_000);
    await playsRight(await viewer(videoId));
  });

  test.each([
    ['rubbish', (n: number) => new Uint8Array(200).fill(n)],
    ['pieces of another time', (n: number) => right((n + 1) % SEGMENTS).bytes],
  ] as const)('[J14] %s that two nodes call the right thing never reaches the player', async (_, pieceOf) => {
    const { publisher, videoId } = await network([1_000]);
    const liars = [world.tab(), world.tab()] as const;
    await world.pass(5_000);
    const catalogue = decodeCatalogue(await world.run(publisher.app.catalogue(videoId, SIGNAL)));
    const quality = catalogue && lowerQualities(catalogue).find(({ name }) => name === '360p');
    if (!catalogue || !quality) throw new Error('There is nothing to lie about.');
    let n = 0;
    for (const { key, durations } of catalogue.groups[0] ?? []) {
      const piece = async (bytes: Bytes) => ({ bytes, digest: await world.crypto.digest(bytes) });
      const segments = await Promise.all(durations.map(() => piece(pieceOf(n++))));
      const packed = packMade(world.crypto, { segments, init: await piece(right(0).init), durations });
      if (!packed) throw new Error('That is no group.');
      for (const { node } of liars) {
        for (const [index, bytes] of packed.pieces.entries())
          await world.run(node.groups.put({ group: packed.key, encoded: packed.encoded, index, bytes, role: 'kept' }));
        await world.run(node.announce(packed.key));
        await world.run(node.made.vouch(madeTopic(world.crypto, { group: key, init: video.init, ...quality }), packed.key));
      }
    }
    const one = await viewer(videoId);
    await playsRight(one);
    expect(
      one.views.some(({ found }) => found),
      'it was believed at first',
    ).toBe(true);
  });
});
