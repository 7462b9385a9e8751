/** The laws that Kademlia rests on (Maymounkov and Mazières, 2002, §2.1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commonPrefix,
  compareDistance,
  distance,
  KEY_BITS,
  KEY_BYTES,
  type Key,
  keyBytes,
  keyInBucket,
  keyOf,
} from '../../src/kademlia/key.ts';

const key = fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES }).map(keyOf);
/** Keys that share a prefix oftener than chance would have it. */
const near = (other: Key): fc.Arbitrary<Key> =>
  fc.tuple(fc.integer({ min: 0, max: KEY_BITS - 1 }), key).map(([prefix, random]) => keyInBucket(other, prefix, keyBytes(random)));
const pair = key.chain((a) => fc.tuple(fc.constant(a), fc.oneof(key, near(a))));
const triple = pair.chain(([a, b]) => fc.tuple(fc.constant(a), fc.constant(b), fc.oneof(key, near(a), near(b), fc.constant(a))));
const number = (hex: string): bigint => BigInt(`0x${hex}`);

describe('[K1] XOR distance', () => {
  it('is what bigint arithmetic gives', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(number(distance(a, b))).toBe(number(a) ^ number(b));
      }),
    );
  });

  it('is zero to itself only, and the same both ways', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(number(distance(a, a))).toBe(0n);
        expect(number(distance(a, b)) === 0n).toBe(a === b);
        expect(distance(a, b)).toBe(distance(b, a));
      }),
    );
  });

  it('obeys the triangle inequality', () => {
    fc.assert(
      fc.property(triple, ([a, b, c]) => {
        expect(number(distance(a, b)) + number(distance(b, c)) >= number(distance(a, c))).toBe(true);
      }),
    );
  });

  it('leads in one direction: at each distance from a key there is exactly one other', () => {
    fc.assert(
      fc.property(triple, ([target, a, b]) => {
        expect(distance(target, a) === distance(target, b)).toBe(a === b);
      }),
    );
  });

  it('is ordered by compareDistance as by the numbers', () => {
    fc.assert(
      fc.property(triple, ([target, a, b]) => {
        const [toA, toB] = [number(target) ^ number(a), number(target) ^ number(b)];
        expect(Math.sign(compareDistance(target, a, b))).toBe(toA < toB ? -1 : toA > toB ? 1 : 0);
      }),
    );
  });
});

describe('buckets', () => {
  it('are numbered by shared leading bits: the distance has as many leading zeros', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const bits = number(distance(a, b)).toString(2).padStart(KEY_BITS, '0');
        expect(commonPrefix(a, b)).toBe(a === b ? KEY_BITS : bits.indexOf('1'));
      }),
    );
  });

  it('hold the keys that are made for them', () => {
    fc.assert(
      fc.property(key, key, fc.integer({ min: 0, max: KEY_BITS - 1 }), (self, random, prefix) => {
        expect(commonPrefix(self, keyInBucket(self, prefix, keyBytes(random)))).toBe(prefix);
      }),
    );
  });

  it('of lower numbers are farther, whatever is in them', () => {
    fc.assert(
      fc.property(triple, ([self, a, b]) => {
        if (commonPrefix(self, a) < commonPrefix(self, b)) expect(compareDistance(self, a, b)).toBeGreaterThan(0);
      }),
    );
  });
});
