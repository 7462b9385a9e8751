/** Boxes of fragmented MP4 (ISO 14496-12), read with a check of every length, and written. Pure. */
import { type Bytes, concat, fromUtf8 } from './bytes.ts';

/** Where the body of a box starts, and where it ends. */
export interface BoxSpan {
  readonly body: number;
  readonly end: number;
}

/** A picture or a run of sound in a fragment. Times in ticks of the track. */
export interface Sample {
  readonly decoded: number;
  readonly lasts: number;
  /** Shown so many ticks after `decoded`. */
  readonly composition: number;
  /** Bytes. */
  readonly size: number;
  /** As `sample_flags` (§8.8.3.1). */
  readonly flags: number;
}

/** One `moof` with one track, and where its samples lie. */
export interface Fragment {
  readonly samples: readonly Sample[];
  /** Bytes of all samples, one after the other. */
  readonly data: Bytes;
}

/** Bytes of a box's size and type. */
export const HEADER = 8;
/** The same of the version and flags of a full box. */
export const FULL = 4;
/** Flags of `trun` and `tfhd` that say which fields are there (§8.8.7, §8.8.8). */
export const TRUN = { offset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 } as const;
/** As `TRUN`, of `tfhd`. */
export const TFHD = { base: 0x1, description: 0x2, duration: 0x8, size: 0x10, flags: 0x20, baseIsMoof: 0x20000 } as const;
/** `sample_flags`: a picture that can be decoded by itself, and one that can't. */
export const KEY_SAMPLE = 0x0200_0000;
/** The other one. */
export const OTHER_SAMPLE = 0x0101_0000;

/** The first box at a path of types, each inside the one before; null when there is none, or a length is wrong on the way. */
export function findBox(bytes: Bytes, path: readonly string[], from = 0): BoxSpan | null {
  const view = viewOf(bytes);
  let at = from;
  let end = bytes.length;
  for (const type of path) {
    const wanted = numberOf(type);
    for (;;) {
      if (at + HEADER > end) return null;
      const size = view.getUint32(at);
      if (size < HEADER || at + size > end) return null;
      if (view.getUint32(at + 4) === wanted) break;
      at += size;
    }
    end = at + view.getUint32(at);
    at += HEADER;
  }
  return { body: at, end };
}

/** The types of the boxes at the top, in order; null when they do not fill the bytes exactly. */
export function topBoxes(bytes: Bytes): readonly string[] | null {
  const view = viewOf(bytes);
  const types: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + HEADER > bytes.length) return null;
    const size = view.getUint32(at);
    if (size < HEADER || at + size > bytes.length) return null;
    types.push(String.fromCharCode(...bytes.subarray(at + 4, at + HEADER)));
    at += size;
  }
  return types;
}

/** Ticks a second of the first track of an initialisation segment; null when it says none. */
export function timescaleOf(init: Bytes): number | null {
  const box = findBox(init, ['moov', 'trak', 'mdia', 'mdhd']);
  if (!box || box.body + FULL > box.end) return null;
  const at = box.body + FULL + (init[box.body] === 1 ? 16 : 8);
  return (at + 4 <= box.end && viewOf(init).getUint32(at)) || null;
}

/** The first fragment of a segment. Null unless it has one track with one run of at most `most` samples, which the box behind it holds exactly. */
export function readFragment(segment: Bytes, most: number): Fragment | null {
  const view = viewOf(segment);
  const [moof, tfhd, tfdt, trun] = [['moof'], ['moof', 'traf', 'tfhd'], ['moof', 'traf', 'tfdt'], ['moof', 'traf', 'trun']].map((path) =>
    findBox(segment, path),
  );
  const mdat = moof && findBox(segment, ['mdat'], moof.end);
  if (!moof || !tfhd || !tfdt || !trun || !mdat) return null;
  if (findBox(segment.subarray(0, moof.end), ['trun'], trun.end)) return null;
  try {
    const samples = readSamples(view, { tfhd, tfdt, trun, most });
    const data = segment.subarray(mdat.body, mdat.end);
    return samples && samples.reduce((sum, { size }) => sum + size, 0) === data.length ? { samples, data } : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // a field behind the end of the bytes
    throw error;
  }
}

function readSamples(
  view: DataView,
  { tfhd, tfdt, trun, most }: { readonly tfhd: BoxSpan; readonly tfdt: BoxSpan; readonly trun: BoxSpan; readonly most: number },
): readonly Sample[] | null {
  const usual = readDefaults(view, tfhd.body);
  let decoded = view.getUint8(tfdt.body) === 1 ? Number(view.getBigUint64(tfdt.body + FULL)) : view.getUint32(tfdt.body + FULL);
  if (!Number.isSafeInteger(decoded)) return null;
  let at: number = trun.body;
  const present = view.getUint32(at) & 0xff_ffff;
  const count = view.getUint32(at + FULL);
  if (count > most) return null;
  at += FULL + 4;
  const next = (flag: number, otherwise: number): number => {
    if (!(present & flag)) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  next(TRUN.offset, 0);
  const firstFlags = next(TRUN.firstFlags, usual.flags);
  const samples = Array.from({ length: count }, (_, n): Sample => {
    const lasts = next(TRUN.duration, usual.duration);
    const size = next(TRUN.size, usual.size);
    const flags = next(TRUN.flags, n === 0 ? firstFlags : usual.flags);
    const composition = next(TRUN.composition, 0) | 0; // signed
    const sample = { decoded, lasts, size, flags, composition };
    decoded += lasts;
    return sample;
  });
  return at <= trun.end ? samples : null;
}

/** What `tfhd` says for samples of which `trun` says nothing. */
function readDefaults(view: DataView, body: number): { duration: number; size: number; flags: number } {
  const present = view.getUint32(body) & 0xff_ffff;
  let at = body + FULL + 4;
  if (present & TFHD.base) at += 8;
  if (present & TFHD.description) at += 4;
  const next = (flag: number): number => {
    if (!(present & flag)) return 0;
    at += 4;
    return view.getUint32(at - 4);
  };
  return { duration: next(TFHD.duration), size: next(TFHD.size), flags: next(TFHD.flags) };
}

/** A box of these parts. */
export function box(type: string, ...parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, HEADER);
  return concat(u32(length), fromUtf8(type), ...parts);
}

/** 32-bit numbers, big-endian. */
export function u32(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, n) => {
    view.setUint32(4 * n, value);
  });
  return bytes;
}

/** A 64-bit number, big-endian. */
export function u64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** The same bytes, to read numbers from. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function numberOf(type: string): number {
  return viewOf(fromUtf8(type)).getUint32(0);
}
