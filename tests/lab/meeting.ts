/** Two people open the site at the same time, each with a fresh browser, and their nodes should link up by themselves. */
import type { BrowserContext, Page } from 'playwright-core';
import type { IceServer } from '../../src/app/api.ts';
import { adopt } from '../browser/harness/tab.ts';
import type { HomeBrowser } from './home-browser.ts';
import { SERVERS } from './network.ts';
import { type ConnectionNote, type PageNotes, readNotes } from './recorder.ts';
import { siteAt } from './servers.ts';

/** What came of it. */
export interface Meeting {
  /** Whether each has a link to the other. */
  readonly linked: boolean;
  /** Whether no connection was tried that did not come about: one that both began at once, and one of them gave up, is one try. */
  readonly firstTry: boolean;
  /** Whether the link goes through a TURN server. */
  readonly relayed: boolean;
  /** Whether at both sides the description of the other side's connection arrived: small messages get through, link or not. */
  readonly introduced: boolean;
  /** From when both had joined to when both have the link; null without one. Milliseconds. */
  readonly time: number | null;
  /** From the first offer of the connection that came about to its open channel at both sides; what follows is our own handshake. */
  readonly opening: number | null;
  /** RTCPeerConnections that both constructed. */
  readonly connections: number;
  /** For a person: how both ends are addressed on the way that was taken. */
  readonly way: string;
  /** For a person: each side's connections, begun/opened/closed in ms since the later one had joined. */
  readonly history: string;
}

/** To join and to link (ms): the node's own attempt to connect takes 15 s at most. */
const PATIENCE = 20_000;

/** Has one meeting. `iceServers` are what both browsers are set to. */
export async function meet(browsers: readonly [HomeBrowser, HomeBrowser], iceServers: readonly IceServer[]): Promise<Meeting> {
  const contexts: BrowserContext[] = [];
  try {
    for (const context of await Promise.all(browsers.map((one) => one.newContext({ iceServers })))) contexts.push(context);
    const pages = (await Promise.all(contexts.map((context) => context.newPage()))) as [Page, Page];
    await Promise.all(pages.map((page) => page.goto(siteAt(SERVERS.openNode))));
    const [a, b] = await Promise.all(pages.map((page) => adopt(page)));
    if (!a || !b) throw new Error('A tab did not become a node.');
    await Promise.all([a.untilOnline(), b.untilOnline()]);
    await Promise.all([untilLinked(a.page, b.id), untilLinked(b.page, a.id)]);
    const [atA, atB] = await Promise.all(pages.map(readNotes));
    const meeting = judge({ atA: atA as PageNotes, atB: atB as PageNotes, a: a.id, b: b.id });
    await Promise.all([a.close(), b.close()]);
    return meeting;
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
  }
}

async function untilLinked(page: Page, id: string): Promise<void> {
  const linked = (other: string): boolean => window.kadreel?.node.stats().linked.includes(other as never) ?? false;
  await page.waitForFunction(linked, id, { timeout: PATIENCE, polling: 50 }).catch((error: Error) => {
    if (error.name !== 'TimeoutError') throw error; // not to be linked is an outcome
  });
}

function judge({ atA, atB, a, b }: { atA: PageNotes; atB: PageNotes; a: string; b: string }): Meeting {
  const [linkedA, linkedB] = [linkedAt(atA, b), linkedAt(atB, a)];
  const joined = Math.max(atA.joined ?? 0, atB.joined ?? 0);
  const taken = [atA, atB].map(({ connections }) => takenOf(connections));
  const linked = linkedA !== null && linkedB !== null;
  const end = Math.max(linkedA ?? 0, linkedB ?? 0);
  const began = Math.min(...taken.map((one) => one?.made ?? Number.POSITIVE_INFINITY));
  const opened = Math.max(...taken.map((one) => one?.opened ?? 0));
  const ends = taken.map((one) => one?.local ?? '?');
  return {
    linked,
    firstTry:
      linked && atOnce(atA.connections) && atOnce(atB.connections) && Math.min(atA.connections.length, atB.connections.length) === 1,
    relayed: taken.some((one) => one?.local === 'relay' || one?.remote === 'relay'),
    introduced: [atA, atB].every(({ connections }) => connections.some(({ answered }) => answered)),
    time: linked ? end - joined : null,
    opening: linked ? opened - began : null,
    connections: atA.connections.length + atB.connections.length,
    way: linked ? ends.join(' – ') : '–',
    history: [atA, atB].map(({ connections }) => connections.map((one) => historyOf(one, joined)).join(', ')).join(' | '),
  };
}

function linkedAt(notes: PageNotes, id: string): number | null {
  return (notes.linked as Record<string, number>)[id] ?? null;
}

/** The connection that the link is on; one that opened and was closed again is none. */
function takenOf(connections: readonly ConnectionNote[]): ConnectionNote | undefined {
  return connections.find(({ connected, closed }) => connected !== null && closed === null);
}

/** Whether none of these was given up before the one that came about had begun. */
function atOnce(connections: readonly ConnectionNote[]): boolean {
  const taken = takenOf(connections);
  return taken !== undefined && connections.every((one) => one === taken || one.closed === null || one.closed > taken.made);
}

function historyOf({ made, opened, closed }: ConnectionNote, joined: number): string {
  const since = (time: number | null): string => (time === null ? '–' : String(Math.round(time - joined)));
  return `${since(made)}/${since(opened)}/${since(closed)}`;
}
