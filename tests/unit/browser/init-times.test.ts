/** An initialisation segment that does not say when it was made. */
import { expect, test } from 'vitest';
import { type Bytes, concat, fromUtf8 } from '../../../src/base/bytes.ts';
import { forgetTimes } from '../../../src/browser/init-times.ts';

function box(type: string, ...parts: readonly Bytes[]): Bytes {
  const bytes = concat(new Uint8Array(8), ...parts);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes.set(fromUtf8(type), 4);
  return bytes;
}

/** Version, flags, two times of `bytes` bytes each, and what follows them. */
const timed = (version: number, times: number): Bytes =>
  new Uint8Array([version, 0, 0, 7, ...Array.from({ length: version === 1 ? 16 : 8 }, () => times), 9, 9]);

const init = (times: number): Bytes =>
  concat(
    box('ftyp', fromUtf8('iso6')),
    box(
      'moov',
      box('mvhd', timed(0, times)),
      box('trak', box('tkhd', timed(1, times)), box('mdia', box('mdhd', timed(0, times)), box('minf', timed(0, 5)))),
    ),
    box('free'),
  );

test('two that differ in nothing but their times are the same, and nothing else is changed', () => {
  const [one, other] = [init(17), init(0)];
  forgetTimes(one);
  expect(one).toEqual(other);
});

test('a box that does not end where it says is left alone', () => {
  const broken = init(17);
  new DataView(broken.buffer).setUint32(0, 4_000);
  const before = broken.slice();
  forgetTimes(broken);
  expect(broken).toEqual(before);
});
