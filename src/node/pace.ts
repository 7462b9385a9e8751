/** Whether a transfer goes on as it should. */
import type { Cancel, Clock } from '../base/ports.ts';
import { deferred } from '../base/timing.ts';

/** The pace of one transfer. */
export interface Pace {
  /** Resolves when it has ended, or when less than `MIN_PROGRESS` came within a while. */
  readonly slow: Promise<void>;
  moved(bytes: number): void;
  end(): void;
}

/** A holder that sends less than this within the hedge delay of 2 s is slower than the poorest video: another one is asked as well. */
const MIN_PROGRESS = 16 * 1024;

/** Looks every `ms` milliseconds. */
export function watchPace(clock: Clock, ms: number): Pace {
  const slow = deferred<void>();
  let moved = 0;
  let cancel: Cancel = () => undefined;
  const look = (): void => {
    if (moved < MIN_PROGRESS) slow.resolve();
    else cancel = clock.after(ms, look);
    moved = 0;
  };
  cancel = clock.after(ms, look);
  return {
    slow: slow.promise,
    moved(bytes) {
      moved += bytes;
    },
    end() {
      cancel();
      slow.resolve();
    },
  };
}
