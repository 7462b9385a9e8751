/**
 * Whom this node knows, and to whom it is linked: k-buckets by shared prefix (Maymounkov and Mazières, "Kademlia", 2002, §2.2), whose
 * working set is live links. Pure: it proposes links and names surplus ones; somebody else opens and closes them.
 */
import type { Contact } from './contact.ts';
import { byMerit, createKBucket, type KBucket, type Known } from './k-bucket.ts';
import { commonPrefix, compareDistance, KEY_BITS, type Key, type NodeId } from './key.ts';
import { type LinkState, planSurplus, planWanted, type RoutingSettings } from './link-plan.ts';

export type { RoutingSettings } from './link-plan.ts';

/** k and the number of links as for a desktop tab; a phone gives a budget of 24. */
export const DEFAULT_ROUTING: RoutingSettings = { k: 20, farLinks: 4, neighbours: 20, budget: 64 };

/** Times are milliseconds since 1970. Our own id is never taken in. */
export interface RoutingTable {
  readonly self: NodeId;
  /** Somebody named it. Kept if its bucket has room, or if it is worth more than an unlinked one there. Never changes what the node itself told us. */
  heard(contact: Contact, now: number): void;
  /** A live link to it exists now: it is who it says, and this is its own word on how to reach it. */
  linked(contact: Contact, now: number): void;
  /** Its link ended. It stays as a contact; after short links it is not proposed again for a growing pause. */
  unlinked(id: NodeId, now: number): void;
  /** It could not be reached: not proposed again for a growing pause (2 s to 5 min), and forgotten after 2 failures in a row (an open node after 8). */
  failed(id: NodeId, now: number): void;
  /** Milliseconds of one round trip. */
  measured(id: NodeId, roundTrip: number): void;
  get(id: NodeId): Contact | null;
  isLinked(id: NodeId): boolean;
  readonly linkCount: number;
  /** Contacts, linked ones included. */
  readonly size: number;
  contacts(): readonly Contact[];
  /** The known nodes nearest to `target`, nearest first. */
  closest(target: Key, count: number): readonly Contact[];
  /** The linked nodes nearest to `target`, nearest first. */
  closestLinked(target: Key, count: number): readonly Contact[];
  /** The linked node to pass a lookup for `target` on to: one that is nearer to it than we are, never one in `without`. Null when there is none. */
  nextHop(target: Key, without: ReadonlySet<NodeId>): Contact | null;
  /** True when our links to neighbours show for certain that we know the `count` nodes nearest to `target`. */
  covers(target: Key, count: number): boolean;
  /** Known open nodes, linked ones first, then by merit. */
  openNodes(): readonly Contact[];
  /** Contacts to link to, most wanted first; no more than fit the budget once surplus links are closed. */
  wantedLinks(now: number): readonly Contact[];
  /** Links to close because there are more than the budget, least useful first, never one in `protect`. */
  surplusLinks(protect: ReadonlySet<NodeId>): readonly NodeId[];
  /** Buckets (by shared prefix) as deep as anybody is known, in which nothing was looked up for `age` ms. */
  staleBuckets(now: number, age: number): readonly number[];
  /** A lookup for `target` was done. */
  lookedUp(target: Key, now: number): void;
}

/** Unreachable nodes that are remembered, so that others who still name them do not make us try again at once. */
const MAX_REMEMBERED_FAILURES = 512;

export function createRoutingTable(options: { self: NodeId; settings?: Partial<RoutingSettings> }): RoutingTable {
  const { self } = options;
  const settings: RoutingSettings = { ...DEFAULT_ROUTING, ...options.settings };
  const buckets = new Map<number, KBucket>();
  const lookups = new Map<number, number>();
  /** Forgotten nodes, oldest first. */
  const unreachable = new Map<NodeId, { failures: number; retryAt: number }>();

  function bucketOf(id: NodeId): KBucket {
    const index = commonPrefix(self, id);
    const bucket = buckets.get(index) ?? createKBucket(settings.k);
    buckets.set(index, bucket);
    return bucket;
  }

  function find(id: NodeId): Known | null {
    return buckets.get(commonPrefix(self, id))?.get(id) ?? null;
  }

  /** In a bucket all share more of `target` than those of any later one, so only as many buckets are sorted as are needed. */
  function nearest(target: Key, count: number, accept: (known: Known) => boolean): readonly Known[] {
    const found: Known[] = [];
    for (const index of bucketsByDistance(self, target, buckets)) {
      if (found.length >= count) break;
      const members: Known[] = [];
      for (const known of (buckets.get(index) as KBucket).all()) if (accept(known)) members.push(known);
      found.push(...sortByDistance(target, members));
    }
    return found.slice(0, count);
  }

  function sum(count: (bucket: KBucket) => number): number {
    let total = 0;
    for (const bucket of buckets.values()) total += count(bucket);
    return total;
  }

  function linkState(): LinkState {
    return {
      settings,
      buckets: [...buckets].sort(([a], [b]) => a - b).map(([, bucket]) => bucket),
      linkCount: sum((bucket) => bucket.linkCount),
      nearest: (count, accept) => nearest(self, count, accept),
    };
  }

  function all(): Known[] {
    return [...buckets.values()].flatMap((bucket) => [...bucket.all()]);
  }

  function bury(known: Known): void {
    const { id } = known.contact;
    unreachable.delete(id);
    unreachable.set(id, { failures: known.failures, retryAt: known.retryAt });
    const [oldest] = unreachable.keys();
    if (unreachable.size > MAX_REMEMBERED_FAILURES && oldest !== undefined) unreachable.delete(oldest);
  }

  return {
    self,
    heard(contact, now) {
      if (contact.id === self) return;
      const before = unreachable.get(contact.id);
      if (before && now < before.retryAt) return;
      bucketOf(contact.id).hear(contact, { now, failures: before?.failures ?? 0 });
    },
    linked(contact, now) {
      if (contact.id === self) return;
      unreachable.delete(contact.id);
      bucketOf(contact.id).link(contact, now);
    },
    unlinked: (id, now) => buckets.get(commonPrefix(self, id))?.unlink(id, now),
    failed(id, now) {
      const forgotten = buckets.get(commonPrefix(self, id))?.fail(id, now);
      if (forgotten) bury(forgotten);
    },
    measured(id, roundTrip) {
      const known = find(id);
      if (known) known.roundTrip = roundTrip;
    },
    get: (id) => find(id)?.contact ?? null,
    isLinked: (id) => isLinked(find(id)),
    get linkCount() {
      return sum((bucket) => bucket.linkCount);
    },
    get size() {
      return sum((bucket) => bucket.size);
    },
    contacts: () => contactsOf(all()),
    closest: (target, count) => contactsOf(nearest(target, count, () => true)),
    closestLinked: (target, count) => contactsOf(nearest(target, count, isLinked)),
    nextHop(target, without) {
      const [best] = nearest(target, 1, (known) => known.linkedAt !== null && !without.has(known.contact.id));
      return best && compareDistance(target, best.contact.id, self) < 0 ? best.contact : null;
    },
    covers: () => false,
    openNodes() {
      const open = all().filter((known) => known.contact.open !== null);
      return contactsOf(open.sort((a, b) => Number(isLinked(b)) - Number(isLinked(a)) || byMerit(a, b)));
    },
    wantedLinks: (now) => planWanted(linkState(), now),
    surplusLinks: (protect) => planSurplus(linkState(), protect),
    staleBuckets(now, age) {
      let depth = -1;
      for (const [index, bucket] of buckets) if (bucket.size > 0) depth = Math.max(depth, index);
      const stale: number[] = [];
      for (let index = 0; index <= depth; index++) {
        if (now - (lookups.get(index) ?? Number.NEGATIVE_INFINITY) >= age) stale.push(index);
      }
      return stale;
    },
    lookedUp(target, now) {
      lookups.set(Math.min(commonPrefix(self, target), KEY_BITS - 1), now);
    },
  };
}

function isLinked(known: Known | null): boolean {
  return known !== null && known.linkedAt !== null;
}

function contactsOf(known: readonly Known[]): readonly Contact[] {
  return known.map((one) => one.contact);
}

/**
 * The indexes of the buckets, those nearest to `target` first. A bucket's nodes differ from us at its index and agree before it; so where
 * `target` differs from us too they are nearer to it than all deeper buckets, elsewhere farther.
 */
function bucketsByDistance(self: NodeId, target: Key, buckets: ReadonlyMap<number, KBucket>): readonly number[] {
  const nearer: number[] = [];
  const farther: number[] = [];
  for (const index of buckets.keys()) {
    const digits = Number.parseInt(self[index >> 2] as string, 16) ^ Number.parseInt(target[index >> 2] as string, 16);
    if ((digits & (8 >> (index & 3))) !== 0) nearer.push(index);
    else farther.push(index);
  }
  return [...nearer.sort((a, b) => a - b), ...farther.sort((a, b) => b - a)];
}

function sortByDistance(target: Key, members: Known[]): Known[] {
  const head = Number.parseInt(target.slice(0, 8), 16);
  return members.sort((a, b) => {
    const difference = ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0);
    return difference || compareDistance(target, a.contact.id, b.contact.id);
  });
}
