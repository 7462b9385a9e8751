/** Who makes which segment, and what becomes of helpers that do not do what they should (docs/protocol.md, rules J). */
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { wait } from '../../../src/base/timing.ts';
import { syntheticInit, withNumber } from '../media/synthetic-video.ts';
import { createSharingBench, type Manner, P480, type SharingBench } from './simulated-helpers.ts';

const never: Manner = (_made, _job, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** Comparing bytes one by one takes a test runner seconds. */
const digests = (list: readonly Bytes[]): readonly string[] => list.map((bytes) => toHex(sha256(bytes)));

/** Everything came out, in order, as it should. */
async function comesOutRight(bench: SharingBench): Promise<{ readonly times: readonly number[] }> {
  const { segments, repairs, times } = await bench.make();
  expect(digests(segments.map((bytes, index) => repairs.get(index) ?? bytes))).toEqual(digests(bench.right()));
  return { times };
}

const span = (times: readonly number[]): number => times.at(-1) ?? 0;
const dropped = (bench: SharingBench): readonly string[] => bench.work().workers.flatMap(({ id, dropped }) => (dropped ? [id] : []));

describe('helpers of equal speed', () => {
  test('four are at least 3.5 times as fast as one, and the first segment is there within 10 s', async () => {
    const alone = await createSharingBench();
    alone.helper();
    const one = span((await comesOutRight(alone)).times);
    const bench = await createSharingBench();
    for (let n = 0; n < 4; n++) bench.helper();
    const { times } = await comesOutRight(bench);
    console.info(`one ${one} ms, four ${span(times)} ms: ${(one / span(times)).toFixed(2)} times; first segment after ${times[0]} ms`);
    expect(one / span(times)).toBeGreaterThanOrEqual(3.5);
    expect(times[0]).toBeLessThanOrEqual(10_000);
    expect(bench.work().speedUp).toBeGreaterThan(3);
    // Each fetched the next source while it worked: it never stood still for one.
    expect(one).toBeLessThan(15 * 3_000 + 2_000);
  });

  test('this tab works, too, and alone without any', async () => {
    const alone = await createSharingBench({ ownMs: 3_000 });
    expect(span((await comesOutRight(alone)).times)).toBe(45_000);
    const bench = await createSharingBench({ ownMs: 3_000 });
    bench.helper();
    expect(span((await comesOutRight(bench)).times)).toBeLessThan(28_000);
    expect(
      bench
        .work()
        .workers.map(({ made }) => made)
        .every((made) => made >= 6),
    ).toBe(true);
  });

  test('one that comes in the middle is given work', async () => {
    const bench = await createSharingBench({ ownMs: 3_000 });
    bench.clock.after(15_000, () => void bench.helper());
    expect(span((await comesOutRight(bench)).times)).toBeLessThan(36_000);
  });
});

describe('work that does not come', () => {
  test.each([
    ['nothing at all', never],
    ['the right thing too late', async (made, _, signal) => wait((clock as SharingBench).clock, 50_000, signal).then(() => made)],
    ['a refusal', () => Promise.reject(fail('refused', 'I have enough to do.'))],
    ['a failure', () => Promise.reject(fail('internal', 'It broke.'))],
  ] as readonly (readonly [string, Manner])[])('[J7] %s: others do it, and nobody is blamed', async (_, manner) => {
    const bench = await createSharingBench({ ownMs: 3_000 });
    clock = bench;
    bench.helper({ manner });
    bench.helper();
    const { times } = await comesOutRight(bench);
    expect(span(times)).toBeLessThan(45_000);
    expect(dropped(bench)).toEqual([]);
  });

  test('[J7] a helper that dies takes nothing with it', async () => {
    const bench = await createSharingBench({ ownMs: 3_000 });
    const dying = bench.helper();
    bench.helper();
    bench.clock.after(7_500, () => dying.link(false));
    expect(span((await comesOutRight(bench)).times)).toBeLessThan(30_000);
  });

  test('one that is four times as slow does not hold up the end', async () => {
    const bench = await createSharingBench();
    bench.helper({ msPerJob: 12_000 });
    bench.helper();
    // 15 jobs of 3 s by the fast one alone would take 45 s; the last one waits for the slow one no longer than the fast one needs for it.
    expect(span((await comesOutRight(bench)).times)).toBeLessThan(43_000);
  });

  test('[J7] when all helpers vanish and this tab only compares, it waits, and says that nobody works', async () => {
    const bench = await createSharingBench();
    const helper = bench.helper();
    const making = bench.make();
    helper.link(false);
    expect(bench.sharing.timeLeft(P480.name)).toBeNull();
    bench.sharing.ownWorks = true;
    expect(digests((await making).segments)).toEqual(digests(bench.right()));
  });
});

let clock: SharingBench | null = null;

describe('work that is wrong', () => {
  const rubbish: Manner = async (made) => ({ ...made, bytes: made.bytes.map((byte) => byte ^ 0x55) as typeof made.bytes });
  const shorter: Manner = async (made) => ({ ...made, bytes: made.bytes.slice(0, made.bytes.length >> 1) });
  const mistimed: Manner = async (made) => ({ ...made, bytes: withNumber(made.bytes, ['moof', 'traf', 'tfdt'], { at: 8, value: 77 }) });
  const header: Manner = async (made) => ({ ...made, init: syntheticInit(640, 360) });
  test.each([
    ['rubbish', rubbish],
    ['a shorter segment', shorter],
    ['a wrong time', mistimed],
    ['another header', header],
  ] as const)('[J5] %s is seen at once: the helper is dropped, and remembered', async (_, manner) => {
    const bench = await createSharingBench({ checkShare: 0 });
    const bad = bench.helper({ manner });
    bench.helper();
    await comesOutRight(bench);
    expect(dropped(bench)).toEqual([bad.id]);
    const before = bad.asked.length;
    expect(before).toBeLessThanOrEqual(2);
    await bench.make({ ...P480, name: 'again' });
    expect(bad.asked).toHaveLength(before);
  });

  test('[J5] what can’t be decoded is wrong', async () => {
    const bench = await createSharingBench({ checkShare: 0, decodes: async (video) => video.at(-1) !== 0xee });
    const bad = bench.helper({
      manner: async (made) => {
        made.bytes[made.bytes.length - 1] = 0xee;
        return made;
      },
    });
    bench.helper();
    await comesOutRight(bench);
    expect(dropped(bench)).toEqual([bad.id]);
  });

  /** Boxes as they should be, pictures of something else. */
  const another: Manner = async (made) => {
    const bytes = made.bytes.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    return { ...made, bytes };
  };

  test('[J6] another video is found out by making some twice; all of that helper’s work is redone, also what was given out', async () => {
    let found = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const bench = await createSharingBench({ seed, checkShare: 0.3 });
      const bad = bench.helper({ manner: another });
      bench.helper();
      bench.helper();
      const { segments, repairs } = await bench.make();
      if (!dropped(bench).includes(bad.id)) continue;
      found++;
      expect(dropped(bench), `seed ${seed}`).toEqual([bad.id]);
      expect(digests(segments.map((bytes, index) => repairs.get(index) ?? bytes))).toEqual(digests(bench.right()));
    }
    expect(found).toBeGreaterThanOrEqual(4);
  });

  test('[J6] of two that differ this tab finds who is wrong, whoever was the first', async () => {
    for (const badFirst of [true, false]) {
      const bench = await createSharingBench({ checkShare: 1 });
      const first = bench.helper(badFirst ? { manner: another } : {});
      const second = bench.helper(badFirst ? {} : { manner: another });
      await comesOutRight(bench);
      expect(dropped(bench)).toEqual([(badFirst ? first : second).id]);
    }
  });

  test('[J6] with a share of 1 everything is made twice, with 0 nothing', async () => {
    for (const checkShare of [0, 1]) {
      const bench = await createSharingBench({ checkShare });
      bench.helper();
      bench.helper();
      await comesOutRight(bench);
      const outcomes = bench.work().workers.flatMap(({ spans }) => spans.map(({ outcome }) => outcome));
      expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(15);
      expect(outcomes.filter((outcome) => outcome === 'checked')).toHaveLength(checkShare === 1 ? 15 : 0);
    }
  });
});

describe('this tab', () => {
  test('that can’t do a job says so, and the quality ends', async () => {
    const make = (): Promise<never> => Promise.reject(fail('missing-feature', 'The converter could not be loaded.'));
    const bench = await createSharingBench({ ownMs: 1_000, make });
    await expect(bench.make()).rejects.toMatchObject({ code: 'missing-feature' });
    expect(bench.pending).toBe(0);
  });

  test('leaves nothing running when nobody reads on', async () => {
    const bench = await createSharingBench({ ownMs: 3_000 });
    bench.helper();
    const share = bench.sharing.begin(P480);
    const read = async (): Promise<void> => {
      for await (const event of share.events) if (event.type === 'segment') return;
    };
    await bench.run(read());
    await bench.advance(5_000);
    expect(bench.sharing.work.workers.flatMap(({ spans }) => spans.filter(({ until }) => until === null))).toEqual([]);
    expect(bench.pending).toBe(0);
  });
});
