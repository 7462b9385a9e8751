/** Vector clocks form a lattice: the order is partial, and the join is the least clock above two. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareClocks, type Device, increment, mergeClocks, type VectorClock } from '../../src/records/vector-clock.ts';

const devices = Array.from({ length: 5 }, (_, i) => i.toString(16).padStart(16, '0') as Device);
/** Few devices and small counters, so that all four orders come up. */
const clock: fc.Arbitrary<VectorClock> = fc
  .array(fc.nat(3), { minLength: devices.length, maxLength: devices.length })
  .map((counters) => counters.flatMap((counter, i) => (counter > 0 ? [{ device: devices[i] as Device, counter }] : [])));
const notAfter = (a: VectorClock, b: VectorClock): boolean => ['before', 'equal'].includes(compareClocks(a, b));

describe('[S3] vector clocks', () => {
  it('are all ordered in one of four ways, and the other way round the other way', () => {
    const opposite = { before: 'after', after: 'before', equal: 'equal', concurrent: 'concurrent' } as const;
    const seen = new Set<string>();
    fc.assert(
      fc.property(clock, clock, (a, b) => {
        const order = compareClocks(a, b);
        seen.add(order);
        expect(compareClocks(b, a)).toBe(opposite[order]);
        expect(order === 'equal').toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 500 },
    );
    expect(seen).toContain('concurrent'); // else nothing was shown
    expect(seen).toContain('before');
  });

  it('are transitive', () => {
    fc.assert(
      fc.property(clock, clock, clock, (a, b, c) => {
        if (notAfter(a, b) && notAfter(b, c)) expect(notAfter(a, c)).toBe(true);
        const [low, middle, high] = [a, mergeClocks(a, b), mergeClocks(mergeClocks(a, b), c)];
        expect(notAfter(low, middle) && notAfter(middle, high) && notAfter(low, high)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('join commutatively, associatively and idempotently', () => {
    fc.assert(
      fc.property(clock, clock, clock, (a, b, c) => {
        expect(mergeClocks(a, b)).toEqual(mergeClocks(b, a));
        expect(mergeClocks(mergeClocks(a, b), c)).toEqual(mergeClocks(a, mergeClocks(b, c)));
        expect(mergeClocks(a, a)).toEqual(a);
      }),
    );
  });

  it('join to the least clock that is not before either', () => {
    fc.assert(
      fc.property(clock, clock, clock, (a, b, other) => {
        const join = mergeClocks(a, b);
        expect(notAfter(a, join) && notAfter(b, join)).toBe(true);
        if (notAfter(a, other) && notAfter(b, other)) expect(notAfter(join, other)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are after what they were incremented from', () => {
    fc.assert(
      fc.property(clock, fc.constantFrom(...devices), fc.nat(6), (before, device, time) => {
        const after = increment(before, device, time);
        expect(compareClocks(after, before)).toBe('after');
        expect([...after].sort((a, b) => (a.device < b.device ? -1 : 1))).toEqual(after);
      }),
    );
  });
});
