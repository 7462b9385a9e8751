/**
 * Which of two versions of a record wins. Everyone ends with the same one, in whatever order they saw them, because a version's time is
 * later than that of every version it knew (`writeRecord`): the order by time, then by hash, is total and never contradicts the clocks.
 * Without that rule three versions can beat each other in a circle; tests/property/merge.test.ts shows it.
 */
import { compare, equal } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import { MAX_CLOCK_AHEAD } from './expiry.ts';
import type { SignedRecord } from './record.ts';
import { compareClocks } from './vector-clock.ts';

/** What a storing node finds an incoming version to be, beside the one that it keeps. */
export type Judgement = 'newer' | 'same' | 'older' | 'invalid';

/** The winner: newer by vector clock; of concurrent ones the later, then the one whose body has the larger hash. */
export function newest(crypto: Crypto, a: SignedRecord, b: SignedRecord): SignedRecord {
  return order(crypto, a, b) < 0 ? b : a;
}

/**
 * What a node that keeps `stored` does with `incoming`, both verified. `invalid`: it is another record, its time is more than a day
 * ahead of ours (`now`, ms), or time and clock contradict each other.
 */
export function judge(crypto: Crypto, stored: SignedRecord | null, incoming: SignedRecord, now: number): Judgement {
  if (incoming.body.time > now + MAX_CLOCK_AHEAD) return 'invalid';
  if (!stored) return 'newer';
  if (incoming.body.name !== stored.body.name || !equal(incoming.body.owner, stored.body.owner)) return 'invalid';
  if (contradicts(incoming, stored)) return 'invalid';
  const ordered = order(crypto, incoming, stored);
  if (ordered === 0) return 'same';
  return ordered > 0 ? 'newer' : 'older';
}

/** One was written in knowledge of the other and is not later. */
function contradicts(a: SignedRecord, b: SignedRecord): boolean {
  const clocks = compareClocks(a.body.clock, b.body.clock);
  return (clocks === 'after' && a.body.time <= b.body.time) || (clocks === 'before' && a.body.time >= b.body.time);
}

/** Positive when `a` wins, zero when both are the same. */
function order(crypto: Crypto, a: SignedRecord, b: SignedRecord): number {
  const clocks = compareClocks(a.body.clock, b.body.clock);
  if (clocks === 'after') return 1;
  if (clocks === 'before') return -1;
  return a.body.time - b.body.time || compare(crypto.hash(a.signed.body), crypto.hash(b.signed.body));
}
