/** A clock that stands still until it is moved. */
import type { Clock } from '../../../src/base/ports.ts';

export interface TestClock extends Clock {
  /** Moves on by `ms`, running what falls due, in order. */
  advance(ms: number): void;
  /** Timers that have not run. */
  pending(): number;
}

export function createTestClock(start = 0): TestClock {
  let now = start;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        now = next.at;
        next.run();
      }
      now = end;
    },
    pending: () => timers.length,
  };
}
