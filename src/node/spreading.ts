/** Stores what others bring, and passes it on to the neighbours that should have it too (docs/protocol.md, rules K6 and S14). */
import { fail, hasCode } from '../base/errors.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { lifeAt } from '../records/expiry.ts';
import type { Item } from '../wire/messages.ts';
import type { ItemStore } from './item-store.ts';
import type { Link } from './link.ts';
import { placementOf } from './placement.ts';
import type { NodeSettings } from './settings.ts';
import type { TokenBook } from './token-book.ts';

export interface Spreading {
  /** Serves a STORE whose token was good. Gives how many nodes have the item now; rejects as `ItemStore.put` does. */
  take(stored: StoredItem, from: { readonly id: NodeId; readonly link: Link }): Promise<number>;
  /** Stores on so many linked nodes nearest to the key. Gives how many have it now. */
  spread(
    stored: StoredItem,
    options?: { readonly without?: NodeId /** Only over links that stood already then, ms. */; readonly linkedBefore?: number },
  ): Promise<number>;
}

/** An item on its way to where it is kept. */
export interface StoredItem {
  readonly key: Key;
  readonly item: Item;
  /** Nodes that shall have it: see STORE. */
  readonly replicas: number;
  /** Milliseconds that it may still be kept. */
  readonly life: number;
}

export interface SpreadingOptions {
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly link: (id: NodeId) => Link | null;
  readonly items: ItemStore;
  readonly tokenBook: TokenBook;
  /** A hand over brought something new that this node is among the k nearest to. `since`: when the link that it came over began, ms. */
  readonly onNews: (stored: StoredItem, since: number) => void;
}

/** Items that are spread for one neighbour at once: each costs k calls. A page that publishes stores a handful at a time. */
const MAX_SPREADING = 32;

export function createSpreading(options: SpreadingOptions): Spreading {
  const { settings, table, items } = options;
  const working = new Map<NodeId, number>();

  const spread: Spreading['spread'] = async ({ key, item, replicas, life }, { without, linkedBefore = Number.POSITIVE_INFINITY } = {}) => {
    const nearest = table.closestLinked(key, replicas + 1).filter(({ id }) => id !== without);
    const counts = nearest.slice(0, replicas).map(async ({ id }) => {
      const link = options.link(id);
      if (!link || link.since >= linkedBefore) return 0;
      // Who does not take it is not counted, and that is what the asker hears.
      return options.tokenBook.store(link, { key, item, replicas: 1, life }, { deadline: settings.routeDeadline }).catch(() => 0);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };

  /** Far from the key it is a spare copy, whatever the asker says. 1 when it is kept as a copy that counts. */
  const keep = async (stored: StoredItem, link: Link): Promise<number> => {
    const { key, item, life } = stored;
    const { rank, bits } = placementOf(table, key, settings.k);
    const news = await items.put(key, item, bits > 0 ? { life: Math.min(life, lifeAt(bits)), spare: true } : { life });
    if (stored.replicas === 0 && news && rank < settings.k) options.onNews(stored, link.since);
    return rank < settings.k || stored.replicas <= 1 ? 1 : 0;
  };

  return {
    spread,
    async take(stored, { id, link }) {
      if (stored.replicas <= 1) return keep(stored, link);
      const busy = working.get(link.id) ?? 0;
      if (busy >= MAX_SPREADING) throw fail('refused', 'I store as much for you at once as I can.');
      working.set(link.id, busy + 1);
      try {
        const here = await keep(stored, link).catch((error: unknown) => {
          if (hasCode(error, 'invalid')) throw error;
          return 0; // No room here: the others may have some.
        });
        const replicas = Math.min(stored.replicas, settings.k) - here;
        return here + (await spread({ ...stored, replicas }, { without: id }));
      } finally {
        const left = (working.get(link.id) ?? 1) - 1;
        if (left === 0) working.delete(link.id);
        else working.set(link.id, left);
      }
    },
  };
}
