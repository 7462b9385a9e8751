/** One bar over several stages, with a time left that is estimated from how fast it went of late. */
import type { Clock } from '../base/ports.ts';
import type { PublishProgress, PublishStage } from './api.ts';

export interface Progress {
  /** `fraction` of this stage, 0 to 1. */
  report(stage: PublishStage, fraction: number): void;
}

/** Nothing is estimated before so much was done, or in so short a time (ms): the first figures only frighten. */
const LEAST_DONE = 0.02;
const LEAST_TIME = 700;

/** `ends` says where on the whole bar each stage ends; a stage starts where the last reported one ended. */
export function createProgress(options: {
  clock: Clock;
  ends: Readonly<Record<PublishStage, number>>;
  onProgress?: (progress: PublishProgress) => void;
}): Progress {
  const { clock, ends } = options;
  let stage: PublishStage | null = null;
  let stageFrom = 0;
  let stageSince = clock.now();
  let reached = 0;

  return {
    report(next, fraction) {
      if (next !== stage) {
        stage = next;
        stageFrom = reached;
        stageSince = clock.now();
      }
      const share = Math.min(Math.max(fraction, 0), 1);
      reached = Math.max(reached, stageFrom + (ends[next] - stageFrom) * share);
      const elapsed = clock.now() - stageSince;
      const known = share >= LEAST_DONE && elapsed >= LEAST_TIME;
      options.onProgress?.({ stage: next, fraction: reached, secondsLeft: known ? (elapsed * (1 - share)) / share / 1000 : null });
    },
  };
}
