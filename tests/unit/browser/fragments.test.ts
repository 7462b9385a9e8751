/** Fragmented MP4 that comes in pieces of any size. */
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, fromUtf8 } from '../../../src/base/bytes.ts';
import { createFragmentSplitter } from '../../../src/browser/fragments.ts';

function box(type: string, size: number): Bytes {
  const bytes = new Uint8Array(size).fill(size);
  new DataView(bytes.buffer).setUint32(0, size);
  bytes.set(fromUtf8(type), 4);
  return bytes;
}

const HEAD = [box('ftyp', 24), box('moov', 90)];
const FIRST = [box('moof', 40), box('mdat', 200)];
const SECOND = [box('moof', 41), box('mdat', 8)];
const FILE = concat(...HEAD, ...FIRST, ...SECOND, box('mfra', 30));

describe('a fragmented file', () => {
  test.each([1, 7, 64, 1000])('that comes %i bytes at a time is given fragment by fragment, each a file of its own', (size) => {
    const splitter = createFragmentSplitter();
    const given: Bytes[] = [];
    for (let at = 0; at < FILE.length; at += size) given.push(...splitter.push(FILE.slice(at, at + size)));
    expect(given).toEqual([concat(...HEAD, ...FIRST), concat(...HEAD, ...SECOND)]);
  });

  test('gives a fragment as soon as its last byte is there', () => {
    const splitter = createFragmentSplitter();
    const end = concat(...HEAD, ...FIRST).length;
    expect(splitter.push(FILE.slice(0, end - 1))).toEqual([]);
    expect(splitter.push(FILE.slice(end - 1, end))).toHaveLength(1);
  });

  test('with a box that says it is smaller than its header is none', () => {
    expect(() => createFragmentSplitter().push(new Uint8Array(16))).toThrow(/not known/);
  });
});
