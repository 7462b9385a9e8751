/** Time in a tab. */
import type { Clock } from '../base/ports.ts';

/** How far the wall clock must run ahead of the tab's own before we follow it (ms): a computer that slept, not a clock being trimmed. */
const SLEPT = 1000;
/** The longest delay that setTimeout takes (ms); above it, it fires at once. */
const LONGEST_DELAY = 0x7fff_ffff;

let offset = performance.timeOrigin;

/**
 * The page's monotonic clock. It stands still while the computer sleeps, so it is moved forward to the wall clock when that is
 * ahead; when the wall clock is set back it goes on as it was.
 */
export const browserClock: Clock = {
  now() {
    const monotonic = offset + performance.now();
    const ahead = Date.now() - monotonic;
    if (ahead <= SLEPT) return monotonic;
    offset += ahead;
    return monotonic + ahead;
  },
  after(ms, run) {
    const end = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const left = end - performance.now();
      timer = left > LONGEST_DELAY ? setTimeout(arm, LONGEST_DELAY) : setTimeout(run, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
