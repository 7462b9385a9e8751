/**
 * Decode times of a CMAF segment whose pictures are reordered. mediabunny makes them the sorted presentation times, so that some pictures
 * are shown before they are decoded (a negative composition offset). Browsers take that as it is meant; FFmpeg and what is built on it
 * shift the whole track instead, and picture and sound part by two or more frames. So decoding is moved ahead of showing; the
 * presentation times stay as they are, without an edit list.
 */
import { type Bytes, concat, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';

const HEADER = 8; // size and type
const FULL = 4; // version and flags
const TRUN = { offset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };
const TFHD = { duration: 0x8, size: 0x10, flags: 0x20, baseIsMoof: 0x20000 };

/**
 * The segment with its pictures decoded `delay` seconds earlier, or as early as the time 0 allows: a track can't start before 0, so its
 * first pictures are decoded one tick after another. Its index (`sidx`) is left out. `init` is the track's initialisation segment.
 */
export function decodeAhead(segment: Bytes, options: { readonly init: Bytes; readonly delay: number }): Bytes {
  const ticks = Math.ceil(options.delay * timescaleOf(options.init));
  const mdat = find(segment, ['mdat']);
  const samples = readSamples(segment);
  const times = aheadOf(samples, ticks);
  const trunSize = HEADER + FULL + 8 + 16 * samples.length;
  const tfhd = find(segment, ['moof', 'traf', 'tfhd']);
  const track = segment.subarray(tfhd.body + FULL, tfhd.body + FULL + 4);
  const sequence = find(segment, ['moof', 'mfhd']);
  const moofSize = HEADER + (HEADER + FULL + 4) + HEADER + (HEADER + FULL + 4) + (HEADER + FULL + 8) + trunSize;
  const header = box('moof', [
    segment.subarray(sequence.body - HEADER, sequence.end),
    box('traf', [
      box('tfhd', [u32(TFHD.baseIsMoof), track]),
      box('tfdt', [u32(0x0100_0000), u64(times[0]?.decoded ?? 0)]),
      box('trun', [
        u32(0x0100_0000 | TRUN.offset | TRUN.duration | TRUN.size | TRUN.flags | TRUN.composition),
        u32(samples.length, moofSize + HEADER),
        ...samples.map(({ size, flags }, n) => u32(times[n]?.lasts ?? 0, size, flags, times[n]?.composition ?? 0)),
      ]),
    ]),
  ]);
  const styp = find(segment, ['styp']);
  return concat(segment.subarray(0, styp.end), header, segment.subarray(mdat.body - HEADER, mdat.end));
}

interface Sample {
  /** Ticks. */
  readonly decoded: number;
  readonly lasts: number;
  /** Shown so many ticks after `decoded`. */
  readonly composition: number;
  readonly size: number;
  readonly flags: number;
}

/** When each sample is decoded now, how long until the next, and how long until it is shown. */
function aheadOf(samples: readonly Sample[], ticks: number): readonly Pick<Sample, 'decoded' | 'lasts' | 'composition'>[] {
  const last = samples.at(-1);
  const end = last ? last.decoded + last.lasts - ticks : 0;
  const decoded = samples.map((sample, n) => Math.max(sample.decoded - ticks, n));
  return samples.map((sample, n) => {
    const at = decoded[n] as number;
    return { decoded: at, lasts: Math.max((decoded[n + 1] ?? end) - at, 1), composition: sample.decoded + sample.composition - at };
  });
}

function readSamples(segment: Bytes): readonly Sample[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const usual = readDefaults(view, find(segment, ['moof', 'traf', 'tfhd']).body);
  const tfdt = find(segment, ['moof', 'traf', 'tfdt']).body;
  let decoded = view.getUint8(tfdt) === 1 ? Number(view.getBigUint64(tfdt + FULL)) : view.getUint32(tfdt + FULL);
  let at = find(segment, ['moof', 'traf', 'trun']).body;
  const present = view.getUint32(at) & 0xff_ffff;
  const count = view.getUint32(at + FULL);
  at += FULL + 4;
  const next = (flag: number, otherwise: number): number => {
    if (!(present & flag)) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  next(TRUN.offset, 0);
  const firstFlags = next(TRUN.firstFlags, usual.flags);
  return Array.from({ length: count }, (_, n) => {
    const lasts = next(TRUN.duration, usual.duration);
    const size = next(TRUN.size, usual.size);
    const flags = next(TRUN.flags, n === 0 ? firstFlags : usual.flags);
    const composition = next(TRUN.composition, 0) | 0; // signed
    const sample = { decoded, lasts, size, flags, composition };
    decoded += lasts;
    return sample;
  });
}

/** What `tfhd` says for samples of which `trun` says nothing. mediabunny writes no other optional fields before these. */
function readDefaults(view: DataView, body: number): { duration: number; size: number; flags: number } {
  const present = view.getUint32(body) & 0xff_ffff;
  let at = body + FULL + 4;
  const next = (flag: number): number => {
    if (!(present & flag)) return 0;
    at += 4;
    return view.getUint32(at - 4);
  };
  return { duration: next(TFHD.duration), size: next(TFHD.size), flags: next(TFHD.flags) };
}

function timescaleOf(init: Bytes): number {
  const { body } = find(init, ['moov', 'trak', 'mdia', 'mdhd']);
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  return view.getUint32(body + FULL + (view.getUint8(body) === 1 ? 16 : 8));
}

/** The first box at a path of types: where its body starts and ends. */
function find(bytes: Bytes, path: readonly string[]): { readonly body: number; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let end = bytes.length;
  for (const type of path) {
    const wanted = new DataView(fromUtf8(type).buffer).getUint32(0);
    while (at + HEADER <= end && view.getUint32(at + 4) !== wanted) at += Math.max(view.getUint32(at), HEADER);
    if (at + HEADER > end) throw fail('internal', `A segment without ${path.join('/')} came out.`);
    end = at + view.getUint32(at);
    at += HEADER;
  }
  return { body: at, end };
}

function box(type: string, parts: readonly Bytes[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, HEADER);
  return concat(u32(length), fromUtf8(type), ...parts);
}

function u32(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, n) => {
    view.setUint32(4 * n, value);
  });
  return bytes;
}

function u64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
