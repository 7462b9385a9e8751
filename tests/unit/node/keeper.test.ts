/** Keeping others' groups (docs/protocol.md, rules M7 and M8). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { encode } from '../../../src/base/schema.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { groupDescriptorSchema } from '../../../src/media/manifest.ts';
import { createGroupStore } from '../../../src/node/group-store.ts';
import type { CallContext } from '../../../src/node/handlers.ts';
import { createKeeper } from '../../../src/node/keeper.ts';
import type { FetchRequest, Link } from '../../../src/node/link.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';
import { makeGroup, type TestGroup } from './support/make-group.ts';

interface Kept {
  readonly group: Key;
  readonly kept: boolean;
  readonly reason: string;
}

function setup(options: { quota?: number; keeps?: boolean; made?: (digest: Uint8Array) => Bytes | null } = {}) {
  const bench = createBench();
  const groups = createGroupStore({
    store: createMemoryStore(1e9),
    crypto: bench.crypto,
    clock: bench.clock,
    quota: () => options.quota ?? 1e9,
  });
  const announced: Key[] = [];
  const taken: Key[] = [];
  const keeper = createKeeper({
    clock: bench.clock,
    crypto: bench.crypto,
    groups,
    keeps: options.keeps ?? true,
    announce: async (group) => announced.push(group),
    onTaken: (group) => taken.push(group),
    ...(options.made && { made: options.made }),
  });
  /** Who offers: `send` makes the bytes of its segments, `fetches` counts. */
  const neighbour = (
    send: (group: TestGroup, request: FetchRequest) => Promise<Bytes> = async (g, r) => g.segments[r.segment] as Bytes,
  ) => {
    const { contact, storeId } = bench.someone();
    const offered = new Map<Key, TestGroup>();
    const told: Kept[] = [];
    const fetched: FetchRequest[] = [];
    const link = fakeLink({
      contact,
      storeId,
      call: async (method, request) => {
        if (method === 'KEPT') told.push(request as Kept);
        return {};
      },
      fetch: async (request, { signal }) => {
        fetched.push(request);
        return new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
          send(offered.get(request.group) as TestGroup, request).then(resolve, reject);
        });
      },
    });
    const offer = (group: TestGroup, context: Partial<CallContext> = {}) => {
      offered.set(group.key, group);
      const request = { group: group.key, descriptor: group.encoded };
      const { signal } = new AbortController();
      return Promise.resolve(keeper.handlers.OFFER(request, { from: contact, relayed: false, link, signal, stream: null, ...context }));
    };
    return { link, told, fetched, offer };
  };
  return { bench, groups, keeper, announced, taken, neighbour };
}

const later = (bench: ReturnType<typeof setup>['bench'], ms: number) => async (group: TestGroup, request: FetchRequest) => {
  await new Promise<void>((resolve) => void bench.clock.after(ms, resolve));
  return group.segments[request.segment] as Bytes;
};

describe('OFFER', () => {
  test('[M7] is fetched from who offered, announced, and then said to be kept; the next time it is kept already', async () => {
    const { bench, groups, announced, neighbour } = setup();
    const [publisher, group] = [neighbour(), makeGroup(1, [10, 20])];
    expect(await bench.run(publisher.offer(group))).toEqual({ kept: false });
    await bench.advance(10);
    expect(publisher.told).toEqual([{ group: group.key, kept: true, reason: '' }]);
    expect(announced).toEqual([group.key]);
    expect(await groups.get(group.key)).toMatchObject({ complete: true, role: 'kept' });
    expect(publisher.fetched.every(({ urgency }) => urgency > 100)).toBe(true);
    for (let i = 0; i < 50; i++) expect(await bench.run(publisher.offer(group))).toEqual({ kept: true });
    expect(announced.length).toBe(1); // fifty offers are no fifty lookups
    await bench.advance(11 * 60_000);
    await bench.run(publisher.offer(group));
    expect(announced.length).toBe(2);
  });

  test('[J13] what this node made itself is not fetched', async () => {
    const group = makeGroup(1, [10, 20, 30]);
    const mine = new Map([1, 2].map((n) => [toHex(group.descriptor.segments[n]?.digest as Bytes), group.segments[n] as Bytes]));
    const { bench, groups, taken, neighbour } = setup({ made: (digest) => mine.get(toHex(digest)) ?? null });
    const watcher = neighbour();
    await bench.run(watcher.offer(group));
    await bench.advance(10);
    expect(watcher.fetched.map(({ segment }) => segment)).toEqual([0]);
    expect(await groups.get(group.key)).toMatchObject({ complete: true, role: 'kept' });
    expect(taken).toEqual([group.key]);
    for (let i = 0; i < 50; i++) await bench.run(watcher.offer(group));
    expect(taken).toHaveLength(1);
  });

  test('[M7] of what was only watched here makes it a duty', async () => {
    const { bench, groups, neighbour } = setup();
    const [whole, half] = [makeGroup(1, [10]), makeGroup(2, [10, 20])];
    for (const group of [whole, half]) {
      await groups.put({ group: group.key, encoded: group.encoded, index: 0, bytes: group.segments[0] as Bytes, role: 'seen' });
    }
    const publisher = neighbour();
    expect(await bench.run(publisher.offer(whole))).toEqual({ kept: true });
    expect(await bench.run(publisher.offer(half))).toEqual({ kept: false });
    await bench.advance(10);
    for (const { key } of [whole, half]) expect(await groups.get(key)).toMatchObject({ complete: true, role: 'kept' });
  });

  test.each([
    ['by a node that keeps nothing', { keeps: false }, {}, 'refused'],
    ['over others', {}, { relayed: true }, 'refused'],
  ] as const)('[M7] [L4] %s is refused', async (_, options, context, code) => {
    const { bench, neighbour } = setup(options);
    expect(await bench.code(neighbour().offer(makeGroup(1, [10]), context))).toBe(code);
  });

  test('[M1] [M2] of what is no group, or under another key, is invalid', async () => {
    const { bench, neighbour } = setup();
    const { offer } = neighbour();
    const good = makeGroup(1, [10]);
    expect(await bench.code(offer({ ...good, key: makeGroup(2, [10]).key }))).toBe('invalid');
    expect(await bench.code(offer(makeGroup(1, [])))).toBe('invalid');
    expect(await bench.code(offer(makeGroup(1, [10, 0])))).toBe('invalid');
    expect(await bench.code(offer(makeGroup(1, [10, 10], 21_000)))).toBe('invalid');
    expect(await bench.code(offer(makeGroup(1, [10], 90_000)))).toBeNull();
    const huge = { segments: Array.from({ length: 2 }, () => ({ digest: new Uint8Array(32), size: 9 * 1024 * 1024, duration: 4_000 })) };
    const encoded = encode(groupDescriptorSchema, huge);
    const key = makeGroup(0, []).key;
    expect(await bench.code(offer({ ...good, key, encoded }))).toBe('invalid');
  });

  test('[M2] wrong bytes, a holder that fails, and a link that ends are told as not kept', async () => {
    const { bench, groups, announced, neighbour } = setup();
    const liar = neighbour(async (group, { segment }) => new Uint8Array((group.segments[segment] as Bytes).length).fill(255));
    const broken = neighbour(() => Promise.reject(fail('timeout', 'Nothing came, “for ever”. '.repeat(20))));
    for (const one of [liar, broken]) await bench.run(one.offer(makeGroup(1, [10])));
    await bench.advance(10);
    for (const one of [liar, broken]) {
      expect(one.told[0]?.kept).toBe(false);
      expect(Buffer.byteLength(one.told[0]?.reason ?? '')).toBeLessThanOrEqual(100);
    }
    expect(announced).toEqual([]);
    expect((await groups.usage()).bytes).toBe(0);
  });

  test('[M20] of what the person removed here is refused, until it is published here again', async () => {
    const { groups, neighbour } = setup();
    const group = makeGroup(1, [100, 200]);
    const { key, encoded, segments } = group;
    await groups.putOwn({ group: key, encoded, segments });
    await groups.remove(key, { unwanted: true });
    const { offer, fetched } = neighbour();
    await expect(offer(group)).rejects.toMatchObject({ code: 'refused' });
    expect(fetched).toEqual([]);
    await groups.putOwn({ group: key, encoded, segments });
    expect(await offer(group)).toEqual({ kept: true });
    await groups.remove(key);
    expect(await offer(group)).toEqual({ kept: false });
  });

  test('[M7] no more than the quota can take is accepted, what waits included', async () => {
    const { bench, groups, neighbour } = setup({ quota: 10_000 });
    const [a, b] = [neighbour(later(bench, 1_000)), neighbour(later(bench, 1_000))];
    const outcomes: (string | null)[] = [];
    for (let i = 0; i < 8; i++) outcomes.push(await bench.code((i % 2 ? a : b).offer(makeGroup(i, [2_000]))));
    expect(outcomes).toEqual([null, null, null, null, null, 'refused', 'refused', 'refused']);
    await bench.advance(60_000);
    expect((await groups.usage()).others).toBe(10_000);
    expect([...a.told, ...b.told].every(({ kept }) => kept)).toBe(true);
  });

  test('[M7] 16 of one neighbour wait at most; the same one again is no second one', async () => {
    const { bench, neighbour } = setup();
    const flooder = neighbour(() => new Promise(() => undefined));
    const outcomes: (string | null)[] = [];
    for (let i = 0; i < 30; i++) outcomes.push(await bench.code(flooder.offer(makeGroup(i, [10]))));
    expect(outcomes.filter((code) => code === null).length).toBe(2 + 16);
    expect(outcomes.filter((code) => code === 'refused').length).toBe(12);
    expect(await bench.code(flooder.offer(makeGroup(5, [10])))).toBeNull();
    expect(flooder.fetched.length).toBe(2);
  });

  test('neighbours take turns: much from one does not hold up another, nor does one that never sends', async () => {
    const { bench, neighbour } = setup();
    const [busy, silent, modest] = [
      neighbour(later(bench, 1_000)),
      neighbour(() => new Promise(() => undefined)),
      neighbour(later(bench, 1_000)),
    ];
    for (let i = 0; i < 16; i++) await bench.run(busy.offer(makeGroup(i, [10])));
    for (let i = 16; i < 32; i++) await bench.run(silent.offer(makeGroup(i, [10])));
    await bench.run(modest.offer(makeGroup(99, [10])));
    await bench.advance(2_500);
    expect(modest.told.length).toBe(1);
    await bench.advance(60_000);
    expect(busy.told.length).toBe(16);
    expect(silent.fetched.length).toBe(2);
  });

  test('[M7] after 5 min nobody waits for it any more', async () => {
    const { bench, neighbour } = setup();
    const silent = neighbour(() => new Promise(() => undefined));
    for (let i = 0; i < 5; i++) await bench.run(silent.offer(makeGroup(i, [10])));
    await bench.advance(301_000);
    expect(silent.told.map(({ kept }) => kept)).toEqual([false, false]);
    expect(silent.fetched.length).toBe(2);
    expect(bench.pending).toBe(0);
  });

  test('what waits behind a link that ended, or in a node that closes, is dropped', async () => {
    const { bench, keeper, neighbour } = setup();
    const [gone, last] = [neighbour(later(bench, 100)), neighbour(later(bench, 100))];
    for (let i = 0; i < 5; i++) await bench.run(gone.offer(makeGroup(i, [10])));
    gone.link.close('gone');
    await bench.advance(1_000);
    expect(gone.fetched.length).toBe(2);
    for (let i = 10; i < 15; i++) await bench.run(last.offer(makeGroup(i, [10])));
    keeper.close();
    await bench.advance(1_000);
    expect(last.fetched.length).toBe(2);
    expect(last.told.map(({ kept }) => kept)).toEqual([false, false]);
    expect(await bench.code(last.offer(makeGroup(20, [10])))).toBe('refused');
  });
});

describe('FETCH and DESCRIBE', () => {
  async function stocked() {
    const at = setup();
    const group = makeGroup(1, [100]);
    await at.groups.put({ group: group.key, encoded: group.encoded, index: 0, bytes: group.segments[0] as Bytes, role: 'own' });
    const sent: { bytes: Bytes; credit: number; urgency: number }[] = [];
    const { contact, storeId } = at.bench.someone();
    const link: Link = fakeLink({ contact, storeId });
    const context: CallContext = {
      from: contact,
      relayed: false,
      link,
      signal: new AbortController().signal,
      stream: (bulk) => void sent.push(bulk),
    };
    const request = { group: group.key, segment: 0, offset: 0, window: 50, urgency: 7 };
    return { ...at, group, sent, context, request };
  }

  test('[M8] give what is here, from any byte', async () => {
    const { bench, keeper, group, sent, context, request } = await stocked();
    expect(await keeper.handlers.FETCH(request, context)).toEqual({ size: 100 });
    expect(await keeper.handlers.FETCH({ ...request, offset: 90 }, context)).toEqual({ size: 10 });
    expect(sent).toMatchObject([
      { bytes: group.segments[0], credit: 50, urgency: 7 },
      { bytes: group.segments[0]?.subarray(90), credit: 50 },
    ]);
    expect(await keeper.handlers.DESCRIBE({ group: group.key }, context)).toEqual({ descriptor: group.encoded });
    const code = (work: unknown) => bench.code(Promise.resolve(work));
    expect(await code(keeper.handlers.FETCH({ ...request, offset: 101 }, context))).toBe('invalid');
    expect(await code(keeper.handlers.FETCH({ ...request, segment: 1 }, context))).toBe('not-found');
    expect(await code(keeper.handlers.DESCRIBE({ group: makeGroup(2, [1]).key }, context))).toBe('not-found');
  });

  test('[L4] bulk does not go over others', async () => {
    const { bench, keeper, context, request } = await stocked();
    expect(await bench.code(Promise.resolve(keeper.handlers.FETCH(request, { ...context, relayed: true, stream: null })))).toBe('refused');
  });
});
