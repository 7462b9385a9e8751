/** What one side of an attempt to connect has to say, gathered into letters. */
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Clock } from '../base/ports.ts';
import { type Deferred, deferred } from '../base/timing.ts';
import type { Letter } from '../wire/letter.ts';

export interface Post {
  /** One more thing to say. */
  add(signal: string): void;
  /** The first letter, which is then not sent by itself; null when it takes too long, or when the post closes before it. */
  first(): Promise<Letter | null>;
  /** Nothing is said any more. */
  close(): void;
}

export interface PostOptions {
  readonly clock: Clock;
  readonly write: (sequence: number, signals: readonly string[]) => Letter;
  readonly send: (letter: Letter) => void;
}

/** What a browser finds within this time (ms) goes in one letter: the offer and the addresses of its own network come within 5 to 20 ms. */
const GATHERING = 20;
/** A browser has its answer after 20 to 60 ms. One that comes later than this, ms, goes as a call of its own: carriers should not have to wait for it. */
const ANSWER_WAIT = 500;

export function createPost({ clock, write, send }: PostOptions): Post {
  let waiting: string[] = [];
  let sequence = 0;
  let closed = false;
  let opener: Letter | null = null;
  let asked: Deferred<Letter | null> | null = null;
  let cancel: Cancel = () => undefined;

  const tell = (): void => {
    asked?.resolve(opener);
    asked = null;
  };

  const flush = (): void => {
    while (!closed && waiting.length > 0) {
      const letter = write(sequence++, waiting.splice(0, fitting(waiting)));
      opener ??= letter;
      if (asked) tell();
      else send(letter);
    }
  };

  return {
    add(signal) {
      if (closed) return;
      if (waiting.length === 0) cancel = clock.after(GATHERING, flush);
      waiting.push(signal);
    },
    async first() {
      // Whoever offers tries another way when the first one breaks: it is told again.
      if (opener || closed) return opener;
      asked ??= deferred();
      const answer = asked.promise;
      const stop = clock.after(ANSWER_WAIT, tell);
      return answer.finally(stop);
    },
    close() {
      closed = true;
      waiting = [];
      cancel();
      tell();
    },
  };
}

/** How many of them go in one letter. */
function fitting(signals: readonly string[]): number {
  let bytes = 0;
  let count = 0;
  for (const signal of signals) {
    bytes += signal.length;
    if (count > 0 && (bytes > LIMITS.signal || count === LIMITS.signals)) break;
    count++;
  }
  return count;
}
