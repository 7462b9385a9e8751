/** ffmpeg.wasm as the page uses it: what a file is, and its conversion to H.264 and AAC, or to one quality of the picture, in fragmented MP4. */
import { type Bytes, concat } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Conversion, MediaProbe, VideoProbe, VideoQuality } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { FfmpegReply, FfmpegRequest } from './media-protocol.ts';
import { openWorker } from './media-worker.ts';
import { timelineOrigin } from './segment-cutter.ts';

/** Pixels of the converted picture at most. */
const MAX_WIDTH = 1280;
const MAX_HEIGHT = 720;

/** Threads that a conversion asks for, once for its decoder and once for its encoder: ffmpeg.wasm has 32 in all, and waits for ever when it has no more. */
const MAX_THREADS = 4;
/** Longest silence of a conversion that goes on (ms): it tells of its progress twice a second, and a picture that large takes a few seconds. */
const STANDSTILL = 30_000;

/** For the build with threads to come over the network (ms): 7 MB at 500 kbit/s. */
const LOADING = 120_000;

/** Formats of ffmpeg that are no videos though they come with a picture: still images, and text drawn as one. */
const NO_VIDEO = /_pipe$|^image2|^tty$|^ico$|^txd$/;

/** Picture (square pixels, at most 1280 × 720, even sizes, a key frame every 2 s, no B-frames) and sound. */
const VIDEO_ARGS = [
  ...['-map', '0:V:0?'],
  '-vf',
  [
    'scale=w=iw*sar:h=ih',
    `scale=w='min(${MAX_WIDTH},iw)':h='min(${MAX_HEIGHT},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2`,
    'setsar=1',
    'format=yuv420p',
  ].join(','),
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-bf', '0', '-sc_threshold', '0'],
  ...['-force_key_frames', 'expr:gte(t,n_forced*2)'],
];
const AUDIO_ARGS = ['-map', '0:a:0?', '-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-ar', '48000'];
const OUTPUT_ARGS = [
  ...['-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1', '-max_muxing_queue_size', '4096'],
  ...['-f', 'mp4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof+delay_moov'],
];
/** Sound alone has a key frame in every packet: its fragments are cut by time instead (microseconds), and keep the source's timeline. */
const AUDIO_ONLY_ARGS = ['-vn', '-copyts', '-avoid_negative_ts', 'disabled'];
const AUDIO_OUTPUT_ARGS = [
  ...['-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1', '-frag_duration', '2000000'],
  ...['-f', 'mp4', '-movflags', '+empty_moov+default_base_moof+delay_moov'],
];

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
function qualityArgs({ quality, origin, upright, turned }: QualityConversion): readonly string[] {
  const { width, height, bitrate, starts } = quality;
  const [across, down] = !upright && turned ? [height, width] : [width, height];
  const times = starts.map((start) => Math.max(start / 1e6 + origin - START_ROUNDING, 0).toFixed(6));
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

/** What ffprobe finds in a file that mediabunny does not know. Rejects with `unsupported` when it is no media file. */
export async function probeByFfmpeg(file: Blob, signal: AbortSignal): Promise<MediaProbe> {
  const found = await ffprobe(file, signal);
  const format = found.format?.format_name ?? '';
  const streams = NO_VIDEO.test(format) ? [] : (found.streams ?? []);
  const { video, audio } = mainStreams(streams);
  if (!video && !audio)
    throw fail(
      'unsupported',
      'This is not a video: nothing in the file can be read as pictures or sound. Choose a video file, for example an MP4.',
    );
  return {
    duration: Number(found.format?.duration ?? 0) || 0,
    container: found.format?.format_long_name ?? format,
    video: video ? videoProbe(video) : null,
    audio: audio
      ? {
          codec: audio.codec_name ?? 'unknown',
          channels: audio.channels ?? 0,
          sampleRate: Number(audio.sample_rate ?? 0) || 0,
          bitrate: Number(audio.bit_rate) || null,
          copied: false,
        }
      : null,
    plan: 'transcode',
  };
}

/**
 * The second of what `convert` makes of a file that is 0 on the timeline of the cut: ffmpeg counts from the first stream's start, the cut from
 * where the picture starts (`timelineOrigin`). Rejects with `aborted` or `missing-feature`.
 */
export async function originByFfmpeg(file: Blob, signal: AbortSignal): Promise<number> {
  const found = await ffprobe(file, signal);
  const start = secondsIn(found.format?.start_time) ?? 0;
  const { video, audio } = mainStreams(found.streams ?? []);
  const sinceStart = (stream: FfprobeStream | undefined): number | null =>
    stream ? (secondsIn(stream.start_time) ?? start) - start : null;
  return timelineOrigin({ video: sinceStart(video), audio: sinceStart(audio) });
}

function ffprobe(file: Blob, signal: AbortSignal): Promise<FfprobeOutput> {
  return withFfmpeg({ type: 'probe', file }, signal, async (next): Promise<FfprobeOutput> => {
    for (;;) {
      const reply = await next();
      if (reply.type === 'probed') return JSON.parse(reply.json);
    }
  });
}

function mainStreams(streams: readonly FfprobeStream[]): { video: FfprobeStream | undefined; audio: FfprobeStream | undefined } {
  return {
    video: streams.find((stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1),
    audio: streams.find((stream) => stream.codec_type === 'audio'),
  };
}

function secondsIn(text: string | undefined): number | null {
  const seconds = Number(text ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}

interface FfprobeOutput {
  readonly format?: {
    readonly start_time?: string;
    readonly format_name?: string;
    readonly format_long_name?: string;
    readonly duration?: string;
  };
  readonly streams?: readonly FfprobeStream[];
}

interface FfprobeStream {
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly start_time?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_aspect_ratio?: string;
  readonly channels?: number;
  readonly sample_rate?: string;
  readonly avg_frame_rate?: string;
  readonly r_frame_rate?: string;
  readonly bit_rate?: string;
  readonly side_data_list?: readonly { readonly rotation?: number | string }[];
  readonly disposition?: { readonly attached_pic?: number };
}

function videoProbe(video: FfprobeStream): VideoProbe {
  const rotation = (360 + Math.round(Number(video.side_data_list?.find(({ rotation: turn }) => turn !== undefined)?.rotation ?? 0))) % 360;
  const { width, height } = shownSize(video);
  const [across, down] = rotation % 180 === 0 ? [width, height] : [height, width];
  const [average, base] = [rateOf(video.avg_frame_rate), rateOf(video.r_frame_rate)];
  return {
    codec: video.codec_name ?? 'unknown',
    width: across,
    height: down,
    // ffprobe counts against the clock.
    rotation: (360 - rotation) % 360,
    frameRate: average || base,
    // The base rate is the least in which all times can be told: it is above the average where frames are left out.
    variable: average > 0 && base > 1.02 * average,
    bitrate: Number(video.bit_rate) || null,
    copied: false,
  };
}

/** `30000/1001` as a number; 0 for what is none. */
function rateOf(fraction: string | undefined): number {
  const [over = 0, under = 1] = (fraction ?? '').split('/').map(Number);
  return over > 0 && under > 0 ? over / under : 0;
}

function shownSize(stream: FfprobeStream): { width: number; height: number } {
  const [across = 1, down = 1] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const stretch = across > 0 && down > 0 ? across / down : 1;
  return { width: Math.round((stream.width ?? 0) * stretch), height: stream.height ?? 0 };
}

/** What a conversion makes, and who hears of it. */
export interface ConversionOptions {
  /** The whole file, its sound only, or one quality of its picture. */
  readonly what: 'all' | 'audio' | QualityConversion;
  /** Gets the seconds that are done. */
  readonly onTime: (seconds: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Converts a file. A picture is converted by several threads where the page may have them; where those fail or stand still, it is done again by one.
 * Rejects with `unsupported`, `aborted` or `missing-feature`.
 */
export async function convert(file: Blob, options: ConversionOptions): Promise<Blob> {
  const threads = options.what === 'audio' ? 1 : threadCount();
  if (threads > 1) {
    try {
      return await convertBy(threads, file, options);
    } catch (error) {
      if (options.signal.aborted) throw abortError(options.signal);
      console.warn('Converting with threads failed, and goes on with one.', error);
    }
  }
  return convertBy(1, file, options);
}

function convertBy(threads: number, file: Blob, { what, onTime, signal }: ConversionOptions): Promise<Blob> {
  const request: FfmpegRequest = { type: 'run', file, threads: threads > 1, ...argsFor(what, threads) };
  return withFfmpeg(request, signal, async (next) => {
    // A Blob of Blobs: the browser may keep them on disk, and nothing is copied to put them together.
    const parts: Blob[] = [];
    // Threads that have waited for each other this long do so for ever.
    let reply = await (threads > 1 ? within(LOADING, next()) : next());
    while (reply.type !== 'finished') {
      if (reply.type === 'chunk') parts.push(new Blob([reply.bytes]));
      else if (reply.type === 'time') onTime(reply.seconds);
      reply = await (threads > 1 ? within(STANDSTILL, next()) : next());
    }
    if (parts.length === 0) throw fail('unsupported', 'This file could not be converted: nothing in it could be decoded.');
    return new Blob(parts, { type: 'video/mp4' });
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
export async function convertBytes({ source, inputArgs, args, most }: Conversion, signal: AbortSignal): Promise<Bytes> {
  const file = new Blob([source], { type: 'video/mp4' });
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
function threadCount(): number {
  return globalThis.crossOriginIsolated ? Math.min(Math.max(navigator.hardwareConcurrency || 1, 1), MAX_THREADS) : 1;
}

function argsFor(what: ConversionOptions['what'], threads: number): { inputArgs: readonly string[]; args: readonly string[] } {
  if (what === 'audio') return { inputArgs: [], args: [...AUDIO_ONLY_ARGS, ...AUDIO_ARGS, ...AUDIO_OUTPUT_ARGS] };
  const number = ['-threads', String(threads)];
  // Filters are quick, and threads that they start by themselves may be more than there are.
  const decoding = ['-filter_threads', '1', ...number];
  if (what === 'all') return { inputArgs: decoding, args: [...VIDEO_ARGS, ...number, ...AUDIO_ARGS, ...OUTPUT_ARGS] };
  return { inputArgs: [...decoding, ...(what.upright ? [] : ['-noautorotate'])], args: [...qualityArgs(what), ...number] };
}

/** Rejects with `timeout` when it takes longer (ms). */
function within<T>(limit: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(fail('timeout', `The converter stood still for ${limit / 1000} s.`)), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function withFfmpeg<T>(
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
