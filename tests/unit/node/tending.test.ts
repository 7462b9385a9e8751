/** Which links are opened and closed when (docs/protocol.md, rules T). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { EMPTY } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import type { LinkOrigin } from '../../../src/kademlia/known.ts';
import type { LinkPlan } from '../../../src/kademlia/link-plan.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import type { Place } from '../../../src/kademlia/vivaldi.ts';
import type { Link } from '../../../src/node/link.ts';
import { endOf, NO_ROOM } from '../../../src/node/link-end.ts';
import { createOpenList } from '../../../src/node/open-list.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createTending, type Tending } from '../../../src/node/tending.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

interface Options {
  readonly seed?: number;
  readonly bootstrap?: readonly string[];
  readonly budget?: number;
  readonly busy?: Set<NodeId>;
  readonly place?: Place;
  /** Milliseconds until a dial or a connection is there; null: it never comes. Negative: it fails after that time. */
  readonly dial?: (url: string) => number | null;
  readonly connect?: (contact: Contact) => number | null;
}

function setup(options: Options = {}) {
  const bench = createBench(options.seed);
  const openList = createOpenList({ store: createMemoryStore(1e6), configured: options.bootstrap ?? [], own: null });
  const self = bench.someone().contact;
  const settings = { ...DEFAULT_SETTINGS, budget: options.budget ?? DEFAULT_SETTINGS.budget };
  const table = createRoutingTable({
    self: self.id,
    settings,
    ...(options.place && { place: options.place }),
    onCandidate: () => tending.nudge(),
  });
  const links = new Map<NodeId, Link>();
  const dials: { url: string; at: number }[] = [];
  const connects: { id: NodeId; at: number }[] = [];
  const closed: { id: NodeId; reason: string }[] = [];
  const shorts: LinkPlan['short'][] = [];
  let atOnce = 0;
  let most = 0;

  const link = (contact: Contact, origin: LinkOrigin = {}): Link => {
    const made = fakeLink({ contact, storeId: EMPTY });
    const opened: Link = Object.create(made, {
      since: { value: bench.clock.now() },
      close: {
        value(reason: string) {
          if (!links.delete(contact.id)) return;
          closed.push({ id: contact.id, reason });
          table.unlinked(contact.id, bench.clock.now(), endOf(reason));
          made.close(reason);
          tending.nudge();
        },
      },
    });
    links.set(contact.id, opened);
    table.linked(contact, bench.clock.now(), origin);
    tending.nudge();
    return opened;
  };
  /** A negative delay fails; a node in `full` has no room. */
  const after = async (delay: number | null, contact: Contact): Promise<Link> => {
    if (delay === null) return new Promise(() => undefined);
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => void bench.clock.after(Math.abs(delay), resolve));
    atOnce--;
    if (delay < 0) throw fail('unreachable', 'No way there.');
    if (full.has(contact.id)) throw fail('refused', 'There is no room here.');
    const { taken, instead } = table.admit(contact, { now: bench.clock.now(), purpose: 'own', reserved: 0, isBusy });
    if (!taken) throw fail('refused', 'There is no room for another link.');
    if (instead) links.get(instead)?.close(NO_ROOM);
    return links.get(contact.id) ?? link(contact, { ours: true });
  };
  const full = new Set<NodeId>();
  const isBusy = (id: NodeId): boolean => options.busy?.has(id) ?? false;
  const servers = new Map<string, Contact>();
  const tending: Tending = createTending({
    clock: bench.clock,
    random: bench.random,
    settings,
    table,
    peers: {
      get: (id) => links.get(id) ?? null,
      links: () => [...links.values()],
      connect(contact) {
        connects.push({ id: contact.id, at: bench.clock.now() });
        return after(options.connect?.(contact) ?? 100, contact);
      },
      dial(url) {
        dials.push({ url, at: bench.clock.now() });
        const server = servers.get(url) ?? bench.someone(url).contact;
        servers.set(url, server);
        const delay = options.dial ? options.dial(url) : 100;
        return after(delay, server);
      },
      adopt: () => Promise.reject(fail('internal', 'Not here.')),
      check: () => undefined,
      close: () => undefined,
    },
    openList,
    isBusy,
    onShort: (short) => void shorts.push(short),
  });
  return { bench, table, tending, openList, link, links, dials, connects, closed, shorts, full, servers, most: () => most };
}

describe('open nodes', () => {
  test('are dialled again and again with pauses that grow to half a minute', async () => {
    const { bench, tending, dials } = setup({ bootstrap: ['ws://a/'], dial: () => -10 });
    tending.start();
    await bench.advance(600_000);
    const gaps = dials.slice(1).map(({ at }, i) => at - (dials[i]?.at ?? 0));
    expect(gaps[0]).toBeLessThan(4_000);
    expect(Math.max(...gaps)).toBeLessThan(40_000);
    expect(Math.min(...gaps.slice(6))).toBeGreaterThan(20_000);
    expect(dials.length).toBeGreaterThan(15);
    tending.close();
    await bench.advance(600_000);
    expect(bench.pending).toBe(0);
  });

  test('are dialled at once when the computer wakes, however often that was in vain', async () => {
    const { bench, tending, dials } = setup({ bootstrap: ['ws://a/'], dial: () => -10 });
    tending.start();
    await bench.advance(600_000);
    const before = dials.length;
    tending.wake();
    await bench.advance(20);
    expect(dials.length).toBe(before + 1);
    await bench.advance(3_000);
    expect(dials.length).toBeGreaterThan(before + 1);
    tending.close();
  });

  test('that do not answer do not hold up the next ones', async () => {
    const { bench, tending, dials, links } = setup({
      bootstrap: ['ws://a/', 'ws://b/', 'ws://c/'],
      dial: (url) => (url === 'ws://c/' ? 50 : null),
    });
    tending.start();
    await bench.advance(6_000);
    expect(links.size).toBe(1);
    expect(dials.at(-1)?.url).toBe('ws://c/');
    expect(new Set(dials.map(({ url }) => url)).size).toBe(dials.length);
    tending.close();
  });

  test('are tried in any order, so that not all newcomers come to the same one', async () => {
    const bootstrap = ['ws://a/', 'ws://b/', 'ws://c/'];
    const first = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed++) {
      const { bench, tending, dials } = setup({ bootstrap, seed });
      tending.start();
      await bench.advance(10);
      first.add(dials[0]?.url);
      tending.close();
    }
    expect(first).toEqual(new Set(bootstrap));
  });

  test('that have no room are left in peace by who has other links: those that are full are seldom alone', async () => {
    const { bench, tending, table, dials, links, link } = setup({ bootstrap: ['ws://a/', 'ws://b/', 'ws://c/'], dial: () => 10 });
    link(bench.someone().contact);
    tending.start();
    await bench.advance(1_000);
    expect(dials.length).toBe(1);
    const [open] = [...links.values()].filter(({ contact }) => contact.open !== null);
    table.unlinked(open?.id as NodeId, bench.clock.now(), 'no-room');
    links.delete(open?.id as NodeId);
    tending.nudge();
    await bench.advance(55_000);
    expect(dials.length).toBe(1);
    await bench.advance(10_000);
    expect(dials.length).toBe(2);
    tending.close();
  });

  test('are not dialled while a link to one stands; lost links are made again at once', async () => {
    const { bench, tending, dials, links } = setup({ bootstrap: ['ws://a/', 'ws://b/'] });
    tending.start();
    await bench.advance(100_000);
    expect(dials.length).toBe(1);
    for (const link of [...links.values()]) link.close('lost');
    await bench.advance(3_000);
    expect(links.size).toBe(1);
    expect(dials.length).toBe(2);
    tending.close();
  });

  test('that let us in and show us out are dialled with growing pauses too', async () => {
    const { bench, tending, dials, links } = setup({ bootstrap: ['ws://a/'], dial: () => 10, connect: () => -1 });
    tending.start();
    for (let second = 0; second < 300; second++) {
      await bench.advance(1_000);
      for (const link of [...links.values()]) link.close('full');
    }
    expect(dials.length).toBeLessThan(30);
    expect(dials.length).toBeGreaterThan(5);
    tending.close();
  });
});

describe('an open node that a person named', () => {
  test('is dialled at once though another is linked, and again when its link is lost', async () => {
    const { bench, tending, openList, dials, links } = setup({ bootstrap: ['ws://a/'] });
    tending.start();
    await bench.advance(100_000);
    expect(dials.map(({ url }) => url)).toEqual(['ws://a/']);
    openList.add('ws://b/');
    tending.dial('ws://b/');
    expect(tending.reaches('ws://b/')).toBe(false);
    await bench.advance(200);
    expect(dials.map(({ url }) => url)).toEqual(['ws://a/', 'ws://b/']);
    expect([tending.reaches('ws://a/'), tending.reaches('ws://b/')]).toEqual([true, true]);
    [...links.values()].find(({ contact }) => contact.open === 'ws://b/')?.close('lost');
    expect(tending.reaches('ws://b/')).toBe(false);
    await bench.advance(3_000);
    expect(tending.reaches('ws://b/')).toBe(true);
    tending.close();
  });

  test('is tried with growing pauses while it does not answer, anew when it is named again, and no more when it is taken back', async () => {
    const { bench, tending, openList, dials } = setup({ bootstrap: ['ws://a/'], dial: (url) => (url === 'ws://a/' ? 10 : -10) });
    tending.start();
    openList.add('ws://b/');
    await bench.advance(300_000);
    const tried = () => dials.filter(({ url }) => url === 'ws://b/').length;
    const before = tried();
    expect(before).toBeGreaterThan(8);
    expect(before).toBeLessThan(25);
    tending.dial('ws://b/');
    await bench.advance(10);
    expect(tried()).toBe(before + 1);
    openList.remove('ws://b/');
    const [last, all] = [tried(), dials.length];
    await bench.advance(300_000);
    expect([tried(), dials.length]).toEqual([last, all]);
    tending.close();
  });

  test('under two addresses, or another than it tells, is dialled once for each', async () => {
    const { bench, tending, openList, dials, links, servers } = setup();
    servers.set('ws://b/', bench.someone('ws://told/').contact);
    servers.set('ws://c/', servers.get('ws://b/') as Contact);
    for (const url of ['ws://b/', 'ws://c/']) openList.add(url);
    tending.start();
    await bench.advance(600_000);
    expect(dials.map(({ url }) => url).sort()).toEqual(['ws://b/', 'ws://c/']);
    expect(links.size).toBe(1);
    expect([tending.reaches('ws://b/'), tending.reaches('ws://c/')]).toEqual([true, true]);
    tending.close();
  });
});

test('an open node that has no room for us any more is left alone for ten minutes while we have other links', async () => {
  const { bench, tending, dials, links, link } = setup({ bootstrap: ['ws://a/'], dial: () => 10, connect: () => -1 });
  tending.start();
  await bench.advance(100_000);
  expect(dials.length).toBe(1);
  link(bench.someone().contact);
  for (const one of [...links.values()]) if (one.contact.open) one.close(NO_ROOM);
  await bench.advance(400_000);
  expect(dials.length).toBe(1);
  await bench.advance(400_000);
  expect(dials.length).toBe(2);
  tending.close();
});

describe('links', () => {
  test('[T2] are opened to whom the table wants, 6 at once', async () => {
    const { bench, table, tending, link, links, most } = setup();
    link(bench.someone().contact);
    for (let i = 0; i < 30; i++) table.heard(bench.someone().contact, bench.clock.now());
    tending.start();
    await bench.advance(10_000);
    expect(links.size).toBeGreaterThan(20);
    expect(most()).toBe(6);
    tending.close();
  });

  test('[T2] to far nodes wait until candidates have been gathered', async () => {
    const { bench, table, tending, link, links } = setup({ budget: 10 });
    link(bench.someone().contact);
    for (let i = 0; i < 60; i++) table.heard(bench.someone().contact, bench.clock.now());
    tending.hold();
    tending.start();
    await bench.advance(5_000);
    const near = new Set(table.closest(table.self, 5).map(({ id }) => id));
    expect([...links.keys()].filter((id) => !near.has(id)).length).toBe(1);
    tending.release();
    await bench.advance(5_000);
    expect(links.size).toBeGreaterThan(6);
    tending.close();
  });

  test('[T2] somebody new who may be worth one is linked to at once, not at the next look', async () => {
    const { bench, table, tending, link, links } = setup();
    link(bench.someone().contact);
    tending.start();
    await bench.advance(500_000);
    const { contact } = bench.someone();
    table.heard(contact, bench.clock.now());
    await bench.advance(200);
    expect(links.has(contact.id)).toBe(true);
    tending.close();
  });

  test('to closed nodes are not tried without anybody to carry the offer', async () => {
    const { bench, table, tending, connects } = setup();
    const open = bench.someone('ws://x/').contact;
    for (let i = 0; i < 5; i++) table.heard(bench.someone().contact, bench.clock.now());
    table.heard(open, bench.clock.now());
    tending.start();
    await bench.advance(90);
    expect(connects.map(({ id }) => id)).toEqual([open.id]);
    tending.close();
  });

  test('[T4] that failed are tried again after pauses that grow, and then forgotten', async () => {
    const { bench, table, tending, link, connects } = setup({ connect: () => -10 });
    link(bench.someone().contact);
    const gone = bench.someone().contact;
    table.heard(gone, bench.clock.now());
    tending.start();
    await bench.advance(600_000);
    expect(connects.length).toBe(2);
    expect((connects[1]?.at ?? 0) - (connects[0]?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect(table.get(gone.id)).toBeNull();
    tending.close();
  });

  test('[T4] that were refused are tried again after a minute and longer, and nobody is forgotten for it', async () => {
    const { bench, table, tending, link, connects, full } = setup();
    link(bench.someone().contact);
    const { contact } = bench.someone();
    full.add(contact.id);
    table.heard(contact, bench.clock.now());
    tending.start();
    await bench.advance(3_600_000);
    expect(connects.length).toBeGreaterThan(4);
    expect(connects.length).toBeLessThan(9);
    expect((connects[1]?.at ?? 0) - (connects[0]?.at ?? 0)).toBeGreaterThanOrEqual(60_000);
    expect(table.get(contact.id)).not.toBeNull();
    tending.close();
  });

  test('[T3] that are in the way are closed after half a minute, but not one that is carrying something', async () => {
    const busy = new Set<NodeId>();
    const { bench, tending, link, links, closed } = setup({ budget: 20, busy });
    for (let i = 0; i < 20; i++) link(bench.someone().contact, { guest: i >= 8 });
    const [protectedOne] = [...links.keys()].slice(-1);
    busy.add(protectedOne as NodeId);
    tending.start();
    await bench.advance(29_000);
    expect(closed).toEqual([]);
    await bench.advance(2_000);
    expect(closed.length).toBe(2);
    expect(links.has(protectedOne as NodeId)).toBe(true);
    expect(closed.every(({ reason }) => reason === NO_ROOM)).toBe(true);
    tending.close();
  });

  test('[T6] one far link at a time, and at most one a minute, is exchanged for a much nearer node', async () => {
    const place: Place = { told: null, sample: () => undefined, roundTripTo: (at) => at?.x ?? Number.POSITIVE_INFINITY };
    const { bench, table, tending, link, connects } = setup({ place, budget: 8 });
    const people = Array.from({ length: 60 }, () => bench.someone().contact);
    for (const contact of people.slice(0, 7)) {
      link(contact);
      table.measured(contact.id, 300);
    }
    tending.start();
    await bench.advance(200_000);
    const before = connects.length;
    for (const contact of people.slice(7)) table.heard({ ...contact, coordinate: { x: 30, y: 0, height: 1 } }, bench.clock.now());
    const near = new Set(table.closest(table.self, 4).map(({ id }) => id));
    const since = bench.clock.now();
    await bench.advance(1_200_000);
    const far = connects.slice(before).filter(({ id, at }) => !near.has(id) && at > since + 1_000);
    expect(far.length).toBeGreaterThan(0);
    expect(far.length).toBeLessThan(28);
    for (const [i, { at }] of far.slice(1).entries()) expect(at - (far[i]?.at ?? 0)).toBeGreaterThan(44_000);
    tending.close();
  });

  test('what no known node can be is told once all is done that can be done', async () => {
    const { bench, table, tending, link, shorts } = setup();
    link(bench.someone().contact);
    for (let i = 0; i < 5; i++) table.heard(bench.someone().contact, bench.clock.now());
    tending.start();
    await bench.advance(2_000);
    expect(shorts.at(-1)).toMatchObject({ neighbours: true });
    tending.close();
  });

  test('calm comes when nobody is wanted any more, or after the time that one is ready to wait', async () => {
    const { bench, table, tending, link, links } = setup({ connect: (contact) => (contact.id < '8' ? 300 : 50_000) });
    link(bench.someone().contact);
    const signal = new AbortController().signal;
    tending.start();
    await bench.run(tending.calm(60_000, signal));
    const start = bench.clock.now();
    const [quick, stuck] = [bench.someone().contact, bench.someone().contact].map((one, i) => ({
      ...one,
      id: `${i === 0 ? '1' : 'f'}${one.id.slice(1)}` as NodeId,
    }));
    table.heard(quick as Contact, start);
    await bench.run(tending.calm(60_000, signal));
    expect(links.has((quick as Contact).id)).toBe(true);
    expect(bench.clock.now() - start).toBeLessThan(1_000);
    table.heard(stuck as Contact, bench.clock.now());
    const again = bench.clock.now();
    await bench.run(tending.calm(6_000, signal));
    expect(bench.clock.now() - again).toBe(6_000);
    const abort = new AbortController();
    const waiting = bench.code(tending.calm(6_000, abort.signal));
    abort.abort();
    expect(await waiting).toBe('aborted');
    tending.close();
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test('in a quiet network nothing looks oftener than every few minutes', async () => {
    const { bench, table, tending, link } = setup({ bootstrap: ['ws://a/'] });
    for (let i = 0; i < 40; i++) link(bench.someone(i === 0 ? 'ws://b/' : null).contact);
    tending.start();
    await bench.advance(3_600_000);
    const { plan } = table;
    let looks = 0;
    table.plan = (options) => {
      looks++;
      return plan(options);
    };
    await bench.advance(3_600_000);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(12);
    tending.close();
  });
});
