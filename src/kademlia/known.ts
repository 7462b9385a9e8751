/** A node that we know of, and what we have seen of it. */
import type { Contact } from './contact.ts';
import type { Key, NodeId } from './key.ts';

/** Times are milliseconds since 1970. */
export interface Known {
  contact: Contact;
  /** The first 32 bits of its id: most comparisons of distance end there. */
  readonly head: number;
  /** The bits that it shares with us: its bucket. */
  readonly bucket: number;
  /** Its two bits after the one in which it differs from us, 0 to 3. */
  readonly quarter: number;
  /** When we first heard of it. */
  readonly since: number;
  /** The node itself told us this contact, and has not failed since. */
  proven: boolean;
  /** When its live link began; null without one. */
  linkedAt: number | null;
  /** Its link was made for something else than routing, at the other side's wish. */
  guest: boolean;
  /** We opened its link, for a need of our own. */
  ours: boolean;
  /** Milliseconds, as measured on a link; null when not measured. */
  roundTrip: number | null;
  /** Round trips measured. */
  measured: number;
  /** The linked node that named it: it has a link to it, so what goes through it has a short way. */
  introducer: NodeId | null;
  /** Failures to reach it, in a row. */
  failures: number;
  /** Times in a row that it had no room for us, or that a link to it ended soon after it began. */
  rebuffs: number;
  /** Not to be called before. */
  retryAt: number;
}

/** How a link came about: at the other side's wish and not for routing, or at our own. */
export interface LinkOrigin {
  readonly guest?: boolean;
  readonly ours?: boolean;
}

/** How a link ended · `no-room`: one of the two had no room for the other · `left`: the other side said goodbye · `silent`: nothing was heard any more · `lost`: all else. */
export type LinkEnd = 'no-room' | 'left' | 'silent' | 'lost';

/** Pauses between tries, in ms: doubled with each failure. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** The same after it said goodbye: as long as others may go on naming it. */
const GONE_PAUSE = 60_000;
/** The same after it said that it has no room: that does not change in seconds. */
const FIRST_REBUFF = 60_000;
const LONGEST_REBUFF = 7_200_000;

/** Something heard of for the first time. */
export function newlyKnown(contact: Contact, seen: { bucket: number; now: number; failures: number; introducer: NodeId | null }): Known {
  return {
    contact,
    head: headOf(contact.id),
    bucket: seen.bucket,
    quarter: quarterOf(contact.id, seen.bucket),
    since: seen.now,
    proven: false,
    linkedAt: null,
    guest: false,
    ours: false,
    roundTrip: null,
    measured: 0,
    introducer: seen.introducer,
    failures: seen.failures,
    rebuffs: 0,
    retryAt: 0,
  };
}

/** The first 32 bits of a key, as a signed number: those are kept without a box of their own. */
export function headOf(key: Key): number {
  return Number.parseInt(key.slice(0, 8), 16) | 0;
}

/** The two bits of an id that follow those of its bucket. */
export function quarterOf(id: NodeId, bucket: number): number {
  const first = bucket + 1;
  // The three digits that hold both bits; past the end of the id there is nobody to tell apart.
  const digits = Number.parseInt(id.slice(first >> 2, (first >> 2) + 2).padEnd(2, '0'), 16) || 0;
  return (digits >> (6 - (first & 3))) & 3;
}

/** A linked node named it: that is its introducer now, unless that is an open node in the place of a tab that is still linked. */
export function nameBy(known: Known, introducer: NodeId, all: ReadonlyMap<NodeId, Known>): void {
  const present = known.introducer === null ? undefined : all.get(known.introducer);
  // An open node is linked to everybody, and should carry only what no tab can.
  if (all.get(introducer)?.contact.open != null && present?.contact.open === null && present.linkedAt !== null) return;
  known.introducer = introducer;
}

/** It could not be reached once more. */
export function countFailure(known: Known, now: number): void {
  known.failures++;
  known.proven = false;
  known.retryAt = now + Math.min(FIRST_PAUSE * 2 ** (known.failures - 1), LONGEST_PAUSE);
}

/** It said that it goes: its link will not be back soon, and others who have not noticed still name it. */
export function countGoodbye(known: Known, now: number): void {
  known.proven = false;
  known.retryAt = now + GONE_PAUSE;
}

/** A link to it ended soon after it began, by no wish of ours. */
export function countBriefLink(known: Known, now: number): void {
  known.rebuffs++;
  known.retryAt = now + Math.min(FIRST_PAUSE * 2 ** (known.rebuffs - 1), LONGEST_PAUSE);
}

/** One of us had no room for the other. */
export function countRebuff(known: Known, now: number): void {
  known.rebuffs++;
  known.retryAt = now + pauseAfterRebuffs(known.rebuffs);
}

/** Ms until it is worth asking again, after so many times in a row that there was no room. */
export function pauseAfterRebuffs(times: number): number {
  return Math.min(FIRST_REBUFF * 2 ** (times - 1), LONGEST_REBUFF);
}

/** Of the round trips of one link the 1st, 2nd, 4th and 8th tell where we are, and then every so many: whom we ask all the time must not count for more. */
const SAMPLE_EVERY = 16;

/** One more round trip, ms. True when it should count for our own place. */
export function countRoundTrip(known: Known, ms: number): boolean {
  const before = known.roundTrip;
  known.measured++;
  // What is over the least is queues and busy processors; a path that has become longer shows after a while.
  known.roundTrip = before === null || ms < before ? ms : before + (Math.min(ms, 2 * before + 1) - before) / 8;
  return known.measured < SAMPLE_EVERY ? (known.measured & (known.measured - 1)) === 0 : known.measured % SAMPLE_EVERY === 0;
}
