/**
 * Finds nodes beyond our vicinity when something there is missing: for far quarters without anybody the neighbours are asked, and after many silences at
 * once our own place is looked for from far links on.
 */
import type { Cancel, Clock, Random } from '../base/ports.ts';

export interface Lookout {
  /** A link fell silent. Many at once are a partition, or half of it: then it is looked around from far links on, again and again for two hours. */
  silenced(): void;
  /** Some quarter of a far bucket has no link, and nobody is known for it. */
  farShort(): void;
  close(): void;
}

export interface LookoutOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Asks neighbours for nodes in the far buckets. */
  readonly gather: () => Promise<void>;
  /** Looks for our own place from far links on. */
  readonly lookAround: () => Promise<void>;
}

/** Between two questions about the far buckets, ms: at first, and at most (doubled each time between the two). */
const FIRST_PAUSE = 60_000;
const LONGEST_PAUSE = 3_600_000;
/** So many links that fall silent within so many ms are no departures one by one. */
const MANY_SILENT = { count: 4, within: 30_000 };
/** Looks around after that, the first after so many ms; the pause doubles each time. The last one is after two hours. */
const LOOK_AROUND = { first: 60_000, times: 7 };

export function createLookout(options: LookoutOptions): Lookout {
  const { clock, random } = options;
  let far = { pause: FIRST_PAUSE, next: 0 };
  let silent: number[] = [];
  let round = Number.POSITIVE_INFINITY;
  let cancel: Cancel = () => undefined;
  let closed = false;

  const schedule = (): void => {
    cancel();
    if (closed || round >= LOOK_AROUND.times) return;
    cancel = clock.after(LOOK_AROUND.first * 2 ** round * (0.75 + 0.5 * random.float()), () => {
      round++;
      options
        .lookAround()
        .catch(() => undefined)
        .finally(schedule); // The next one comes later.
    });
  };

  return {
    silenced() {
      const now = clock.now();
      silent = [...silent.filter((at) => at > now - MANY_SILENT.within), now];
      if (silent.length < MANY_SILENT.count) return;
      silent = [];
      round = 0;
      schedule();
    },
    farShort() {
      const now = clock.now();
      if (now < far.next) return;
      // It doubles each time: where nobody is, asking again does not help; and what is found ends the asking.
      far = { pause: Math.min(2 * far.pause, LONGEST_PAUSE), next: now + far.pause };
      void options.gather();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
