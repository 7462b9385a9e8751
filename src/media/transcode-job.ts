/**
 * A job: one segment of a stored picture, to be made once more in a smaller quality by whoever lends a processor (docs/protocol.md, rules J). What comes
 * out are the same bytes wherever it is done, so that the work of one can be checked by another.
 */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, fixed, struct, uint } from '../base/schema.ts';
import { type Key, keySchema } from '../kademlia/key.ts';
import { DIGEST_BYTES } from './group.ts';

/**
 * Names the converter, all that it is told, and how its work is answered: other arguments, or another build of it, give other bytes and must have another
 * number. 2: FFmpeg 5.1.4 as in @ffmpeg/core 0.12.10, single-threaded, with `argumentsFor` below; the answer names the hash of what was made, which that of 1
 * did not.
 */
export const PINNED = 2;

export interface TranscodeJob {
  /** Where the source lies: a segment of a group, its bytes and its SHA-256. */
  readonly group: Key;
  readonly segment: number;
  readonly size: number;
  readonly digest: Bytes;
  /** The initialisation segment of the source. */
  readonly init: Bytes;
  /** Microseconds of the video at which the segment starts and ends. */
  readonly start: number;
  readonly end: number;
  /** Pixels as they are encoded: before the turn that the source's header may ask for. Both even. */
  readonly width: number;
  readonly height: number;
  /** Bits a second at most, over two seconds. */
  readonly bitrate: number;
  /** Thousandths of frames a second that the encoder reckons with; the times of pictures come from the source. */
  readonly rate: number;
}

/** What is made of a segment. */
export interface MadeSegment {
  /** The initialisation segment of its quality. */
  readonly init: Bytes;
  readonly bytes: Bytes;
}

/** What a job may ask for at most. A helper refuses more; a publisher does not ask. */
export const JOB_LIMITS = {
  /** Bytes of an initialisation segment: as a manifest has it. */
  init: 4096,
  /** Seconds of the source: the longest segment that is cut (20 s between key frames), and some. */
  seconds: 30,
  /** Pixels of a picture of the source: 4096 × 2304. */
  sourcePixels: 9_437_184,
  /** Pixels of what is made: 1080p. */
  pixels: 1920 * 1088,
  /** Pictures: 30 s at 120 a second. */
  pictures: 3_600,
  /** Bits a second. */
  bitrate: 20_000_000,
  /** Thousandths of a frame a second. */
  rate: 240_000,
} as const;

const MAX_TIME = Number.MAX_SAFE_INTEGER;
/** Below which nothing is a picture. */
const LEAST_SIDE = 16;
/** Beside the bits of the pictures: boxes, and what the encoder says of itself (bytes). */
const AROUND = 65_536;
const MICROSECONDS = 1e6;

/** How a job is written. */
export const transcodeJobSchema = struct<TranscodeJob>({
  group: keySchema,
  segment: uint(LIMITS.groupSegments),
  size: uint(LIMITS.group),
  digest: fixed(DIGEST_BYTES),
  init: binary(JOB_LIMITS.init),
  start: uint(MAX_TIME),
  end: uint(MAX_TIME),
  width: uint(0xffff),
  height: uint(0xffff),
  bitrate: uint(JOB_LIMITS.bitrate),
  rate: uint(JOB_LIMITS.rate),
});

/** Why nobody should do this job, as far as the job itself shows it; null when it is one. */
export function jobProblem({ size, start, end, width, height, bitrate, rate }: TranscodeJob): string | null {
  const isSide = (side: number): boolean => side >= LEAST_SIDE && side % 2 === 0;
  if (size === 0) return 'the segment is empty';
  if (!(end > start)) return 'the segment lasts no time';
  if (end - start > JOB_LIMITS.seconds * MICROSECONDS) return `the segment lasts more than ${JOB_LIMITS.seconds} s`;
  if (!isSide(width) || !isSide(height)) return 'the sides of the picture must be even';
  if (width * height > JOB_LIMITS.pixels) return 'the picture is too large';
  return bitrate === 0 || rate === 0 ? 'there is no bitrate or no frame rate' : null;
}

/** Bytes that may come out: all that the bitrate allows, its buffer of two seconds included, half as much again, and what is around. */
export function mostBytes({ start, end, bitrate }: TranscodeJob): number {
  const seconds = (end - start) / MICROSECONDS + 2;
  return Math.min(LIMITS.group, Math.ceil((1.5 * seconds * bitrate) / 8) + AROUND);
}

/** What the converter is told before and after the source's name. */
export interface ConverterArguments {
  readonly inputArgs: readonly string[];
  readonly args: readonly string[];
}

/**
 * `timescale`: ticks a second of the source. The demuxer and the decoder are named, as guessing would open other formats to whoever writes the source;
 * one thread, and no instructions that depend on the machine; every picture of the source, as it lies; the frame rate that the encoder reckons with
 * is given, as it would be guessed from each segment anew, and then their headers would differ. The times are put in later (`segmentOf`).
 */
export function argumentsFor({ width, height, bitrate, rate }: TranscodeJob, timescale: number): ConverterArguments {
  return {
    inputArgs: [
      ...['-threads', '1', '-filter_threads', '1', '-max_pixels', String(JOB_LIMITS.sourcePixels)],
      ...['-noautorotate', '-f', 'mov', '-c:v', 'h264'],
    ],
    args: [
      ...['-map', '0:v:0', '-an', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1', '-copyts'],
      ...['-vf', `scale=${width}:${height}:flags=bicubic+accurate_rnd+full_chroma_int+bitexact,setsar=1,format=yuv420p`],
      ...['-c:v', 'libx264', '-threads', '1', '-preset', 'veryfast', '-profile:v', 'main', '-crf', '25'],
      ...['-maxrate', String(bitrate), '-bufsize', String(2 * bitrate), '-g', '1000000', '-sc_threshold', '0', '-bf', '0'],
      ...['-x264-params', `fps=${rate}/1000`],
      ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${timescale}`, '-video_track_timescale', String(timescale)],
      ...['-fflags', '+bitexact', '-flags:v', '+bitexact', '-avoid_negative_ts', 'disabled', '-use_editlist', '0'],
      ...['-f', 'mp4', '-movflags', '+cmaf+frag_custom+delay_moov+skip_trailer'],
    ],
  };
}
