/**
 * One k-bucket (Maymounkov and Mazières, "Kademlia", 2002, §2.2): the nodes that share exactly so many leading bits with us.
 * It keeps at most k contacts, and those with a live link whatever their number.
 */
import type { Contact } from './contact.ts';
import type { NodeId } from './key.ts';

/** A contact and what we have seen of it. Times are milliseconds since 1970. */
export interface Known {
  contact: Contact;
  /** The first 32 bits of its id: most comparisons of distance end there. */
  readonly head: number;
  /** When we first heard of it. */
  readonly since: number;
  /** The node itself told us this contact, and has not failed since. */
  proven: boolean;
  /** When its live link began; null without one. */
  linkedAt: number | null;
  /** Milliseconds; null when not measured. */
  roundTrip: number | null;
  /** Failures to reach it, in a row. */
  failures: number;
  /** Its links that ended soon after they began, in a row. */
  briefLinks: number;
  /** Not to be called before. */
  retryAt: number;
}

export interface KBucket {
  readonly size: number;
  readonly linkCount: number;
  get(id: NodeId): Known | null;
  all(): Iterable<Known>;
  /** Somebody named it. `failures` is what is remembered of it from before. */
  hear(contact: Contact, seen: { now: number; failures: number }): void;
  /** A live link to it exists. */
  link(contact: Contact, now: number): void;
  /** Its link ended. */
  unlink(id: NodeId, now: number): void;
  /** It could not be reached. Answers what is known of it when that was once too often and it is forgotten. */
  fail(id: NodeId, now: number): Known | null;
}

/** A closed node's address is stale after that many failures in a row; a tab that went away does not come back on the same path. */
const MAX_FAILURES = 2;
/** Open nodes are few, and restart: they are forgotten last. */
const MAX_FAILURES_OPEN = 8;
/** Pauses between tries, in ms: doubled with each failure. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** A link that lasted less than this (ms) was closed on purpose, most likely for want of room: asking again at once would only go round in circles. */
const BRIEF_LINK = 60_000;
/** Open nodes known by hearsay only that may push closed ones out of a full bucket: to name open nodes that do not exist costs nothing. */
const MAX_UNPROVEN_OPEN = 4;

export function createKBucket(k: number): KBucket {
  const nodes = new Map<NodeId, Known>();
  let linkCount = 0;

  function evictDownTo(limit: number): void {
    while (nodes.size > limit) {
      const worst = worstUnlinked(nodes.values());
      if (!worst) return;
      nodes.delete(worst.contact.id);
    }
  }

  function hasRoomFor(contact: Contact): boolean {
    if (nodes.size < k) return true;
    const worst = worstUnlinked(nodes.values());
    if (!worst) return false;
    if (contact.open !== null && worst.contact.open === null && unprovenOpen(nodes.values()) < MAX_UNPROVEN_OPEN) return true;
    return worst.failures > 0 && (worst.contact.open === null || contact.open !== null);
  }

  return {
    get size() {
      return nodes.size;
    },
    get linkCount() {
      return linkCount;
    },
    get: (id) => nodes.get(id) ?? null,
    all: () => nodes.values(),
    hear(contact, { now, failures }) {
      const known = nodes.get(contact.id);
      if (known) {
        if (!known.proven) known.contact = contact;
      } else if (hasRoomFor(contact)) {
        evictDownTo(k - 1);
        nodes.set(contact.id, { ...newlyKnown(contact, now), failures });
      }
    },
    link(contact, now) {
      const known = nodes.get(contact.id) ?? newlyKnown(contact, now);
      if (known.linkedAt === null) linkCount++;
      known.contact = contact;
      known.proven = true;
      known.linkedAt ??= now;
      known.failures = 0;
      nodes.set(contact.id, known);
      evictDownTo(k);
    },
    unlink(id, now) {
      const known = nodes.get(id);
      if (!known || known.linkedAt === null) return;
      linkCount--;
      known.briefLinks = now - known.linkedAt < BRIEF_LINK ? known.briefLinks + 1 : 0;
      known.linkedAt = null;
      known.retryAt = now + pauseAfter(Math.max(1, known.briefLinks));
      evictDownTo(k);
    },
    fail(id, now) {
      const known = nodes.get(id);
      if (!known || known.linkedAt !== null) return null;
      known.failures++;
      known.proven = false;
      known.retryAt = now + pauseAfter(known.failures);
      if (known.failures < (known.contact.open === null ? MAX_FAILURES : MAX_FAILURES_OPEN)) return null;
      nodes.delete(id);
      return known;
    },
  };
}

/** Orders contacts by how much one wants a link to them: those that did not fail, then the longest known, then the nearest in time. */
export function byMerit(a: Known, b: Known): number {
  return a.failures - b.failures || a.since - b.since || (a.roundTrip ?? Number.MAX_VALUE) - (b.roundTrip ?? Number.MAX_VALUE);
}

function newlyKnown(contact: Contact, now: number): Known {
  return {
    contact,
    head: Number.parseInt(contact.id.slice(0, 8), 16),
    since: now,
    proven: false,
    linkedAt: null,
    roundTrip: null,
    failures: 0,
    briefLinks: 0,
    retryAt: 0,
  };
}

function pauseAfter(times: number): number {
  return Math.min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE);
}

/** The first to go: a closed node before an open one, then one that failed, then the youngest. */
function worstUnlinked(nodes: Iterable<Known>): Known | null {
  let worst: Known | null = null;
  for (const known of nodes) if (known.linkedAt === null && (worst === null || isWorse(known, worst))) worst = known;
  return worst;
}

function isWorse(a: Known, b: Known): boolean {
  const aOpen = a.contact.open !== null;
  if (aOpen !== (b.contact.open !== null)) return !aOpen;
  if (a.failures > 0 !== b.failures > 0) return a.failures > 0;
  return a.since > b.since;
}

function unprovenOpen(nodes: Iterable<Known>): number {
  let count = 0;
  for (const known of nodes) if (known.contact.open !== null && !known.proven) count++;
  return count;
}
