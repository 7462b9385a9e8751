/** How long things are kept, in milliseconds. Pure. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A value or a record that nobody stored again for this long is dropped (the Kademlia paper's figure, §2.5). */
export const ITEM_EXPIRY = DAY;
/** Who keeps an item stores it again on the nodes nearest to it this often: nodes come and go, and half of a day's tabs live less than some hours. */
export const REPUBLISH_INTERVAL = HOUR;
/** The longest life of a set entry. Its writer renews what should live longer. */
export const MAX_ENTRY_LIFE = 7 * DAY;
/** The life of a holder's entry: it outlasts one renewal that failed, and no more, as each stale holder costs a viewer a time-out. */
export const HOLDER_LIFE = 2.5 * HOUR;
/** A holder renews its entry this often. */
export const HOLDER_RENEWAL = HOUR;
/** A time that is further ahead of ours is refused. Wall clocks are wrong by time zones and dead batteries; a day covers the former. */
export const MAX_CLOCK_AHEAD = DAY;

/** What can be stored, as far as its end is concerned. */
export type Expiring = { readonly type: 'value' } | { readonly type: 'record' } | { readonly type: 'entry'; readonly expires: number };

/** When an item that was stored `now` (ms since 1970) may be dropped: a set entry says it itself, the others a day after they were last stored. */
export function expiryOf(item: Expiring, now: number): number {
  return item.type === 'entry' ? item.expires : now + ITEM_EXPIRY;
}

/** True for the life of an entry that the protocol allows. */
export function isEntryLife(time: number, expires: number): boolean {
  return expires > time && expires <= time + MAX_ENTRY_LIFE;
}
