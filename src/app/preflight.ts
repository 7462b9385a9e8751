/** What publishing a file would do, said before it begins: which qualities, how long each takes, and how much of the disk. Pure. */
import type { MediaProbe } from '../base/ports.ts';
import { ladderFor, playsEverywhere, type Rung } from '../media/ladder.ts';
import { convertedSize, pixelsOf, type Speeds } from './speeds.ts';

/** Seconds, at least and at most. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

export interface Preflight {
  /** The first quality, which is always made. Null for sound alone. */
  readonly first: { readonly width: number; readonly height: number } | null;
  /** Of the first quality and the sound. */
  readonly bytes: number;
  readonly time: TimeRange;
  /** Until the link works: with its first segments where all of it takes longer (M22). */
  readonly link: TimeRange;
  /** Smaller pictures that can be made besides, best first. */
  readonly rungs: readonly PlannedRung[];
  /** Whether times come from this device's own work, all of them. */
  readonly measured: boolean;
  /** Bytes that the disk has left for this site; null when the browser does not say. */
  readonly room: number | null;
}

/** A smaller picture, and what it takes. */
export interface PlannedRung extends Rung {
  readonly bytes: number;
  readonly time: TimeRange;
}

/** Where nothing was measured: what slow and fast devices were seen to do. Bytes and pixels a second. */
const USUAL: Readonly<Record<keyof Speeds, { readonly slow: number; readonly fast: number }>> = {
  copy: { slow: 20e6, fast: 400e6 },
  convert: { slow: 15e6, fast: 90e6 },
  encode: { slow: 40e6, fast: 1_200e6 },
};
/** A measured speed holds as far as this, both ways: other work, another codec, a hot telephone. */
const SPREAD = 1.5;
/** Bits a second of sound that is converted, and of a picture that is (720p at 30 frames a second, of pixels like these). */
const CONVERTED_SOUND = 128_000;
const CONVERTED_BITS_PER_PIXEL = 0.11;
const USUAL_RATE = 30;
/** Seconds of a video that its link works with: two segments, and what the encoder holds back. And seconds that are waited for the rest. */
const BEGINNING = 12;
const STARTING = 3;

/** `size`: bytes of the file; `room`: as in the answer. */
export function planPublication(options: { size: number; probe: MediaProbe; speeds: Speeds; room: number | null }): Preflight {
  const { size, probe, speeds, room } = options;
  const { video, audio, duration } = probe;
  const first = video && (video.copied ? { width: video.width, height: video.height } : convertedSize(video));
  const pictureBits =
    !video || !first ? 0 : video.copied ? (video.bitrate ?? bitsOf(size, duration)) : convertedBits(first, video.frameRate);
  const soundBits = !audio ? 0 : audio.copied ? (audio.bitrate ?? CONVERTED_SOUND) : CONVERTED_SOUND;
  const bytes = probe.plan === 'copy' ? size : ((pictureBits + soundBits) * duration) / 8;
  const copying = video?.copied !== false;
  const time = copying ? rangeOf('copy', size, speeds) : rangeOf('convert', pixelsOf(video, first ?? video, duration), speeds);
  const copied = !video?.copied || playsEverywhere(video.codec); // What is converted becomes H.264.
  const rungs = video && first ? ladderFor({ ...first, frameRate: video.frameRate, bitrate: pictureBits, copied }) : [];
  const used: readonly (keyof Speeds)[] = [copying ? 'copy' : 'convert', ...(rungs.length > 0 ? (['encode'] as const) : [])];
  return {
    first,
    bytes,
    time,
    link: { from: beginningOf(time.from, duration), to: beginningOf(time.to, duration) },
    rungs: rungs.map((rung) => ({
      ...rung,
      bytes: (rung.bitrate * duration) / 8,
      time: video ? rangeOf('encode', pixelsOf(video, rung, duration), speeds) : time,
    })),
    measured: used.every((what) => speeds[what] !== null),
    room,
  };
}

/** Bytes of the first quality and of those of `names`. */
export function bytesOf({ bytes, rungs }: Preflight, names: readonly string[]): number {
  return rungs.reduce((sum, rung) => sum + (names.includes(rung.name) ? rung.bytes : 0), bytes);
}

/** The time until the last of them is there: one is made after the other. */
export function timeOf({ time, rungs }: Preflight, names: readonly string[]): TimeRange {
  const made = rungs.filter(({ name }) => names.includes(name));
  return made.reduce((sum, rung) => ({ from: sum.from + rung.time.from, to: sum.to + rung.time.to }), time);
}

/** Of so many seconds for a video that lasts so long. */
function beginningOf(seconds: number, duration: number): number {
  const share = duration > 0 ? Math.min(1, BEGINNING / duration) : 1;
  return Math.min(seconds, STARTING + share * seconds);
}

function rangeOf(what: keyof Speeds, amount: number, speeds: Speeds): TimeRange {
  const known = speeds[what];
  const { slow, fast } = known === null ? USUAL[what] : { slow: known / SPREAD, fast: known * SPREAD };
  return { from: amount / fast, to: amount / slow };
}

function bitsOf(size: number, duration: number): number {
  return duration > 0 ? (8 * size) / duration : 0;
}

function convertedBits({ width, height }: { width: number; height: number }, frameRate: number): number {
  return width * height * (frameRate || USUAL_RATE) * CONVERTED_BITS_PER_PIXEL;
}
