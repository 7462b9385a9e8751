/**
 * People who open tabs, close them, and come back. Session lengths follow a Weibull law with shape 0.59, as Stutzbach and Rejaie measured it for BitTorrent
 * ("Understanding Churn in Peer-to-Peer Networks", IMC 2006; of their three shapes the one with the fewest long sessions), with a
 * median of 30 minutes; the mean is then 86. Absences follow the same law with a median of an hour. Everybody who is there at the start begins a
 * fresh session then, so there is more coming and going in the first minutes than later: a hard start.
 */
import type { Random } from '../../src/base/ports.ts';
import type { World } from './world.ts';

/** What happened to somebody. */
export type Change = 'join' | 'leave' | 'crash' | 'return';

export interface Sessions {
  /** How often each thing has happened. */
  readonly counts: Readonly<Record<Change, number>>;
  /** Those who will come back. */
  readonly absent: number;
  /** Nobody comes or goes any more. */
  stop(): void;
}

export interface SessionsOptions {
  readonly world: World;
  readonly random: Random;
  /** Tabs that should be there: newcomers make up for those who left and have not come back. */
  readonly population: number;
  /** Median, ms. */
  readonly session?: number;
  readonly absence?: number;
  /** The share of those who go that come back, with their disk. */
  readonly returning?: number;
  /** The share of departures without a goodbye. */
  readonly crashing?: number;
  /** Ms that who says goodbye takes to hand over what it keeps. */
  readonly handOver?: number;
  readonly onChange?: (change: Change) => void;
}

const MINUTE = 60_000;
const SHAPE = 0.59;
/** Newcomers come so long after a departure in the mean, ms. */
const ARRIVAL = 30_000;

export function createSessions(options: SessionsOptions): Sessions {
  const { world, random, session = 30 * MINUTE, absence = 60 * MINUTE, returning = 0.7, crashing = 0.5, handOver = 2_000 } = options;
  const { clock } = world.scheduler;
  const counts: Record<Change, number> = { join: 0, leave: 0, crash: 0, return: 0 };
  let online = world.tabs().length;
  let coming = 0;
  let absent = 0;
  let stopped = false;

  const note = (change: Change): void => {
    counts[change]++;
    options.onChange?.(change);
  };

  const begin = (simNode: World['nodes'][number]): void => {
    clock.after(weibull(random, session), () => {
      if (stopped || !simNode.up) return;
      const crashes = random.float() < crashing;
      const comesBack = random.float() < returning;
      const gone = (): void => {
        online--;
        note(crashes ? 'crash' : 'leave');
        makeUp();
        if (!comesBack) return world.forget(simNode);
        absent++;
        clock.after(weibull(random, absence), () => {
          absent--;
          if (stopped) return;
          simNode.comeBack();
          online++;
          note('return');
          begin(simNode);
        });
      };
      if (crashes) {
        simNode.crash();
        gone();
      } else {
        simNode.leave({ handOver }).then(gone, (error: unknown) => world.scheduler.fail(error));
      }
    });
  };

  const makeUp = (): void => {
    while (!stopped && online + coming < options.population) {
      coming++;
      clock.after(-ARRIVAL * Math.log(1 - random.float()), () => {
        coming--;
        if (stopped) return;
        online++;
        note('join');
        begin(world.add());
      });
    }
  };

  for (const simNode of world.tabs()) begin(simNode);
  makeUp();
  return {
    counts,
    get absent() {
      return absent;
    },
    stop() {
      stopped = true;
    },
  };
}

/** A number of the Weibull law with this median. */
export function weibull(random: Random, median: number): number {
  return median * (-Math.log2(1 - random.float())) ** (1 / SHAPE);
}
