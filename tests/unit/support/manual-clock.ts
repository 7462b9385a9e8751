import type { Cancel, Clock } from '../../../src/base/ports.ts';

export interface ManualClock extends Clock {
  /** Lets `ms` pass, and runs what falls due on the way, in order. */
  advance(ms: number): void;
  /** Timers that have neither run nor been cancelled. */
  readonly pending: number;
}

/** A clock that stands still until it is told. */
export function manualClock(start = 1_000_000): ManualClock {
  let now = start;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    after(ms, run): Cancel {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers.delete(due);
        now = due.at;
        due.run();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
