/** A page that has nothing but the transcoder; the test drives it, and what comes out is written to disk by the server. */
import { doJob } from '../../../src/app/chunk-work.ts';
import { type Bytes, concat, toHex } from '../../../src/base/bytes.ts';
import { asKadreelError } from '../../../src/base/errors.ts';
import type { CutEvent, CutRendition, MediaProbe, VideoQuality } from '../../../src/base/ports.ts';
import { createTranscoder } from '../../../src/browser/transcoder.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { pictureOf, readSource, segmentProblem } from '../../../src/media/transcode-chunk.ts';
import type { TranscodeJob } from '../../../src/media/transcode-job.ts';
import { play } from './play.ts';
import { playSwitching } from './switch.ts';

export interface Outcome {
  readonly renditions: readonly {
    readonly kind: 'video' | 'audio';
    readonly codecs: string;
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    /** Microseconds. */
    readonly durations: number[];
    readonly sizes: number[];
    /** The number of the first segment. */
    readonly from: number;
  }[];
  readonly progress: readonly number[];
  readonly poster: { readonly mime: string; readonly size: number } | null;
  /** Milliseconds. */
  readonly elapsed: number;
}

export type Answer<T> = { readonly ok: T } | { readonly failed: { readonly code: string; readonly message: string } };

/** Workers that run, each with the segments that it has sent. */
const workers = new Map<Worker, { segments: number }>();

window.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    const count = { segments: 0 };
    workers.set(this, count);
    this.addEventListener('message', ({ data }) => {
      if (data.type === 'event' && data.event.type === 'segment') count.segments++;
    });
  }
  override terminate(): void {
    workers.delete(this);
    super.terminate();
  }
};

const api = {
  probe: () => answer((signal) => createTranscoder().probe(file(), signal), new AbortController()),
  /** What is proposed as the picture of the chosen file: addresses that an `<img>` takes. */
  pictures: () =>
    answer(
      async (signal) =>
        (await createTranscoder().pictures(file(), signal)).map(({ bytes, mime }) => ({
          size: bytes.length,
          mime,
          address: address(bytes, mime),
        })),
      new AbortController(),
    ),
  /** The seek bar's tiles of the chosen file. */
  sheets: () =>
    answer(async (signal) => {
      const started = performance.now();
      const made = await createTranscoder().sheets(file(), signal);
      if (!made) return null;
      const { sheets, ...grid } = made;
      const elapsed = performance.now() - started;
      return {
        ...grid,
        elapsed,
        sizes: sheets.map(({ length }) => length),
        addresses: sheets.map((bytes) => address(bytes, 'image/jpeg')),
      };
    }, new AbortController()),
  /** A picture of three bars (red, green, blue), `width` × `height`, as a still of this shape. */
  still: (picture: { type: string; width: number; height: number; aspect: number }) =>
    answer(async () => {
      const { bytes, mime } = await createTranscoder().still(await bars(picture), picture.aspect);
      return { size: bytes.length, mime, address: address(bytes, mime) };
    }, new AbortController()),
  /** Cuts the chosen file, behind the segments that were kept, and puts `<directory>/<rendition>/init.mp4`, `<n>.m4s` on the server's disk. */
  cut: (directory: string, kept: readonly number[] = []) =>
    answer((signal) => record(createTranscoder().cut(file(), signal, kept), directory), new AbortController()),
  /** The same of one quality of the chosen file. */
  encode: (directory: string, quality: VideoQuality) =>
    answer((signal) => record(createTranscoder().encode(file(), quality, signal), directory), new AbortController()),
  /** Aborts when progress has reached `fraction`; answers with what `cut` then threw, and how many events came afterwards. */
  cutAndAbort: (fraction: number) => abortAt(fraction, (signal) => createTranscoder().cut(file(), signal)),
  encodeAndAbort: (fraction: number, quality: VideoQuality) =>
    abortAt(fraction, (signal) => createTranscoder().encode(file(), quality, signal)),
  /**
   * Cuts the chosen file and throws the result away: how many bytes came, in how many milliseconds, after how many the first segment did, and how many
   * workers ran then.
   */
  measure: () =>
    answer(async (signal) => {
      const started = performance.now();
      let [bytes, first, running] = [0, 0, 0];
      for await (const event of createTranscoder().cut(file(), signal)) {
        if (event.type !== 'segment') continue;
        running ||= workers.size;
        first ||= performance.now() - started;
        bytes += event.bytes.length;
      }
      return { bytes, first, running, elapsed: performance.now() - started };
    }, new AbortController()),
  /** Makes a quality of the chosen file and throws it away, likewise. */
  measureEncode: (quality: VideoQuality) =>
    answer(async (signal) => {
      const started = performance.now();
      let bytes = 0;
      for await (const event of createTranscoder().encode(file(), quality, signal))
        if (event.type === 'segment') bytes += event.bytes.length;
      return { bytes, elapsed: performance.now() - started };
    }, new AbortController()),
  /**
   * Makes every segment of the chosen file's picture as a job of its own, and puts them in `directory` as `cut` does, with what they were made of in
   * `<directory>-source`. Answers with their SHA-256, and whether this browser decodes each, whole and with its last half overwritten.
   */
  jobs: (directory: string, size: { readonly width: number; readonly height: number }) =>
    answer((signal) => doJobs(directory, size, signal), new AbortController()),
  /** Does the jobs on some segments of the chosen file's picture, to 360p, and throws the results away. */
  jobsFrom: (from: number, to: number) =>
    answer(async (signal) => {
      for (const source of (await cutPicture(signal)).slice(from, to))
        await doJob(createTranscoder(), jobOn(source, { width: 640, height: 360 }), { source: source.bytes, signal });
    }, new AbortController()),
  /** Begins a job, and aborts it after `ms`; answers with how long it took to be over, and the workers that are left. */
  abortJob: (ms: number) => {
    const controller = new AbortController();
    return answer(async (signal) => {
      const [source] = await cutPicture(signal);
      if (!source) throw new Error('The file has no picture.');
      let asked = 0;
      setTimeout(() => {
        asked = performance.now();
        controller.abort();
      }, ms);
      const outcome = await doJob(createTranscoder(), jobOn(source, { width: 320, height: 180 }), {
        source: source.bytes,
        signal: controller.signal,
      }).then(
        () => 'done',
        () => 'ended',
      );
      return { outcome, after: performance.now() - asked, workers: workers.size };
    }, new AbortController());
  },
  /** How many workers run. */
  workers: () => workers.size,
  /** Breaks out of the loop at the first segment; answers with the workers that are still there. */
  breakOut: () => breakOutOf((signal) => createTranscoder().cut(file(), signal)),
  encodeAndBreakOut: (quality: VideoQuality) => breakOutOf((signal) => createTranscoder().encode(file(), quality, signal)),
  /**
   * Takes one segment and stops reading, cuts the whole file a second time meanwhile, and answers with how many segments the stopped
   * reader's worker has sent by then, of how many there are.
   */
  holdBack: () => holdBack((signal) => createTranscoder().cut(file(), signal)),
  encodeAndHoldBack: (quality: VideoQuality) => holdBack((signal) => createTranscoder().encode(file(), quality, signal)),
  /** Plays `/out/<directory>/master.m3u8` by hls.js up to `time` seconds, and answers with what is seen there. */
  play: (directory: string, time: number) => answer(() => play(directory, time), new AbortController()),
  /** Plays it from end to end, each segment from the next level of `order`. */
  playSwitching: (directory: string, order: readonly number[]) => answer(() => playSwitching(directory, order), new AbortController()),
};

declare global {
  interface Window {
    transcoder: typeof api;
  }
}
window.transcoder = api;

function file(): File {
  const chosen = document.querySelector('input')?.files?.[0];
  if (!chosen) throw new Error('No file was chosen.');
  return chosen;
}

async function answer<T>(work: (signal: AbortSignal) => Promise<T>, controller: AbortController): Promise<Answer<T>> {
  try {
    return { ok: await work(controller.signal) };
  } catch (error) {
    const { code, message } = asKadreelError(error);
    return { failed: { code, message } };
  }
}

function abortAt(fraction: number, start: (signal: AbortSignal) => AsyncIterable<CutEvent>) {
  const controller = new AbortController();
  return answer(async (signal) => {
    for await (const event of start(signal)) {
      if (event.type === 'progress' && event.fraction >= fraction) controller.abort();
    }
  }, controller);
}

function breakOutOf(start: (signal: AbortSignal) => AsyncIterable<CutEvent>) {
  return answer(async (signal) => {
    for await (const event of start(signal)) if (event.type === 'segment') break;
    return workers.size;
  }, new AbortController());
}

function holdBack(start: (signal: AbortSignal) => AsyncIterable<CutEvent>) {
  return answer(async (signal) => {
    for await (const event of start(signal)) {
      if (event.type !== 'segment') continue;
      const [held] = workers.values();
      let all = 0;
      for await (const other of start(signal)) if (other.type === 'segment') all++;
      return { sent: held?.segments ?? 0, all };
    }
    throw new Error('No segment came.');
  }, new AbortController());
}

interface PictureSegment {
  readonly init: Bytes;
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  readonly rate: number;
}

async function cutPicture(signal: AbortSignal): Promise<PictureSegment[]> {
  const found: PictureSegment[] = [];
  let picture: CutRendition | null = null;
  for await (const event of createTranscoder().cut(file(), signal)) {
    if (event.type === 'rendition' && event.rendition.kind === 'video') picture = event.rendition;
    if (event.type !== 'segment' || event.rendition !== picture?.index) continue;
    const start = found.at(-1)?.end ?? 0;
    const rate = Math.round(1000 * picture.frameRate) || 30_000;
    found.push({ init: picture.init, bytes: event.bytes, start, end: start + event.duration, rate });
  }
  return found;
}

function jobOn({ init, bytes, start, end, rate }: PictureSegment, { width, height }: { width: number; height: number }): TranscodeJob {
  const lies = pictureOf(init)?.turned ?? false;
  const [across, down] = lies ? [height, width] : [width, height];
  const place = { group: '00'.repeat(20) as Key, segment: 0, size: bytes.length, digest: new Uint8Array(32) };
  return { ...place, init, start, end, width: across, height: down, bitrate: 500_000, rate };
}

async function doJobs(directory: string, size: { readonly width: number; readonly height: number }, signal: AbortSignal) {
  const transcoder = createTranscoder();
  const results: { digest: string; init: string; duration: number; problem: string | null; decodes: (boolean | null)[] }[] = [];
  for (const [n, source] of (await cutPicture(signal)).entries()) {
    const job = jobOn(source, size);
    const made = await doJob(transcoder, job, { source: source.bytes, signal });
    const chunk = readSource(job, source.bytes);
    const damaged = made.bytes.slice().fill(0x5a, made.bytes.length >> 1);
    const decodes: (boolean | null)[] = [];
    for (const bytes of [made.bytes, damaged]) decodes.push(await transcoder.decodes(concat(made.init, bytes), chunk.times.length, signal));
    await put(`${directory}/0/${n}.m4s`, made.bytes);
    await put(`${directory}/0/init.mp4`, made.init);
    await put(`${directory}-source/0/${n}.m4s`, source.bytes);
    await put(`${directory}-source/0/init.mp4`, source.init);
    results.push({
      digest: await digestOf(made.bytes),
      init: await digestOf(made.init),
      duration: source.end - source.start,
      problem: segmentProblem(job, chunk, made),
      decodes,
    });
  }
  return results;
}

async function digestOf(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
/** Segments that are on their way to the server at most. */
const AT_ONCE = 200;

async function record(events: AsyncIterable<CutEvent>, directory: string): Promise<Outcome> {
  const started = performance.now();
  const renditions: Outcome['renditions'][number][] = [];
  const progress: number[] = [];
  const written: Promise<void>[] = [];
  let poster: Outcome['poster'] = null;
  for await (const event of events) {
    if (event.type === 'progress') progress.push(event.fraction);
    else if (event.type === 'poster') {
      poster = { mime: event.mime, size: event.bytes.length };
      await put(`${directory}/poster`, event.bytes);
    } else if (event.type === 'rendition') {
      const { kind, codecs, width, height, frameRate, init } = event.rendition;
      renditions[event.rendition.index] = { kind, codecs, width, height, frameRate, durations: [], sizes: [], from: event.from ?? 0 };
      await put(`${directory}/${event.rendition.index}/init.mp4`, init);
    } else if (event.type === 'segment') {
      const rendition = renditions[event.rendition];
      if (!rendition) throw new Error('A segment came before its rendition.');
      written.push(put(`${directory}/${event.rendition}/${rendition.from + rendition.durations.length}.m4s`, event.bytes));
      // Chromium refuses thousands of requests at once, as a busy disk lets them pile up.
      if (written.length % AT_ONCE === 0) await Promise.all(written);
      rendition.durations.push(event.duration);
      rendition.sizes.push(event.bytes.length);
    }
  }
  const elapsed = performance.now() - started;
  await Promise.all(written);
  return { renditions, progress, poster, elapsed };
}

async function put(path: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`/put/${path}`, { method: 'PUT', body });
  if (!response.ok) throw new Error(`The server did not take ${path}.`);
}

export type { MediaProbe };
export type TranscoderPage = typeof api;

function address(bytes: Uint8Array, mime: string): string {
  return `data:${mime};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

async function bars({ type, width, height }: { type: string; width: number; height: number }): Promise<File> {
  if (type === 'text/plain') return new File(['no picture'], 'picture.txt', { type });
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  for (const [n, colour] of ['red', 'lime', 'blue'].entries()) {
    pen.fillStyle = colour;
    pen.fillRect((n * width) / 3, 0, width / 3, height);
  }
  return new File([await canvas.convertToBlob({ type })], 'picture', { type });
}
