/**
 * The times at which an initialisation segment says that it was made, taken out of it: the same track then gives the same bytes whenever it is made,
 * and what was made before goes on behind itself.
 */
import type { Bytes } from '../base/bytes.ts';

const HEADER = 8; // size and type
const FULL = 4; // version and flags

/** Boxes that hold boxes with such times (ISO 14496-12 §8), and those that hold them. */
const AROUND = new Set(['moov', 'trak', 'mdia']);
const TIMED = new Set(['mvhd', 'tkhd', 'mdhd']);

/** Sets creation and modification times to 0 (unknown), in place. */
export function forgetTimes(init: Bytes): void {
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  forgetIn(view, 0, init.length);
}

function forgetIn(view: DataView, start: number, end: number): void {
  for (let at = start; at + HEADER <= end; ) {
    const size = view.getUint32(at);
    if (size < HEADER || at + size > end) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n)));
    if (AROUND.has(type)) forgetIn(view, at + HEADER, at + size);
    else if (TIMED.has(type)) {
      const bytes = view.getUint8(at + HEADER) === 1 ? 16 : 8;
      for (let n = 0; n < bytes; n++) view.setUint8(at + HEADER + FULL + n, 0);
    }
    at += size;
  }
}
