/** The Transcoder port in a tab: mediabunny copies what browsers play, ffmpeg.wasm converts the rest, each in a worker of its own. */
import { fail } from '../base/errors.ts';
import type { CutEvent, MediaProbe, SourceFile, Transcoder } from '../base/ports.ts';
import { quiet } from '../base/timing.ts';
import { convert, probeByFfmpeg } from './ffmpeg.ts';
import type { CutReply, CutRequest, Inspection } from './media-protocol.ts';
import { openWorker } from './media-worker.ts';

/** The share of the work that is converting, when there is something to convert; cutting is quick beside it. */
const CONVERTING = 0.95;
const CONVERTING_SOUND = 0.7;

export function createTranscoder(): Transcoder {
  return {
    async probe(file, signal) {
      return (await examine(blobOf(file), signal)).probe;
    },
    async *cut(file, signal) {
      const source = blobOf(file);
      const { probe, plan } = await examine(source, signal);
      if (plan === 'copy' && (yield* cutBlobs({ video: source, audio: source, mayRefuse: true, from: 0 }, signal))) return;
      if (plan === 'convert-sound') {
        const sound = yield* converting(source, { what: 'audio', duration: probe.duration, share: CONVERTING_SOUND }, signal);
        if (yield* cutBlobs({ video: source, audio: sound, mayRefuse: true, from: CONVERTING_SOUND }, signal)) return;
      }
      const from = plan === 'convert-sound' ? CONVERTING_SOUND : 0;
      const whole = yield* converting(source, { what: 'all', duration: probe.duration, share: CONVERTING, from }, signal);
      yield* cutBlobs({ video: whole, audio: whole, mayRefuse: false, from: CONVERTING }, signal);
    },
  };
}

/** `convert-sound`: the picture is copied. */
type Plan = 'copy' | 'convert-sound' | 'convert';

function blobOf(file: SourceFile): Blob {
  if (!(file instanceof Blob)) throw fail('invalid', 'Only a File of the browser can be read here.');
  if (file.size === 0) throw fail('unsupported', 'The file is empty: it has no bytes at all. Choose another file, or copy it again.');
  return file;
}

async function examine(file: Blob, signal: AbortSignal): Promise<{ probe: MediaProbe; plan: Plan }> {
  const worker = openCutWorker(signal);
  let inspection: Inspection | null;
  try {
    worker.send({ type: 'inspect', file });
    const reply = await worker.next();
    inspection = reply.type === 'inspected' ? reply.inspection : null;
  } finally {
    worker.close();
  }
  if (!inspection) return { probe: await probeByFfmpeg(file, signal), plan: 'convert' };
  const { container, duration, video, audio } = inspection;
  if (!video && !audio) throw fail('unsupported', 'The file has neither a picture nor sound. Choose a video file, for example an MP4.');
  const plan = planFor(inspection);
  return {
    probe: {
      duration,
      container,
      video: video && { codec: video.codec, width: video.width, height: video.height, rotation: video.rotation },
      audio: audio && { codec: audio.codec, channels: audio.channels, sampleRate: audio.sampleRate },
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

/** Yields progress up to `share` of the whole; returns the converted file. */
async function* converting(
  file: Blob,
  options: { readonly what: 'all' | 'audio'; readonly duration: number; readonly share: number; readonly from?: number },
  signal: AbortSignal,
): AsyncGenerator<CutEvent, Blob> {
  const { what, duration, share, from = 0 } = options;
  // Breaking out of the loop that reads this must end the conversion too.
  const ended = new AbortController();
  const onAbort = (): void => ended.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    let seconds = 0;
    let wake: (() => void) | null = null;
    let result: Blob | null = null;
    const converted = convert(file, {
      what,
      signal: ended.signal,
      onTime(time) {
        seconds = Math.max(seconds, time);
        wake?.();
      },
    });
    // It may fail while the reader is busy elsewhere, and nobody waits for it.
    const work = quiet(
      converted.then((blob) => {
        result = blob;
      }),
    );
    while (!result) {
      yield { type: 'progress', fraction: from + (share - from) * (duration > 0 ? Math.min(seconds / duration, 1) : 0) };
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([changed, work]);
    }
    return result;
  } finally {
    signal.removeEventListener('abort', onAbort);
    ended.abort();
  }
}

/** Yields everything from the first rendition to `done`; returns false, with nothing yielded, when the video can't be cut as it is. */
async function* cutBlobs(
  request: { readonly video: Blob; readonly audio: Blob; readonly mayRefuse: boolean; readonly from: number },
  signal: AbortSignal,
): AsyncGenerator<CutEvent, boolean> {
  const { from, ...rest } = request;
  const worker = openCutWorker(signal);
  try {
    worker.send({ type: 'cut', ...rest });
    for (;;) {
      const reply = await worker.next();
      if (reply.type === 'uncuttable') return false;
      if (reply.type === 'ended') return true;
      if (reply.type !== 'event') continue;
      const { event } = reply;
      yield event.type === 'progress' ? { type: 'progress', fraction: from + (1 - from) * event.fraction } : event;
      if (event.type === 'segment') worker.send({ type: 'credit' });
    }
  } finally {
    worker.close();
  }
}

function openCutWorker(signal: AbortSignal) {
  return openWorker<CutRequest, CutReply>(new Worker(new URL('./cut.worker.ts', import.meta.url), { type: 'module', name: 'cut' }), signal);
}
