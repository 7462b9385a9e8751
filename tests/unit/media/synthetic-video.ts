/** Video without pictures: boxes and NAL units as real ones have them, and a converter that makes other ones of them, the same for the same job. */
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concat, fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { box, FULL, findBox, HEADER, KEY_SAMPLE, OTHER_SAMPLE, readFragment, TFHD, TRUN, u32, u64 } from '../../../src/base/mp4.ts';
import { type Key, keyOf } from '../../../src/kademlia/key.ts';
import { readSource, segmentOf } from '../../../src/media/transcode-chunk.ts';
import type { MadeSegment, TranscodeJob } from '../../../src/media/transcode-job.ts';

export const TIMESCALE = 57_600;
const AVC_PROFILE = [0x4d, 0x40, 0x1f];

/** The header of a rendition of so many pixels. */
export function syntheticInit(width: number, height: number, { timescale = TIMESCALE, turned = false, entry = 'avc1' } = {}): Bytes {
  const zeros = (count: number): Bytes => new Uint8Array(count);
  const sides = new Uint8Array(4);
  new DataView(sides.buffer).setUint16(0, width);
  new DataView(sides.buffer).setUint16(2, height);
  const matrix = turned ? [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000] : [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
  const avcC = box('avcC', Uint8Array.from([1, ...AVC_PROFILE, 0xff, 0xe0, 0]));
  const sample = box(entry, zeros(24), sides, zeros(50), avcC);
  return concat(
    box('ftyp', fromUtf8('iso5'), u32(0)),
    box(
      'moov',
      box('mvhd', zeros(100)),
      box(
        'trak',
        box('tkhd', zeros(FULL + 36), u32(...matrix.map((n) => n >>> 0)), zeros(8)),
        box('mdia', box('mdhd', u32(0, 0, 0, timescale, 0, 0)), box('minf', box('stbl', box('stsd', u32(0, 1), sample)))),
      ),
    ),
  );
}

/** A fragment of pictures that last `lasts` ticks each. */
export function syntheticSegment(options: { at: number; pictures: readonly Bytes[]; lasts: number }): Bytes {
  const { at, pictures, lasts } = options;
  const moof = (offset: number): Bytes =>
    box(
      'moof',
      box('mfhd', u32(0, 1)),
      box(
        'traf',
        box('tfhd', u32(TFHD.baseIsMoof, 1)),
        box('tfdt', u32(0x0100_0000), u64(at)),
        box(
          'trun',
          u32(TRUN.offset | TRUN.duration | TRUN.size | TRUN.flags, pictures.length, offset),
          ...pictures.map((picture, n) => u32(lasts, picture.length, n === 0 ? KEY_SAMPLE : OTHER_SAMPLE)),
        ),
      ),
    );
  return concat(moof(moof(0).length + HEADER), box('mdat', ...pictures));
}

/** One NAL unit with its length before it; the first picture can be decoded by itself. */
export function picture(n: number, content: Uint8Array): Bytes {
  return concat(u32(content.length + 1), Uint8Array.of(n === 0 ? 0x65 : 0x41), content);
}

export interface SyntheticSource {
  readonly init: Bytes;
  readonly segments: readonly Bytes[];
  /** What the jobs on its segments have in common. */
  readonly sources: readonly Omit<TranscodeJob, 'width' | 'height' | 'bitrate' | 'rate'>[];
}

/** `seconds` of 720p30 in segments of 4 s. Another `seed` is another video. */
export function syntheticSource(seconds: number, seed = 1): SyntheticSource {
  const init = syntheticInit(1280, 720);
  const pictures = 120;
  const lasts = TIMESCALE / 30;
  const segments = Array.from({ length: Math.ceil(seconds / 4) }, (_, index) =>
    syntheticSegment({
      at: index * pictures * lasts,
      pictures: Array.from({ length: pictures }, (_, n) => picture(n, sha256(Uint8Array.of(seed, index, n)))),
      lasts,
    }),
  );
  const group: Key = keyOf(sha256(Uint8Array.of(seed)).slice(0, 20));
  const sources = segments.map((bytes, index) => ({
    ...{ group, segment: index, size: bytes.length, digest: sha256(bytes) as Bytes, init },
    start: index * 4_000_000,
    end: (index + 1) * 4_000_000,
  }));
  return { init, segments, sources };
}

/** What a converter might write for a job: other pictures, as many as there are in the source, from time 0 on. */
export function syntheticOutput(job: Pick<TranscodeJob, 'width' | 'height'>, source: Bytes): Bytes {
  const { samples, data } = readFragment(source, 10_000) ?? { samples: [], data: source };
  const from = sha256(concat(data, u32(job.width, job.height)));
  const pictures = samples.map((_, n) => picture(n, sha256(concat(from, u32(n)))));
  return concat(syntheticInit(job.width, job.height), syntheticSegment({ at: 0, pictures, lasts: 1 }));
}

/** The converter on a whole file, with the arguments of a job. */
export function convertSynthetic(file: Bytes, args: readonly string[]): Bytes {
  const [, width, height] = /scale=(\d+):(\d+)/.exec(args.join(' ')) ?? [];
  const moof = findBox(file, ['moof']);
  if (!moof) throw fail('unsupported', 'Nothing in the file could be decoded.');
  return syntheticOutput({ width: Number(width), height: Number(height) }, file.slice(moof.body - HEADER));
}

/** A job as a helper does it, with a made-up converter. */
export function doJob(job: TranscodeJob, source: Bytes): MadeSegment {
  return segmentOf(readSource(job, source), syntheticOutput(job, source));
}

/** The same bytes with a number written over the first one in a box. */
export function withNumber(bytes: Bytes, path: readonly string[], { at, value }: { at: number; value: number }): Bytes {
  const changed = bytes.slice();
  const found = findBox(changed, path);
  if (found) new DataView(changed.buffer).setUint32(found.body + at, value);
  return changed;
}
