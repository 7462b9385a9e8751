/** What others make of our bytes, and we of theirs: @msgpack/msgpack, msgpackr, and the pairs of msgpack-test-suite. */
import { decode as decodeMsgpack, encode as encodeMsgpack } from '@msgpack/msgpack';
import fc from 'fast-check';
import suite from 'msgpack-test-suite/dist/msgpack-test-suite.json';
import { Packr, unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { binary, boolean, decode, encode, float, list, nullable, type Schema, string, struct, uint } from '../../../src/base/schema.ts';

interface Everything {
  readonly flag: boolean;
  readonly count: number;
  readonly ratio: number;
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly maybe: number | null;
  readonly many: readonly string[];
}

const schema = struct<Everything>({
  flag: boolean,
  count: uint(Number.MAX_SAFE_INTEGER),
  ratio: float,
  text: string(100_000),
  bytes: binary(100_000),
  maybe: nullable(uint(0xffff_ffff)),
  many: list(string(1000), 1000),
});

const wholeText = fc.string({ unit: 'binary', maxLength: 300 }); // well-formed: no halves of surrogate pairs
const everything: fc.Arbitrary<Everything> = fc.record({
  flag: fc.boolean(),
  count: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  ratio: fc.double({ noNaN: true, noDefaultInfinity: true }),
  text: wholeText,
  bytes: fc.uint8Array({ maxLength: 400 }).map((bytes) => new Uint8Array(bytes)),
  maybe: fc.option(fc.nat(0xffff_ffff)),
  many: fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 40 }),
});
const plain = ({ flag, count, ratio, text, bytes, maybe, many }: Everything): unknown[] => [flag, count, ratio, text, bytes, maybe, many];

describe('our bytes', () => {
  it('[F1] are read by @msgpack/msgpack as what was written', () => {
    fc.assert(
      fc.property(everything, (value) => {
        expect(decodeMsgpack(encode(schema, value))).toEqual(plain(value));
      }),
    );
  });

  it('[F1] are read by msgpackr as what was written', () => {
    fc.assert(
      fc.property(everything, (value) => {
        const [flag, count, ratio, text, bytes, maybe, many] = unpack(encode(schema, value)) as ReturnType<typeof plain>;
        const asWritten = [flag, Number(count), ratio, text, new Uint8Array(bytes as Uint8Array), maybe, many];
        expect(asWritten).toEqual(plain(value));
      }),
    );
  });

  it('are read by ourselves as what was written', () => {
    fc.assert(
      fc.property(everything, (value) => {
        expect(decode(schema, encode(schema, value))).toEqual(value);
      }),
    );
  });
});

describe('the bytes of others', () => {
  /** @msgpack/msgpack writes a float that is a whole number as an integer; ours is always float64. */
  const fractional = everything.filter(({ ratio }) => !Number.isInteger(ratio));

  it('[F2] by @msgpack/msgpack are what we write, and are read', () => {
    fc.assert(
      fc.property(fractional, (value) => {
        const bytes = encodeMsgpack(plain(value));
        expect(toHex(bytes)).toBe(toHex(encode(schema, value)));
        expect(decode(schema, bytes)).toEqual(value);
      }),
    );
  });

  it('[F2] by msgpackr are read', () => {
    const packr = new Packr({ useRecords: false });
    // It writes integers above 32 bits as float64, which is no integer to us, and short strings in the form of strings.
    const smaller = fractional.map((value) => ({ ...value, count: value.count % 0xffff_ffff }));
    fc.assert(
      fc.property(smaller, (value) => {
        expect(decode(schema, packr.pack(plain(value)))).toEqual(value);
      }),
    );
  });
});

describe('msgpack-test-suite', () => {
  type Case = Readonly<Record<string, unknown>> & { readonly msgpack: readonly string[] };
  const cases = Object.values(suite as Record<string, Case[]>).flat();
  const bytesOf = (text: string): Uint8Array => fromHex(text.replaceAll('-', '')) as Uint8Array;
  const readAll = <T>(form: Schema<T>, one: Case, accept: (hex: string) => boolean): (T | null)[] =>
    one.msgpack.filter(accept).map((text) => decode(form, bytesOf(text)));

  const check = <T>(options: {
    name: string;
    form: Schema<T>;
    parse: (value: unknown) => T;
    accept: (hex: string) => boolean;
    only?: (value: T) => boolean;
  }): number => {
    let checked = 0;
    for (const one of cases.filter((candidate) => options.name in candidate)) {
      const expected = options.parse(one[options.name]);
      if (options.only && !options.only(expected)) continue;
      const values = readAll(options.form, one, options.accept);
      expect(values).toEqual(values.map(() => expected));
      const shortest = one.msgpack[0] as string;
      if (options.accept(shortest)) expect(toHex(encode(options.form, expected))).toBe(shortest.replaceAll('-', ''));
      checked += values.length;
    }
    return checked;
  };
  const unsigned = (hex: string): boolean => /^([0-7].|c[c-f])/.test(hex);

  it('[F2] agrees on every form of nil, booleans, strings, binary and unsigned integers', () => {
    expect(check({ name: 'nil', form: nullable(boolean), parse: () => null, accept: () => true })).toBe(1);
    expect(check({ name: 'bool', form: boolean, parse: Boolean, accept: () => true })).toBe(2);
    expect(check({ name: 'string', form: string(1000), parse: String, accept: () => true })).toBeGreaterThan(20);
    expect(
      check({ name: 'binary', form: binary(1000), parse: (text) => bytesOf(String(text)) as Uint8Array<ArrayBuffer>, accept: () => true }),
    ).toBeGreaterThan(6);
    const safe = { only: (value: number) => Number.isSafeInteger(value) && value >= 0, accept: unsigned, parse: Number };
    expect(check({ name: 'number', form: uint(Number.MAX_SAFE_INTEGER), ...safe })).toBeGreaterThan(30);
    expect(check({ name: 'bignum', form: uint(Number.MAX_SAFE_INTEGER), ...safe })).toBe(2);
    const huge = cases.filter((one) => 'bignum' in one && Number(one.bignum) > Number.MAX_SAFE_INTEGER);
    const values = huge.flatMap((one) => readAll(uint(Number.MAX_SAFE_INTEGER), one, unsigned));
    expect(values.length).toBeGreaterThan(0);
    expect(values).toEqual(values.map(() => null));
  });

  it('[F2] agrees on every form of float64', () => {
    const float64 = { parse: Number, accept: (hex: string) => hex.startsWith('cb') };
    const read = cases
      .filter((one) => 'number' in one)
      .flatMap((one) => readAll(float, one, float64.accept).map((value) => [value, one.number]));
    expect(read.length).toBeGreaterThan(10);
    for (const [value, expected] of read) expect(value).toBe(expected);
  });

  it('[F2] agrees on arrays', () => {
    const numbers = list(uint(1000), 1000);
    const flat = cases.filter((one) => Array.isArray(one.array) && one.array.every((item) => typeof item === 'number'));
    const read = flat.flatMap((one) => readAll(numbers, one, () => true).map((value) => [value, one.array]));
    expect(read.length).toBeGreaterThan(4);
    for (const [value, expected] of read) expect(value).toEqual(expected);
  });

  it('[F1] speaks no maps, extensions, timestamps, negative integers or float32', () => {
    const everyForm: Schema<unknown>[] = [
      boolean,
      float,
      string(1000),
      binary(1000),
      uint(Number.MAX_SAFE_INTEGER),
      list(uint(1000), 1000),
    ];
    const foreign = cases.flatMap((one) => one.msgpack).filter((hex) => /^(8.|de|df|c[1789a]|d[0-8]|[ef].)/.test(hex));
    expect(foreign.length).toBeGreaterThan(80);
    for (const hex of foreign) for (const form of everyForm) expect(decode(form, bytesOf(hex))).toBeNull();
  });
});
