/** Time in Node. */
import type { Clock } from '../src/base/ports.ts';

/** How far the wall clock must be ahead of ours before we follow it (ms): a machine that slept, not a clock being trimmed. */
const SLEPT = 1000;
/** The longest delay that setTimeout takes (ms); above it, it fires at once. */
const LONGEST_DELAY = 0x7fff_ffff;

let start = performance.timeOrigin;

/** The process's monotonic clock, moved forward after the machine slept; when the wall clock is set back it goes on as it was. */
export const nodeClock: Clock = {
  now() {
    const ahead = Date.now() - (start + performance.now());
    if (ahead > SLEPT) start += ahead;
    return start + performance.now();
  },
  after(ms, run) {
    const end = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = end - performance.now();
      timer = left > LONGEST_DELAY ? setTimeout(arm, LONGEST_DELAY) : setTimeout(run, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
