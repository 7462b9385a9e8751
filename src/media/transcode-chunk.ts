/** The bytes of a job: what the source's boxes say of its pictures, the segment that is made of the converter's output, and the check of one that came from elsewhere. Pure. */
import { type Bytes, concat, equal, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import {
  box,
  FULL,
  findBox,
  HEADER,
  KEY_SAMPLE,
  OTHER_SAMPLE,
  readFragment,
  TFHD,
  TRUN,
  timescaleOf,
  topBoxes,
  u32,
  u64,
  viewOf,
} from '../base/mp4.ts';
import { JOB_LIMITS, type MadeSegment, mostBytes, type TranscodeJob } from './transcode-job.ts';

/** What a source says of its pictures. */
export interface SourceChunk {
  /** Ticks a second. */
  readonly timescale: number;
  /** Ticks at which each picture is shown, in that order. */
  readonly times: readonly number[];
  /** The tick at which the last one ends. */
  readonly end: number;
}

const MICROSECONDS = 1e6;
/** Ticks a second at most: more would not fit what is written around them. */
const MAX_TIMESCALE = 10_000_000;
/** Seconds by which a picture may be off its segment's start: containers round. */
const ROUNDING = 0.002;
/** Where `avc1` has its sides and its first inner box (ISO 14496-12 §12.1.3), counted from its body. */
const AVC1 = { width: 24, height: 26, inner: 78 } as const;
/** Types of NAL units (ITU-T H.264 table 7-1) that a picture may consist of. Parameter sets are in the header, and nowhere else. */
const NAL = { slice: 1, key: 5, information: 6, delimiter: 9, filler: 12 } as const;

/** Reads the boxes of a job's source. Throws `invalid` for what is no such segment, or more than a job may be. */
export function readSource({ init, start, end }: TranscodeJob, source: Bytes): SourceChunk {
  const timescale = timescaleOf(init) ?? 0;
  const picture = pictureOf(init);
  if (!picture || timescale === 0 || timescale > MAX_TIMESCALE)
    throw fail('invalid', 'The header of the segment is not one of H.264 video.');
  if (picture.width * picture.height > JOB_LIMITS.sourcePixels) throw fail('invalid', 'The pictures of the segment are too large.');
  const fragment = readFragment(source, JOB_LIMITS.pictures);
  if (!fragment || fragment.samples.length === 0) throw fail('invalid', 'That is no segment of video.');
  const tick = (microseconds: number): number => Math.round((microseconds * timescale) / MICROSECONDS);
  const times = fragment.samples.map(({ decoded, composition }) => decoded + composition).sort((a, b) => a - b);
  const late = (times[0] as number) - tick(start);
  if (Math.abs(late) > ROUNDING * timescale && !(start === 0 && late > 0))
    throw fail('invalid', 'The segment does not start where it should.');
  // Only the first segment of a video may begin after its start: sound came before the picture.
  if (start > 0) times[0] = tick(start);
  const last = tick(end);
  const inOrder = times.every((time, n) => time < (times[n + 1] ?? last));
  if (!inOrder) throw fail('invalid', 'The pictures of the segment are not one after the other.');
  return { timescale, times, end: last };
}

/** The segment in the converter's output, with the times that its pictures have in the source. Throws `unsupported` when it has other pictures. */
export function segmentOf(chunk: SourceChunk, output: Bytes): MadeSegment {
  const moof = findBox(output, ['moof']);
  const fragment = readFragment(output, JOB_LIMITS.pictures);
  if (!moof || !fragment) throw fail('unsupported', 'The converter gave no segment.');
  const { samples, data } = fragment;
  if (samples.length !== chunk.times.length)
    throw fail('unsupported', `The converter made ${samples.length} pictures out of ${chunk.times.length}.`);
  const sizes = samples.map(({ size }) => size);
  return { init: output.slice(0, moof.body - HEADER), bytes: writeSegment(chunk, sizes, data) };
}

/** A segment whose first picture alone can be decoded by itself. */
function writeSegment({ times, end }: SourceChunk, sizes: readonly number[], data: Uint8Array): Bytes {
  const lasts = times.map((time, n) => (times[n + 1] ?? end) - time);
  const moof = (offset: number): Bytes =>
    box(
      'moof',
      box('mfhd', u32(0, 1)),
      box(
        'traf',
        box('tfhd', u32(TFHD.baseIsMoof, 1)),
        box('tfdt', u32(0x0100_0000), u64(times[0] ?? 0)),
        box(
          'trun',
          u32(TRUN.offset | TRUN.duration | TRUN.size | TRUN.flags, sizes.length, offset),
          ...sizes.map((size, n) => u32(lasts[n] as number, size, n === 0 ? KEY_SAMPLE : OTHER_SAMPLE)),
        ),
      ),
    );
  const styp = box('styp', fromUtf8('msdh'), u32(0), fromUtf8('msdhcmfs'));
  return concat(styp, moof(moof(0).length + HEADER), box('mdat', data));
}

/**
 * What a made segment says of the pictures of its source, for who has not got that: whether it is true can't be seen (J10). Null when no source of this job could
 * have such pictures.
 */
export function claimedChunk({ init, start, end }: TranscodeJob, bytes: Bytes): SourceChunk | null {
  const timescale = timescaleOf(init) ?? 0;
  const fragment = readFragment(bytes, JOB_LIMITS.pictures);
  if (!fragment || fragment.samples.length === 0 || timescale === 0 || timescale > MAX_TIMESCALE) return null;
  const [from, to] = [start, end].map((microseconds) => Math.round((microseconds * timescale) / MICROSECONDS)) as [number, number];
  const times = fragment.samples.map(({ decoded }) => decoded);
  const [first = 0] = times;
  if (first !== from && !(start === 0 && first > from)) return null;
  return times.every((time, n) => time < (times[n + 1] ?? to)) ? { timescale, times, end: to } : null;
}

/** What is wrong with a segment that somebody made of this source, as far as its bytes show it; null when nothing is. */
export function segmentProblem(job: TranscodeJob, chunk: SourceChunk, { init, bytes }: MadeSegment): string | null {
  const header = headerProblem(job, chunk, init);
  if (header) return header;
  if (bytes.length > mostBytes(job)) return 'it is larger than its bitrate allows';
  const fragment = readFragment(bytes, JOB_LIMITS.pictures);
  if (!fragment) return 'it is no segment';
  const { samples, data } = fragment;
  if (samples.length !== chunk.times.length) return `it has ${samples.length} pictures instead of ${chunk.times.length}`;
  if (samples[0]?.decoded !== chunk.times[0]) return 'it does not start where its source starts';
  const sizes = samples.map(({ size }) => size);
  // All that is not a picture follows from the source: its times, lengths, and the boxes around.
  if (!equal(bytes, writeSegment(chunk, sizes, data))) return 'its times or its boxes are not those of its source';
  return pictureProblem(sizes, data);
}

function headerProblem({ width, height }: TranscodeJob, { timescale }: SourceChunk, init: Bytes): string | null {
  if (init.length > JOB_LIMITS.init || topBoxes(init)?.join() !== 'ftyp,moov') return 'its header is none';
  if (timescaleOf(init) !== timescale) return 'its header counts time in other ticks';
  const picture = pictureOf(init);
  if (!picture) return 'its header is not one of H.264';
  return picture.width === width && picture.height === height ? null : `its header says ${picture.width} × ${picture.height}`;
}

/** The lengths in a picture must fill it, with a picture that can be decoded by itself at the start and nowhere else. */
function pictureProblem(sizes: readonly number[], data: Bytes): string | null {
  const view = viewOf(data);
  let at = 0;
  for (const [n, size] of sizes.entries()) {
    const end = at + size;
    const allowed: readonly number[] = [n === 0 ? NAL.key : NAL.slice, NAL.information, NAL.delimiter, NAL.filler];
    let slices = 0;
    while (at < end) {
      const length = at + 4 < end ? view.getUint32(at) : 0;
      if (length === 0 || at + 4 + length > end) return `picture ${n} is damaged`;
      const type = view.getUint8(at + 4) & 0x1f;
      if (!allowed.includes(type)) return `picture ${n} is of another kind`;
      if (type === NAL.key || type === NAL.slice) slices++;
      at += 4 + length;
    }
    if (slices === 0) return `picture ${n} is empty`;
  }
  return null;
}

/** What the header of a rendition in H.264 says: pixels as they are encoded, how players are to turn them, and its name (RFC 6381). Null for another one. */
export function pictureOf(
  init: Bytes,
): { readonly width: number; readonly height: number; readonly turned: boolean; readonly codecs: string } | null {
  const stsd = findBox(init, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
  const tkhd = findBox(init, ['moov', 'trak', 'tkhd']);
  const entry = stsd && stsd.body + FULL + 4;
  if (!entry || !tkhd || entry + HEADER + AVC1.inner > stsd.end) return null;
  const table = init.subarray(0, stsd.end);
  const avc1 = findBox(table, ['avc1'], entry);
  const avcC = avc1 && findBox(table, ['avcC'], avc1.body + AVC1.inner);
  const matrix = tkhd.body + FULL + (init[tkhd.body] === 1 ? 48 : 36);
  if (!avc1 || !avcC || avcC.body + 5 > avcC.end || matrix + 20 > tkhd.end) return null;
  const view = viewOf(init);
  // Lengths of four bytes before each NAL unit (ISO 14496-15 §5.3.3.1).
  if (((init[avcC.body + 4] as number) & 3) !== 3) return null;
  const profile = [...init.subarray(avcC.body + 1, avcC.body + 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    width: view.getUint16(avc1.body + AVC1.width),
    height: view.getUint16(avc1.body + AVC1.height),
    // The first and the last number of the part that turns: both 0 where it lies on its side.
    turned: view.getInt32(matrix) === 0 && view.getInt32(matrix + 16) === 0,
    codecs: `avc1.${profile}`,
  };
}
