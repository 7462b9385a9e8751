/** Which quality is made next, and by whom: by this tab as a whole, or shared out among it and its helpers. What making is, is its caller's. */
import type { Clock } from '../base/ports.ts';
import { abortError, wait } from '../base/timing.ts';
import type { Sharing } from './share-transcode.ts';

export interface QualityOrderOptions {
  /** Names and pixels of what is to be made, best first. */
  readonly qualities: readonly { readonly name: string; readonly pixels: number }[];
  readonly sharing: Pick<Sharing, 'helpers' | 'timeLeft' | 'ownWorks'>;
  /** This tab makes a whole one several times as fast as by jobs. */
  readonly quick: boolean;
  /**
   * Resolves to true when it was made, or can't be made at all; to false when it is to be made by this tab alone: sharing failed, or `stop` fired. Rejects
   * when all is over.
   */
  readonly make: (index: number, how: 'here' | 'shared', stop: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Who waits looks again so often (ms). */
const LOOK = 1_000;
/** What this tab begins anew must end so much sooner than what is under way, as a share of that. */
const SOONER = 0.8;
/** Shared out at once: the second keeps helpers busy while the last pieces of the first are made. */
const AT_ONCE = 2;

/** Resolves when each was tried. */
export async function makeInOrder(options: QualityOrderOptions): Promise<void> {
  await (options.quick ? quickly(options) : byJobs(options));
}

/**
 * Everybody works on the smallest first: it is made soonest, and helps those most who have nothing that fits. Alone this tab makes each as a whole, which
 * may use several threads; jobs have one.
 */
async function byJobs({ qualities, sharing, make, clock, signal }: QualityOrderOptions): Promise<void> {
  const left = [...qualities.keys()];
  /** Qualities that this tab makes as a whole now. */
  let whole = 0;
  const here = async (index: number): Promise<void> => {
    whole++;
    sharing.ownWorks = false;
    await make(index, 'here', signal);
    whole--;
    sharing.ownWorks = whole === 0;
  };
  const work = async (_: unknown, lane: number): Promise<void> => {
    while (left.length > 0) {
      if (sharing.helpers() > 0) {
        sharing.ownWorks = whole === 0;
        const index = left.pop() as number;
        if (!(await make(index, 'shared', signal))) await here(index);
      } else if (lane === 0) await here(left.pop() as number);
      else await wait(clock, LOOK, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** This tab makes the smallest, helpers meanwhile the largest. In the end it does what is sooner: helps them with theirs, or makes that as a whole. */
async function quickly({ qualities, sharing, make, clock, signal }: QualityOrderOptions): Promise<void> {
  const left = new Set(qualities.keys());
  /** What helpers make. */
  const shared: { now: { readonly index: number; readonly stop: AbortController; readonly over: Promise<unknown> } | null } = { now: null };
  /** Pixels a ms. */
  let speed: number | null = null;

  const share = (): void => {
    const index = Math.min(...left);
    if (shared.now || left.size === 0 || sharing.helpers() === 0) return;
    left.delete(index);
    const stop = new AbortController();
    const over = make(index, 'shared', stop.signal).then((made) => {
      shared.now = null;
      if (!made) left.add(index);
      else share();
    });
    shared.now = { index, stop, over };
    over.catch(() => stop.abort()); // All is over, which who waits hears by its own signal.
  };
  const pixelsOf = (index: number): number => qualities[index]?.pixels ?? 0;

  while (left.size > 0 || shared.now) {
    if (signal.aborted) throw abortError(signal);
    if (left.size > 0) {
      const index = Math.max(...left);
      left.delete(index);
      sharing.ownWorks = false;
      const began = clock.now();
      const own = make(index, 'here', signal);
      const looking = new AbortController();
      void shareNowAndThen(share, { clock, signal: looking.signal });
      try {
        await own;
      } finally {
        looking.abort();
      }
      speed = pixelsOf(index) / Math.max(clock.now() - began, 1);
      continue;
    }
    if (!shared.now) continue;
    const { index, stop, over } = shared.now;
    sharing.ownWorks = true;
    const theirs = sharing.timeLeft(qualities[index]?.name ?? '');
    if (speed !== null && (theirs === null || pixelsOf(index) / speed < SOONER * theirs)) {
      stop.abort();
      await over;
    } else await Promise.race([over, wait(clock, LOOK, signal)]);
  }
}

/** Helpers come and go. */
async function shareNowAndThen(
  share: () => void,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    share();
    await wait(clock, LOOK, signal).catch(() => undefined); // The loop sees why.
  }
}
