/** The Transcoder port in a tab: mediabunny copies what browsers play, ffmpeg.wasm converts the rest, each in a worker of its own. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { CutEvent, MediaProbe, SourceFile, Transcoder, VideoQuality } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import { mostBitrate } from './aligned-cutter.ts';
import { cutConverted } from './converted-cut.ts';
import { askCutWorker, eventsOf, openCutWorker } from './cut-workers.ts';
import { beginOf, convertBytes, convertInPieces, type QualityConversion } from './ffmpeg.ts';
import { originByFfmpeg, probeByFfmpeg } from './ffprobe.ts';
import type { CutRequest, Inspection } from './media-protocol.ts';

export function createTranscoder(): Transcoder {
  return {
    async probe(file, signal) {
      return (await examine(blobOf(file), signal)).probe;
    },
    async *cut(file, signal, kept = []) {
      const source = blobOf(file);
      const { probe, plan } = await examine(source, signal);
      if (plan === 'copy' && (yield* eventsOf(openCutWorker(signal), { type: 'cut', file: source, kept }))) return;
      if (plan === 'convert-sound' && (yield* cutConverted(source, { probe, copiesPicture: true, kept }, signal))) return;
      yield* cutConverted(source, { probe, copiesPicture: false, kept }, signal);
    },
    async *encode(file, wanted, signal) {
      const source = blobOf(file);
      checkQuality(wanted);
      const { from = 0, starts } = wanted;
      if (from >= starts.length) return yield { type: 'done' };
      let isBegun = false;
      try {
        for await (const event of encodeQuality(source, wanted, signal)) {
          isBegun = true;
          yield event;
        }
      } catch (error) {
        // Where it can't go on from the middle, it begins afresh.
        if (from === 0 || isBegun || signal.aborted) throw error;
        yield* encodeQuality(source, { ...wanted, from: 0 }, signal);
      }
    },
    async isQuick(file, quality, signal) {
      const source = blobOf(file);
      const { probe, plan } = await examine(source, signal);
      if (!probe.video || (plan === 'convert' && probe.video.rotation !== 0)) return false;
      return (await verdictOn({ type: 'can-encode', file: source, quality }, signal)) === true;
    },
    convert: convertBytes,
    decodes: (video, pictures, signal) => verdictOn({ type: 'decode', file: new Blob([video], { type: 'video/mp4' }), pictures }, signal),
    async pictures(file, signal) {
      const source = blobOf(file);
      const reply = await askCutWorker({ type: 'pictures', file: source }, signal);
      if (reply.type === 'pictures' && reply.pictures.length > 0) return reply.pictures;
      const { probe, plan } = await examine(source, signal);
      if (!probe.video || plan !== 'convert') return [];
      return (await import('./ffmpeg-stills.ts')).proposeByFfmpeg(source, probe, signal);
    },
    async sheets(file, signal) {
      const source = blobOf(file);
      const reply = await askCutWorker({ type: 'sheets', file: source }, signal);
      if (reply.type === 'sheets' && reply.sheets) return reply.sheets;
      const { probe, plan } = await examine(source, signal);
      return probe.video && plan === 'convert' ? (await import('./ffmpeg-stills.ts')).sheetsByFfmpeg(source, probe, signal) : null;
    },
    async still(picture, aspect) {
      const { stillOfFile } = await import('./still.ts');
      return stillOfFile(blobOf(picture), aspect);
    },
  };
}

async function* encodeQuality(source: Blob, wanted: VideoQuality, signal: AbortSignal): AsyncGenerator<CutEvent> {
  const { probe, plan } = await examine(source, signal);
  if (!probe.video) throw fail('unsupported', 'The file has no picture, only sound: it has no other qualities.');
  const quality = { ...wanted, bitrate: Math.min(wanted.bitrate, mostBitrate(wanted.starts.map(toSeconds), probe.duration)) };
  // A rendition that was copied lies as the file's pictures do, and its header says how to turn it; one that was converted is upright.
  const upright = plan === 'convert';
  const byWebCodecs = !upright || probe.video.rotation === 0;
  if (byWebCodecs && (yield* eventsOf(openCutWorker(signal), { type: 'encode', file: source, quality }))) return;
  const origin = await originByFfmpeg(source, signal);
  const turned = !upright && probe.video.rotation % 180 !== 0;
  yield* encodePieces(source, { quality, origin, upright, turned }, signal);
}

/** `convert-sound`: the picture is copied. */
type Plan = 'copy' | 'convert-sound' | 'convert';

/** Containers of which mediabunny leaves out what it does not know. */
const TELLS_LESS = /transport stream/i;

function blobOf(file: SourceFile): Blob {
  if (!(file instanceof Blob)) throw fail('invalid', 'Only a File of the browser can be read here.');
  if (file.size === 0) throw fail('unsupported', 'The file is empty: it has no bytes at all. Choose another file, or copy it again.');
  return file;
}

function toSeconds(microseconds: number): number {
  return microseconds / 1e6;
}

function checkQuality({ width, height, bitrate, starts, end = Number.POSITIVE_INFINITY }: VideoQuality): void {
  const isSide = (side: number): boolean => Number.isInteger(side) && side > 0 && side % 2 === 0;
  if (!isSide(width) || !isSide(height)) throw fail('invalid', `A picture of ${width} × ${height} can't be made: both must be even.`);
  if (!(bitrate >= 1 && Number.isFinite(bitrate))) throw fail('invalid', `A bitrate of ${bitrate} is none.`);
  const areInOrder = starts.every((start, n) => Number.isInteger(start) && (n === 0 ? start === 0 : start > (starts[n - 1] as number)));
  if (starts.length === 0 || !areInOrder || !(end > (starts.at(-1) as number)))
    throw fail('invalid', 'Segments begin at 0 and then one after the other, and the last one lasts.');
}

interface Examination {
  readonly probe: MediaProbe;
  readonly plan: Plan;
}

/** What files are: each is looked at for the card, for the cut and for each quality, and never changes. */
const examinations = new WeakMap<Blob, Examination>();

async function examine(file: Blob, signal: AbortSignal): Promise<Examination> {
  const known = examinations.get(file);
  if (signal.aborted) throw abortError(signal);
  const examination = known ?? (await examineAnew(file, signal));
  examinations.set(file, examination);
  return examination;
}

async function examineAnew(file: Blob, signal: AbortSignal): Promise<Examination> {
  const reply = await askCutWorker({ type: 'inspect', file }, signal);
  const inspection = reply.type === 'inspected' ? reply.inspection : null;
  if (!inspection) return { probe: await probeByFfmpeg(file, signal), plan: 'convert' };
  const { container, duration, video, audio } = inspection;
  // Of this format only streams of codecs that are known are told.
  if (TELLS_LESS.test(container) && !(video && audio)) {
    const whole = await probeByFfmpeg(file, signal);
    if (whole.video && !video) return { probe: whole, plan: 'convert' };
    if (whole.audio && !audio) {
      const picture = planFor(inspection) === 'copy';
      const own = { ...whole, video: whole.video && { ...whole.video, copied: picture } };
      return { probe: own, plan: picture ? 'convert-sound' : 'convert' };
    }
  }
  if (!video && !audio) throw fail('unsupported', 'The file has neither a picture nor sound. Choose a video file, for example an MP4.');
  const plan = planFor(inspection);
  return {
    probe: {
      duration,
      container,
      video: video && {
        codec: video.codec,
        width: video.width,
        height: video.height,
        rotation: video.rotation,
        frameRate: video.frameRate,
        variable: video.variable,
        bitrate: video.bitrate,
        copied: plan !== 'convert',
      },
      audio: audio && {
        codec: audio.codec,
        channels: audio.channels,
        sampleRate: audio.sampleRate,
        bitrate: audio.bitrate,
        copied: plan === 'copy',
      },
      plan: plan === 'copy' ? 'copy' : 'transcode',
    },
    plan,
  };
}

function planFor({ video, audio }: Inspection): Plan {
  const picture = !video || (video.cuttable && plays('video', video.codecs));
  const sound = !audio || (audio.cuttable && plays('audio', audio.codecs));
  if (picture && sound) return 'copy';
  return picture && video ? 'convert-sound' : 'convert';
}

/** Whether this browser plays it by Media Source Extensions, or, where it has none (iPhone), at all. */
function plays(kind: 'video' | 'audio', codecs: string | null): boolean {
  if (codecs === null) return false;
  const type = `${kind}/mp4; codecs="${codecs}"`;
  return typeof MediaSource === 'undefined' ? document.createElement(kind).canPlayType(type) !== '' : MediaSource.isTypeSupported(type);
}

/** A quality by ffmpeg, each segment as soon as it is made. */
async function* encodePieces(file: Blob, what: QualityConversion, signal: AbortSignal): AsyncGenerator<CutEvent> {
  // Breaking out of the loop that reads this must end the conversion too.
  const left = new AbortController();
  const ended = AbortSignal.any([signal, left.signal]);
  const cutter = openCutWorker(ended);
  const converted = convertInPieces(file, {
    ...{ what, signal: ended },
    onPiece: (piece) => cutter.send({ type: 'piece', of: 'picture', piece }),
  });
  converted.then(
    () => cutter.send({ type: 'piece', of: 'picture', piece: null }),
    (error) => left.abort(asKadreelError(error)),
  );
  try {
    yield* eventsOf(cutter, { type: 'recut', quality: what.quality, origin: what.origin - beginOf(what) });
  } finally {
    left.abort();
  }
}

/** A worker's answer to a question; null when it can't tell. */
async function verdictOn(request: CutRequest & { type: 'can-encode' | 'decode' }, signal: AbortSignal): Promise<boolean | null> {
  const reply = await askCutWorker(request, signal);
  return reply.type === 'verdict' ? reply.verdict : null;
}
