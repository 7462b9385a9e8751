/**
 * Replicas that saw the same versions of a record end with the same one, because a write is later than what its writer had seen. Without
 * that rule they do not: versions beat each other in a circle.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../signal-server/crypto.ts';
import { toHex } from '../../src/base/bytes.ts';
import { judge, newest } from '../../src/records/merge.ts';
import type { SignedRecord } from '../../src/records/record.ts';
import { compareClocks, type Device, EMPTY_CLOCK, increment } from '../../src/records/vector-clock.ts';
import { makeRecord } from '../unit/support/make-record.ts';

const crypto = createNodeCrypto();
const devices = Array.from({ length: 4 }, (_, i) => i.toString(16).padStart(16, '0') as Device);

type Step =
  /** A device writes; `wall` is what its clock shows, right or wrong. */
  | { readonly type: 'write'; readonly by: number; readonly wall: number; readonly value: string }
  /** A device learns what another one has. */
  | { readonly type: 'sync'; readonly by: number; readonly from: number };

const device = fc.nat(devices.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    by: device,
    wall: fc.integer({ min: 1, max: 7 }),
    value: fc.constantFrom('a', 'b', 'c'),
  }),
  fc.record({ type: fc.constant('sync' as const), by: device, from: device }),
);
const history = fc.array(step, { minLength: 1, maxLength: 16 });

/** How versions are made. `wall`: a write has the time of the wall clock. `count`: a device counts its writes as 1, 2, … within the version that it has. */
type Rules = 'ours' | 'wall' | 'count';

/** All versions that a history brings forth, in the order of writing. */
function play(steps: readonly Step[], rules: Rules = 'ours'): readonly SignedRecord[] {
  const held = new Map<number, SignedRecord>();
  const versions: SignedRecord[] = [];
  const take = (by: number, record: SignedRecord): void => {
    const before = held.get(by);
    held.set(by, before ? newest(crypto, before, record) : record);
  };
  for (const one of steps) {
    const previous = held.get(one.by);
    if (one.type === 'sync') {
      const theirs = held.get(one.from);
      if (theirs) take(one.by, theirs);
    } else {
      const time = previous && rules !== 'wall' ? Math.max(one.wall, previous.body.time + 1) : one.wall;
      const clock = increment(previous?.body.clock ?? EMPTY_CLOCK, devices[one.by] as Device, rules === 'ours' ? time : 1);
      const record = makeRecord({ clock, time, value: one.value });
      versions.push(record);
      held.set(one.by, record);
    }
  }
  return versions;
}

/** Pairs of versions of which one is after the other by clock and not by time. */
function contradictions(versions: readonly SignedRecord[]): number {
  const pairs = versions.flatMap((a) => versions.map((b) => [a.body, b.body] as const));
  return pairs.filter(([a, b]) => compareClocks(a.clock, b.clock) === 'after' && a.time <= b.time).length;
}

const name = (record: SignedRecord): string => toHex(record.signed.body);
const winner = (versions: readonly SignedRecord[]): string => name(versions.reduce((best, one) => newest(crypto, best, one)));
const withSeeds = history.chain((steps) => fc.tuple(fc.constant(steps), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))));

function shuffled<T>(items: readonly T[], random: Iterator<number>): T[] {
  return items
    .map((item) => ({ item, at: random.next().value as number }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe('[S5] the merge of versions that keep the time rule', () => {
  it('is commutative, idempotent and associative', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), fc.nat(), (steps, i, j, k) => {
        const versions = play(steps);
        if (versions.length === 0) return;
        const [a, b, c] = [i, j, k].map((at) => versions[at % versions.length]) as [SignedRecord, SignedRecord, SignedRecord];
        const merge = (x: SignedRecord, y: SignedRecord): SignedRecord => newest(crypto, x, y);
        expect(name(merge(a, a))).toBe(name(a));
        expect(name(merge(a, b))).toBe(name(merge(b, a)));
        expect(name(merge(merge(a, b), c))).toBe(name(merge(a, merge(b, c))));
      }),
      { numRuns: 1000 },
    );
  });

  it('ends with the same version in whatever order they come, some of them twice', () => {
    fc.assert(
      fc.property(withSeeds, ([steps, random]) => {
        const versions = play(steps);
        if (versions.length === 0) return;
        expect(winner(shuffled([...versions, ...versions], random))).toBe(winner(versions));
      }),
      { numRuns: 500 },
    );
  });

  it('[S6] is what storing nodes come to that judge one version after the other, and none is found invalid', () => {
    fc.assert(
      fc.property(withSeeds, ([steps, random]) => {
        const versions = play(steps);
        if (versions.length === 0) return;
        let stored: SignedRecord | null = null;
        for (const incoming of shuffled(versions, random)) {
          const verdict = judge(crypto, stored, incoming, 1_000);
          expect(verdict).not.toBe('invalid');
          if (verdict === 'newer') stored = incoming;
        }
        expect(name(stored as unknown as SignedRecord)).toBe(winner(versions));
      }),
      { numRuns: 500 },
    );
  });

  it('[S4] never has clocks and times that contradict each other', () => {
    fc.assert(
      fc.property(history, (steps) => {
        expect(contradictions(play(steps))).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('[S3] holds for devices that gave up their own version for one that did not know of it', () => {
    const write = (by: number, wall: number): Step => ({ type: 'write', by, wall, value: 'a' });
    const sync = (by: number, from: number): Step => ({ type: 'sync', by, from });
    const steps = [write(1, 1), write(0, 2), sync(3, 1), sync(1, 0), write(3, 11), sync(0, 3), write(0, 3), write(1, 12)];
    expect(contradictions(play(steps))).toBe(0);
    // Counting 1, 2, … the last two versions have {0:1, 1:1, 3:1} and {0:1, 1:1} with one time: neither knew of the other, and the clocks say otherwise.
    expect(contradictions(play(steps, 'count'))).toBe(1);
  });
});

describe('[S4] without the time rule', () => {
  const [one, two] = devices as [Device, Device];
  const first = makeRecord({ clock: [{ device: one, counter: 1 }], time: 30, value: 'first' });
  /** Written in knowledge of `first`, by a device whose clock is behind. */
  const second = makeRecord({ clock: [{ device: one, counter: 2 }], time: 10, value: 'second' });
  const aside = makeRecord({ clock: [{ device: two, counter: 1 }], time: 20, value: 'aside' });

  it('three versions beat each other in a circle, and two replicas that saw all three differ for ever', () => {
    expect(newest(crypto, first, second)).toBe(second); // by clock
    expect(newest(crypto, second, aside)).toBe(aside); // by time
    expect(newest(crypto, aside, first)).toBe(first); // by time
    expect(winner([first, second, aside])).not.toBe(winner([second, aside, first]));
  });

  it('[S6] a storing node refuses the version that closes the circle', () => {
    expect(judge(crypto, first, second, 1_000)).toBe('invalid');
    expect(judge(crypto, second, first, 1_000)).toBe('invalid');
  });

  it('random histories find such circles too: the tests above do look where they are', () => {
    const found = fc.check(
      fc.property(withSeeds, ([steps, random]) => {
        const versions = play(steps, 'wall');
        return versions.length === 0 || winner(shuffled(versions, random)) === winner(versions);
      }),
      { numRuns: 5000, seed: 1 },
    );
    expect(found.failed).toBe(true);
  });
});
