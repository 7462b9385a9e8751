/** Which quality is made when and by whom, in virtual time. */
import { describe, expect, test } from 'vitest';
import { makeInOrder } from '../../../src/app/quality-order.ts';
import { fail } from '../../../src/base/errors.ts';
import { wait } from '../../../src/base/timing.ts';
import { createBench } from '../node/support/bench.ts';

const QUALITIES = [
  { name: '720p', pixels: 921_600 },
  { name: '480p', pixels: 409_920 },
  { name: '360p', pixels: 230_400 },
  { name: '240p', pixels: 102_240 },
];

interface Scene {
  readonly quick: boolean;
  readonly helpers?: (now: number) => number;
  /** Milliseconds that helpers take for a million pixels. */
  readonly theirs?: number;
  readonly own?: number;
  readonly sharedFails?: boolean;
}

/** What was made how, in the order in which it was there, and when. */
async function play({ quick, helpers = () => 0, theirs = 40_000, own = 10_000, sharedFails = false }: Scene) {
  const bench = createBench();
  const began = bench.clock.now();
  const until = new Map<string, number>();
  const made: string[] = [];
  const { signal } = new AbortController();
  const now = (): number => bench.clock.now() - began;
  const sharing = {
    helpers: () => helpers(now()),
    ownWorks: false,
    timeLeft: (name: string) => (helpers(now()) > 0 || sharing.ownWorks ? Math.max((until.get(name) ?? 0) - now(), 0) : null),
  };
  await bench.run(
    makeInOrder({
      ...{ qualities: QUALITIES, sharing, quick, clock: bench.clock, signal },
      async make(index, how, stop) {
        const { name, pixels } = QUALITIES[index] as (typeof QUALITIES)[number];
        if (how === 'shared' && sharedFails) return false;
        const ms = ((how === 'here' ? own : theirs) * pixels) / 1e6;
        until.set(name, now() + ms);
        try {
          await wait(bench.clock, ms, stop);
        } catch {
          return false;
        }
        made.push(`${name} ${how}`);
        return true;
      },
    }),
  );
  return { made, took: now() };
}

describe('a tab with a quick encoder', () => {
  test('makes all itself when nobody helps, smallest first, and no later than without helpers at all', async () => {
    const { made, took } = await play({ quick: true });
    expect(made).toEqual(['240p here', '360p here', '480p here', '720p here']);
    expect(took).toBeCloseTo(
      QUALITIES.reduce((sum, { pixels }) => sum + pixels / 100, 0),
      -1,
    );
  });

  test('leaves the largest to helpers when they are quick enough', async () => {
    const { made, took } = await play({ quick: true, helpers: () => 4, theirs: 8_000 });
    expect(made).toEqual(expect.arrayContaining(['720p shared', '240p here']));
    expect(took).toBeLessThan((await play({ quick: true })).took * 0.7);
  });

  test('takes over from helpers that would take longer than it does, and from those that vanished', async () => {
    const slow = await play({ quick: true, helpers: () => 1, theirs: 200_000 });
    expect(slow.made).toEqual(['240p here', '360p here', '480p here', '720p here']);
    const vanished = await play({ quick: true, helpers: (now) => (now < 3_000 ? 2 : 0), theirs: 200_000 });
    expect(vanished.made.at(-1)).toBe('720p here');
    expect(vanished.took).toBeLessThan((await play({ quick: true })).took * 1.2);
  });

  test('uses a helper that comes in the middle', async () => {
    const { made } = await play({ quick: true, own: 60_000, theirs: 10_000, helpers: (now) => (now > 2_000 ? 2 : 0) });
    expect(made).toContain('720p shared');
  });
});

describe('a tab without one', () => {
  test('shares everything, smallest first, two at once', async () => {
    const { made } = await play({ quick: false, helpers: () => 2 });
    expect(made).toEqual(['240p shared', '360p shared', '480p shared', '720p shared']);
  });

  test('makes each as a whole when nobody helps, one after the other, and shares the next when somebody does', async () => {
    const { made, took } = await play({ quick: false });
    expect(made).toEqual(['240p here', '360p here', '480p here', '720p here']);
    expect(took).toBeCloseTo(
      QUALITIES.reduce((sum, { pixels }) => sum + pixels / 100, 0),
      -1,
    );
    const later = await play({ quick: false, helpers: (now) => (now > 2_000 ? 1 : 0) });
    expect(later.made.filter((one) => one.endsWith('shared'))).toEqual(['480p shared', '720p shared']);
  });

  test('makes as a whole what can’t be shared', async () => {
    const { made } = await play({ quick: false, helpers: () => 1, sharedFails: true });
    expect(made).toEqual(['240p here', '360p here', '480p here', '720p here']);
  });

  test('ends at once when all is over', async () => {
    const bench = createBench();
    const over = new AbortController();
    const making = makeInOrder({
      ...{ qualities: QUALITIES, quick: true, clock: bench.clock, signal: over.signal },
      sharing: { helpers: () => 1, ownWorks: false, timeLeft: () => 1 },
      make: (_index, _how, stop) => wait(bench.clock, 60_000, AbortSignal.any([stop, over.signal])).then(() => true),
    });
    const code = bench.code(making);
    bench.clock.after(5_000, () => over.abort(fail('closed', 'The tab was closed.')));
    expect(await code).toBe('closed');
  });
});
