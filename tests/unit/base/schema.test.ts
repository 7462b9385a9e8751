import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import {
  binary,
  boolean,
  checkedString,
  decode,
  encode,
  fixed,
  float,
  hexText,
  list,
  nullable,
  refine,
  type Schema,
  shared,
  string,
  struct,
  time,
  uint,
  union,
} from '../../../src/base/schema.ts';

const hex = <T>(schema: Schema<T>, value: T): string => toHex(encode(schema, value));
const read = <T>(schema: Schema<T>, digits: string): T | null => decode(schema, fromHex(digits) as Uint8Array);

interface Point {
  readonly x: number;
  readonly name: string;
}
const point = struct<Point>({ x: uint(1000), name: string(5) });

type Shape = { readonly type: 'dot'; readonly at: Point } | { readonly type: 'none' };
const shape = union<Shape>({ dot: [3, struct<{ at: Point }>({ at: point })], none: [7, struct<object>({})] });

describe('schema', () => {
  it('[F1] writes a struct as an array in the order of its fields', () => {
    expect(hex(point, { name: 'ab', x: 5 })).toBe('9205a26162');
    expect(read(point, '9205a26162')).toEqual({ x: 5, name: 'ab' });
  });

  it('[F3] refuses a struct with too few or too many fields', () => {
    for (const wrong of ['9105', '9305a2616200', '90', '05']) expect(read(point, wrong)).toBeNull();
  });

  it('[F3] refuses bytes that are left over', () => {
    expect(read(uint(9), '05')).toBe(5);
    expect(read(uint(9), '0505')).toBeNull();
    expect(read(uint(9), '')).toBeNull();
  });

  it('[F1] writes a variant as its number and its fields', () => {
    expect(hex(shape, { type: 'dot', at: { x: 1, name: '' } })).toBe('9203919201a0');
    expect(read(shape, '9203919201a0')).toEqual({ type: 'dot', at: { x: 1, name: '' } });
    expect(read(shape, '920790')).toEqual({ type: 'none' });
  });

  it('[F3] refuses a variant that does not exist, or is not a pair', () => {
    for (const wrong of ['920490', '92cd010390', '9107', '93079000', '92a16190']) expect(read(shape, wrong)).toBeNull();
  });

  it('does not let two variants share a number', () => {
    expect(() => union<Shape>({ dot: [3, struct<{ at: Point }>({ at: point })], none: [3, struct<object>({})] })).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });

  it('reads nil where it may be, and nowhere else', () => {
    expect(read(nullable(uint(9)), 'c0')).toBeNull();
    expect(read(struct<{ a: number | null }>({ a: nullable(uint(9)) }), '91c0')).toEqual({ a: null });
    expect(read(struct<{ a: number }>({ a: uint(9) }), '91c0')).toBeNull();
    expect(hex(nullable(uint(9)), null)).toBe('c0');
  });

  it('reads booleans, numbers and lists', () => {
    expect(read(boolean, 'c3')).toBe(true);
    expect(read(boolean, '01')).toBeNull();
    expect(read(float, hex(float, -0.5))).toBe(-0.5);
    expect(read(list(uint(9), 3), '93010203')).toEqual([1, 2, 3]);
    expect(read(list(uint(9), 2), '93010203')).toBeNull();
  });

  it('drops parts of a millisecond', () => {
    expect(read(time, hex(time, 1_795_000_000_000.9))).toBe(1_795_000_000_000);
  });

  it('refines with what parse answers, and refuses its null', () => {
    const even = refine(uint(99), { parse: (n) => (n % 2 === 0 ? n / 2 : null), format: (n: number) => 2 * n });
    expect(hex(even, 4)).toBe('08');
    expect(read(even, '08')).toBe(4);
    expect(read(even, '09')).toBeNull();
  });

  it('does not write what a reader would refuse', () => {
    const tooLarge = expect.objectContaining({ code: 'too-large' });
    expect(() => encode(string(2), 'é!')).toThrow(tooLarge);
    expect(() => encode(fixed(2), new Uint8Array(3))).toThrow(tooLarge);
    expect(() => encode(binary(2), new Uint8Array(3))).toThrow(tooLarge);
    expect(() => encode(list(uint(1), 1), [0, 0])).toThrow(tooLarge);
    expect(() => encode(uint(5), 6)).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() =>
      encode(
        checkedString(9, (text) => text === 'yes'),
        'no',
      ),
    ).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('lets an error of our own through: it is a defect, not bad input', () => {
    const broken = refine(uint(9), {
      parse: (): number => {
        throw new RangeError('ours');
      },
      format: (n) => n,
    });
    expect(() => read(broken, '05')).toThrow('ours');
  });

  it('takes field names from the schema only: nothing in a message can reach a prototype', () => {
    const odd = struct<{ name: string }>({ name: string(20) });
    const value = read(odd, hex(odd, { name: '__proto__' }));
    expect(value).toEqual({ name: '__proto__' });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    // As maps, these are how libraries that read any MessagePack are attacked.
    for (const map of ['81a95f5f70726f746f5f5f81a17801', '81ab636f6e7374727563746f7281a17801']) expect(read(odd, map)).toBeNull();
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('gives each read its own object', () => {
    const first = read(point, '9205a26162');
    const second = read(point, '9206a26162');
    expect(first).toEqual({ x: 5, name: 'ab' });
    expect(second).toEqual({ x: 6, name: 'ab' });
  });
});

describe('hexText', () => {
  const word = hexText(2, (bytes) => toHex(bytes));

  it('is binary on the wire and text here', () => {
    expect(toHex(encode(word, '0aff'))).toBe('c4020aff');
    expect(decode(word, Uint8Array.of(0xc4, 2, 0x0a, 0xff))).toBe('0aff');
    expect(decode(word, Uint8Array.of(0xc4, 1, 0x0a))).toBeNull();
  });

  it('does not write what is not hexadecimal, or has another length', () => {
    for (const wrong of ['0aff00', '0a', '', 'xxxx', '0a f']) expect(() => encode(word, wrong)).toThrow();
    expect(toHex(encode(word, 'beef'))).toBe('c402beef'); // nothing of a failed one is left over
  });
});

describe('shared', () => {
  it('reads the same bytes as the same object, which the message cannot change', () => {
    const name = shared(3);
    const message = encode(name, Uint8Array.of(1, 2, 3));
    const first = decode(name, message);
    message.fill(0, 2);
    expect(first).toEqual(Uint8Array.of(1, 2, 3));
    expect(decode(name, encode(name, Uint8Array.of(1, 2, 3)))).toBe(first);
    expect(decode(name, message)).toEqual(new Uint8Array(3));
    expect(() => encode(name, new Uint8Array(4))).toThrow();
  });
});

describe('checkedString', () => {
  const word = checkedString(300, (text) => /^\p{L}+$/u.test(text));

  it('takes what passes the check, again and again', () => {
    for (let turn = 0; turn < 3; turn++) {
      expect(read(word, 'a3616263')).toBe('abc');
      expect(read(word, 'a3616264')).toBe('abd');
      expect(read(word, 'a3613163')).toBeNull();
      expect(read(word, 'a0')).toBeNull();
    }
  });

  it('does not take other bytes for a text that it remembers', () => {
    expect(read(word, 'a2c3a9')).toBe('é');
    expect(read(word, 'a1e9')).toBeNull(); // the code of é, which is no UTF-8
    expect(read(word, 'a2c3a9')).toBe('é');
  });

  it('remembers the right text among hundreds that share its slots', () => {
    const words = Array.from(
      { length: 2000 },
      (_, i) => `word${String.fromCharCode(97 + (i % 26))}${'x'.repeat(i % 70)}${'y'.repeat(i % 3)}`,
    );
    for (const text of [...words, ...words.toReversed()]) expect(decode(word, encode(word, text))).toBe(text);
  });

  it('does remember: the check is not asked twice for the same short text', () => {
    let asked = 0;
    const counted = checkedString(300, () => {
      asked++;
      return true;
    });
    for (let i = 0; i < 5; i++) expect(read(counted, 'a3616263')).toBe('abc');
    expect(asked).toBe(1);
  });
});
