/** Renditions on their way out of a cut worker, each segment after the other. */

import { decodeAhead } from './decode-times.ts';
import type { AudioTrack, VideoTrack } from './media-file.ts';
import { type CutSegment, cutAudio, cutVideo, findJoint } from './segment-cutter.ts';
import type { SegmentOutlet } from './segment-outlet.ts';

/** The sample rate of every Opus stream (RFC 7845 §5.1); what the container says is the rate before encoding. */
const OPUS_RATE = 48_000;

export interface Rendition {
  /** Seconds that are cut. */
  readonly at: number;
  /** Sends the next segment; false when there was none. */
  next(): Promise<boolean>;
}

export interface RenditionOptions {
  readonly outlet: SegmentOutlet;
  readonly index: number;
  /** The second of the file that is 0. */
  readonly origin: number;
  /** Segments that the page has already. */
  readonly kept: number;
}

/** A picture as it is. `delay`: seconds that its pictures must be decoded ahead of being shown. */
export async function videoRendition(video: VideoTrack, options: RenditionOptions & { readonly delay: number }): Promise<Rendition> {
  const { outlet, index, origin, kept, delay } = options;
  const { width, height, frameRate } = video;
  const joint = kept > 0 ? await findJoint(kept, video.packets({ metadataOnly: true }), (packets) => cutVideo(packets, origin)) : null;
  if (kept > 0 && !joint) return COMPLETE;
  return rendition({
    ...{ outlet, index, delay, from: kept, at: joint?.at ?? 0 },
    track: () => video,
    facts: () => ({ kind: 'video', width, height, frameRate }),
    segments: cutVideo(video.packets({ metadataOnly: false, ...(joint && { from: joint.from }) }), origin),
  });
}

/** Sound as it is. */
export async function audioRendition(audio: AudioTrack, { outlet, index, origin, kept }: RenditionOptions): Promise<Rendition> {
  const sampleRate = audio.codec === 'opus' ? OPUS_RATE : audio.sampleRate;
  const grid = { origin, codec: audio.codec, sampleRate };
  const joint = kept > 0 ? await findJoint(kept, audio.packets({ metadataOnly: true }), (packets) => cutAudio(packets, grid)) : null;
  if (kept > 0 && !joint) return COMPLETE;
  const packets = audio.packets({ metadataOnly: false, ...(joint && { from: joint.from }) });
  return rendition({
    ...{ outlet, index, delay: 0, from: kept, at: joint?.at ?? 0 },
    track: () => audio,
    facts: () => SOUND,
    segments: cutAudio(packets, { ...grid, ...(joint && { at: joint.at }) }),
  });
}

/** What is told of every rendition of sound. */
export const SOUND: RenditionFacts = { kind: 'audio', width: 0, height: 0, frameRate: 0 };

/** One of which the page has all segments. */
const COMPLETE: Rendition = { at: Number.POSITIVE_INFINITY, next: () => Promise.resolve(false) };

interface RenditionFacts {
  readonly kind: 'video' | 'audio';
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** Segments of a track as a rendition. */
export function rendition<T extends VideoTrack | AudioTrack>(options: {
  readonly outlet: SegmentOutlet;
  readonly index: number;
  /** Asked when the first segment has come, as is what it is like. */
  readonly track: () => T;
  readonly facts: () => RenditionFacts;
  readonly segments: AsyncGenerator<CutSegment<Parameters<T['mux']>[0][number]>>;
  /** Seconds that pictures must be decoded ahead of being shown. */
  readonly delay: number;
  /** The number of the first segment, and where it begins (seconds); null: where its first packet lies. */
  readonly from: number;
  readonly at: number | null;
}): Rendition {
  const { outlet, index, segments, delay, from } = options;
  let { at } = options;
  let started = false;
  return {
    get at() {
      return at ?? 0;
    },
    async next() {
      const { value: segment, done } = await segments.next();
      if (done) return false;
      const track = options.track();
      const muxed = await track.mux(segment.packets);
      const { init } = muxed;
      const bytes = delay > 0 ? decodeAhead(muxed.bytes, { init, delay }) : muxed.bytes;
      if (!started) outlet.emit({ type: 'rendition', rendition: { index, ...options.facts(), codecs: track.codecs ?? '', init }, from });
      started = true;
      // Microseconds between two rounded times, so that they add up. A first segment that starts late lasts from 0.
      const duration = Math.round(segment.end * 1e6) - Math.round((at ?? segment.start) * 1e6);
      await outlet.segment({ rendition: index, bytes, duration });
      at = segment.end;
      return true;
    },
  };
}
