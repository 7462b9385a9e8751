/** A page that has nothing but the transcoder; the test drives it, and what comes out is written to disk by the server. */
import { asKadreelError } from '../../../src/base/errors.ts';
import type { CutEvent, MediaProbe, VideoQuality } from '../../../src/base/ports.ts';
import { createTranscoder } from '../../../src/browser/transcoder.ts';
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
  /** Cuts the chosen file and throws the result away: how many bytes came, in how many milliseconds. */
  measure: () =>
    answer(async (signal) => {
      const started = performance.now();
      let bytes = 0;
      for await (const event of createTranscoder().cut(file(), signal)) if (event.type === 'segment') bytes += event.bytes.length;
      return { bytes, elapsed: performance.now() - started };
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
