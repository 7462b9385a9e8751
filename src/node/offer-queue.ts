/** Offered groups that wait to be fetched: neighbours take turns, so that one with much to offer does not starve the others. */
import type { Bytes } from '../base/bytes.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import type { Link } from './link.ts';

export interface Offered {
  readonly link: Link;
  readonly group: Key;
  readonly encoded: Bytes;
  readonly descriptor: GroupDescriptor;
  /** Bytes of all its segments. */
  readonly size: number;
  /** Clock time, ms: whoever offered it has stopped waiting by then. */
  readonly expires: number;
}

export interface OfferQueue {
  /** False when this neighbour has as many waiting as it may, or all together have. */
  hasRoom(link: Link): boolean;
  add(offered: Offered): void;
  /** True when this neighbour's offer of the group waits, or is being worked on. */
  has(group: Key, link: Link): boolean;
  /** The next one to work on; what has expired, or whose link has ended, is passed over. Call `done` when its work has ended. */
  next(now: number): Offered | null;
  done(offered: Offered): void;
  /** Bytes of all that waits or is being worked on. */
  readonly bytes: number;
  clear(): void;
}

/** Offers of one neighbour that may wait: who publishes offers some groups at once, and the next when those are kept. */
const MAX_EACH = 16;
const MAX_WAITING = 256;
/** Offers of one neighbour that are worked on at once: fewer than the keeper does, so that a slow one never holds up everybody. */
const MAX_WORKING_EACH = 2;

export function createOfferQueue(): OfferQueue {
  const waiting: Offered[] = [];
  const working = new Set<Offered>();

  const count = (offers: Iterable<Offered>, id: NodeId): number => {
    let found = 0;
    for (const offered of offers) if (offered.link.id === id) found++;
    return found;
  };

  return {
    hasRoom: (link) => waiting.length < MAX_WAITING && count(waiting, link.id) < MAX_EACH,
    add: (offered) => void waiting.push(offered),
    has: (group, link) => [...waiting, ...working].some((offered) => offered.group === group && offered.link === link),
    next(now) {
      let best: Offered | null = null;
      let least = MAX_WORKING_EACH;
      for (const offered of waiting.splice(0)) {
        if (offered.link.closed || offered.expires <= now) continue;
        waiting.push(offered);
        const busy = count(working, offered.link.id);
        if (busy >= least) continue;
        best = offered;
        least = busy;
      }
      if (!best) return null;
      waiting.splice(waiting.indexOf(best), 1);
      working.add(best);
      return best;
    },
    done: (offered) => working.delete(offered),
    get bytes() {
      return [...waiting, ...working].reduce((sum, offered) => sum + offered.size, 0);
    },
    clear() {
      waiting.length = 0;
    },
  };
}
