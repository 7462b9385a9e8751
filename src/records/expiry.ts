/** How long things are kept, in milliseconds. Pure. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A value or a record lives this long after it was last published. Keepers pass on what is left of it, so what nobody publishes any more does end. */
export const ITEM_LIFE = 7 * DAY;
/** The life of a copy that a node keeps though others are nearer, before it is halved for distance: a day, as what is asked for comes in days. */
const SPARE_LIFE = DAY;
/** A record that a reader keeps for itself: long enough for a page that asks twice, too short to hide a newer version from anybody. */
export const RECORD_COPY_LIFE = 60_000;
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

/**
 * How long (ms) a node may keep an item that is `bits` bits farther from it than from the farthest of the k nearest nodes: whole among those, then
 * a day halved for each bit (Kademlia paper §2.3), so that what is much asked for spreads on the way to it and goes when nobody asks.
 */
export function lifeAt(bits: number): number {
  return bits <= 0 ? ITEM_LIFE : SPARE_LIFE / 2 ** bits;
}

/** True for the life of an entry that the protocol allows. */
export function isEntryLife(time: number, expires: number): boolean {
  return expires > time && expires <= time + MAX_ENTRY_LIFE;
}
