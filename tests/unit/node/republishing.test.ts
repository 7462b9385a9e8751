/** Storing again, and handing over to who came (docs/protocol.md, rules S12, S15 and S16). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { compareDistance, hashKey, type Key } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createItemStore, type KeptItem } from '../../../src/node/item-store.ts';
import type { Link } from '../../../src/node/link.ts';
import { createRepublishing } from '../../../src/node/republishing.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createTokenBook } from '../../../src/node/token-book.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import type { Item, RequestOf } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const DAY = 24 * HOUR;
const patient = new AbortController().signal;

/** A node that knows `others` linked nodes; what it stores again is noted and reaches `reached` nodes. */
function setup({ others = 0, reached = 20, seed = 1 } = {}) {
  const bench = createBench(seed);
  const self = bench.someone().contact;
  const table = createRoutingTable({ self: self.id });
  const items = createItemStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, self: self.id });
  const again: { key: Key; items: readonly KeptItem[]; at: number }[] = [];
  const passed: { key: Key; linkedBefore: number | undefined }[] = [];
  const start = bench.clock.now();
  const republishing = createRepublishing({
    self: self.id,
    clock: bench.clock,
    settings: DEFAULT_SETTINGS,
    table,
    items,
    overlay: {
      async storeAll(key, stored) {
        again.push({ key, items: stored, at: bench.clock.now() - start });
        return reached;
      },
    },
    tokenBook: createTokenBook({ clock: bench.clock }),
    spreading: {
      async spread(stored, { linkedBefore } = {}) {
        passed.push({ key: stored.key, linkedBefore });
        return reached;
      },
    },
  });
  const link = (): { link: Link; given: RequestOf<'STORE'>[]; pings: () => number } => {
    const { contact, storeId } = bench.someone();
    const given: RequestOf<'STORE'>[] = [];
    let pings = 0;
    const call = async (method: string, request: unknown): Promise<unknown> => {
      if (method === 'PING') pings++;
      if (method === 'PING') return { token: new Uint8Array(8), open: [] };
      given.push(request as RequestOf<'STORE'>);
      return { stored: 1 };
    };
    table.linked(contact, bench.clock.now());
    return { link: fakeLink({ contact, storeId, call }), given, pings: () => pings };
  };
  for (let i = 0; i < others; i++) table.linked(bench.someone().contact, start);
  const put = async (text: string, terms = {}): Promise<Key> => {
    const bytes = fromUtf8(text);
    const key = hashKey(bench.crypto, bytes);
    await items.put(key, { type: 'value', bytes }, terms);
    return key;
  };
  const rankOf = (key: Key): number => table.contacts().filter(({ id }) => compareDistance(key, id, self.id) < 0).length;
  /** Lets so many ms pass, looking every 5 minutes at what is due. */
  const live = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 5 * MINUTE) {
      await bench.advance(5 * MINUTE);
      await bench.run(republishing.republish(patient));
    }
  };
  return { bench, self, table, items, again, passed, republishing, link, put, rankOf, live };
}

describe('republishing', () => {
  test('[S12] the nearest stores an item again each hour with what is left of its life, until that is over', async () => {
    const { again, put, live, items } = setup();
    const key = await put('a', { life: 5.5 * HOUR });
    await live(12 * HOUR);
    expect(again.length).toBeGreaterThanOrEqual(4);
    expect(again.length).toBeLessThanOrEqual(5);
    expect(again.every((one) => one.key === key)).toBe(true);
    const lives = again.map((one) => one.items[0]?.life ?? 0);
    for (const [index, { at }] of again.entries()) expect(lives[index]).toBe(5.5 * HOUR - at);
    expect(await items.find(key, 'value')).toEqual([]);
  });

  test('[S12] the farther a node is, the longer it waits for the nearer ones to do it', async () => {
    const at = setup({ others: 60, seed: 4 });
    const keys = await Promise.all(Array.from({ length: 60 }, (_, i) => at.put(`value ${i}`)));
    await at.live(3 * HOUR);
    const nearer = keys.filter((key) => at.rankOf(key) === 0);
    expect(nearer.length).toBeGreaterThan(0);
    for (const key of keys) {
      const first = at.again.find((one) => one.key === key)?.at ?? Number.POSITIVE_INFINITY;
      const wait = 1 + Math.min(at.rankOf(key), 8) / 8;
      expect(first).toBeGreaterThanOrEqual(wait * HOUR);
      expect(first).toBeLessThanOrEqual((wait + 1 / 8) * HOUR + 10 * MINUTE);
    }
  });

  test('[S12] is not done by who saw it stored of late, and is spread over time', async () => {
    const { again, put, live } = setup();
    for (let hour = 0; hour < 4; hour++) {
      await put('a');
      await live(55 * MINUTE);
    }
    expect(again).toEqual([]);
    const many = setup();
    for (let i = 0; i < 40; i++) await many.put(`${i}`);
    await many.live(1.2 * HOUR);
    expect(new Set(many.again.map(({ at }) => at)).size).toBeGreaterThan(1);
  });

  test('[S12] what lay on the disk before the node began comes in the course of an hour, not at once', async () => {
    const at = setup();
    for (let i = 0; i < 60; i++) await at.put(`${i}`);
    let stored = 0;
    const begun = createRepublishing({
      self: at.self.id,
      clock: at.bench.clock,
      settings: DEFAULT_SETTINGS,
      table: at.table,
      items: { ...at.items, storedAt: () => null },
      overlay: { storeAll: async () => ++stored },
      tokenBook: createTokenBook({ clock: at.bench.clock }),
      spreading: { spread: async () => 0 },
    });
    await at.bench.run(begun.republish(patient));
    expect(stored).toBeLessThan(5);
    await at.bench.advance(30 * MINUTE);
    await at.bench.run(begun.republish(patient));
    expect(stored).toBeGreaterThan(15);
    expect(stored).toBeLessThan(45);
  });

  test('[S15] who is not among the k nearest any more lets it go when those have it, and not before', async () => {
    for (const reached of [20, 3]) {
      const at = setup({ others: 200, reached, seed: 2 });
      const keys = await Promise.all(Array.from({ length: 30 }, (_, i) => at.put(`value ${i}`)));
      const far = keys.filter((key) => at.rankOf(key) >= 60);
      expect(far.length).toBeGreaterThan(5);
      await at.live(4 * HOUR);
      for (const key of far) expect((await at.items.all(key, 'value')).length).toBe(reached === 20 ? 0 : 1);
      await at.bench.advance(DAY);
      for (const key of far) expect((await at.items.find(key, 'value')).length).toBe(reached === 20 ? 0 : 1);
    }
  });

  test('[S12] leaves entries to their writers as long as those renew them', async () => {
    const { bench, again, items, live } = setup();
    const topic = topicKey(bench.crypto, 't');
    const [diligent, gone] = [bench.someone().signer, bench.someone().signer];
    const write = async (signer: typeof gone): Promise<void> => {
      const time = bench.clock.now();
      const { signed } = await writeEntry({ signer, topic, name: '', value: new Uint8Array(1), time, expires: time + DAY });
      await items.put(topic, { type: 'entry', signed });
    };
    await write(gone);
    for (let i = 0; i < 6; i++) {
      await write(diligent);
      await live(30 * MINUTE);
    }
    expect(again.length).toBeGreaterThan(0);
    expect(again.every((one) => one.items.length === 1)).toBe(true);
  });
});

describe('a node that is linked', () => {
  test('[S16] is given what belongs to it by the nearest other one, with one token', async () => {
    const { bench, republishing, link, put, rankOf } = setup({ others: 30 });
    const keys = await Promise.all(Array.from({ length: 100 }, (_, i) => put(`value ${i}`)));
    const ours = keys.filter((key) => rankOf(key) === 0);
    expect(ours.length).toBeGreaterThan(2);
    const { link: to, given, pings } = link();
    await bench.run(republishing.handOver(to, patient));
    expect(given.every(({ key }) => ours.includes(key))).toBe(true);
    expect(given.length).toBeGreaterThan(0);
    expect(pings()).toBe(1);
    expect(given.every(({ life }) => life > 6 * DAY)).toBe(true);
  });

  test('[S16] again is given only what changed since, as news', async () => {
    const { bench, republishing, link, put } = setup();
    await put('old');
    await bench.advance(2 * HOUR);
    const { link: to, given } = link();
    await bench.run(republishing.handOver(to, patient));
    expect(given.map(({ replicas }) => replicas)).toEqual([1]);
    await bench.advance(HOUR);
    to.close('gone');
    republishing.lost(to.id);
    republishing.lost(to.id);
    await bench.advance(10 * MINUTE);
    const fresh = await put('new');
    const back = { ...to, closed: false };
    const again: RequestOf<'STORE'>[] = [];
    back.call = (async (method: string, request: unknown) => {
      if (method === 'STORE') again.push(request as RequestOf<'STORE'>);
      return { token: new Uint8Array(8), open: [], stored: 1 };
    }) as Link['call'];
    await bench.run(republishing.handOver(back, patient));
    expect(again.map(({ key, replicas }) => ({ key, replicas }))).toEqual([{ key: fresh, replicas: 0 }]);
  });

  test('[S16] news that came from a hand over is stored on all near after 2 s by the nearest; closing ends that', async () => {
    const { bench, again, passed, republishing, put } = setup();
    const key = await put('a');
    const item: Item = { type: 'value', bytes: fromUtf8('a') };
    for (let i = 0; i < 3; i++) {
      republishing.news({ key, item, replicas: 0, life: HOUR }, bench.clock.now());
      await bench.advance(500);
    }
    expect(again).toEqual([]);
    await bench.advance(501);
    expect(again.map((one) => one.items.map(({ life }) => life))).toEqual([[HOUR], [HOUR], [HOUR]]);
    expect(passed).toEqual([]);
    republishing.news({ key, item, replicas: 0, life: HOUR }, bench.clock.now());
    republishing.close();
    republishing.news({ key, item, replicas: 0, life: HOUR }, bench.clock.now());
    await bench.advance(HOUR);
    expect(again.length).toBe(3);
    expect(bench.pending).toBe(0);
  });

  test('[S16] another one passes news on over the links that are older than the one it came over', async () => {
    const { bench, again, passed, republishing, put, rankOf } = setup({ others: 30 });
    const keys = await Promise.all(Array.from({ length: 9 }, (_, i) => put(`${i}`)));
    const key = keys.find((one) => rankOf(one) > 0) as Key;
    republishing.news({ key, item: { type: 'value', bytes: fromUtf8('a') }, replicas: 0, life: HOUR }, 12_345);
    await bench.advance(2_001);
    expect(again).toEqual([]);
    expect(passed).toEqual([{ key, linkedBefore: 12_345 }]);
  });
});
