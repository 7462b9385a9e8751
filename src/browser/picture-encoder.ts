/**
 * The pictures of a file, decoded and encoded anew as H.264 by WebCodecs. The encoder scales them: a canvas between the two takes three times
 * as long.
 */
import { fail } from '../base/errors.ts';
import type { VideoTrack } from './media-file.ts';

/** One packet of a track, as `VideoTrack` gives it. */
type EncodedPacket = NonNullable<Awaited<ReturnType<VideoTrack['keyPacketAt']>>>;

export interface PictureEncoderOptions {
  readonly config: VideoEncoderConfig;
  /** The second of the file that becomes 0. */
  readonly origin: number;
  /** Says in which segment a picture (seconds from the origin) lies. Each segment begins with a key frame. */
  readonly segmentAt: (time: number) => number;
  /** The first segment that is wanted: pictures before it are decoded alone. */
  readonly from: number;
  /** The key packet to begin with. */
  readonly first: EncodedPacket | null;
}

/** An encoded picture, its time from the origin, and what a decoder must be told before it. */
export interface EncodedPicture {
  readonly chunk: EncodedVideoChunk;
  readonly config: VideoDecoderConfig;
}

/** Packets and pictures that wait in front of the decoder and the encoder: enough to keep both busy. Of 1080p one takes 3 MB. */
const AHEAD = 8;

/** Main takes fewer bits, constrained baseline is what every encoder has. The last byte is the level. */
const PROFILES = ['4d00', '42e0'];

/** Levels of H.264 (ITU-T H.264 table A-1): macroblocks a second, macroblocks a picture, and kbit/s. */
const LEVELS: readonly (readonly [level: number, rate: number, size: number, kilobits: number])[] = [
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [42, 522_240, 8_704, 50_000],
  [51, 983_040, 36_864, 240_000],
];
const USUAL_RATE = 60; // frames a second, where it is not known: a level too high costs nothing

/** How to encode the track so; null when this browser can't decode it, or can't encode it like that. */
export async function chooseEncoder(
  video: VideoTrack,
  quality: { readonly width: number; readonly height: number; readonly bitrate: number },
): Promise<VideoEncoderConfig | null> {
  if (typeof VideoEncoder === 'undefined' || typeof VideoDecoder === 'undefined' || !video.decoderConfig) return null;
  if (!(await isSupported(VideoDecoder.isConfigSupported(video.decoderConfig)))) return null;
  const { bitrate } = quality;
  // The track's pictures may lie on their side; they stay so, and the container goes on saying it.
  const [width, height] = video.rotation % 180 === 0 ? [quality.width, quality.height] : [quality.height, quality.width];
  const rate = video.frameRate || USUAL_RATE;
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const level = LEVELS.find(
    ([, mostRate, mostSize, kilobits]) => blocks * rate <= mostRate && blocks <= mostSize && bitrate <= kilobits * 1000,
  );
  if (!level) return null;
  for (const profile of PROFILES) {
    const config: VideoEncoderConfig = {
      codec: `avc1.${profile}${level[0].toString(16)}`,
      width,
      height,
      bitrate,
      bitrateMode: 'variable',
      // An encoder that hurries may leave pictures out.
      latencyMode: 'quality',
      avc: { format: 'avc' },
      ...(video.frameRate > 0 && { framerate: video.frameRate }),
    };
    if (await isSupported(VideoEncoder.isConfigSupported(config))) return config;
  }
  return null;
}

async function isSupported(asked: Promise<{ supported?: boolean }>): Promise<boolean> {
  try {
    return (await asked).supported === true;
  } catch {
    return false; // What the browser takes for nonsense.
  }
}

/**
 * In the order of showing, which is that of decoding: WebCodecs reorders nothing here. Nothing is decoded that is not asked for soon, so
 * memory stays flat. Rejects with `unsupported` when either codec fails. Breaking out frees both.
 */
export async function* encodePictures(video: VideoTrack, options: PictureEncoderOptions): AsyncGenerator<EncodedPicture> {
  const { config, origin, segmentAt, from } = options;
  if (!video.decoderConfig) throw fail('internal', 'A track without a codec was to be decoded.');
  const ready: EncodedPicture[] = [];
  let failure: Error | null = null;
  let wake: () => void = () => undefined;
  let told: VideoDecoderConfig | null = null;
  let segment = -1;
  const onError = (what: string) => (error: DOMException) => {
    failure ??= fail('unsupported', `The picture could not be ${what}: ${error.message}`);
    wake();
  };
  const encoder = new VideoEncoder({
    output(chunk, metadata) {
      told = metadata?.decoderConfig ?? told;
      if (told) ready.push({ chunk, config: told });
      wake();
    },
    error: onError('encoded'),
  });
  const decoder = new VideoDecoder({
    output(frame) {
      const at = segmentAt(frame.timestamp / MICROSECONDS);
      if (encoder.state === 'configured' && at >= from) encoder.encode(frame, { keyFrame: at > segment });
      frame.close();
      if (at >= from) segment = at;
    },
    error: onError('decoded'),
  });
  const busy = (): boolean => decoder.decodeQueueSize >= AHEAD || encoder.encodeQueueSize >= AHEAD;
  decoder.ondequeue = encoder.ondequeue = () => wake();
  try {
    decoder.configure(video.decoderConfig);
    encoder.configure(config);
    let isFirst = true;
    for await (const packet of video.packets({ metadataOnly: false, ...(options.first && { from: options.first }) })) {
      // Before the first key frame nothing can be decoded.
      if (isFirst && packet.type !== 'key') continue;
      isFirst = false;
      for (;;) {
        yield* ready.splice(0);
        if (failure) throw failure;
        if (!busy()) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      decoder.decode(packet.clone({ timestamp: packet.timestamp - origin }).toEncodedVideoChunk());
    }
    await flush(decoder);
    await flush(encoder);
    if (failure) throw failure;
    yield* ready.splice(0);
  } finally {
    for (const codec of [decoder, encoder]) if (codec.state !== 'closed') codec.close();
  }
}

const MICROSECONDS = 1e6;

/** A codec that has failed rejects this, and has said why already. */
async function flush(codec: VideoDecoder | VideoEncoder): Promise<void> {
  if (codec.state === 'configured') await codec.flush().catch(() => undefined);
}
