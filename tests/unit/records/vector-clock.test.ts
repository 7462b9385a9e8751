import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import {
  clockSchema,
  compareClocks,
  type Device,
  EMPTY_CLOCK,
  increment,
  mergeClocks,
  parseDevice,
  type VectorClock,
} from '../../../src/records/vector-clock.ts';

const device = (digits: string): Device => parseDevice(digits.padStart(16, '0')) as Device;
const clock = (...counters: [digits: string, counter: number][]): VectorClock =>
  counters.map(([digits, counter]) => ({ device: device(digits), counter }));
const read = (hex: string): VectorClock | null => decode(clockSchema, Buffer.from(hex, 'hex'));
const entryHex = (digits: string, counter: string): string => `92c408${digits.padStart(16, '0')}${counter}`;

describe('vector clocks', () => {
  it('[S3] have the time of each device’s last write, sorted by device', () => {
    let now = increment(EMPTY_CLOCK, device('b'), 100);
    now = increment(now, device('a'), 101);
    now = increment(now, device('b'), 105);
    expect(now).toEqual(clock(['a', 101], ['b', 105]));
  });

  it('[S3] rise with every write, whatever time it is', () => {
    expect(increment(EMPTY_CLOCK, device('a'), 0)).toEqual(clock(['a', 1]));
    expect(increment(clock(['a', 7]), device('a'), 7)).toEqual(clock(['a', 8]));
    expect(increment(clock(['a', 7]), device('a'), 3)).toEqual(clock(['a', 8]));
  });

  it('[S3] are before, after, equal or concurrent', () => {
    const old = clock(['a', 1]);
    expect(compareClocks(old, old)).toBe('equal');
    expect(compareClocks(EMPTY_CLOCK, EMPTY_CLOCK)).toBe('equal');
    expect(compareClocks(EMPTY_CLOCK, old)).toBe('before');
    expect(compareClocks(increment(old, device('b'), 5), old)).toBe('after');
    expect(compareClocks(increment(old, device('a'), 5), increment(old, device('b'), 5))).toBe('concurrent');
    expect(compareClocks(clock(['a', 2]), clock(['b', 1]))).toBe('concurrent');
  });

  it('join by the greater counter of each device', () => {
    expect(mergeClocks(clock(['a', 3], ['c', 1]), clock(['a', 1], ['b', 5]))).toEqual(clock(['a', 3], ['b', 5], ['c', 1]));
  });

  it('[S3] let the device whose last write is oldest make room for a 17th', () => {
    const full = clock(
      ...Array.from({ length: LIMITS.clockDevices }, (_, i): [string, number] => [(i + 16).toString(16), i === 5 ? 1 : 9]),
    );
    const next = increment(full, device('ff'), 20);
    expect(next).toHaveLength(LIMITS.clockDevices);
    expect(next).toContainEqual({ device: device('ff'), counter: 20 });
    expect(next.some((entry) => entry.device === full[5]?.device)).toBe(false);
    expect(increment(full, device('15'), 20)).toHaveLength(LIMITS.clockDevices);
  });

  it('do not count past what a number holds', () => {
    expect(() => increment(clock(['a', Number.MAX_SAFE_INTEGER]), device('a'), 1)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('[S3] are refused from the wire when not sorted, when a device comes twice, and with a counter of zero', () => {
    expect(toHex(encode(clockSchema, clock(['a', 1], ['b', 2])))).toBe(`92${entryHex('a', '01')}${entryHex('b', '02')}`);
    expect(read(`92${entryHex('a', '01')}${entryHex('b', '02')}`)).toEqual(clock(['a', 1], ['b', 2]));
    expect(read('90')).toEqual([]);
    expect(read(`92${entryHex('b', '01')}${entryHex('a', '02')}`)).toBeNull();
    expect(read(`92${entryHex('a', '01')}${entryHex('a', '02')}`)).toBeNull();
    expect(read(`91${entryHex('a', '00')}`)).toBeNull();
    expect(read(`dc0011${Array.from({ length: 17 }, (_, i) => entryHex((i + 16).toString(16), '01')).join('')}`)).toBeNull();
  });

  it('name devices by 16 lowercase digits', () => {
    expect(parseDevice('0123456789abcdef')).not.toBeNull();
    for (const wrong of ['', '0123456789abcde', '0123456789ABCDEF', '0123456789abcdefa']) expect(parseDevice(wrong)).toBeNull();
  });
});
