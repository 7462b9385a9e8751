/** A worker for one job: to make a quality of a video's picture, cut where another one is cut. Whoever started it ends it. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { VideoQuality } from '../base/ports.ts';
import { createSegmentFinder, cutAligned } from './aligned-cutter.ts';
import { readComplexEdits } from './edit-lists.ts';
import { type MediaFile, openMediaFile, packetOf, type VideoTrack } from './media-file.ts';
import type { CutReply, EncodeRequest } from './media-protocol.ts';
import { chooseEncoder, encodePictures, type PictureEncoderOptions } from './picture-encoder.ts';
import { type CutSegment, MAX_HIDDEN, timelineOrigin } from './segment-cutter.ts';
import { createOutlet } from './segment-outlet.ts';

declare const self: DedicatedWorkerGlobalScope;

const MICROSECONDS = 1e6;

const outlet = createOutlet((message: CutReply, transfer) => self.postMessage(message, transfer));

self.onmessage = ({ data }: MessageEvent<EncodeRequest>): void => {
  if (data.type === 'credit') {
    outlet.credit();
    return;
  }
  const work = data.type === 'encode' ? encode(data.file, data.quality) : recut(data);
  work.catch((error: unknown) => {
    const { code, message } = asKadreelError(error);
    outlet.reply({ type: 'failed', code, message });
  });
};

async function encode(blob: Blob, quality: VideoQuality): Promise<void> {
  const file = await openMediaFile(blob);
  const video = file?.video;
  // What an edit list hides is followed by ffmpeg alone.
  const isPlain = video && video.start >= -MAX_HIDDEN && (await readComplexEdits(blob)) === null;
  if (!isPlain) return outlet.reply({ type: 'uncuttable' });
  const origin = originOf(file);
  const end = endOf(quality, video.end - origin);
  const config = await chooseEncoder(video, quality);
  if (!config) return outlet.reply({ type: 'uncuttable' });
  const starts = secondsOf(quality.starts);
  let told: VideoDecoderConfig | null = null;
  const packets = encodedPackets(video, { config, origin, segmentAt: createSegmentFinder(starts) }, (next) => {
    told = next;
  });
  let sent = 0;
  try {
    for await (const segment of cutAligned(packets, { starts, end })) {
      if (!told) throw fail('internal', 'An encoder did not say how to decode what it made.');
      const muxed = await video.muxEncoded(segment.packets, told);
      await send(segment, { quality, muxed, codecs: codecsOf(told), frameRate: video.frameRate, end });
      sent++;
    }
  } catch (error) {
    // Codecs promise more than they do: what fails before anything was sent can be done by other means.
    if (sent > 0) throw error;
    return outlet.reply({ type: 'uncuttable' });
  }
  finish();
}

/** Encoded pictures as packets; `tell` hears what a decoder must be told, which is the same for all of them. */
async function* encodedPackets(video: VideoTrack, options: PictureEncoderOptions, tell: (config: VideoDecoderConfig) => void) {
  const { width, height } = options.config;
  let first: VideoDecoderConfig | null = null;
  for await (const { chunk, config } of encodePictures(video, options)) {
    if (config !== first) {
      if (config.codedWidth !== width || config.codedHeight !== height) throw fail('unsupported', 'The encoder does not scale.');
      if (first && !sameBytes(first, config)) throw fail('unsupported', 'The encoder changed its parameters on the way.');
      first = config;
      tell(config);
    }
    yield packetOf(chunk);
  }
}

async function recut({ file: blob, quality, origin }: EncodeRequest & { type: 'recut' }): Promise<void> {
  const video = (await openMediaFile(blob))?.video;
  if (!video) throw fail('unsupported', 'This quality came out without a picture.');
  const end = endOf(quality, video.end - origin);
  const { codecs, frameRate } = video;
  for await (const segment of cutAligned(shifted(video, origin), { starts: secondsOf(quality.starts), end })) {
    await send(segment, { quality, muxed: await video.mux(segment.packets), codecs: codecs ?? '', frameRate, end });
  }
  finish();
}

async function* shifted(video: VideoTrack, origin: number) {
  for await (const packet of video.packets({ metadataOnly: false })) yield packet.clone({ timestamp: packet.timestamp - origin });
}

/** Segments that went out, in microseconds of the video. */
let at = 0;

async function send(
  segment: CutSegment<unknown>,
  options: {
    readonly quality: VideoQuality;
    readonly muxed: Awaited<ReturnType<VideoTrack['mux']>>;
    readonly codecs: string;
    readonly frameRate: number;
    readonly end: number;
  },
): Promise<void> {
  const { codecs, frameRate, end } = options;
  const { init, bytes } = options.muxed;
  const { width, height } = options.quality;
  if (at === 0) outlet.emit({ type: 'rendition', rendition: { index: 0, kind: 'video', codecs, init, width, height, frameRate } });
  const until = Math.round(segment.end * MICROSECONDS);
  const duration = until - at;
  at = until;
  await outlet.segment({ rendition: 0, bytes, duration });
  outlet.emit({ type: 'progress', fraction: end > 0 ? Math.min(segment.end / end, 1) : 1 });
}

function finish(): void {
  outlet.emit({ type: 'done' });
  outlet.reply({ type: 'ended' });
}

function originOf({ video, audio }: MediaFile): number {
  return timelineOrigin({ video: video?.start ?? null, audio: audio?.start ?? null });
}

function secondsOf(starts: readonly number[]): readonly number[] {
  return starts.map((start) => start / MICROSECONDS);
}

/** Seconds at which the last segment ends. */
function endOf(quality: VideoQuality, otherwise: number): number {
  return quality.end === undefined ? otherwise : quality.end / MICROSECONDS;
}

/** From the profile, compatibility and level that the encoder really used (ISO 14496-15 §5.3.3.1), which need not be those asked for. */
function codecsOf({ codec, description }: VideoDecoderConfig): string {
  const bytes = bytesOf(description);
  if (bytes.length < 4) return codec;
  return `avc1.${[...bytes.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function sameBytes(a: VideoDecoderConfig, b: VideoDecoderConfig): boolean {
  const [one, other] = [bytesOf(a.description), bytesOf(b.description)];
  return one.length === other.length && one.every((byte, n) => byte === other[n]);
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array {
  if (!source) return new Uint8Array();
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
