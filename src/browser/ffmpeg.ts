/** ffmpeg.wasm as the page uses it: conversion of a file to H.264 and AAC, or to one quality of the picture, in pieces of fragmented MP4. */
import { type Bytes, concat } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Conversion, VideoQuality } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import { conversionArgs, type FileConversion } from './conversion-args.ts';
import { createFragmentSplitter } from './fragments.ts';
import { FFMPEG_PICTURE, type FfmpegReply, type FfmpegRequest, type PieceKind } from './media-protocol.ts';
import { openWorker } from './media-worker.ts';

/** Threads that a conversion asks for, once for its decoder and once for its encoder: ffmpeg.wasm has 32 in all, and waits for ever when it has no more. */
const MAX_THREADS = 4;
/** Longest silence of a conversion that goes on (ms): it tells of its progress twice a second, and a picture that large takes a few seconds. */
const STANDSTILL = 30_000;

/** For the build with threads to come over the network (ms): 7 MB at 500 kbit/s. */
const LOADING = 120_000;

/** How to make one quality of the picture. */
export interface QualityConversion {
  readonly quality: VideoQuality;
  /** As `originByFfmpeg` says. */
  readonly origin: number;
  /** Turns the pictures as the file says, instead of leaving that to whoever plays them. */
  readonly upright: boolean;
  /** Whether pictures that are not made upright lie on their side. */
  readonly turned: boolean;
}

/**
 * Seconds before a segment's start at which a picture may be its first: times are rounded on their way. Below half a frame of the fastest
 * video, so that it is never the picture before.
 */
const START_ROUNDING = 0.001;
/** Ticks a second: of times in the output, and of the encoder, so that a variable frame rate is kept. */
const TIMESCALE = 90_000;

/**
 * No instructions that depend on the machine: with one thread the output is the same bytes everywhere. Every picture of the source, at
 * its time; key frames at the starts and nowhere else. `-crf 25` is what the eye wants, the quality's bitrate a bound above it: x264 needs
 * less than half of the bits that a browser's encoder does.
 */
function qualityArgs(conversion: QualityConversion): readonly string[] {
  const { quality, origin, upright, turned } = conversion;
  const { width, height, bitrate, starts, from = 0 } = quality;
  const [across, down] = !upright && turned ? [height, width] : [width, height];
  const begin = beginOf(conversion);
  const times = starts.slice(from).map((start) => Math.max(start / 1e6 + origin - START_ROUNDING - begin, 0).toFixed(6));
  return [
    ...['-map', '0:V:0', '-an', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
    ...['-vf', `scale=${across}:${down}:flags=bicubic+accurate_rnd+full_chroma_int+bitexact,setsar=1,format=yuv420p`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-crf', '25'],
    ...['-maxrate', String(bitrate), '-bufsize', String(2 * bitrate), '-g', '1000000', '-sc_threshold', '0', '-bf', '0'],
    ...['-force_key_frames', times.join(','), '-forced-idr', '1'],
    ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${TIMESCALE}`, '-video_track_timescale', String(TIMESCALE)],
    ...['-fflags', '+bitexact', '-flags:v', '+bitexact'],
    ...['-f', 'mp4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof+delay_moov'],
  ];
}

/** The second of the file that is 0 in the output: where the first segment that is wanted begins. */
export function beginOf({ quality, origin }: QualityConversion): number {
  const { starts, from = 0 } = quality;
  // Rounded as ffmpeg is told it, so that both count alike.
  return from > 0 ? Number(Math.max((starts[from] ?? 0) / 1e6 + origin - START_ROUNDING, 0).toFixed(6)) : 0;
}

/** What comes of a conversion, piece by piece. */
export interface ConversionOptions {
  readonly what: FileConversion;
  readonly threads: number;
  /** A run from a key frame to the next, or some seconds of sound, as soon as it is made: a small file of its own. */
  readonly onPiece: (of: PieceKind, piece: Blob) => void;
  readonly signal: AbortSignal;
}

/** Converts a file, or what is left of it. Rejects with `unsupported`, `aborted` or `missing-feature`, or with `timeout` where threads stand still. */
export async function convertFrom(file: Blob, { what, threads, onPiece, signal }: ConversionOptions): Promise<void> {
  const splitters = { picture: createFragmentSplitter(), sound: createFragmentSplitter() };
  await run(file, {
    ...{ ...conversionArgs(what, threads), threads, signal },
    onChunk(bytes, to) {
      const of = to === FFMPEG_PICTURE || !what.sound ? 'picture' : 'sound';
      for (const piece of splitters[of].push(bytes)) onPiece(of, new Blob([piece]));
    },
  });
}

/**
 * Makes one quality of the picture; `onPiece` gets each run from a key frame to the next as soon as it is made, as a small file of its own. Rejects
 * like `convert`.
 */
export async function convertInPieces(
  file: Blob,
  options: { readonly what: QualityConversion; readonly onPiece: (piece: Blob) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { what, onPiece, signal } = options;
  let given = 0;
  await byThreads(threadCount(), signal, async (threads) => {
    const splitter = createFragmentSplitter();
    let made = 0;
    const onChunk = (bytes: Bytes): void => {
      // A second try makes the first pieces once more.
      for (const piece of splitter.push(bytes)) {
        if (made++ < given) continue;
        given++;
        onPiece(new Blob([piece]));
      }
    };
    await run(file, { ...qualityRun(what, threads), threads, signal, onChunk });
  });
}

/** With as many threads as there may be; where they fail, with one. */
async function byThreads<T>(threads: number, signal: AbortSignal, work: (threads: number) => Promise<T>): Promise<T> {
  if (threads > 1) {
    try {
      return await work(threads);
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      console.warn('Converting with threads failed, and goes on with one.', error);
    }
  }
  return work(1);
}

interface Run {
  readonly inputArgs: readonly string[];
  readonly args: readonly string[];
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onChunk: (bytes: Bytes, to: string) => void;
}

function run(file: Blob, { inputArgs, args, threads, signal, onChunk }: Run): Promise<void> {
  const request: FfmpegRequest = { type: 'run', file, threads: threads > 1, inputArgs, args };
  return withFfmpeg(request, signal, async (next) => {
    // Threads that have waited for each other this long do so for ever.
    let reply = await (threads > 1 ? within(LOADING, next()) : next());
    while (reply.type !== 'finished') {
      if (reply.type === 'chunk') onChunk(reply.bytes, reply.to);
      reply = await (threads > 1 ? within(STANDSTILL, next()) : next());
    }
  });
}

/** Milliseconds from one small conversion to the next within which what was compiled is kept for it: it takes some 100 MB. */
const KEEP_COMPILED = 60_000;
let compiled: WebAssembly.Module | null = null;
let forgetting: ReturnType<typeof setTimeout> | undefined;

/** Also keeps what is there already. */
function keepCompiled(module: WebAssembly.Module | null): void {
  compiled = module;
  clearTimeout(forgetting);
  forgetting = setTimeout(() => {
    compiled = null;
  }, KEEP_COMPILED);
}

/** Runs ffmpeg on a small MP4, as the port says. */
export function convertBytes({ source, ...what }: Conversion, signal: AbortSignal): Promise<Bytes> {
  return convertFile(new Blob([source], { type: 'video/mp4' }), what, signal);
}

/** The same on a file of any size. */
export async function convertFile(file: Blob, { inputArgs, args, most }: Omit<Conversion, 'source'>, signal: AbortSignal): Promise<Bytes> {
  return withFfmpeg({ type: 'run', file, inputArgs, args, module: compiled ?? 'tell' }, signal, async (next) => {
    const parts: Bytes[] = [];
    let size = 0;
    for (let reply = await next(); reply.type !== 'finished'; reply = await next()) {
      if (reply.type === 'compiled') keepCompiled(reply.module);
      if (reply.type !== 'chunk') continue;
      size += reply.bytes.length;
      if (size > most) throw fail('too-large', 'More came out of the converter than may.');
      parts.push(reply.bytes);
    }
    keepCompiled(compiled);
    return concat(...parts);
  });
}

/** Threads of the decoder, and as many of the encoder; 1 where the page may not share memory with workers. */
export function threadCount(): number {
  return globalThis.crossOriginIsolated ? Math.min(Math.max(navigator.hardwareConcurrency || 1, 1), MAX_THREADS) : 1;
}

function qualityRun(what: QualityConversion, threads: number): { inputArgs: readonly string[]; args: readonly string[] } {
  const number = ['-threads', String(threads)];
  // Filters are quick, and threads that they start by themselves may be more than there are.
  const decoding = ['-filter_threads', '1', ...number];
  const begin = beginOf(what);
  const seek = begin > 0 ? ['-ss', begin.toFixed(6)] : [];
  return { inputArgs: [...decoding, ...(what.upright ? [] : ['-noautorotate']), ...seek], args: [...qualityArgs(what), ...number] };
}

/** Rejects with `timeout` when it takes longer (ms). */
function within<T>(limit: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(fail('timeout', `The converter stood still for ${limit / 1000} s.`)), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Gives a worker with ffmpeg a request, and its answers to `use`; the worker ends with that. Rejects as `use`, with `aborted` or what the worker says. */
export async function withFfmpeg<T>(
  request: FfmpegRequest,
  signal: AbortSignal,
  use: (next: () => Promise<Exclude<FfmpegReply, { type: 'failed' }>>) => Promise<T>,
): Promise<T> {
  const worker = openWorker<FfmpegRequest, FfmpegReply>(
    new Worker(new URL('./ffmpeg.worker.ts', import.meta.url), { type: 'module', name: 'ffmpeg' }),
    signal,
  );
  try {
    worker.send(request);
    return await use(worker.next);
  } finally {
    worker.close();
  }
}
