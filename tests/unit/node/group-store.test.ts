/** Media on this disk (design §6: quota and eviction). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { createGroupStore, type GroupRole, type GroupStore, isSegment } from '../../../src/node/group-store.ts';
import { type Bench, createBench } from './support/bench.ts';
import { makeGroup, type TestGroup } from './support/make-group.ts';

/** Longer than a group counts as in use after its last use, ms. */
const LATER = 200_000;

function setup(quota = 10_000, disk: Store = createMemoryStore(1e9)) {
  const bench = createBench();
  /** How many others hold a group, as the node counts them. */
  const others = new Map<Key, number>();
  const told: string[] = [];
  const open = (): GroupStore =>
    createGroupStore({
      ...{ store: disk, crypto: bench.crypto, clock: bench.clock, quota: () => quota, enough: 5 },
      others: (group) => others.get(group) ?? null,
      onComplete: (group, role) => void told.push(`${role} ${group}`),
      onRemoved: (group) => void told.push(`removed ${group}`),
    });
  return { bench, disk, open, others, told, groups: open() };
}

async function put(groups: GroupStore, group: TestGroup, role: GroupRole, indexes = [...group.segments.keys()]): Promise<boolean> {
  let complete = false;
  for (const index of indexes) {
    const bytes = group.segments[index] as TestGroup['segments'][number];
    complete = await groups.put({ group: group.key, encoded: group.encoded, index, bytes, role });
  }
  return complete;
}

async function here(groups: GroupStore, of: readonly TestGroup[]): Promise<number[]> {
  const kept = await Promise.all(of.map((group) => groups.get(group.key)));
  return kept.flatMap((group, i) => (group ? i : []));
}

/** Groups of one segment of 1,000 bytes, put one after the other. */
async function fill(bench: Bench, groups: GroupStore, count: number, role: GroupRole = 'seen', from = 0): Promise<TestGroup[]> {
  const made = Array.from({ length: count }, (_, i) => makeGroup(from + i, [1_000]));
  for (const group of made) {
    await put(groups, group, role);
    await bench.advance(1_000);
  }
  return made;
}

describe('a group', () => {
  test('is complete when its last segment has come, in whatever order', async () => {
    const { groups } = setup();
    const group = makeGroup(
      1,
      Array.from({ length: 40 }, () => 10),
    );
    const order = [...group.segments.keys()].reverse();
    for (const index of order) expect(await put(groups, group, 'seen', [index])).toBe(index === 0);
    expect(await put(groups, group, 'seen', [5])).toBe(false);
    expect(await groups.get(group.key)).toMatchObject({ complete: true, bytes: 400, role: 'seen', descriptor: group.descriptor });
    expect(await groups.segment(group.key, 39)).toEqual(group.segments[39]);
    expect(await groups.segment(group.key, 40)).toBeNull();
  });

  test('[M2] under another key than its descriptor’s hash is not taken', async () => {
    const { bench, groups } = setup();
    const [a, b] = [makeGroup(1, [10]), makeGroup(2, [10])];
    const bytes = a.segments[0] as TestGroup['segments'][number];
    expect(await bench.code(groups.put({ group: b.key, encoded: a.encoded, index: 0, bytes, role: 'own' }))).toBe('invalid');
    expect(await groups.list()).toEqual([]);
  });

  test('[M2] changed bytes and other sizes are no segment of it', async () => {
    const { bench } = setup();
    const { descriptor, segments } = makeGroup(1, [10]);
    const [wanted, bytes] = [descriptor.segments[0], segments[0]];
    if (!wanted || !bytes) throw new Error('no segment');
    expect(await isSegment(bench.crypto, bytes, wanted)).toBe(true);
    expect(await isSegment(bench.crypto, bytes.slice(1), wanted)).toBe(false);
    expect(await isSegment(bench.crypto, new Uint8Array(10).fill(9), wanted)).toBe(false);
  });

  test('that is removed leaves nothing', async () => {
    const { disk, groups } = setup();
    const group = makeGroup(1, [10, 20]);
    await put(groups, group, 'kept');
    await groups.remove(group.key);
    expect(await groups.usage()).toEqual({ groups: 0, bytes: 0, others: 0 });
    expect(await disk.keys('segments')).toEqual([]);
  });

  test('keeps the strongest reason for which it is here', async () => {
    const { groups } = setup();
    const group = makeGroup(1, [10, 20, 30]);
    await put(groups, group, 'seen', [0]);
    await put(groups, group, 'kept', [1]);
    await put(groups, group, 'seen', [2]);
    expect((await groups.get(group.key))?.role).toBe('kept');
    expect((await groups.usage()).others).toBe(60);
    await put(groups, group, 'own', [0]);
    expect(await groups.usage()).toMatchObject({ bytes: 60, others: 0 });
  });
});

describe('what is told', () => {
  test('is each group that became whole, became a duty, or was removed', async () => {
    const { groups, told } = setup();
    const group = makeGroup(1, [10, 20]);
    await put(groups, group, 'seen');
    await groups.adopt(group.key);
    await groups.adopt(group.key);
    await put(groups, group, 'own', [0]);
    await groups.adopt(group.key); // it is more than a duty already
    await groups.remove(group.key);
    await groups.remove(group.key);
    expect(told).toEqual(['seen', 'kept', 'own', 'removed'].map((what) => `${what} ${group.key}`));
  });

  test('is what is here, without looking through all of it each time', async () => {
    const { bench, disk } = setup();
    let looks = 0;
    const counting: Store = {
      ...disk,
      entries(table, prefix) {
        looks++;
        return disk.entries(table, prefix);
      },
    };
    const groups = createGroupStore({ store: counting, crypto: bench.crypto, clock: bench.clock, quota: () => 1e6 });
    await fill(bench, groups, 20);
    await fill(bench, groups, 5, 'own', 50);
    const sum = { groups: 25, bytes: 25_000, others: 20_000 };
    for (let i = 0; i < 50; i++) expect(await groups.usage()).toEqual(sum);
    await put(groups, makeGroup(3, [1_000]), 'own');
    await groups.remove(makeGroup(4, [1_000]).key);
    await groups.remove(makeGroup(51, [1_000]).key);
    const after = { groups: 23, bytes: 23_000, others: 18_000 };
    expect(await groups.usage()).toEqual(after);
    expect(looks).toBe(1);
    await bench.advance(11 * 60_000);
    expect(await groups.usage()).toEqual(after); // counted anew
    expect(looks).toBe(2);
  });
});

describe('the quota', () => {
  test('holds, and what was not used for longest goes first', async () => {
    const { bench, groups } = setup();
    const old = await fill(bench, groups, 10);
    await bench.advance(LATER);
    await groups.touch((old[0] as TestGroup).key);
    await fill(bench, groups, 3, 'seen', 100);
    expect(await here(groups, old)).toEqual([0, 4, 5, 6, 7, 8, 9]);
    expect((await groups.usage()).others).toBeLessThanOrEqual(10_000);
  });

  test('what most others hold goes before that, and what is not whole before everything', async () => {
    const { bench, groups } = setup();
    const old = await fill(bench, groups, 7);
    const part = makeGroup(50, [1_000, 1_000, 1_000, 1_000]);
    await put(groups, part, 'seen', [0, 1, 2]);
    await groups.touch((old[5] as TestGroup).key, 9);
    await groups.touch((old[3] as TestGroup).key, 4);
    await bench.advance(LATER);
    await fill(bench, groups, 3, 'kept', 100);
    expect(await here(groups, [part])).toEqual([]);
    expect(await here(groups, old)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    await fill(bench, groups, 2, 'kept', 110);
    expect(await here(groups, old)).toEqual([0, 1, 2, 4, 6]);
  });

  test('for a new duty a copy that is needed stays; one that enough others hold gives way, and what was only watched', async () => {
    const { bench, others, groups } = setup(5_000);
    const kept = await fill(bench, groups, 4, 'kept');
    const [watched] = (await fill(bench, groups, 1, 'seen', 50)) as [TestGroup];
    for (const [i, group] of kept.entries()) others.set(group.key, 3 + i);
    await bench.advance(LATER);
    expect(await groups.room()).toBe(3_000);
    expect(await bench.code(put(groups, makeGroup(60, [3_000]), 'kept'))).toBeNull();
    expect(await here(groups, [...kept, watched])).toEqual([0, 1]);
    await bench.advance(LATER);
    expect(await bench.code(put(groups, makeGroup(70, [1_000]), 'kept'))).toBe('quota');
    // What a person watches is worth more.
    expect(await bench.code(put(groups, makeGroup(80, [1_000]), 'seen'))).toBeNull();
    expect(await here(groups, kept)).toEqual([0]);
  });

  test('how many others hold it now is what counts, not how many did when it was last counted', async () => {
    const { bench, others, groups } = setup(3_000);
    const [a, b, c] = (await fill(bench, groups, 3)) as [TestGroup, TestGroup, TestGroup];
    await groups.touch(a.key, 9);
    await groups.touch(b.key, 2);
    others.set(a.key, 1);
    others.set(c.key, 4);
    await bench.advance(LATER);
    await fill(bench, groups, 1, 'seen', 50);
    expect(await here(groups, [a, b, c])).toEqual([0, 1]);
    await bench.advance(LATER);
    await groups.touch(makeGroup(50, [1_000]).key);
    await fill(bench, groups, 1, 'seen', 60);
    expect(await here(groups, [a, b, c])).toEqual([0]);
  });

  test('own groups are never evicted and do not count', async () => {
    const { bench, groups } = setup(5_000);
    const own = await fill(bench, groups, 20, 'own');
    const seen = await fill(bench, groups, 5, 'seen', 50);
    await bench.advance(LATER);
    await fill(bench, groups, 5, 'kept', 100);
    expect((await here(groups, own)).length).toBe(20);
    expect(await here(groups, seen)).toEqual([]);
    expect(await groups.usage()).toEqual({ groups: 25, bytes: 25_000, others: 5_000 });
  });

  test('what is being fetched or watched stays; what does not fit is refused and leaves nothing', async () => {
    const { bench, disk, groups } = setup(5_000);
    const watched = await fill(bench, groups, 5);
    const more = makeGroup(50, [1_000]);
    expect(await bench.code(put(groups, more, 'seen'))).toBe('quota');
    expect((await here(groups, watched)).length).toBe(5);
    expect(await here(groups, [more])).toEqual([]);
    expect((await disk.keys('segments')).length).toBe(5);
    await bench.advance(LATER);
    expect(await bench.code(put(groups, more, 'seen'))).toBeNull();
    // A refusal that stayed on the account would show here.
    expect(await bench.code(put(groups, makeGroup(51, [1_000, 3_000]), 'seen'))).toBeNull();
  });

  test('a segment that is put twice counts once', async () => {
    const { bench, groups } = setup(5_000);
    const group = makeGroup(1, [2_000]);
    for (let i = 0; i < 10; i++) await put(groups, group, 'seen');
    expect(await bench.code(put(groups, makeGroup(2, [3_000]), 'seen'))).toBeNull();
  });

  test('`room` tells what could be taken in', async () => {
    const { bench, groups } = setup(5_000);
    await fill(bench, groups, 2);
    await fill(bench, groups, 9, 'own', 50);
    expect(await groups.room()).toBe(3_000);
    await bench.advance(LATER);
    expect(await groups.room()).toBe(5_000);
  });

  test('two tabs on one disk keep one quota', async () => {
    const { bench, groups, open } = setup();
    const other = open();
    for (let i = 0; i < 20; i++) {
      await put(i % 2 ? groups : other, makeGroup(i, [1_000]), 'seen');
      await bench.advance(LATER);
      expect((await groups.usage()).others).toBeLessThanOrEqual(10_000);
    }
    expect((await groups.usage()).others).toBe(10_000);
  });

  test('an account that a dead tab left wrong is counted anew within 10 minutes, and by each tab that starts', async () => {
    const { bench, disk, groups } = setup(5_000);
    const first = makeGroup(1, [1_000]);
    await put(groups, first, 'seen');
    await groups.remove(first.key);
    const quota = (): number => 5_000;
    const frozen: Store = { ...disk, write: () => new Promise(() => undefined) };
    const dying = createGroupStore({ store: frozen, crypto: bench.crypto, clock: bench.clock, quota });
    for (let i = 0; i < 5; i++) void put(dying, makeGroup(60 + i, [1_000]), 'seen');
    await bench.advance(1_000);
    expect(await bench.code(put(groups, makeGroup(90, [1_000]), 'seen'))).toBe('quota');
    const fresh = createGroupStore({ store: disk, crypto: bench.crypto, clock: bench.clock, quota });
    expect(await bench.code(put(fresh, makeGroup(91, [1_000]), 'seen'))).toBeNull();
    await bench.advance(11 * 60_000);
    expect(await bench.code(put(groups, makeGroup(92, [4_000]), 'seen'))).toBeNull();
  });

  test('two that evict at once do not count the same room twice', async () => {
    const { bench, groups } = setup();
    await fill(bench, groups, 10);
    await bench.advance(LATER);
    await Promise.all(Array.from({ length: 6 }, (_, i) => put(groups, makeGroup(100 + i, [1_500]), 'kept')));
    expect((await groups.usage()).others).toBeLessThanOrEqual(10_000);
  });
});

describe('a full disk', () => {
  /** A disk that holds so many bytes of segments. */
  function small(limit: number): Store {
    const disk = createMemoryStore(1e9);
    return {
      ...disk,
      async write(changes) {
        const size = async (): Promise<number> => (await disk.entries('segments')).reduce((sum, [, bytes]) => sum + bytes.length, 0);
        const added = changes.reduce((sum, { value, table }) => sum + (table === 'segments' ? (value?.length ?? 0) : 0), 0);
        if (added > 0 && (await size()) + added > limit) throw fail('quota', 'The disk is full.');
        await disk.write(changes);
      },
    };
  }

  test('makes others’ groups give way to what the person publishes', async () => {
    const { bench, groups } = setup(10_000, small(6_000));
    const seen = await fill(bench, groups, 6);
    await bench.advance(LATER);
    const own = makeGroup(50, [1_500, 1_500]);
    expect(await put(groups, own, 'own')).toBe(true);
    expect(await here(groups, seen)).toEqual([4, 5]);
  });

  test('says so when nothing may go, and the account stays right', async () => {
    const { bench, groups } = setup(10_000, small(6_000));
    await fill(bench, groups, 6, 'own');
    expect(await bench.code(put(groups, makeGroup(50, [1_000]), 'own'))).toBe('quota');
    expect(await bench.code(put(groups, makeGroup(51, [9_000]), 'seen'))).toBe('quota');
    expect(await bench.code(put(groups, makeGroup(52, [9_000]), 'seen'))).toBe('quota');
    expect((await groups.usage()).bytes).toBe(6_000);
    expect(await groups.room()).toBe(10_000);
  });

  test('that takes no write at all can still be emptied, and is counted anew', async () => {
    const disk = createMemoryStore(1e9);
    let isFull = false;
    const refuse = (isWrite: boolean): void => {
      if (isFull && isWrite) throw fail('quota', 'The disk is full.');
    };
    const { bench, groups } = setup(10_000, {
      ...disk,
      async write(changes) {
        refuse(changes.some(({ value }) => value !== null));
        await disk.write(changes);
      },
      update: (table, key, change) =>
        disk.update(table, key, (before) => {
          const next = change(before);
          refuse(next !== null);
          return next;
        }),
    });
    const [first, second, third] = await fill(bench, groups, 3, 'own');
    isFull = true;
    for (const group of [first, second]) if (group) await groups.remove(group.key);
    expect(await groups.usage()).toEqual({ groups: 1, bytes: 1_000, others: 0 });
    isFull = false;
    expect(await groups.usage()).toEqual({ groups: 1, bytes: 1_000, others: 0 });
    if (third) await groups.remove(third.key);
    expect(await groups.usage()).toEqual({ groups: 0, bytes: 0, others: 0 });
  });
});
