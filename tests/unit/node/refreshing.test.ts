/** How a newcomer finds its place, and what it costs (docs/protocol.md, rules T5 and T7). */
import { describe, expect, test } from 'vitest';
import { type Contact, contactOf } from '../../../src/kademlia/contact.ts';
import { commonPrefix, type Key, type NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import type { Overlay } from '../../../src/node/overlay.ts';
import { createRefreshing } from '../../../src/node/refreshing.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import type { Tending } from '../../../src/node/tending.ts';
import { createBench } from './support/bench.ts';

/** A node among `count` others, each of which knows all: calls are answered with the 20 nearest to what was asked. */
function setup(count: number, options: { dead?: (contact: Contact) => boolean } = {}) {
  const bench = createBench();
  const others = Array.from({ length: count }, () => bench.someone().contact);
  const { id: self } = bench.someone().contact;
  const table = createRoutingTable({ self });
  const everybody = createRoutingTable({ self: others[0]?.id as NodeId, settings: { k: 10_000, neighbours: 10_000 } });
  for (const contact of others) everybody.linked(contact, 0);
  const asked: { to: NodeId; target: Key }[] = [];
  const phases: string[] = [];
  const opened: string[] = [];
  const call = async (to: { contact: Contact }, _method: string, { target }: { target: Key }): Promise<unknown> => {
    asked.push({ to: to.contact.id, target });
    if (options.dead?.(to.contact)) throw new Error('gone');
    return { contacts: everybody.closestLinked(target, 20), token: new Uint8Array(8), open: ['ws://b/'] };
  };
  const overlay = {
    call,
    async nearest(target: Key) {
      phases.push('nearest');
      for (const contact of everybody.closestLinked(target, 20)) table.heard(contact, bench.clock.now());
      return [];
    },
  } as unknown as Overlay;
  /** Links to all of the nearest who are known, as tending does. */
  const tending: Tending = {
    start: () => undefined,
    nudge: () => undefined,
    wake: () => undefined,
    dial: () => undefined,
    reaches: () => false,
    hold: () => void phases.push('hold'),
    release: () => void phases.push('release'),
    async calm() {
      phases.push('calm');
      for (const contact of table.plan({ now: bench.clock.now(), underWay: new Set(), far: false }).wanted)
        table.linked(contact, bench.clock.now());
    },
    close: () => undefined,
  };
  const refreshing = createRefreshing({
    self,
    clock: bench.clock,
    random: bench.random,
    crypto: bench.crypto,
    settings: DEFAULT_SETTINGS,
    table,
    overlay,
    tending,
    onOpen: (urls) => void opened.push(...urls),
  });
  return { bench, table, refreshing, everybody, asked, phases, opened, self };
}

const patient = new AbortController().signal;

describe('joining', () => {
  test('[T7] links to all of the nearest, knows ten or more in each far bucket, and costs fewer than 60 calls', async () => {
    const { bench, table, refreshing, everybody, asked, self } = setup(2_000);
    await bench.run(refreshing.join(patient));
    const nearest = everybody.closestLinked(self, 24).map(({ id }) => id);
    expect(table.neighbours().map(({ id }) => id)).toEqual(nearest);
    const border = commonPrefix(self, nearest.at(-1) as Key);
    expect(border).toBeGreaterThan(4);
    for (let bucket = 0; bucket < border; bucket++) {
      const known = table.contacts().filter(({ id }) => commonPrefix(self, id) === bucket).length;
      expect(known).toBeGreaterThanOrEqual(10);
    }
    expect(asked.length).toBeLessThan(60);
    expect(table.covers(self, 20)).toBe(true);
  });

  test('[T7] waits with the far buckets until the nearest are linked and have been asked', async () => {
    const { bench, refreshing, phases } = setup(300);
    await bench.run(refreshing.join(patient));
    expect(phases.slice(0, 3)).toEqual(['hold', 'nearest', 'calm']);
    expect(phases.indexOf('release')).toBeGreaterThan(3);
    expect(phases.at(-1)).toBe('calm');
  });

  test('[T7] knows who named whom, and hears of open nodes', async () => {
    const { bench, table, refreshing, opened } = setup(300);
    await bench.run(refreshing.join(patient));
    const named = table.contacts().filter(({ id }) => !table.isLinked(id));
    expect(named.length).toBeGreaterThan(20);
    for (const { id } of named) expect(table.isLinked(table.introducer(id) as NodeId)).toBe(true);
    expect(opened).toContain('ws://b/');
  });

  test('[T7] goes on when neighbours do not answer', async () => {
    const { bench, table, refreshing } = setup(300, { dead: ({ id }) => id < '6' });
    await bench.run(refreshing.join(patient));
    expect(table.neighbours().length).toBe(24);
  });
});

describe('refreshing', () => {
  test('[T5] asks two neighbours, and nobody when all buckets were looked into within the hour', async () => {
    const { bench, refreshing, asked } = setup(300);
    await bench.run(refreshing.join(patient));
    const before = asked.length;
    await bench.run(refreshing.refresh(patient));
    expect(asked.length).toBe(before);
    await bench.advance(3_600_000);
    await bench.run(refreshing.refresh(patient));
    expect(new Set(asked.slice(before).map(({ to }) => to)).size).toBe(2);
    expect(asked.length - before).toBeLessThan(20);
  });

  test('[T5] tells how many were news', async () => {
    const { bench, table, refreshing, everybody, self } = setup(100);
    const [first] = everybody.closestLinked(self, 1);
    table.linked(first as Contact, 0);
    const ask = (edge: boolean) => bench.run(refreshing.askForNearest(first as Contact, { edge, signal: patient }));
    expect(await ask(false)).toBe(19);
    expect(await ask(false)).toBe(0);
    for (const contact of everybody.closestLinked(self, 20)) table.linked(contact, 0);
    for (let i = 0; i < 8; i++) await ask(true);
    const edge = everybody.closestLinked(self, 24).map(({ id }) => id);
    for (const id of edge) expect(table.get(id)).not.toBeNull();
    expect(contactOf(bench.crypto, first as Contact).id).toBe(first?.id);
  });
});
