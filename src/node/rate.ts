import type { Clock } from '../base/ports.ts';

/** Lets `burst` things happen at once, and after that one in each `interval` ms. */
export interface Rate {
  /** True when one more may happen now; it then counts. */
  take(): boolean;
}

/** A leaky bucket. */
export function createRate(options: { clock: Clock; burst: number; interval: number }): Rate {
  const { clock, burst, interval } = options;
  /** When all that was taken will have leaked away. */
  let full = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const after = Math.max(full, clock.now()) + interval;
      if (after - clock.now() > burst * interval) return false;
      full = after;
      return true;
    },
  };
}
