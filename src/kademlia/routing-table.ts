/**
 * Whom this node knows, and to whom it is linked: k-buckets by shared prefix (Maymounkov and Mazières, "Kademlia", 2002, §2.2), whose
 * working set is live links. Pure: it proposes links and names surplus ones; somebody else opens and closes them.
 */
import { type Admission, type AdmissionOptions, admit, planSurplus, type Surplus } from './admission.ts';
import { type Contact, movedTo } from './contact.ts';
import { createKBucket, type KBucket } from './k-bucket.ts';
import { commonPrefix, compareDistance, KEY_BITS, type Key, type NodeId } from './key.ts';
import {
  countBriefLink,
  countFailure,
  countGoodbye,
  countRebuff,
  countRoundTrip,
  headOf,
  type Known,
  type LinkEnd,
  type LinkOrigin,
  nameBy,
  newlyKnown,
} from './known.ts';
import {
  isQuarterFree,
  type LinkPlan,
  type LinkState,
  neighbourCount,
  type PlanOptions,
  planLinks,
  planNearer,
  type RoutingSettings,
} from './link-plan.ts';
import { nearestOf, nextHop } from './next-hop.ts';
import { createOpenNodes } from './open-nodes.ts';
import { createReach } from './reach.ts';
import { insertSorted, removeSorted } from './sorted.ts';
import { createUnreachable } from './unreachable.ts';
import type { Place } from './vivaldi.ts';

export type { LinkPurpose } from './admission.ts';
export type { RoutingSettings } from './link-plan.ts';

/** k and the number of links as for a desktop tab; a phone gives a budget of 24. */
export const DEFAULT_ROUTING: RoutingSettings = { k: 20, farLinks: 4, neighbours: 24, budget: 64 };

/** When a plan is made, and while what. */
export interface LinkingNow extends Omit<PlanOptions, 'underWay'> {
  /** Nodes that links are being opened to. */
  readonly underWay: ReadonlySet<NodeId>;
}

/** Times are milliseconds since 1970. Our own id is never taken in. */
export interface RoutingTable {
  readonly self: NodeId;
  /**
   * Somebody named it. Kept if its bucket has room, or if it is worth more than an unlinked one there. Never changes what the node itself told us, but
   * where it says it is. True when it was news. `introducer`: the linked node that named it.
   */
  heard(contact: Contact, now: number, introducer?: NodeId | null): boolean;
  /** A live link to it exists now: it is who it says, and this is its own word on how to reach it. */
  linked(contact: Contact, now: number, options?: LinkOrigin): void;
  /**
   * Its link ended, `lost` when nothing else is said. It stays as a contact, but for a closed node that said goodbye; after short links, or when one of the two
   * had no room, it is not proposed again for a growing pause; a silence counts as a failure.
   */
  unlinked(id: NodeId, now: number, end?: LinkEnd): void;
  /** It could not be reached: not proposed again for a growing pause (2 s to 5 min), and forgotten after 2 failures in a row (an open node after 8). */
  failed(id: NodeId, now: number): void;
  /** It lives, but has no room for us: not proposed again for a growing pause (1 min to 2 h). */
  refused(id: NodeId, now: number): void;
  /** Milliseconds of one round trip on a live link. */
  measured(id: NodeId, roundTrip: number): void;
  /** Milliseconds, measured or else as coordinates tell; null when nobody can say. */
  roundTrip(id: NodeId): number | null;
  get(id: NodeId): Contact | null;
  /** True while it is not to be called: it could not be reached of late, or had no room for us. */
  isPaused(id: NodeId, now: number): boolean;
  /** The linked node that named it last, a tab rather than an open node; null when that is not known, or no longer linked. */
  introducer(id: NodeId): NodeId | null;
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
  /** True when our links to neighbours show for certain that the `count` nodes nearest to `target` are among us and those linked to us. */
  covers(target: Key, count: number): boolean;
  /** Our nearest were asked for others, and what they named is known here: from now on `covers` may say yes. Undone when the last link ends. */
  settled(): void;
  /** Until then no open node is asked for a link but by who has none at all: one of them had no room. */
  readonly openAgain: number;
  /** Known open nodes, linked ones first, then by merit. */
  openNodes(): readonly Contact[];
  /** Contacts to link to, and what is missing. */
  plan(options: LinkingNow): LinkPlan;
  /** A contact so much nearer in time than our link in its quarter that it should have its place. */
  nearerLink(options: LinkingNow): Contact | null;
  /** Whether a link to this node may be made, and which one must be closed for it. */
  admit(contact: Contact, options: AdmissionOptions): Admission;
  /** Links that are in the way of the next guests, least useful first. */
  surplusLinks(options: { now: number; isBusy: (id: NodeId) => boolean }): Surplus;
  /** The linked nodes nearest to us, nearest first, as many as are wanted. */
  neighbours(): readonly Contact[];
  /** Buckets (by shared prefix) as deep as anybody is known, in which nothing was looked up for `age` ms. */
  staleBuckets(now: number, age: number): readonly number[];
  /** A lookup for `target` was done. */
  lookedUp(target: Key, now: number): void;
}

export interface RoutingTableOptions {
  readonly self: NodeId;
  readonly settings?: Partial<RoutingSettings>;
  /** Where we are; without it nothing is known of round trips but what was measured. */
  readonly place?: Place;
  /** The same contact at another place; by default a copy of its own. */
  readonly moved?: typeof movedTo;
  /** Somebody became known who may be worth a link. */
  readonly onCandidate?: () => void;
}

/** A closed node's address is stale after that many failures in a row; a tab that went away does not come back on the same path. */
const MAX_FAILURES = 2;
/** Open nodes are few, and restart: they are forgotten last. */
const MAX_FAILURES_OPEN = 8;
/** A link that lasted less than this (ms) was closed on purpose, most likely for want of room: asking again at once would only go round in circles. */
const BRIEF_LINK = 60_000;
/** A node whose link ended after a while is not called back at once, ms: most that leave have gone. */
const BACK_SOON = 2_000;

export function createRoutingTable({ self, place, moved = movedTo, onCandidate, ...options }: RoutingTableOptions): RoutingTable {
  const settings: RoutingSettings = { ...DEFAULT_ROUTING, ...options.settings };
  const all = new Map<NodeId, Known>();
  /** Farthest first. */
  const buckets: KBucket[] = [];
  /** Nearest to us first. */
  const known: Known[] = [];
  const links: Known[] = [];
  const lookups = new Map<number, number>();
  const unreachable = createUnreachable();
  const head = headOf(self);
  const openNodes = createOpenNodes();

  const compare = (a: Known, b: Known): number =>
    ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0) || compareDistance(self, a.contact.id, b.contact.id);
  const expected = (one: Known): number => place?.roundTripTo(one.contact.coordinate) ?? Number.POSITIVE_INFINITY;
  const roundTrip = (one: Known): number => one.roundTrip ?? expected(one);
  /** Twice as many as are wanted linked, so that whoever goes has a successor. */
  const isNear = (one: Known): boolean => {
    if (settings.neighbours === 0) return false;
    const last = known[2 * settings.neighbours - 1];
    return !last || compare(one, last) <= 0;
  };
  const reach = createReach({ self, known, links, neighbours: settings.neighbours });
  const state: LinkState = { settings, buckets, links, known, openNodes, compare, roundTrip };

  const bucketAt = (index: number): KBucket => {
    let at = buckets.findIndex((bucket) => bucket.index >= index);
    if (at < 0) at = buckets.length;
    if (buckets[at]?.index !== index) buckets.splice(at, 0, createKBucket({ index, k: settings.k, expected, isNear }));
    return buckets[at] as KBucket;
  };

  const take = (one: Known): void => {
    all.set(one.contact.id, one);
    insertSorted(known, one, compare);
    openNodes.note(one);
    reach.changed();
  };

  /** One of us had no room for the other. */
  const rebuff = (one: Known, now: number): void => {
    countRebuff(one, now);
    openNodes.rebuffed(one, now);
  };

  const forget = (gone: readonly Known[]): void => {
    for (const one of gone) {
      all.delete(one.contact.id);
      openNodes.delete(one);
      removeSorted(known, one, compare);
    }
    if (gone.length > 0) reach.changed();
  };

  const learn = (contact: Contact, now: number, introducer: NodeId | null): Known => {
    return newlyKnown(contact, { bucket: commonPrefix(self, contact.id), now, failures: unreachable.failures(contact.id), introducer });
  };

  /** Worth a look at the plan: it is among the nearest, or fills what is empty. */
  const isCandidate = (one: Known): boolean => {
    const last = known[neighbourCount(settings) - 1];
    if (!last || compare(one, last) <= 0) return true;
    return isQuarterFree(bucketAt(one.bucket), one.quarter, settings);
  };

  const unlinkedOf = (ids: ReadonlySet<NodeId>): ReadonlySet<Known> => {
    const found = new Set<Known>();
    for (const id of ids) {
      const one = all.get(id);
      if (one && one.linkedAt === null) found.add(one);
    }
    return found;
  };

  return {
    self,
    heard(contact, now, introducer = null) {
      const { id } = contact;
      if (id === self) return false;
      const present = all.get(id);
      if (present) {
        if (present.linkedAt !== null) return false;
        if (introducer !== null) nameBy(present, introducer, all);
        if (!present.proven) {
          present.contact = contact;
          openNodes.note(present);
        } else if (contact.coordinate && present.contact.coordinate !== contact.coordinate) {
          present.contact = moved(present.contact, contact.coordinate);
          openNodes.changed(present);
        }
        return false;
      }
      if (unreachable.isPaused(id, now)) return false;
      const one = learn(contact, now, introducer);
      const gone = bucketAt(one.bucket).hear(one);
      if (!gone) return false;
      forget(gone);
      take(one);
      if (onCandidate && isCandidate(one)) onCandidate();
      return true;
    },
    linked(contact, now, { guest = false, ours = false } = {}) {
      if (contact.id === self) return;
      const one = all.get(contact.id) ?? learn(contact, now, null);
      unreachable.delete(contact.id);
      one.contact = contact;
      one.proven = true;
      one.linkedAt ??= now;
      one.guest = guest;
      one.ours = ours;
      one.failures = 0;
      take(one);
      insertSorted(links, one, compare);
      forget(bucketAt(one.bucket).link(one));
    },
    unlinked(id, now, end = 'lost') {
      const one = all.get(id);
      if (!one || one.linkedAt === null) return;
      const brief = now - one.linkedAt < BRIEF_LINK;
      if (!brief && end !== 'no-room') {
        one.rebuffs = 0;
        openNodes.welcomed(one);
      }
      one.linkedAt = null;
      openNodes.changed(one);
      if (end === 'no-room') rebuff(one, now);
      else if (end === 'silent') countFailure(one, now);
      else if (brief) countBriefLink(one, now);
      else one.retryAt = now + BACK_SOON;
      removeSorted(links, one, compare);
      reach.changed();
      forget(bucketAt(one.bucket).unlink(one));
      // An open node that restarts says goodbye too.
      if (end !== 'left' || one.contact.open !== null || !all.has(id)) return;
      countGoodbye(one, now);
      bucketAt(one.bucket).drop(one);
      forget([one]);
      unreachable.add(one);
    },
    failed(id, now) {
      const one = all.get(id);
      if (!one || one.linkedAt !== null) return;
      countFailure(one, now);
      openNodes.changed(one);
      if (one.failures < (one.contact.open === null ? MAX_FAILURES : MAX_FAILURES_OPEN)) return;
      bucketAt(one.bucket).drop(one);
      forget([one]);
      unreachable.add(one);
    },
    refused(id, now) {
      const one = all.get(id);
      if (one && one.linkedAt === null) rebuff(one, now);
    },
    measured(id, ms) {
      const one = all.get(id);
      if (!one || one.linkedAt === null || !(ms >= 0)) return;
      if (countRoundTrip(one, ms)) place?.sample(one.contact.coordinate, Math.max(one.roundTrip ?? ms, 1));
    },
    roundTrip(id) {
      const one = all.get(id);
      const ms = one ? roundTrip(one) : Number.POSITIVE_INFINITY;
      return Number.isFinite(ms) ? ms : null;
    },
    get: (id) => all.get(id)?.contact ?? null,
    isPaused: (id, now) => (all.get(id)?.retryAt ?? now) > now || unreachable.isPaused(id, now),
    introducer(id) {
      const introducer = all.get(id)?.introducer ?? null;
      return introducer !== null && isLinked(all.get(introducer)) ? introducer : null;
    },
    isLinked: (id) => isLinked(all.get(id)),
    get linkCount() {
      return links.length;
    },
    get size() {
      return known.length;
    },
    contacts: () => contactsOf(known),
    closest: (target, count) => contactsOf(nearestOf(known, target, count)),
    closestLinked: (target, count) => contactsOf(nearestOf(links, target, count)),
    nextHop: (target, without) => nextHop(links, { self, target, without, roundTrip })?.contact ?? null,
    covers: reach.covers,
    settled: reach.settled,
    get openAgain() {
      return openNodes.again;
    },
    openNodes: openNodes.sorted,
    plan: (how) => planLinks(state, { ...how, underWay: unlinkedOf(how.underWay) }),
    nearerLink: (how) => planNearer(state, { ...how, underWay: unlinkedOf(how.underWay) }),
    admit(contact, how) {
      if (isLinked(all.get(contact.id))) return { taken: true, instead: null };
      return admit(state, all.get(contact.id) ?? learn(contact, 0, null), how);
    },
    surplusLinks: (how) => planSurplus(state, how),
    neighbours: () => contactsOf(links.slice(0, neighbourCount(settings))),
    staleBuckets(now, age) {
      const depth = buckets.reduce((deepest, bucket) => (bucket.nodes.length > 0 ? Math.max(deepest, bucket.index) : deepest), -1);
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

function isLinked(known: Known | undefined): boolean {
  return known !== undefined && known.linkedAt !== null;
}

function contactsOf(known: readonly Known[]): readonly Contact[] {
  return known.map((one) => one.contact);
}
