import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { fromHex, fromUtf8 } from '../../../src/base/bytes.ts';
import {
  commonPrefix,
  compareDistance,
  distance,
  hashKey,
  KEY_BITS,
  type Key,
  keyBytes,
  keyInBucket,
  keyOf,
  parseKey,
} from '../../../src/kademlia/key.ts';

const key = (digits: string): Key => parseKey(digits.padEnd(40, '0')) as Key;

describe('keys', () => {
  it('[K1] are 40 lowercase hexadecimal digits', () => {
    expect(parseKey('0123456789abcdef'.padEnd(40, 'f'))).not.toBeNull();
    for (const wrong of [
      '',
      'f'.repeat(39),
      'f'.repeat(41),
      'F'.repeat(40),
      `${'0'.repeat(39)}g`,
      ` ${'0'.repeat(39)}`,
      `${'0'.repeat(40)}\n`,
    ]) {
      expect(parseKey(wrong)).toBeNull();
    }
    expect(keyOf(keyBytes(key('12ab')))).toBe(key('12ab'));
  });

  it('[H1] are the first 160 bits of SHA-256', () => {
    // FIPS 180-2, appendix B.1.
    expect(hashKey(createNodeCrypto(), fromUtf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a3');
  });

  it('[K1] are as far from each other as their XOR, read as a number', () => {
    expect(distance(key('f0'), key('0f'))).toBe(key('ff'));
    expect(distance(key('80000000ffffffff'), key('80000000fffffffe'))).toBe(key('0000000000000001'));
    expect(compareDistance(key('00'), key('01'), key('02'))).toBeLessThan(0);
    expect(compareDistance(key('02'), key('01'), key('03'))).toBeGreaterThan(0);
    expect(compareDistance(key('02'), key('01'), key('01'))).toBe(0);
    expect(compareDistance(key('ff'), key('7f'), key('fe'))).toBeGreaterThan(0); // the top bit counts, not the sign
  });

  it('share as many leading bits as are equal', () => {
    expect(commonPrefix(key('80'), key('00'))).toBe(0);
    expect(commonPrefix(key('40'), key('00'))).toBe(1);
    expect(commonPrefix(key('0000000001'), key('00'))).toBe(39);
    expect(commonPrefix(key('12'), key('12'))).toBe(KEY_BITS);
    expect(commonPrefix(parseKey(`${'0'.repeat(39)}1`) as Key, key(''))).toBe(159);
  });

  it('are made inside a bucket: the prefix shared, the next bit not, the rest random', () => {
    const own = key('a5a5a5');
    const random = fromHex('ff'.repeat(20)) as Uint8Array;
    for (const prefix of [0, 1, 7, 8, 23, 100, 159]) expect(commonPrefix(own, keyInBucket(own, prefix, random))).toBe(prefix);
    expect(keyInBucket(own, 4, random)).toBe('a'.padEnd(40, 'f'));
  });
});
