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

export function createKBucket(options: KBucketOptions): KBucket {
  return new Bucket(options);
}

/** A class, as each node has a dozen: closures of their own would double their size. */
class Bucket implements KBucket {
  readonly index: number;
  readonly nodes: Known[] = [];
  readonly links: Known[] = [];
  private readonly options: KBucketOptions;

  constructor(options: KBucketOptions) {
    this.index = options.index;
    this.options = options;
  }

  hear(known: Known): readonly Known[] | null {
    const { nodes, options } = this;
    let gone = NOBODY;
    if (nodes.length >= options.k && !options.isNear(known)) {
      const out = this.worst();
      if (!out || !this.isBetter(known, out)) return null;
      gone = this.evictDownTo(options.k - 1);
    }
    nodes.push(known);
    return gone;
  }

  link(known: Known): readonly Known[] {
    if (!this.nodes.includes(known)) this.nodes.push(known);
    if (!this.links.includes(known)) this.links.push(known);
    return this.evictDownTo(this.options.k);
  }

  unlink(known: Known): readonly Known[] {
    remove(this.links, known);
    return this.evictDownTo(this.options.k);
  }

  drop(known: Known): void {
    remove(this.nodes, known);
    remove(this.links, known);
  }

  /** The first to go: a closed node before an open one, one that failed, one of the fullest quarter, one of hearsay, the slowest, the youngest. */
  private worst(): Known | null {
    const crowd = [0, 0, 0, 0];
    for (const known of this.nodes) crowd[known.quarter] = (crowd[known.quarter] as number) + 1;
    let found: Known | null = null;
    for (const known of this.nodes) {
      if (known.linkedAt !== null || this.options.isNear(known)) continue;
      if (found === null || this.isWorse(known, found, crowd)) found = known;
    }
    return found;
  }

  private isWorse(a: Known, b: Known, crowd: readonly number[]): boolean {
    if (isOpen(a.contact) !== isOpen(b.contact)) return isOpen(b.contact);
    if (a.failures > 0 !== b.failures > 0) return a.failures > 0;
    const crowding = (crowd[a.quarter] as number) - (crowd[b.quarter] as number);
    if (crowding !== 0) return crowding > 0;
    if (a.proven !== b.proven) return b.proven;
    const [far, near] = [this.options.expected(a), this.options.expected(b)];
    return far === near ? a.since > b.since : far > near;
  }

  private isBetter(known: Known, out: Known): boolean {
    if (isOpen(known.contact) !== isOpen(out.contact)) return isOpen(known.contact) && this.unprovenOpen() < MAX_UNPROVEN_OPEN;
    if (out.failures > 0 !== known.failures > 0) return out.failures > 0;
    const crowd = (quarter: number): number => this.nodes.reduce((sum, one) => sum + Number(one.quarter === quarter), 0);
    // It comes on top of its own quarter.
    const crowding = crowd(out.quarter) - (crowd(known.quarter) + Number(known.quarter !== out.quarter));
    if (crowding !== 0) return crowding > 0;
    return !out.proven && known.quarter === out.quarter && this.options.expected(known) < this.options.expected(out);
  }

  private unprovenOpen(): number {
    return this.nodes.reduce((sum, one) => sum + Number(isOpen(one.contact) && !one.proven), 0);
  }

  private evictDownTo(limit: number): readonly Known[] {
    const { nodes } = this;
    if (nodes.length <= limit) return NOBODY;
    const gone: Known[] = [];
    while (nodes.length > limit) {
      const out = this.worst();
      if (!out) break;
      remove(nodes, out);
      gone.push(out);
    }
    return gone;
  }
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
