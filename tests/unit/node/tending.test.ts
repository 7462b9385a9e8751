/** Which links are opened and closed when (docs/protocol.md, rules T). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { EMPTY } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import type { Link } from '../../../src/node/link.ts';
import { createOpenList } from '../../../src/node/open-list.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createTending } from '../../../src/node/tending.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

interface Options {
  readonly bootstrap?: readonly string[];
  readonly budget?: number;
  readonly busy?: Set<NodeId>;
  /** Milliseconds until a dial or a connection is there; null: it never comes. Negative: it fails after that time. */
  readonly dial?: (url: string) => number | null;
  readonly connect?: (contact: Contact) => number | null;
}

function setup(options: Options = {}) {
  const bench = createBench();
  const self = bench.someone().contact;
  const settings = { ...DEFAULT_SETTINGS, budget: options.budget ?? DEFAULT_SETTINGS.budget };
  const table = createRoutingTable({ self: self.id, settings });
  const links = new Map<NodeId, Link>();
  const dials: { url: string; at: number }[] = [];
  const connects: { id: NodeId; at: number }[] = [];
  const closed: { id: NodeId; reason: string }[] = [];
  let atOnce = 0;
  let most = 0;

  const link = (contact: Contact): Link => {
    const made = fakeLink({ contact, storeId: EMPTY });
    const opened: Link = Object.create(made, {
      since: { value: bench.clock.now() },
      close: {
        value(reason: string) {
          if (!links.delete(contact.id)) return;
          closed.push({ id: contact.id, reason });
          table.unlinked(contact.id, bench.clock.now());
          made.close(reason);
          tending.nudge();
        },
      },
    });
    links.set(contact.id, opened);
    table.linked(contact, bench.clock.now());
    tending.nudge();
    return opened;
  };
  const after = async (delay: number | null, contact: Contact): Promise<Link> => {
    if (delay === null) return new Promise(() => undefined);
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => void bench.clock.after(Math.abs(delay), resolve));
    atOnce--;
    if (delay < 0) throw fail('unreachable', 'No way there.');
    return links.get(contact.id) ?? link(contact);
  };
  const servers = new Map<string, Contact>();
  const tending = createTending({
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
      close: () => undefined,
    },
    openList: createOpenList({ store: createMemoryStore(1e6), configured: options.bootstrap ?? [], own: null }),
    busy: () => options.busy ?? new Set(),
  });
  return { bench, table, tending, link, links, dials, connects, closed, most: () => most };
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

  test('that do not answer do not hold up the next ones', async () => {
    const { bench, tending, dials, links } = setup({
      bootstrap: ['ws://a/', 'ws://b/', 'ws://c/'],
      dial: (url) => (url === 'ws://c/' ? 50 : null),
    });
    tending.start();
    await bench.advance(6_000);
    expect(links.size).toBe(1);
    expect(dials.map(({ url }) => url)).toEqual(['ws://a/', 'ws://b/', 'ws://c/']);
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

describe('links', () => {
  test('[T2] are opened to whom the table wants, 4 at once', async () => {
    const { bench, table, tending, link, links, most } = setup();
    link(bench.someone().contact);
    for (let i = 0; i < 30; i++) table.heard(bench.someone().contact, bench.clock.now());
    tending.start();
    await bench.advance(10_000);
    expect(links.size).toBeGreaterThan(20);
    expect(most()).toBe(4);
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

  test('[T3] over the budget are closed, but not one that is bringing us something', async () => {
    const busy = new Set<NodeId>();
    const { bench, tending, link, links, closed } = setup({ budget: 8, busy });
    for (let i = 0; i < 20; i++) link(bench.someone().contact);
    const [protectedOne] = [...links.keys()].slice(-1);
    busy.add(protectedOne as NodeId);
    tending.start();
    await bench.advance(5_000);
    expect(links.size).toBe(8);
    expect(links.has(protectedOne as NodeId)).toBe(true);
    expect(closed.every(({ reason }) => reason === 'over the budget of links')).toBe(true);
    tending.close();
  });
});
