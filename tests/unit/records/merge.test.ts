import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { compare } from '../../../src/base/bytes.ts';
import { MAX_CLOCK_AHEAD } from '../../../src/records/expiry.ts';
import { judge, newest } from '../../../src/records/merge.ts';
import type { Device, VectorClock } from '../../../src/records/vector-clock.ts';
import { makeRecord } from '../support/make-record.ts';

const crypto = createNodeCrypto();
const clock = (a: number, b: number): VectorClock =>
  [
    { device: '000000000000000a' as Device, counter: a },
    { device: '000000000000000b' as Device, counter: b },
  ].filter(({ counter }) => counter > 0);
const NOW = 10_000;

const first = makeRecord({ clock: clock(1, 0), time: 100, value: 'first' });
const second = makeRecord({ clock: clock(2, 0), time: 200, value: 'second' });
const aside = makeRecord({ clock: clock(1, 1), time: 150, value: 'aside' });

describe('the newest of two versions', () => {
  it('[S5] is the one that was made in knowledge of the other', () => {
    expect(newest(crypto, first, second)).toBe(second);
    expect(newest(crypto, second, first)).toBe(second);
  });

  it('[S5] is the later one of two that did not know each other', () => {
    expect(newest(crypto, second, aside)).toBe(second);
    expect(newest(crypto, aside, second)).toBe(second);
  });

  it('[S5] is the one with the larger hash when the times are equal too', () => {
    const [one, two] = ['one', 'two'].map((value) => makeRecord({ clock: clock(1, 0), time: 100, value })) as [typeof first, typeof first];
    const larger = compare(crypto.hash(one.signed.body), crypto.hash(two.signed.body)) > 0 ? one : two;
    expect(newest(crypto, one, two)).toBe(larger);
    expect(newest(crypto, two, one)).toBe(larger);
  });
});

describe('a storing node', () => {
  it('[S5] takes the first version, a newer one, and knows the same one and an older one', () => {
    expect(judge(crypto, null, first, NOW)).toBe('newer');
    expect(judge(crypto, first, second, NOW)).toBe('newer');
    expect(judge(crypto, second, second, NOW)).toBe('same');
    expect(judge(crypto, second, first, NOW)).toBe('older');
    expect(judge(crypto, second, aside, NOW)).toBe('older');
    expect(judge(crypto, aside, second, NOW)).toBe('newer');
  });

  it('[S6] refuses a version that was made later but says it was not', () => {
    for (const time of [99, 100]) {
      const wrong = makeRecord({ clock: clock(2, 0), time, value: 'x' });
      expect(judge(crypto, first, wrong, NOW)).toBe('invalid');
    }
  });

  it('[S6] refuses a version that was made earlier but says it was not', () => {
    for (const time of [200, 201]) {
      const wrong = makeRecord({ clock: clock(1, 0), time, value: 'x' });
      expect(judge(crypto, second, wrong, NOW)).toBe('invalid');
    }
  });

  it('[S6] refuses a version from more than a day ahead', () => {
    const early = makeRecord({ clock: clock(1, 0), time: NOW + MAX_CLOCK_AHEAD, value: 'x' });
    expect(judge(crypto, null, early, NOW)).toBe('newer');
    expect(judge(crypto, null, early, NOW - 1)).toBe('invalid');
    expect(judge(crypto, first, early, NOW - 1)).toBe('invalid');
  });

  it('[S2] refuses another record', () => {
    expect(judge(crypto, first, makeRecord({ clock: clock(2, 0), time: 300, value: 'x', name: 'other' }), NOW)).toBe('invalid');
    const stranger = makeRecord({ clock: clock(2, 0), time: 300, value: 'x', owner: new Uint8Array(32).fill(2) });
    expect(judge(crypto, first, stranger, NOW)).toBe('invalid');
  });
});
