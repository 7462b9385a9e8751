/** A worker for one job: to say what a file is, to cut it in segments, or to make another quality of it. Whoever started it ends it. */
import { asKadreelError, assertNever, fail } from '../base/errors.ts';
import { decodeAhead } from './decode-times.ts';
import { readComplexEdits } from './edit-lists.ts';
import { type AudioTrack, damaged, type MediaFile, openMediaFile, type PacketMeasure, type VideoTrack } from './media-file.ts';
import type { CutReply, CutRequest, Inspection } from './media-protocol.ts';
import { decodesAll } from './picture-check.ts';
import { makePoster, proposePictures } from './poster.ts';
import { makeSheets } from './preview-sheets.ts';
import { canEncode, makeQuality } from './quality-maker.ts';
import {
  type CutSegment,
  cutAudio,
  cutVideo,
  findJoint,
  type GopMeasure,
  MAX_GOP_BYTES,
  MAX_GOP_SECONDS,
  MAX_HIDDEN,
  measureGops,
  timelineOrigin,
} from './segment-cutter.ts';
import { createOutlet } from './segment-outlet.ts';

declare const self: DedicatedWorkerGlobalScope;

/** Codecs that CMAF and MSE may take as they are. Whether this browser plays them is asked in the page. */
const VIDEO_CODECS = ['avc', 'vp9', 'av1'];
const AUDIO_CODECS = ['aac', 'opus'];
/** Packets that `inspect` looks at: enough to see how far apart key frames are, little enough to be done at once. */
const INSPECTED_PACKETS = 3000;
/** Milliseconds: a decoder that hangs must not hold up the publication. */
const POSTER_PATIENCE = 10_000;
const PICTURES_PATIENCE = 20_000;
/** The sample rate of every Opus stream (RFC 7845 §5.1); what the container says is the rate before encoding. */
const OPUS_RATE = 48_000;

const outlet = createOutlet((message: CutReply, transfer) => self.postMessage(message, transfer));
const { emit, reply } = outlet;

/** What came for `recut` and was not taken yet; null is the end. */
const pieces: (Blob | null)[] = [];
let onPiece: (() => void) | null = null;

async function* eachPiece(): AsyncGenerator<Blob> {
  for (;;) {
    const piece = pieces.shift();
    if (piece === null) return;
    if (piece) yield piece;
    else {
      await new Promise<void>((resolve) => {
        onPiece = resolve;
      });
    }
  }
}

self.onmessage = ({ data }: MessageEvent<CutRequest>): void => {
  if (data.type === 'credit') {
    outlet.credit();
    return;
  }
  if (data.type === 'piece') {
    pieces.push(data.piece);
    onPiece?.();
    return;
  }
  work(data).catch((error: unknown) => {
    const { code, message } = asKadreelError(error);
    reply({ type: 'failed', code, message });
  });
};

function work(request: Exclude<CutRequest, { type: 'credit' | 'piece' }>): Promise<void> {
  switch (request.type) {
    case 'inspect':
      return inspect(request.file);
    case 'pictures':
      return pictures(request.file);
    case 'sheets':
      return sheets(request.file);
    case 'cut':
      return cut(request);
    case 'encode':
    case 'recut':
      return makeQuality(request, outlet, eachPiece());
    case 'can-encode':
      return canEncode(request.file, request.quality).then((verdict) => reply({ type: 'verdict', verdict }));
    case 'decode':
      return decodesAll(request.file, request.pictures).then((verdict) => reply({ type: 'verdict', verdict }));
    default:
      return assertNever(request);
  }
}

async function pictures(blob: Blob): Promise<void> {
  const file = await openMediaFile(blob);
  reply({ type: 'pictures', pictures: file?.video ? ((await patiently(proposePictures(file.video), PICTURES_PATIENCE)) ?? []) : [] });
}

async function sheets(blob: Blob): Promise<void> {
  const file = await openMediaFile(blob);
  const video = file?.video;
  // What an edit list hides is not what players show.
  const isPlain = video && video.start >= -MAX_HIDDEN && (await readComplexEdits(blob)) === null;
  // Codecs promise more than they do: a seek bar without pictures is as good as it was.
  const made = isPlain ? await makeSheets(video, originOf(video, file.audio)).catch(() => null) : null;
  const transfer = made?.sheets.map(({ buffer }) => buffer) ?? [];
  self.postMessage({ type: 'sheets', sheets: made } satisfies CutReply, transfer);
}

async function inspect(blob: Blob): Promise<void> {
  const file = await openMediaFile(blob);
  reply({ type: 'inspected', inspection: file && (await inspection(file, { size: blob.size, edited: await readComplexEdits(blob) })) });
}

/** `edited`: the seconds shown by edits that only ffmpeg follows, or null. */
async function inspection(file: MediaFile, { size, edited }: { size: number; edited: number | null }): Promise<Inspection> {
  const { video, audio } = file;
  for (const track of [video, audio]) {
    if (track && !track.complete) throw damaged('its end is missing, as after a copy or a download that was broken off');
  }
  // What an edit list hides does not count.
  const origin = video && video.start < -MAX_HIDDEN ? 0 : originOf(video, audio);
  const duration = edited ?? Math.max(0, ...[video, audio].map((track) => (track ? track.end - origin : 0)));
  const [pictures, sound] = [video && (await video.measure()), audio && (await audio.measure())];
  return {
    container: file.container,
    duration,
    video: video && {
      codec: video.codec,
      codecs: video.codecs,
      width: video.width,
      height: video.height,
      rotation: video.rotation,
      frameRate: video.frameRate || (pictures?.rate ?? 0),
      variable: video.frameRate === 0,
      bitrate: pictureBitrate({ pictures, sound: sound?.bitrate ?? 0, whole: duration > 0 ? (8 * size) / duration : 0 }),
      cuttable: edited === null && (await measureCuttable(video, INSPECTED_PACKETS)) !== null,
    },
    audio: audio && {
      codec: audio.codec,
      codecs: audio.codecs,
      channels: audio.channels,
      sampleRate: audio.sampleRate,
      bitrate: sound?.bitrate || null,
      cuttable: edited === null && AUDIO_CODECS.includes(audio.codec) && audio.codecs !== null,
    },
  };
}

/**
 * Bits a second. What was not counted to the end is told by what the whole file takes beside its sound: the beginning of a long video says little about
 * the rest.
 */
function pictureBitrate(of: { pictures: PacketMeasure | null; sound: number; whole: number }): number | null {
  if (of.pictures?.whole) return of.pictures.bitrate || null;
  return of.whole > of.sound ? of.whole - of.sound : null;
}

/** The measure of a video that can be cut as it is, else null. */
async function measureCuttable(video: VideoTrack, maxPackets: number): Promise<GopMeasure | null> {
  if (!VIDEO_CODECS.includes(video.codec) || video.codecs === null || video.start < -MAX_HIDDEN) return null;
  const measure = await measureGops(video.packets({ metadataOnly: true }), maxPackets);
  return measure.seconds <= MAX_GOP_SECONDS && measure.bytes <= MAX_GOP_BYTES ? measure : null;
}

function originOf(video: VideoTrack | null, audio: AudioTrack | null): number {
  return timelineOrigin({ video: video?.start ?? null, audio: audio?.start ?? null });
}

async function cut(request: CutRequest & { type: 'cut' }): Promise<void> {
  const pictures = await openMediaFile(request.video);
  // One file that is sent twice in a message is still one: then its index is read and kept once.
  const sounds = request.audio === request.video ? pictures : await openMediaFile(request.audio);
  const video = pictures?.video ?? null;
  const audio = sounds?.audio ?? null;
  if (!video && !audio) throw fail('unsupported', 'The file has neither a picture nor sound.');
  const measure = video && (await measureCuttable(video, Number.POSITIVE_INFINITY));
  if (video && !measure) {
    if (!request.mayRefuse) throw fail('unsupported', 'The video has too few key frames to be cut into pieces.');
    reply({ type: 'uncuttable' });
    return;
  }
  const { kept } = request;
  const origin = originOf(video, audio);
  const end = Math.max(video?.end ?? 0, audio?.end ?? 0) - origin;
  const renditions: Rendition[] = [];
  if (video) renditions.push(await videoRendition(video, { index: 0, origin, delay: measure?.reorder ?? 0, kept: kept[0] ?? 0 }));
  const index = renditions.length;
  if (audio) renditions.push(await audioRendition(audio, { index, origin, kept: kept[index] ?? 0 }));
  await interleave(renditions, end);
  // Segments don't wait for it: it takes a third of what cutting a minute does.
  if (video) await sendPoster(video);
  emit({ type: 'done' });
  reply({ type: 'ended' });
}

async function sendPoster(video: VideoTrack): Promise<void> {
  const poster = await patiently(makePoster(video), POSTER_PATIENCE);
  if (poster) emit({ type: 'poster', ...poster }, [poster.bytes.buffer]);
}

/** A rendition on its way out: its next segment is sent when it is the earliest. */
interface Rendition {
  /** Seconds that are cut. */
  at: number;
  /** Sends the next segment; false when there was none. */
  next(): Promise<boolean>;
}

/** The file is read from front to back once, not once for each track. */
async function interleave(renditions: readonly Rendition[], end: number): Promise<void> {
  const going = new Set(renditions);
  while (going.size > 0) {
    const earliest = [...going].reduce((a, b) => (b.at < a.at ? b : a));
    if (!(await earliest.next())) going.delete(earliest);
    const slowest = Math.min(...renditions.map((rendition) => (going.has(rendition) ? rendition.at : end)));
    emit({ type: 'progress', fraction: end > 0 ? Math.min(slowest / end, 1) : 1 });
  }
}

interface RenditionOptions {
  readonly index: number;
  readonly origin: number;
  /** Segments that the page has already. */
  readonly kept: number;
}

async function videoRendition(video: VideoTrack, options: RenditionOptions & { readonly delay: number }): Promise<Rendition> {
  const { index, origin, kept, delay } = options;
  const { width, height, frameRate } = video;
  const joint = kept > 0 ? await findJoint(kept, video.packets({ metadataOnly: true }), (packets) => cutVideo(packets, origin)) : null;
  if (kept > 0 && !joint) return COMPLETE;
  return rendition({
    ...{ index, track: video, delay, from: kept, at: joint?.at ?? 0 },
    facts: { kind: 'video', width, height, frameRate },
    segments: cutVideo(video.packets({ metadataOnly: false, ...(joint && { from: joint.from }) }), origin),
  });
}

async function audioRendition(audio: AudioTrack, { index, origin, kept }: RenditionOptions): Promise<Rendition> {
  const sampleRate = audio.codec === 'opus' ? OPUS_RATE : audio.sampleRate;
  const grid = { origin, codec: audio.codec, sampleRate };
  const joint = kept > 0 ? await findJoint(kept, audio.packets({ metadataOnly: true }), (packets) => cutAudio(packets, grid)) : null;
  if (kept > 0 && !joint) return COMPLETE;
  const packets = audio.packets({ metadataOnly: false, ...(joint && { from: joint.from }) });
  return rendition({
    ...{ index, track: audio, delay: 0, from: kept, at: joint?.at ?? 0 },
    facts: { kind: 'audio', width: 0, height: 0, frameRate: 0 },
    segments: cutAudio(packets, { ...grid, ...(joint && { at: joint.at }) }),
  });
}

/** One of which the page has all segments. */
const COMPLETE: Rendition = { at: Number.POSITIVE_INFINITY, next: () => Promise.resolve(false) };

function rendition<T extends VideoTrack | AudioTrack>(options: {
  index: number;
  track: T;
  facts: { kind: 'video' | 'audio'; width: number; height: number; frameRate: number };
  segments: AsyncGenerator<CutSegment<Parameters<T['mux']>[0][number]>>;
  /** Seconds that pictures must be decoded ahead of being shown. */
  delay: number;
  /** The number of the first segment, and where it begins (seconds). */
  from: number;
  at: number;
}): Rendition {
  const { index, track, facts, segments, delay, from } = options;
  let started = false;
  const output: Rendition = {
    at: options.at,
    async next() {
      const { value: segment, done } = await segments.next();
      if (done) return false;
      const muxed = await track.mux(segment.packets);
      const { init } = muxed;
      const bytes = delay > 0 ? decodeAhead(muxed.bytes, { init, delay }) : muxed.bytes;
      if (!started) emit({ type: 'rendition', rendition: { index, ...facts, codecs: track.codecs ?? '', init }, from });
      started = true;
      // Microseconds between two rounded times, so that they add up. A first segment that starts late lasts from 0.
      const duration = Math.round(segment.end * 1e6) - Math.round(output.at * 1e6);
      await outlet.segment({ rendition: index, bytes, duration });
      output.at = segment.end;
      return true;
    },
  };
  return output;
}

/** The result, or null when it takes longer than `ms`. */
function patiently<T>(work: Promise<T>, ms: number): Promise<T | null> {
  return Promise.race([work, new Promise<null>((resolve) => self.setTimeout(() => resolve(null), ms))]);
}
