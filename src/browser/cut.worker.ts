/** A worker for one job: to say what a file is, to cut it in segments, or to make another quality of it. Whoever started it ends it. */
import { asKadreelError, assertNever, fail } from '../base/errors.ts';
import { readComplexEdits } from './edit-lists.ts';
import { type AudioTrack, damaged, type MediaFile, openMediaFile, type PacketMeasure, type VideoTrack } from './media-file.ts';
import type { ConvertedCutRequest, CutReply, CutRequest, Inspection } from './media-protocol.ts';
import { decodesAll } from './picture-check.ts';
import { createPieceQueue } from './piece-queue.ts';
import { MisplacedPicture, pictureOfPieces, soundOfPieces } from './piece-renditions.ts';
import { createPosterSearch, makePoster, patiently, proposePictures } from './poster.ts';
import { makeSheets } from './preview-sheets.ts';
import { canEncode, makeQuality } from './quality-maker.ts';
import { audioRendition, type Rendition, videoRendition } from './renditions.ts';
import { type GopMeasure, MAX_GOP_BYTES, MAX_GOP_SECONDS, MAX_HIDDEN, measureGops, timelineOrigin } from './segment-cutter.ts';
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

const outlet = createOutlet((message: CutReply, transfer) => self.postMessage(message, transfer));
const { emit, reply } = outlet;

const pictures = createPieceQueue();
const sounds = createPieceQueue();

self.onmessage = ({ data }: MessageEvent<CutRequest>): void => {
  if (data.type === 'credit') {
    outlet.credit();
    return;
  }
  if (data.type === 'piece') {
    (data.of === 'picture' ? pictures : sounds).push(data.piece);
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
      return propose(request.file);
    case 'sheets':
      return sheets(request.file);
    case 'cut':
      return cut(request);
    case 'cut-converted':
      return cutConverted(request);
    case 'encode':
    case 'recut':
      return makeQuality(request, outlet, pictures.pieces);
    case 'can-encode':
      return canEncode(request.file, request.quality).then((verdict) => reply({ type: 'verdict', verdict }));
    case 'decode':
      return decodesAll(request.file, request.pictures).then((verdict) => reply({ type: 'verdict', verdict }));
    default:
      return assertNever(request);
  }
}

async function propose(blob: Blob): Promise<void> {
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

async function cut({ file: blob, kept }: CutRequest & { type: 'cut' }): Promise<void> {
  const file = await openMediaFile(blob);
  const { video = null, audio = null } = file ?? {};
  if (!video && !audio) throw fail('unsupported', 'The file has neither a picture nor sound.');
  const measure = video && (await measureCuttable(video, Number.POSITIVE_INFINITY));
  if (video && !measure) return reply({ type: 'uncuttable' });
  const origin = originOf(video, audio);
  const end = Math.max(video?.end ?? 0, audio?.end ?? 0) - origin;
  const renditions: Rendition[] = [];
  const delay = measure?.reorder ?? 0;
  if (video) renditions.push(await videoRendition(video, { outlet, index: 0, origin, delay, kept: kept[0] ?? 0 }));
  const index = renditions.length;
  if (audio) renditions.push(await audioRendition(audio, { outlet, index, origin, kept: kept[index] ?? 0 }));
  await interleave(renditions, end);
  // Segments don't wait for it: it takes a third of what cutting a minute does.
  if (video) await sendPoster(video);
  finish();
}

async function cutConverted({ picture, sound, duration }: ConvertedCutRequest): Promise<void> {
  const copied = picture && 'file' in picture ? await copiedPicture(picture) : null;
  if (picture && 'file' in picture && !copied) return reply({ type: 'uncuttable' });
  const poster = createPosterSearch(duration, (found) => emit({ type: 'poster', ...found }, [found.bytes.buffer]));
  const renditions: Rendition[] = [];
  if (copied) renditions.push(copied.rendition);
  else if (picture && 'cell' in picture) renditions.push(pictureOfPieces(pictures.pieces, { outlet, plan: picture, poster }));
  if (sound) renditions.push(soundOfPieces(sounds.pieces, { outlet, plan: sound }));
  try {
    // A copied picture would be there long before its sound: who watches needs both.
    await (copied ? interleave : together)(renditions, duration);
  } catch (error) {
    if (error instanceof MisplacedPicture) return reply({ type: 'uncuttable' });
    throw error;
  }
  if (copied) await sendPoster(copied.video);
  else await poster.finish();
  finish();
}

async function copiedPicture(plan: {
  file: Blob;
  kept: number;
  late: number;
}): Promise<{ video: VideoTrack; rendition: Rendition } | null> {
  const { file, kept, late } = plan;
  const { video = null } = (await openMediaFile(file)) ?? {};
  const measure = video && (await measureCuttable(video, Number.POSITIVE_INFINITY));
  if (!video || !measure) return null;
  const origin = video.start - late;
  return { video, rendition: await videoRendition(video, { outlet, index: 0, origin, delay: measure.reorder, kept }) };
}

function finish(): void {
  emit({ type: 'progress', fraction: 1 });
  emit({ type: 'done' });
  reply({ type: 'ended' });
}

async function sendPoster(video: VideoTrack): Promise<void> {
  const poster = await patiently(makePoster(video), POSTER_PATIENCE);
  if (poster) emit({ type: 'poster', ...poster }, [poster.bytes.buffer]);
}

/** The file is read from front to back once, not once for each track. */
async function interleave(renditions: readonly Rendition[], end: number): Promise<void> {
  const going = new Set(renditions);
  while (going.size > 0) {
    const earliest = [...going].reduce((a, b) => (b.at < a.at ? b : a));
    if (!(await earliest.next())) going.delete(earliest);
    tellProgress(renditions, going, end);
  }
}

/** Each as it comes: one may end long before the other. */
async function together(renditions: readonly Rendition[], end: number): Promise<void> {
  const going = new Set(renditions);
  const drain = async (one: Rendition): Promise<void> => {
    while (await one.next()) tellProgress(renditions, going, end);
    going.delete(one);
  };
  await Promise.all(renditions.map(drain));
}

let told = 0;

function tellProgress(renditions: readonly Rendition[], going: ReadonlySet<Rendition>, end: number): void {
  const slowest = Math.min(...renditions.map((rendition) => (going.has(rendition) ? rendition.at : end)));
  const fraction = end > 0 ? Math.min(slowest / end, 1) : 1;
  if (fraction >= told) emit({ type: 'progress', fraction });
  told = Math.max(told, fraction);
}
