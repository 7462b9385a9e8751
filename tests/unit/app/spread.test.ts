/** Copies of all groups, against a node that is made up. */
import { describe, expect, test } from 'vitest';
import { spreadAll } from '../../../src/app/spread.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { createScheduler } from '../../sim/scheduler.ts';

const keyOf = (n: number): Key => n.toString(16).padStart(40, '0') as Key;

/** Spreads `groups` groups; `spread` says what comes of one try, `announced` and `tried` tell what was done. */
function bench(
  groups: number,
  spread: (group: Key, tries: number) => number | Promise<number>,
  readBack: (group: Key, tries: number) => boolean = () => true,
) {
  const scheduler = createScheduler();
  const listeners = new Set<() => void>();
  const abort = new AbortController();
  const announced: Key[] = [];
  const tried = new Map<Key, number>();
  const fractions: number[] = [];
  const outcome: { report: unknown; error: unknown } = { report: null, error: null };
  const all = spreadAll({
    clock: scheduler.clock,
    node: {
      async announce(group) {
        announced.push(group);
        return 1;
      },
      copies: {
        handlers: { KEPT: async () => ({}) },
        offer: () => Promise.reject(new Error('Publishing looks up whom to ask.')),
        async spread(group) {
          tried.set(group, (tried.get(group) ?? 0) + 1);
          return spread(group, tried.get(group) ?? 0);
        },
      },
      readBack: async (group) => readBack(group, tried.get(group) ?? 0),
      links: () => [],
      onLinks(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    groups: Array.from({ length: groups }, (_, n) => keyOf(n)),
    signal: abort.signal,
    onProgress: (fraction) => fractions.push(fraction),
  }).then(
    (report) => {
      outcome.report = report;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return { scheduler, listeners, abort, announced, tried, fractions, outcome, all };
}

const tries = (tried: ReadonlyMap<Key, number>): number => [...tried.values()].reduce((sum, one) => sum + one, 0);

describe('spreading a video', () => {
  test('resolves with the least number of copies of any group', async () => {
    const { all, outcome, fractions, announced } = bench(10, (group) => (group === keyOf(7) ? 2 : 5));
    await all;
    expect(outcome.report).toEqual({ stored: 2, wanted: 5 });
    expect(fractions.at(0)).toBe(0);
    expect(fractions.at(-1)).toBe(1);
    expect(new Set(announced).size).toBe(10);
  });

  test('[M19] a group that nobody gives back is no copy, and is tried again', async () => {
    const { scheduler, all, outcome, tried, fractions } = bench(
      3,
      () => 5,
      (group, tries) => group !== keyOf(1) || tries > 2,
    );
    await scheduler.advance(15_000);
    expect(outcome.report).toBeNull();
    expect(fractions.at(-1)).toBeCloseTo(2 / 3);
    await scheduler.advance(15_000);
    await all;
    expect(outcome.report).toEqual({ stored: 5, wanted: 5 });
    expect([...tried].toSorted().map(([, times]) => times)).toEqual([1, 3, 1]);
  });

  test('announces all groups at once, while the first ones still wait for somebody', async () => {
    const { scheduler, announced } = bench(50, () => 0);
    await scheduler.advance(0);
    expect(new Set(announced).size).toBe(50);
  });

  test('asks for a few groups only as long as there is nobody', async () => {
    const { scheduler, tried } = bench(500, () => 0);
    await scheduler.advance(60_000);
    expect(tries(tried)).toBeLessThanOrEqual(7 * 5);
    // Others come first each time: a group that nobody has room for does not keep the others from being taken.
    expect(Math.max(...tried.values())).toBe(1);
  });

  test('goes on soon after somebody came, also during a round', async () => {
    const { scheduler, listeners, tried, outcome } = bench(2, async (_, n) => {
      if (n > 1) return 1;
      await Promise.resolve();
      for (const listener of [...listeners]) listener();
      return 0;
    });
    await scheduler.advance(2_000);
    expect(tries(tried)).toBe(4);
    expect(outcome.report).toEqual({ stored: 1, wanted: 5 });
  });

  test('tries again after an error that may pass', async () => {
    const { scheduler, outcome } = bench(5, (_, n) => {
      if (n === 1) throw fail('quota', 'The disk is full.');
      return 3;
    });
    await scheduler.advance(60_000);
    expect(outcome.report).toEqual({ stored: 3, wanted: 5 });
  });

  test('rejects when a group is not here any more, and begins nothing further', async () => {
    const { scheduler, outcome, tried } = bench(100, (group) => {
      if (group === keyOf(1)) throw fail('not-found', 'gone');
      return 1;
    });
    await scheduler.advance(60_000);
    expect(outcome.error).toMatchObject({ code: 'not-found' });
    expect(tries(tried)).toBeLessThan(10);
  });

  test('rejects with aborted while it waits, and leaves no timer and no listener', async () => {
    const { scheduler, outcome, abort, listeners, tried } = bench(3, () => 0);
    await scheduler.advance(5_000);
    abort.abort();
    await scheduler.advance(0);
    expect(outcome.error).toMatchObject({ code: 'aborted' });
    expect(listeners.size).toBe(0);
    const before = tries(tried);
    await scheduler.advance(60_000);
    expect(tries(tried)).toBe(before);
  });
});
