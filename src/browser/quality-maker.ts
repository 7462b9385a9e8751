/**
 * Makes a quality of a video's picture, cut where another one is cut. It runs in the cut worker: a worker of its own would load mediabunny
 * a second time.
 */
import { fail } from '../base/errors.ts';
import type { VideoQuality } from '../base/ports.ts';
import { createSegmentFinder, cutAligned } from './aligned-cutter.ts';
import { readComplexEdits } from './edit-lists.ts';
import { type MediaFile, openMediaFile, packetOf, type VideoTrack } from './media-file.ts';
import type { EncodeRequest } from './media-protocol.ts';
import { chooseEncoder, encodePictures, type PictureEncoderOptions } from './picture-encoder.ts';
import { type CutSegment, MAX_HIDDEN, timelineOrigin } from './segment-cutter.ts';
import type { SegmentOutlet } from './segment-outlet.ts';

const MICROSECONDS = 1e6;
/** Seconds by which the first picture after a seek may seem to be elsewhere: containers round times. Below half a frame of the fastest video. */
const SEEK_ROUNDING = 0.004;

/**
 * Answers by events and by `ended`, or by `uncuttable`. Rejects with `unsupported`. To be called once. `pieces` are what `recut` is to cut, in their
 * order.
 */
export async function makeQuality(request: EncodeRequest, outlet: SegmentOutlet, pieces: AsyncIterable<Blob>): Promise<void> {
  if (request.type === 'recut') return recut(request, outlet, pieces);
  return encode(request, outlet);
}

/** Whether this browser can make it by WebCodecs, as far as one can know before. */
export async function canEncode(blob: Blob, quality: VideoQuality): Promise<boolean> {
  return (await encodableOf(blob, quality)) !== null;
}

/** What WebCodecs need to make it; null where they can't. */
async function encodableOf(blob: Blob, quality: VideoQuality) {
  const file = await openMediaFile(blob);
  const video = file?.video;
  // What an edit list hides is followed by ffmpeg alone.
  const isPlain = video && video.start >= -MAX_HIDDEN && (await readComplexEdits(blob)) === null;
  const config = isPlain ? await chooseEncoder(video, quality) : null;
  return isPlain && config ? { file, video, config } : null;
}

async function encode({ file: blob, quality }: EncodeRequest & { type: 'encode' }, outlet: SegmentOutlet): Promise<void> {
  const encodable = await encodableOf(blob, quality);
  if (!encodable) return outlet.reply({ type: 'uncuttable' });
  const { file, video, config } = encodable;
  const origin = originOf(file);
  const end = endOf(quality, video.end - origin);
  const starts = secondsOf(quality.starts);
  const { from = 0 } = quality;
  // Pictures that are shown before the key frame of their segment need the ones before it.
  const first = from > 0 ? await video.keyPacketAt((starts[from] as number) + origin) : null;
  let told: VideoDecoderConfig | null = null;
  const packets = encodedPackets(video, { config, origin, segmentAt: createSegmentFinder(starts), from, first }, (next) => {
    told = next;
  });
  const send = sender(outlet, quality);
  let sent = 0;
  try {
    for await (const segment of cutAligned(packets, { starts, end, from })) {
      if (!told) throw fail('internal', 'An encoder did not say how to decode what it made.');
      const muxed = await video.muxEncoded(segment.packets, told);
      await send(segment, { muxed, codecs: codecsOf(told), frameRate: video.frameRate, end });
      sent++;
    }
  } catch (error) {
    // Codecs promise more than they do: what fails before anything was sent can be done by other means.
    if (sent > 0) throw error;
    return outlet.reply({ type: 'uncuttable' });
  }
  finish(outlet);
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

async function recut(
  { quality, origin }: EncodeRequest & { type: 'recut' },
  outlet: SegmentOutlet,
  pieces: AsyncIterable<Blob>,
): Promise<void> {
  const send = sender(outlet, quality);
  const starts = secondsOf(quality.starts);
  const { from = 0 } = quality;
  let first: VideoTrack | null = null;
  let seen = 0;
  /** After a seek: seconds by which the times came out larger than they are. */
  let late: number | null = null;
  const end = (): number => endOf(quality, seen);
  async function* packets() {
    for await (const piece of pieces) {
      const file = await openMediaFile(piece);
      const video = file?.video;
      if (!video) throw fail('unsupported', 'This quality came out without a picture.');
      first ??= video;
      for await (const packet of video.packets({ metadataOnly: false })) {
        if (from > 0 && late === null) {
          late = packet.timestamp - origin - (starts[from] as number);
          if (Math.abs(late) > SEEK_ROUNDING) throw fail('unsupported', 'The file can’t be read from its middle.');
        }
        const timestamp = packet.timestamp - origin - (late ?? 0);
        seen = Math.max(seen, timestamp + packet.duration);
        yield packet.clone({ timestamp });
      }
      file.close();
    }
  }
  const options = {
    ...{ starts, from },
    get end() {
      return end();
    },
  };
  for await (const segment of cutAligned(packets(), options)) {
    const video = first as VideoTrack | null;
    if (!video) throw fail('internal', 'A segment came out of no piece.');
    const { codecs, frameRate } = video;
    const last = quality.end === undefined ? (starts.at(-1) ?? 0) : end();
    await send(segment, { muxed: await video.mux(segment.packets), codecs: codecs ?? '', frameRate, end: last });
  }
  finish(outlet);
}

interface Muxed {
  readonly muxed: Awaited<ReturnType<VideoTrack['mux']>>;
  readonly codecs: string;
  readonly frameRate: number;
  /** Of the last segment (seconds), as far as known. */
  readonly end: number;
}

/** Sends one segment after the other, the rendition before the first. */
function sender(outlet: SegmentOutlet, quality: VideoQuality): (segment: CutSegment<unknown>, made: Muxed) => Promise<void> {
  const { width, height, starts, from = 0 } = quality;
  let at = starts[from] ?? 0; // microseconds of the video that went out
  let isFirst = true;
  return async (segment, { muxed, codecs, frameRate, end }) => {
    const { init, bytes } = muxed;
    if (isFirst) outlet.emit({ type: 'rendition', rendition: { index: 0, kind: 'video', codecs, init, width, height, frameRate }, from });
    isFirst = false;
    const until = Math.round(segment.end * MICROSECONDS);
    const duration = until - at;
    at = until;
    await outlet.segment({ rendition: 0, bytes, duration });
    outlet.emit({ type: 'progress', fraction: end > 0 ? Math.min(segment.end / end, 1) : 1 });
  };
}

function finish(outlet: SegmentOutlet): void {
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
