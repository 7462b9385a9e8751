/**
 * One k-bucket (Maymounkov and Mazières, "Kademlia", 2002, §2.2): the nodes that share exactly so many leading bits with us. It keeps at most
 * k contacts, and those with a live link whatever their number; and it keeps them spread over its quarters, so that there is a choice in each.
 */
import type { Contact } from './contact.ts';
import type { Known } from './known.ts';

export interface KBucket {
  /** Bits shared with us. */
  readonly index: number;
  readonly nodes: readonly Known[];
  readonly links: readonly Known[];
  /** Takes in somebody new that was named, and gives up who is worth less. Says who went; null: there is no place for it. */
  hear(known: Known): readonly Known[] | null;
  /** A live link to it exists. Says who went to make room. */
  link(known: Known): readonly Known[];
  /** Its link ended. Says who went, as more than k were there. */
  unlink(known: Known): readonly Known[];
  /** Forgets it. */
  drop(known: Known): void;
}

export interface KBucketOptions {
  readonly index: number;
  readonly k: number;
  /** Milliseconds to a node that we have no link to, as far as one can tell; infinite when one can't. */
  readonly expected: (known: Known) => number;
  /** True for the nodes nearest to us: they are kept beyond k. */
  readonly isNear: (known: Known) => boolean;
}

/** Open nodes known by hearsay only that may push closed ones out of a full bucket: to name open nodes that do not exist costs nothing. */
const MAX_UNPROVEN_OPEN = 4;

export function createKBucket({ index, k, expected, isNear }: KBucketOptions): KBucket {
  const nodes: Known[] = [];
  const links: Known[] = [];

  /** The first to go: a closed node before an open one, one that failed, one of the fullest quarter, one of hearsay, the slowest, the youngest. */
  const worst = (): Known | null => {
    const crowd = [0, 0, 0, 0];
    for (const known of nodes) crowd[known.quarter] = (crowd[known.quarter] as number) + 1;
    let found: Known | null = null;
    for (const known of nodes) {
      if (known.linkedAt !== null || isNear(known)) continue;
      if (found === null || isWorse(known, found, crowd)) found = known;
    }
    return found;
  };

  const isWorse = (a: Known, b: Known, crowd: readonly number[]): boolean => {
    if (isOpen(a.contact) !== isOpen(b.contact)) return isOpen(b.contact);
    if (a.failures > 0 !== b.failures > 0) return a.failures > 0;
    const crowding = (crowd[a.quarter] as number) - (crowd[b.quarter] as number);
    if (crowding !== 0) return crowding > 0;
    if (a.proven !== b.proven) return b.proven;
    const [far, near] = [expected(a), expected(b)];
    return far === near ? a.since > b.since : far > near;
  };

  const isBetter = (known: Known, out: Known): boolean => {
    if (isOpen(known.contact) !== isOpen(out.contact)) return isOpen(known.contact) && unprovenOpen() < MAX_UNPROVEN_OPEN;
    if (out.failures > 0 !== known.failures > 0) return out.failures > 0;
    const crowd = (quarter: number): number => nodes.reduce((sum, one) => sum + Number(one.quarter === quarter), 0);
    // It comes on top of its own quarter.
    const crowding = crowd(out.quarter) - (crowd(known.quarter) + Number(known.quarter !== out.quarter));
    if (crowding !== 0) return crowding > 0;
    return !out.proven && known.quarter === out.quarter && expected(known) < expected(out);
  };

  const unprovenOpen = (): number => nodes.reduce((sum, one) => sum + Number(isOpen(one.contact) && !one.proven), 0);

  const evictDownTo = (limit: number): readonly Known[] => {
    if (nodes.length <= limit) return NOBODY;
    const gone: Known[] = [];
    while (nodes.length > limit) {
      const out = worst();
      if (!out) break;
      remove(nodes, out);
      gone.push(out);
    }
    return gone;
  };

  return {
    index,
    nodes,
    links,
    hear(known) {
      let gone = NOBODY;
      if (nodes.length >= k && !isNear(known)) {
        const out = worst();
        if (!out || !isBetter(known, out)) return null;
        gone = evictDownTo(k - 1);
      }
      nodes.push(known);
      return gone;
    },
    link(known) {
      if (!nodes.includes(known)) nodes.push(known);
      if (!links.includes(known)) links.push(known);
      return evictDownTo(k);
    },
    unlink(known) {
      remove(links, known);
      return evictDownTo(k);
    },
    drop(known) {
      remove(nodes, known);
      remove(links, known);
    },
  };
}

const NOBODY: readonly Known[] = [];

function isOpen(contact: Contact): boolean {
  return contact.open !== null;
}

/** Order does not matter, so the last one takes the place of who goes. */
function remove(list: Known[], known: Known): void {
  const at = list.indexOf(known);
  if (at < 0) return;
  const last = list.pop() as Known;
  if (at < list.length) list[at] = last;
}
