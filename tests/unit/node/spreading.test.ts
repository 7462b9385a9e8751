/** STORE and its spreading over the neighbours (docs/protocol.md, rules K6, K9, S14 and S15). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { compareDistance, hashKey, type Key, type NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createItemStore } from '../../../src/node/item-store.ts';
import type { Link } from '../../../src/node/link.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createSpreading, type StoredItem } from '../../../src/node/spreading.ts';
import { createTokenBook } from '../../../src/node/token-book.ts';
import type { RequestOf } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

const HOUR = 3_600_000;

/** A node with `count` links, the nearest to `key` first; those in `no` refuse every STORE. */
function setup(count: number, options: { no?: ReadonlySet<number>; seed?: number } = {}) {
  const bench = createBench(options.seed);
  const bytes = fromUtf8('a value');
  const key = hashKey(bench.crypto, bytes);
  const self = bench.someone().contact;
  const table = createRoutingTable({ self: self.id });
  const people = Array.from({ length: count }, () => bench.someone()).sort((a, b) => compareDistance(key, a.contact.id, b.contact.id));
  const links = new Map<NodeId, Link>();
  const stored: { index: number; request: RequestOf<'STORE'> }[] = [];
  const pings: number[] = [];
  /** The token that each gives now. */
  const valid = people.map((_, index) => index);
  for (const [index, { contact, storeId }] of people.entries()) {
    const call = async (method: string, request: unknown): Promise<unknown> => {
      await new Promise<void>((resolve) => void bench.clock.after(10, resolve));
      if (method === 'PING') {
        pings.push(index);
        return { token: new Uint8Array(8).fill(valid[index] as number), open: [] };
      }
      const store = request as RequestOf<'STORE'>;
      if (options.no?.has(index) || store.token[0] !== valid[index]) throw fail('refused', 'No.');
      stored.push({ index, request: store });
      return { stored: 1 };
    };
    links.set(contact.id, fakeLink({ contact, storeId, call }));
    table.linked(contact, bench.clock.now());
  }
  const items = createItemStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, self: self.id });
  const news: StoredItem[] = [];
  const spreading = createSpreading({
    settings: DEFAULT_SETTINGS,
    table,
    link: (id) => links.get(id) ?? null,
    items,
    tokenBook: createTokenBook({ clock: bench.clock }),
    onNews: (one) => void news.push(one),
  });
  const value = (replicas: number, of: Key = key): StoredItem => ({ key: of, item: { type: 'value', bytes }, replicas, life: HOUR });
  /** From a node that is far away, over the link to the neighbour with this number. */
  const take = (one: StoredItem, over = 0, from: NodeId = bench.someone().contact.id): Promise<number> =>
    spreading.take(one, { id: from, link: links.get(people[over]?.contact.id as NodeId) as Link });
  const rank = people.filter(({ contact }) => compareDistance(key, contact.id, self.id) < 0).length;
  return { bench, key, self, people, items, spreading, stored, pings, valid, news, value, take, rank };
}

const indexes = (stored: readonly { index: number }[]): number[] => stored.map(({ index }) => index).toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a STORE', () => {
  test('[K6] [S14] is passed on to the linked nodes nearest to the key, each for itself, and says how many have it', async () => {
    const { bench, key, items, stored, take, value, rank } = setup(12, { no: new Set([3]) });
    expect(rank).toBeLessThan(12);
    expect(await bench.run(take(value(8)))).toBe(7);
    expect(indexes(stored)).toEqual([0, 1, 2, 4, 5, 6]);
    expect(stored.every(({ request }) => request.replicas === 1 && request.life === HOUR)).toBe(true);
    expect((await items.find(key, 'value')).length).toBe(1);
  });

  test('[S14] for one node goes no further', async () => {
    const { bench, key, items, stored, take, value } = setup(5);
    expect(await bench.run(take(value(1)))).toBe(1);
    expect(stored).toEqual([]);
    expect((await items.find(key, 'value')).length).toBe(1);
  });

  test('[S14] is not passed back to who asks, and to no more than k nodes', async () => {
    const { bench, people, stored, take, value } = setup(40);
    expect(await bench.run(take(value(32), 0, people[2]?.contact.id))).toBe(20);
    const passed = indexes(stored);
    expect(passed).not.toContain(2);
    expect(passed.length).toBeLessThanOrEqual(20);
    expect(passed).toEqual(
      upTo(21)
        .filter((index) => index !== 2)
        .slice(0, passed.length),
    );
  });

  test('[S14] over links that stood already at a time goes to no other', async () => {
    const { bench, spreading, stored, value } = setup(5);
    expect(await bench.run(spreading.spread(value(5), { linkedBefore: 0 }))).toBe(0);
    expect(stored).toEqual([]);
    expect(await bench.run(spreading.spread(value(5), { linkedBefore: 1 }))).toBe(5);
  });

  test('[S1] [S14] of something that does not belong under the key is invalid, and passed on to nobody', async () => {
    const { bench, people, stored, take, value } = setup(5);
    expect(await bench.code(take(value(8, people[0]?.contact.id as Key)))).toBe('invalid');
    expect(stored).toEqual([]);
  });

  test('[S15] far from the key it is kept as a spare copy that does not count', async () => {
    const { bench, key, items, stored, take, value, rank } = setup(60, { seed: 3 });
    expect(rank).toBeGreaterThan(30);
    expect(await bench.run(take(value(20)))).toBe(20);
    expect(indexes(stored)).toEqual(upTo(20));
    expect((await items.find(key, 'value')).length).toBe(1);
    expect(await items.all(key, 'value')).toEqual([]);
  });

  test('[K9] one neighbour’s are spread 32 at once, more are refused; another neighbour’s go on', async () => {
    const { bench, take, value } = setup(3);
    const outcomes = Array.from({ length: 33 }, () => bench.code(take(value(3))));
    const other = bench.code(take(value(3), 1));
    expect((await bench.run(Promise.all(outcomes))).filter((code) => code === 'refused').length).toBe(1);
    expect(await bench.run(other)).toBeNull();
  });
});

describe('tokens of neighbours', () => {
  test('[K4] are asked for once, by PING, and serve for 4 minutes', async () => {
    const { bench, pings, spreading, value } = setup(4);
    for (let i = 0; i < 3; i++) expect(await bench.run(spreading.spread(value(4)))).toBe(4);
    expect(indexes(pings.map((index) => ({ index })))).toEqual([0, 1, 2, 3]);
    await bench.advance(240_000);
    await bench.run(spreading.spread(value(4)));
    expect(pings.length).toBe(8);
  });

  test('[K4] one that a node does not honour any more is replaced at once; a new one is not tried twice', async () => {
    const { bench, pings, valid, spreading, value } = setup(2, { no: new Set([1]) });
    expect(await bench.run(spreading.spread(value(2)))).toBe(1);
    expect(pings.length).toBe(2);
    valid[0] = 77;
    expect(await bench.run(spreading.spread(value(1)))).toBe(1);
    expect(pings.filter((index) => index === 0).length).toBe(2);
  });
});

describe('a hand over', () => {
  test('[S16] is news to a node among the k nearest, once; nothing else is', async () => {
    const { bench, news, take, value } = setup(1);
    await bench.run(take(value(0)));
    await bench.run(take(value(0)));
    expect(news.length).toBe(1);
    const plain = setup(1);
    expect(await plain.bench.run(plain.take(plain.value(1)))).toBe(1);
    expect(plain.news).toEqual([]);
    const farther = setup(60, { seed: 3 });
    expect(farther.rank).toBeGreaterThan(20);
    await farther.bench.run(farther.take(farther.value(0)));
    expect(farther.news).toEqual([]);
  });
});
