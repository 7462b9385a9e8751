import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { MALFORMED, Reader, Writer } from '../../../src/base/msgpack.ts';

const reader = (hex: string): Reader => new Reader(fromHex(hex.replaceAll(' ', '')) as Uint8Array);
const written = (write: (writer: Writer) => void): string => {
  const writer = new Writer();
  write(writer);
  return toHex(writer.take());
};
const malformed = (read: () => unknown): void => {
  let thrown: unknown = 'nothing';
  try {
    read();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBe(MALFORMED);
};

describe('Writer', () => {
  it('[F2] writes the shortest form of integers', () => {
    const forms: [number, string][] = [
      [0, '00'],
      [127, '7f'],
      [128, 'cc80'],
      [255, 'ccff'],
      [256, 'cd0100'],
      [65_535, 'cdffff'],
      [65_536, 'ce00010000'],
      [0xffff_ffff, 'ceffffffff'],
      [0x1_0000_0000, 'cf0000000100000000'],
      [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    ];
    for (const [value, hex] of forms) expect(written((w) => w.uint(value))).toBe(hex);
  });

  it('[F2] writes the shortest header of strings, binary and arrays', () => {
    const head = (hex: string): string => hex.slice(0, 10);
    expect(written((w) => w.string(''))).toBe('a0');
    expect(head(written((w) => void w.string('x'.repeat(31))))).toBe('bf78787878');
    expect(head(written((w) => void w.string('x'.repeat(32))))).toBe('d920787878');
    expect(head(written((w) => void w.string('x'.repeat(256))))).toBe('da01007878');
    expect(head(written((w) => void w.string('x'.repeat(65_536))))).toBe('db00010000');
    expect(head(written((w) => w.binary(new Uint8Array(0))))).toBe('c400');
    expect(head(written((w) => w.binary(new Uint8Array(256))))).toBe('c501000000');
    expect(head(written((w) => w.binary(new Uint8Array(65_536))))).toBe('c600010000');
    expect(written((w) => w.array(15))).toBe('9f');
    expect(written((w) => w.array(16))).toBe('dc0010');
    expect(written((w) => w.array(65_536))).toBe('dd00010000');
  });

  it('keeps what was written when its buffer grows', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
    const hex = written((w) => {
      for (let i = 0; i < 250; i++) w.nil();
      w.binary(bytes);
      w.string('x'.repeat(40));
      w.float(1.5);
      w.uint(300);
    });
    expect(hex).toBe(`${'c0'.repeat(250)}c5012c${toHex(bytes)}d928${'78'.repeat(40)}cb3ff8000000000000cd012c`);
  });

  it('is empty after take, and what it gave does not change any more', () => {
    const writer = new Writer();
    writer.uint(1);
    const first = writer.take();
    writer.uint(2);
    expect(toHex(first)).toBe('01');
    expect(toHex(writer.take())).toBe('02');
  });

  it('writes half of a surrogate pair as U+FFFD, in short and in long strings', () => {
    expect(written((w) => void w.string('\ud800'))).toBe('a3efbfbd');
    expect(written((w) => void w.string(`${'x'.repeat(70)}\udc00`))).toContain('efbfbd');
  });

  it('refuses numbers that it can not write as they are', () => {
    for (const wrong of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => written((w) => w.uint(wrong))).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
    expect(() => written((w) => w.float(Number.NaN))).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('Reader', () => {
  it('[F2] takes any width of an integer that the format allows', () => {
    for (const hex of ['05', 'cc05', 'cd0005', 'ce00000005', 'cf0000000000000005']) expect(reader(hex).uint(255)).toBe(5);
  });

  it('[F1] takes no integer above 2^53 − 1, no negative one and no float for one', () => {
    expect(reader('cf001fffffffffffff').uint(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    for (const hex of [
      'cf0020000000000000',
      'cf0020000000000001',
      'cfffffffffffffffff',
      'ff',
      'e0',
      'd005',
      'd3ffffffffffffffff',
      'cb4014000000000000',
    ]) {
      malformed(() => reader(hex).uint(Number.MAX_SAFE_INTEGER));
    }
  });

  it('[F3] takes no integer above the maximum that was asked for', () => {
    expect(reader('cc80').uint(128)).toBe(128);
    malformed(() => reader('cc81').uint(128));
  });

  it('[F3] takes no integer, string, binary or array that is cut short', () => {
    for (const hex of ['', 'cc', 'cd00', 'ce000000', 'cf00000000000000']) malformed(() => reader(hex).uint(Number.MAX_SAFE_INTEGER));
    for (const hex of ['', 'a1', 'd9', 'd901', 'da0001', 'db00000001', 'a3 6162']) malformed(() => reader(hex).string(100));
    for (const hex of ['', 'c4', 'c401', 'c50001', 'c600000001']) malformed(() => reader(hex).binary(0, 100));
    for (const hex of ['', '91', 'dc', 'dc0001', 'dd00000001', 'dd000f4240']) malformed(() => reader(hex).array(0, 2 ** 32));
    malformed(() => reader('cb00').float());
    malformed(() => reader('').boolean());
  });

  it('[F3] refuses a declared length that the message can not hold before it takes anything', () => {
    malformed(() => reader('c6ffffffff').binary(0, 2 ** 32));
    malformed(() => reader('dbffffffff').string(2 ** 32));
    malformed(() => reader('ddffffffff').array(0, 2 ** 32));
  });

  it('[F3] takes valid UTF-8 only, short and long', () => {
    expect(reader('a2c3a9').string(10)).toBe('é');
    expect(reader(`d946${'c3a9'.repeat(35)}`).string(100)).toBe('é'.repeat(35));
    for (const wrong of ['a1ff', 'a3eda080', 'a2c080', 'a1c3', `d941${'61'.repeat(64)}80`]) malformed(() => reader(wrong).string(100));
  });

  it('counts a string’s limit in bytes', () => {
    expect(reader('a4f09f9880').string(4)).toBe('😀');
    malformed(() => reader('a4f09f9880').string(3));
  });

  it('[F1] takes no float32, no NaN and no infinity', () => {
    expect(reader('cb3ff8000000000000').float()).toBe(1.5);
    for (const wrong of ['ca3fc00000', 'cb7ff0000000000000', 'cb7ff8000000000000', '01']) malformed(() => reader(wrong).float());
  });

  it('gives long binary as a view on the message, a plain one even when the message is a Node Buffer', () => {
    const message = Buffer.from(`00c441${'07'.repeat(65)}0f`, 'hex');
    const input = new Reader(message.subarray(1));
    const view = input.binary(0, 65);
    expect(Buffer.isBuffer(view)).toBe(false);
    expect(view).toEqual(new Uint8Array(65).fill(7));
    expect(view.buffer).toBe(message.buffer);
    view.slice(0, 1)[0] = 9; // a Buffer's slice would have written into the message
    expect(message[3]).toBe(7);
    expect(input.ended).toBe(false);
  });

  it('gives short binary as a copy', () => {
    const message = Buffer.from('00c4030102030f', 'hex');
    const input = new Reader(message.subarray(1));
    const copy = input.binary(0, 3);
    expect(Buffer.isBuffer(copy)).toBe(false);
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    message.fill(0);
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    expect(input.ended).toBe(false);
    expect(reader('c440'.padEnd(132, '5')).binary(64, 64)).toEqual(new Uint8Array(64).fill(0x55));
    malformed(() => reader('c440'.padEnd(130, '5')).binary(64, 64));
  });

  it('knows 0xc1, maps and extensions for nothing', () => {
    for (const hex of ['c1', '80', '81a161a162', 'de0000', 'd40001', 'c70001', 'd6ff00000000']) {
      malformed(() => reader(hex).array(0, 100));
      malformed(() => reader(hex).string(100));
      malformed(() => reader(hex).binary(0, 100));
      malformed(() => reader(hex).uint(100));
      malformed(() => reader(hex).boolean());
      expect(reader(hex).nil()).toBe(false);
    }
  });
});
