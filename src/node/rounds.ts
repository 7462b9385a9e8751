/** Work that a node does again and again, the pauses spread by a quarter so that nodes which started together do not work together. */
import type { Cancel, Clock, Random } from '../base/ports.ts';

export interface Rounds {
  /** Runs the work about every `interval` ms from now on, the next pause beginning when it has ended. The signal fires at `close`. */
  every(interval: number, work: (signal: AbortSignal) => Promise<unknown>): void;
  readonly signal: AbortSignal;
  close(): void;
}

export function createRounds({ clock, random }: { clock: Clock; random: Random }): Rounds {
  const closing = new AbortController();
  const cancels: Cancel[] = [];
  return {
    signal: closing.signal,
    every(interval, work) {
      const slot = cancels.push(() => undefined) - 1;
      const next = (): void => {
        cancels[slot] = clock.after(interval * (0.75 + 0.5 * random.float()), () => {
          work(closing.signal)
            .catch(() => undefined) // The next turn tries again; nobody waits for this one.
            .finally(() => {
              if (!closing.signal.aborted) next();
            });
        });
      };
      next();
    },
    close() {
      closing.abort();
      for (const cancel of cancels) cancel();
    },
  };
}
