/** Media files, read and written: the one place that knows mediabunny. */
import {
  ALL_FORMATS,
  BlobSource,
  BufferTarget,
  CmafOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputAudioTrack,
  type InputTrack,
  type InputVideoTrack,
  Output,
  UnsupportedInputFormatError,
  type VideoCodec,
  type VideoTrackMetadata,
} from 'mediabunny';
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { plainInit } from './plain-init.ts';
import { decodeOne, drawSmall } from './small-picture.ts';

/** A file whose headers have been read. */
export interface MediaFile {
  /** For a person: "MP4", "Matroska", … */
  readonly container: string;
  readonly video: VideoTrack | null;
  readonly audio: AudioTrack | null;
  close(): void;
}

/** Times are seconds on the file's own timeline, edit lists applied. */
interface Track {
  /** mediabunny's short name (`avc`, `aac`), or the container's own when it is a codec that mediabunny does not know. */
  readonly codec: string;
  /** As in RFC 6381; null when unknown. */
  readonly codecs: string | null;
  /** When the first packet starts; negative for what is decoded and not shown. */
  readonly start: number;
  /** When the last packet ends. */
  readonly end: number;
  /** Whether the bytes of the last packet are there. */
  readonly complete: boolean;
  /** Counts packets from the front; that they were all is told by `whole`. */
  measure(): Promise<PacketMeasure>;
  /** In decode order. `metadataOnly` leaves the bytes out. `from`: begins with this packet of the track, which may be one without bytes. */
  packets(options: { metadataOnly: boolean; from?: EncodedPacket }): AsyncIterable<EncodedPacket>;
  /** The last key packet that is shown at this time or before, or the first of all; without its bytes. Null where there is none. */
  keyPacketAt(time: number): Promise<EncodedPacket | null>;
  /** One CMAF segment, and the initialisation segment that goes with it. */
  mux(packets: readonly EncodedPacket[]): Promise<{ readonly init: Bytes; readonly bytes: Bytes }>;
}

export interface PacketMeasure {
  /** Packets and bits a second. */
  readonly rate: number;
  readonly bitrate: number;
  readonly whole: boolean;
}

export interface VideoTrack extends Track {
  /** Pixels as shown. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise. */
  readonly rotation: number;
  /** Frames a second; 0 when variable or unknown. */
  readonly frameRate: number;
  /** What a decoder is told before the first packet; null when the codec is unknown. Pictures come out of it as they lie in the file. */
  readonly decoderConfig: VideoDecoderConfig | null;
  /** As `mux`, of pictures that were encoded anew, as H.264, and lie as this track's do. `config` is what the encoder said. */
  muxEncoded(packets: readonly EncodedPacket[], config: VideoDecoderConfig): Promise<{ readonly init: Bytes; readonly bytes: Bytes }>;
  /**
   * The key frames at or before these times, which rise, scaled to `width` and, unless it is left out, `height` pixels. The same canvas comes for all times
   * that have one key frame, and is drawn over for the next. Rejects when this browser can't decode them.
   */
  keyPictures(times: readonly number[], size: { readonly width: number; readonly height?: number }): AsyncIterable<OffscreenCanvas>;
}

export interface AudioTrack extends Track {
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
}

/** Packets looked at to tell a constant frame rate. */
const FRAME_RATE_PACKETS = 256;
/** And to tell how many bits a second there are. */
const MEASURED_PACKETS = 3000;

/** Opens a file; null when it is in no format that mediabunny reads. Rejects with `unsupported` when it is damaged. */
export async function openMediaFile(file: Blob): Promise<MediaFile | null> {
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  try {
    const format = await input.getFormat();
    const video = await input.getPrimaryVideoTrack();
    const audio = await input.getPrimaryAudioTrack();
    if (!video && !audio && (await input.getTracks()).length === 0) {
      throw damaged('the index that says what it contains is missing, as after a recording or a download that was broken off');
    }
    return {
      container: format.name,
      video: video && (await openVideo(video)),
      audio: audio && (await openAudio(audio)),
      close: () => input.dispose(),
    };
  } catch (error) {
    input.dispose();
    if (error instanceof UnsupportedInputFormatError) return null;
    throw error instanceof Error && error.name === 'KadreelError' ? error : damaged(error instanceof Error ? error.message : String(error));
  }
}

/** The file can't be used as it is; `why` goes on after a colon. */
export function damaged(why: string): Error {
  return fail('unsupported', `The file is damaged or incomplete: ${why}. Try to copy or export it again.`);
}

async function openVideo(track: InputVideoTrack): Promise<VideoTrack> {
  const config = await track.getDecoderConfig();
  const codec = await track.getCodec();
  const rates = codec && (await track.computeFrameRateMetrics({ targetPacketCount: FRAME_RATE_PACKETS }));
  const turned = (await track.getRotation()) !== 0 || (await track.getFlip());
  const metadata = turned ? { transformationMatrix: await track.getTransformationMatrix() } : {};
  return {
    ...(await openTrack(track)),
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    rotation: await track.getRotation(),
    frameRate: rates?.frameRateIsConstant ? rates.bestGuessFrameRate : 0,
    decoderConfig: config && decoderConfigOf(config),
    async mux(packets) {
      if (!codec || !config) throw fail('internal', 'A track without a codec was to be copied.');
      return muxVideo(packets, { codec, config, metadata });
    },
    muxEncoded: (packets, encoded) => muxVideo(packets, { codec: 'avc', config: encoded, metadata }),
    keyPictures: (times, size) => keyPictures(track, times, size),
  };
}

async function* keyPictures(
  track: InputVideoTrack,
  times: readonly number[],
  size: { readonly width: number; readonly height?: number },
): AsyncGenerator<OffscreenCanvas> {
  const packets = new EncodedPacketSink(track);
  const keys: number[] = [];
  for (const time of times) {
    const key = (await packets.getKeyPacket(time, { metadataOnly: true })) ?? (await packets.getFirstKeyPacket({ metadataOnly: true }));
    if (key) keys.push(key.timestamp);
  }
  const config = await track.getDecoderConfig();
  if (!config) throw damaged('what a decoder needs to know is missing');
  const { width, height = Math.round((width * (await track.getDisplayHeight())) / (await track.getDisplayWidth())) } = size;
  const turned = { rotation: await track.getRotation(), flip: await track.getFlip() };
  const canvas = new OffscreenCanvas(width, Math.max(height, 1));
  for (const key of new Set(keys)) {
    const packet = await packets.getKeyPacket(key);
    if (!packet) throw damaged('a key frame of it is missing');
    const frame = await decodeOne(packet.toEncodedVideoChunk(), decoderConfigOf(config));
    try {
      await drawSmall(canvas, frame, turned);
    } finally {
      frame.close();
    }
    for (const other of keys) if (other === key) yield canvas;
  }
}

/** Without what is about showing: rotation and aspect stay in the container. */
function decoderConfigOf({ codec, codedWidth, codedHeight, description, colorSpace }: VideoDecoderConfig): VideoDecoderConfig {
  return {
    codec,
    ...(codedWidth !== undefined && { codedWidth }),
    ...(codedHeight !== undefined && { codedHeight }),
    ...(description && { description }),
    ...(colorSpace && { colorSpace }),
  };
}

async function muxVideo(
  packets: readonly EncodedPacket[],
  options: { readonly codec: VideoCodec; readonly config: VideoDecoderConfig; readonly metadata: VideoTrackMetadata },
): Promise<{ init: Bytes; bytes: Bytes }> {
  const source = new EncodedVideoPacketSource(options.codec);
  const { output, result } = segmentOutput();
  output.addVideoTrack(source, options.metadata);
  await output.start();
  for (const packet of packets) await source.add(packet, { decoderConfig: options.config });
  await output.finalize();
  return result();
}

/** What an encoder gave, as a packet that can be cut and muxed. */
export function packetOf(chunk: EncodedVideoChunk): EncodedPacket {
  return EncodedPacket.fromEncodedChunk(chunk);
}

async function openAudio(track: InputAudioTrack): Promise<AudioTrack> {
  const config = await track.getDecoderConfig();
  const codec = await track.getCodec();
  return {
    ...(await openTrack(track)),
    channels: await track.getNumberOfChannels(),
    sampleRate: await track.getSampleRate(),
    async mux(packets) {
      if (!codec || !config) throw fail('internal', 'A track without a codec was to be copied.');
      const source = new EncodedAudioPacketSource(codec);
      const { output, result } = segmentOutput();
      output.addAudioTrack(source);
      await output.start();
      for (const packet of packets) await source.add(packet, { decoderConfig: config });
      await output.finalize();
      return result();
    },
  };
}

async function openTrack(track: InputTrack): Promise<Omit<Track, 'mux'>> {
  const sink = new EncodedPacketSink(track);
  const internal = await track.getInternalCodecId();
  const last = await sink.getPacket(Number.POSITIVE_INFINITY, { metadataOnly: true });
  return {
    codec: (await track.getCodec()) ?? (typeof internal === 'string' ? internal : 'unknown'),
    codecs: await track.getCodecParameterString(),
    start: last ? await track.getFirstTimestamp() : 0,
    end: last ? last.timestamp + last.duration : 0,
    complete: last !== null && (await sink.getPacket(last.timestamp)) !== null,
    async measure() {
      const { packetCount, averagePacketRate, averageBitrate } = await track.computePacketStats(MEASURED_PACKETS);
      return { rate: averagePacketRate, bitrate: averageBitrate, whole: packetCount < MEASURED_PACKETS };
    },
    async *packets({ metadataOnly, from }) {
      const first = from && !metadataOnly && from.isMetadataOnly ? await sink.getPacket(from.timestamp) : from;
      yield* sink.packets(first ?? undefined, undefined, { metadataOnly });
    },
    async keyPacketAt(time) {
      return (await sink.getKeyPacket(time, { metadataOnly: true })) ?? sink.getFirstKeyPacket({ metadataOnly: true });
    },
  };
}

function segmentOutput() {
  const init = new BufferTarget();
  const body = new BufferTarget();
  const output = new Output({ format: new CmafOutputFormat(), target: body, initTarget: init });
  return {
    output,
    result() {
      if (!init.buffer || !body.buffer) throw fail('internal', 'A segment came out empty.');
      return { init: plainInit(new Uint8Array(init.buffer)), bytes: new Uint8Array(body.buffer) };
    },
  };
}
