import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { Memo } from '../../../src/base/memo.ts';
import { seededRandom } from '../../sim/random.ts';

/** A memo of hexadecimal texts in objects, and how often it had to make one. */
function hexMemo(most: number) {
  const counter = { made: 0 };
  const make = (bytes: Uint8Array): { hex: string } => {
    counter.made++;
    return { hex: toHex(bytes) };
  };
  return { memo: new Memo(make, most), counter };
}

describe('a memo', () => {
  test('gives the same object for the same bytes, wherever they lie', () => {
    const { memo, counter } = hexMemo(64);
    const message = Uint8Array.of(1, 2, 3, 1, 2, 3, 4);
    const first = memo.read(message, 0, 3);
    expect(first).toEqual({ hex: '010203' });
    expect(memo.read(message, 3, 3)).toBe(first);
    expect(memo.read(message, 3, 4)).toEqual({ hex: '01020304' });
    message.fill(0);
    expect(memo.read(Uint8Array.of(1, 2, 3), 0, 3)).toBe(first);
    expect(counter.made).toBe(2);
  });

  test('asks again for what was refused', () => {
    let asked = 0;
    const memo = new Memo(() => {
      asked++;
      return null;
    }, 64);
    expect([memo.read(Uint8Array.of(1), 0, 1), memo.read(Uint8Array.of(1), 0, 1)]).toEqual([null, null]);
    expect(asked).toBe(2);
  });

  test('is right about more than it can hold, and knows most of what it can', () => {
    const random = seededRandom(5);
    const { memo, counter } = hexMemo(4096);
    const keys = Array.from({ length: 20_000 }, () => random.bytes(20));
    for (const key of keys) expect(memo.read(key, 0, 20)?.hex).toBe(toHex(key));
    const few = keys.slice(0, 2048);
    for (const key of few) memo.read(key, 0, 20);
    counter.made = 0;
    for (const key of few) expect(memo.read(key, 0, 20)?.hex).toBe(toHex(key));
    expect(counter.made).toBeLessThan(few.length / 4);
  });
});
