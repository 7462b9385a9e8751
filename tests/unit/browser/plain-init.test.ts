/** An initialisation segment that says nothing but what the track is. */
import { expect, test } from 'vitest';
import { type Bytes, concat, fromUtf8 } from '../../../src/base/bytes.ts';
import { plainInit } from '../../../src/browser/plain-init.ts';

function box(type: string, ...parts: readonly Bytes[]): Bytes {
  const bytes = concat(new Uint8Array(8), ...parts);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes.set(fromUtf8(type), 4);
  return bytes;
}

/** Version, flags, two times of `bytes` bytes each, and what follows them. */
const timed = (version: number, times: number): Bytes =>
  new Uint8Array([version, 0, 0, 7, ...Array.from({ length: version === 1 ? 16 : 8 }, () => times), 9, 9]);
/** An edit list of one edit: what of the track is shown, and from where on. */
const edit = (duration: number, time: number): Bytes =>
  box('edts', box('elst', new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, duration, 0, 0, 0, time, 0, 1, 0, 0])));

const init = (times: number, edits: readonly Bytes[] = []): Bytes =>
  concat(
    box('ftyp', fromUtf8('iso6')),
    box(
      'moov',
      box('mvhd', timed(0, times)),
      box('trak', box('tkhd', timed(1, times)), ...edits, box('mdia', box('mdhd', timed(0, times)), box('minf', timed(0, 5)))),
      box('mvex', timed(0, 5)),
    ),
    box('free'),
  );

test('two that differ in nothing but their times are the same, and nothing else is changed', () => {
  const one = init(17);
  expect(plainInit(one)).toEqual(init(0));
  expect(one).toEqual(init(17));
});

test('an edit that hides nothing is left out, and all boxes around it are as long as they say', () => {
  expect(plainInit(init(17, [edit(0, 0)]))).toEqual(init(0));
});

test.each([
  [0, 5],
  [5, 0],
])('an edit of %i from %i on stays', (duration, time) => {
  expect(plainInit(init(0, [edit(duration, time)]))).toEqual(init(0, [edit(duration, time)]));
});

test('a box that does not end where it says is left alone', () => {
  const broken = init(17);
  new DataView(broken.buffer).setUint32(0, 4_000);
  expect(plainInit(broken)).toEqual(broken);
});
