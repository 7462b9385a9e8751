/** In which order this node names the holders of a group to who asks: not all with the same one (design §6). */
import type { Clock, Crypto } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import { estimateRoundTrip } from '../kademlia/coordinate.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { openEntry } from '../records/entry.ts';
import { HOLDER_LIFE } from '../records/expiry.ts';
import type { Item } from '../wire/messages.ts';
import type { Absences } from './absences.ts';
import { readHolder } from './holders.ts';
import { trim } from './trim.ts';

export interface HolderOrder {
  /**
   * The same items, holders first: those with the least of (round trip to the asker + 200 ms) × (1 + load) ÷ (chance that it is there). Load is how
   * often we named it first of late. Who asks comes last in its own answer. Items without a holder among them stay as they are.
   */
  order(items: readonly Item[], asked: { readonly key: Key; readonly from: Contact }): readonly Item[];
}

export interface HolderOrderOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly isLinked: (id: NodeId) => boolean;
  readonly absences: Pick<Absences, 'since' | 'isForGood'>;
}

/** Added to a round trip, ms: a segment takes a second or so, of which the way is a part. Without it the nearest holder would get nearly everybody. */
const TRANSFER = 200;
/** A round trip where one of the two coordinates is not known, ms: that of an average pair. */
const UNKNOWN_ROUND_TRIP = 120;
/** How fast a naming is forgotten, ms: after so long it counts for 1 ÷ e. */
const LOAD_MEMORY = 60_000;
/** Half of the tabs that are open now are gone after so long, ms: what an entry's age says of a node that we have no link to. */
const HALF_LIFE = 1_800_000;
/** The chance that a node is there whose link to us has ended since it gave its word: it may have been closed for the budget. */
const AFTER_LOSS = 1 / 8;
/** The least chance: one that said goodbye for good comes after all others. */
const LEAST = 1e-6;
/** Nodes whose load is remembered. */
const MAX_LOADS = 4096;

export function createHolderOrder(options: HolderOrderOptions): HolderOrder {
  const { self, clock, crypto, absences } = options;
  /** How often a node was named first, as it stood at `at`. */
  const loads = new Map<NodeId, { readonly count: number; readonly at: number }>();

  const loadOf = (id: NodeId): number => {
    const load = loads.get(id);
    return load ? load.count * Math.exp((load.at - clock.now()) / LOAD_MEMORY) : 0;
  };
  const named = (id: NodeId): void => {
    const count = loadOf(id) + 1;
    loads.delete(id);
    loads.set(id, { count, at: clock.now() });
    trim(loads, MAX_LOADS);
  };

  const chanceOf = (id: NodeId, since: number): number => {
    if (id === self || options.isLinked(id)) return 1;
    if (absences.isForGood(id)) return LEAST;
    const lost = absences.since(id);
    return Math.max(LEAST, 0.5 ** ((clock.now() - since) / HALF_LIFE) * (lost !== null && lost > since ? AFTER_LOSS : 1));
  };

  const costOf = ({ id, coordinate }: Contact, { from, since }: { from: Contact; since: number }): number => {
    if (id === from.id) return Number.POSITIVE_INFINITY;
    const way = coordinate && from.coordinate ? estimateRoundTrip(coordinate, from.coordinate) : UNKNOWN_ROUND_TRIP;
    return ((way + TRANSFER) * (1 + loadOf(id))) / chanceOf(id, since);
  };

  return {
    order(items, { key, from }) {
      const found: { item: Item; id: NodeId; cost: number }[] = [];
      const rest: Item[] = [];
      for (const item of items) {
        const entry = item.type === 'entry' ? openEntry(item.signed) : null;
        const holder = entry && readHolder(crypto, entry, { group: key, now: clock.now() });
        if (!holder) rest.push(item);
        else found.push({ item, id: holder.contact.id, cost: costOf(holder.contact, { from, since: holder.expires - HOLDER_LIFE }) });
      }
      if (found.length === 0) return items;
      found.sort((a, b) => a.cost - b.cost);
      const [first] = found;
      if (first && first.id !== from.id) named(first.id);
      return [...found.map(({ item }) => item), ...rest];
    },
  };
}
