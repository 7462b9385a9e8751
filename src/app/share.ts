/** One quality that several make: its segments come in any order, and go out in theirs. */
import type { Bytes } from '../base/bytes.ts';
import type { CutEvent } from '../base/ports.ts';
import { type Deferred, deferred, orAbort } from '../base/timing.ts';
import { pictureOf } from '../media/transcode-chunk.ts';
import type { TranscodeJob } from '../media/transcode-job.ts';
import type { Task, WorkerId } from './job-board.ts';

/** A quality as its jobs want it. */
export interface SharedQuality extends Pick<TranscodeJob, 'width' | 'height' | 'bitrate' | 'rate'> {
  readonly name: string;
  /** Pixels as shown, which differ from those above where the picture lies on its side; and frames a second, for its description. */
  readonly shown: { readonly width: number; readonly height: number; readonly frameRate: number };
}

export interface Share {
  /**
   * One rendition, as `Transcoder.encode` gives it; ends when every segment is there and nothing is in doubt. Breaking out ends the work. Throws what this
   * tab fails with, `corrupt` when a header turned out wrong after it was given out, or `aborted`.
   */
  readonly events: AsyncIterable<CutEvent>;
  /** Segments that were given out and turned out wrong, made anew. To be looked at after `done`, and when told. */
  readonly repairs: ReadonlyMap<number, Bytes>;
  /** Ends the work; the events end with `aborted`. Does nothing after `done`. */
  cancel(): void;
  /** Called when there are repairs after `done`. */
  onRepairs: (() => void) | null;
}

/** A share as those see it who fill it. */
export interface OpenShare extends Share {
  readonly quality: SharedQuality;
  readonly tasks: readonly Task[];
  readonly repairs: Map<number, Bytes>;
  /** Segments that are made and not given out. */
  readonly ready: Map<number, Bytes>;
  header: { readonly init: Bytes; readonly by: WorkerId } | null;
  /** The header was given out. */
  readonly shown: boolean;
  /** Segments that were given out. */
  readonly given: number;
  readonly done: boolean;
  readonly failure: Error | null;
  /** The first segment that is too far ahead to be made now. */
  reach(): number;
  /** Who reads it looks again. */
  changed(): void;
  /** It comes to nothing. */
  fail(error: Error): void;
}

export interface ShareOptions {
  readonly quality: SharedQuality;
  /** One for each segment that is not there yet, in order. */
  readonly tasks: readonly Task[];
  /** Segments that are there. */
  readonly from: number;
  /** Called when a segment was given out. */
  readonly onGiven: () => void;
  /** Called when nobody reads it any more, and it is not done. */
  readonly onLeft: () => void;
  readonly signal: AbortSignal;
}

/** Segments that may be made ahead of the one that is given out next, and bytes in them: they wait in memory. */
const MOST_AHEAD = 32;
const MOST_BYTES = 64 * 1024 * 1024;

export function createShare({ quality, tasks, from, onGiven, onLeft, signal }: ShareOptions): OpenShare {
  const ready = new Map<number, Bytes>();
  let shown = false;
  let given = from;
  let done = false;
  let failure: Error | null = null;
  let change: Deferred<void> = deferred();

  async function* until(isSo: () => boolean): AsyncGenerator<CutEvent, void, undefined> {
    while (!failure && !isSo()) {
      yield { type: 'progress', fraction: (from + tasks.filter(({ result }) => result).length) / (from + tasks.length) };
      if (!failure && !isSo()) await orAbort(change.promise, signal);
    }
    if (failure) throw failure;
  }

  async function* events(): AsyncGenerator<CutEvent, void, undefined> {
    try {
      for (const { index, job } of tasks) {
        yield* until(() => ready.has(index) && share.header !== null);
        if (!shown && share.header) {
          const { init } = share.header;
          shown = true;
          yield {
            type: 'rendition',
            rendition: { index: 0, kind: 'video', codecs: pictureOf(init)?.codecs ?? '', init, ...quality.shown },
            from,
          };
        }
        const bytes = ready.get(index) as Bytes;
        ready.delete(index);
        given = index + 1;
        yield { type: 'segment', rendition: 0, bytes, duration: job.end - job.start };
        onGiven();
      }
      yield* until(() => tasks.every(isSettled));
      done = true;
      yield { type: 'done' };
    } finally {
      if (!done) onLeft();
    }
  }

  const share: OpenShare = {
    quality,
    tasks,
    ready,
    repairs: new Map(),
    header: null,
    events: { [Symbol.asyncIterator]: events },
    cancel() {
      if (!done) onLeft();
    },
    onRepairs: null,
    get shown() {
      return shown;
    },
    get given() {
      return given;
    },
    get done() {
      return done;
    },
    get failure() {
      return failure;
    },
    reach() {
      if (failure) return 0;
      const held = [...ready.values()].reduce((sum, bytes) => sum + bytes.length, 0);
      return held < MOST_BYTES ? given + MOST_AHEAD : given + 1;
    },
    changed() {
      change.resolve();
      change = deferred();
    },
    fail(error) {
      failure ??= error;
      ready.clear();
      share.changed();
    },
  };
  return share;
}

/** It is made, and nobody doubts it. */
export function isSettled({ result, check }: Task): boolean {
  return result !== null && check === 'none';
}
