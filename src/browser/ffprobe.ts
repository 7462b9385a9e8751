/** What ffmpeg.wasm says of a file that mediabunny does not know. */
import { fail } from '../base/errors.ts';
import type { MediaProbe, VideoProbe } from '../base/ports.ts';
import { withFfmpeg } from './ffmpeg.ts';
import { timelineOrigin } from './segment-cutter.ts';

/** Formats of ffmpeg that are no videos though they come with a picture: still images, and text drawn as one. */
const NO_VIDEO = /_pipe$|^image2|^tty$|^ico$|^txd$/;

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

/** Where things lie in a file, in seconds since its first stream starts, as ffmpeg counts. */
export interface FileTimeline {
  /** What is 0 on the timeline of the cut (`timelineOrigin`). */
  readonly origin: number;
  /** When its picture starts, and its sound; null without. */
  readonly picture: number | null;
  readonly sound: number | null;
  /** Whether it has an index of its pictures and times that never jump, so that it can be read from its middle. */
  readonly seeks: boolean;
}

/** Formats with an index and with times that rise. */
const INDEXED = /^mov,|^matroska/;

/** Rejects with `aborted` or `missing-feature`. */
export async function timelineByFfmpeg(file: Blob, signal: AbortSignal): Promise<FileTimeline> {
  const found = await ffprobe(file, signal);
  const start = secondsIn(found.format?.start_time) ?? 0;
  const { video, audio } = mainStreams(found.streams ?? []);
  const sinceStart = (stream: FfprobeStream | undefined): number | null =>
    stream ? (secondsIn(stream.start_time) ?? start) - start : null;
  const [picture, sound] = [sinceStart(video), sinceStart(audio)];
  return { origin: timelineOrigin({ video: picture, audio: sound }), picture, sound, seeks: INDEXED.test(found.format?.format_name ?? '') };
}

/** As the `origin` of `timelineByFfmpeg`. */
export async function originByFfmpeg(file: Blob, signal: AbortSignal): Promise<number> {
  return (await timelineByFfmpeg(file, signal)).origin;
}

/** What was found in files: each is asked for several things, and never changes. */
const answers = new WeakMap<Blob, FfprobeOutput>();

async function ffprobe(file: Blob, signal: AbortSignal): Promise<FfprobeOutput> {
  const known = answers.get(file);
  if (known) return known;
  const found = await withFfmpeg({ type: 'probe', file }, signal, async (next): Promise<FfprobeOutput> => {
    for (;;) {
      const reply = await next();
      if (reply.type === 'probed') return JSON.parse(reply.json);
    }
  });
  answers.set(file, found);
  return found;
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
