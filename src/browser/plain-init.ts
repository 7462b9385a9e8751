/**
 * Initialisation segments without what says nothing of the track: when they were made, and an edit that hides nothing. The same track then gives the
 * same bytes whenever, and wherever in the file, it is begun; and what was made before goes on behind itself.
 */
import type { Bytes } from '../base/bytes.ts';

const HEADER = 8; // size and type
const FULL = 4; // version and flags

/** Boxes that hold such boxes (ISO 14496-12 §8). */
const AROUND = new Set(['moov', 'trak', 'mdia']);
/** Boxes that begin with the times of creation and modification. */
const TIMED = new Set(['mvhd', 'tkhd', 'mdhd']);

/** The same with these times set to 0 (unknown), and without an edit list whose only edit shows all from 0 on. */
export function plainInit(init: Bytes): Bytes {
  const plain = init.slice();
  const view = new DataView(plain.buffer);
  const dropped: { readonly start: number; readonly size: number; readonly around: readonly number[] }[] = [];

  const walk = (start: number, end: number, around: readonly number[]): void => {
    for (let at = start; at + HEADER <= end; ) {
      const size = view.getUint32(at);
      if (size < HEADER || at + size > end) return;
      const type = typeAt(view, at);
      if (AROUND.has(type)) walk(at + HEADER, at + size, [...around, at]);
      else if (TIMED.has(type)) plain.fill(0, at + HEADER + FULL, at + HEADER + FULL + (view.getUint8(at + HEADER) === 1 ? 16 : 8));
      else if (type === 'edts' && hidesNothing(view, at, size)) dropped.push({ start: at, size, around });
      at += size;
    }
  };
  walk(0, plain.length, []);

  let kept = plain;
  for (const { start, size, around } of dropped.reverse()) {
    for (const at of around) view.setUint32(at, view.getUint32(at) - size);
    plain.copyWithin(start, start + size);
    kept = kept.subarray(0, kept.length - size);
  }
  return kept.slice();
}

/** One edit of version 0 that begins at 0, at the usual speed, and has no end. */
function hidesNothing(view: DataView, edts: number, size: number): boolean {
  const elst = edts + HEADER;
  const body = elst + HEADER;
  if (size !== 36 || typeAt(view, elst) !== 'elst' || view.getUint8(body) !== 0) return false;
  const [count, duration, time, rate] = [4, 8, 12, 16].map((offset) => view.getUint32(body + offset));
  return count === 1 && duration === 0 && time === 0 && rate === 0x1_0000;
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n)));
}
