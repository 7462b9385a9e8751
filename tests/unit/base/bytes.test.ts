import { describe, expect, it } from 'vitest';
import { compare, concat, copy, equal, fromHex, fromUtf8, toHex, toUtf8 } from '../../../src/base/bytes.ts';

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

describe('bytes', () => {
  it('joins parts in order, into bytes of their own', () => {
    const first = bytes(1, 2);
    const joined = concat(first, bytes(), bytes(3));
    first[0] = 9;
    expect(joined).toEqual(bytes(1, 2, 3));
  });

  it('compares as text is compared: by the first difference, then by length', () => {
    const sorted = [bytes(), bytes(0), bytes(0, 255), bytes(1), bytes(1, 0), bytes(255)];
    const shuffled = [3, 0, 5, 1, 4, 2].map((i) => sorted[i] as Uint8Array);
    expect(shuffled.sort(compare)).toEqual(sorted);
    expect(compare(bytes(1, 2), bytes(1, 2))).toBe(0);
  });

  it('finds bytes equal only with the same length and content', () => {
    expect(equal(bytes(1, 2), bytes(1, 2))).toBe(true);
    expect(equal(bytes(1, 2), bytes(1, 3))).toBe(false);
    expect(equal(bytes(1, 2), bytes(1, 2, 0))).toBe(false);
    expect(equal(bytes(), bytes())).toBe(true);
  });

  it('copies a view into a buffer of its own size', () => {
    const message = bytes(0, 1, 2, 3);
    const own = copy(message.subarray(1, 3));
    message.fill(7);
    expect(own).toEqual(bytes(1, 2));
    expect(own.buffer.byteLength).toBe(2);
  });

  it('copies a Node Buffer too, whose own slice would share', () => {
    const buffer = Buffer.from([1, 2, 3]);
    const own = copy(buffer);
    buffer[0] = 9;
    expect(own).toEqual(bytes(1, 2, 3));
    expect(Buffer.isBuffer(own)).toBe(false);
  });

  it('writes and reads hexadecimal', () => {
    expect(toHex(bytes(0, 10, 255))).toBe('000aff');
    expect(fromHex('000aFF')).toEqual(bytes(0, 10, 255));
    expect(fromHex('')).toEqual(bytes());
    for (const wrong of ['0', '0g', ' 00', '0x00', '00\n']) expect(fromHex(wrong)).toBeNull();
  });

  it('reads valid UTF-8 only, and keeps a byte order mark', () => {
    for (const text of ['', 'a', 'é', '漢', '😀', '\uFEFFx', 'a\0b']) expect(toUtf8(fromUtf8(text))).toBe(text);
    expect(toUtf8(bytes(0xed, 0xa0, 0x80))).toBeNull(); // half of a surrogate pair
    expect(toUtf8(bytes(0xc0, 0x80))).toBeNull(); // zero in two bytes
    expect(toUtf8(bytes(0xff))).toBeNull();
    expect(toUtf8(bytes(0xe2, 0x82))).toBeNull(); // cut short
  });
});
