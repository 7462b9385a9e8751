/** Keeps small items where they belong while nodes come and go (Kademlia paper §2.5). */
import type { Clock } from '../base/ports.ts';
import { compareDistance, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { ITEM_EXPIRY } from '../records/expiry.ts';
import { inTurn } from './in-turn.ts';
import type { ItemStore } from './item-store.ts';
import type { Link } from './link.ts';
import type { Overlay } from './overlay.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Republishing {
  /** Stores again what nobody has stored here for an hour. */
  republish(signal: AbortSignal): Promise<void>;
  /** A node came near: gives it what belongs there. */
  handOver(link: Link, signal: AbortSignal): Promise<void>;
}

export interface RepublishingOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly overlay: Overlay;
  readonly items: ItemStore;
}

/** Nodes that are remembered. */
const MAX_HANDED = 1024;

export function createRepublishing(options: RepublishingOptions): Republishing {
  const { clock, settings, table, overlay, items } = options;
  /** Nodes that were given what belongs to them, and when. */
  const handed = new Map<NodeId, number>();

  return {
    /** What somebody stored here since the last turn was stored on the others too, by the same hand. */
    async republish(signal) {
      const due = (await items.keys()).filter(({ key, want }) => !items.wasStored(key, want, settings.republishInterval));
      await inTurn(due, signal, async ({ key, want }) => overlay.storeAll(key, await items.all(key, want), signal));
    },
    async handOver(link, signal) {
      const now = clock.now();
      if ((handed.get(link.id) ?? Number.NEGATIVE_INFINITY) > now - settings.republishInterval) return;
      handed.delete(link.id);
      handed.set(link.id, now);
      trim(handed, MAX_HANDED);
      for (const { key, want } of await items.keys()) {
        if (signal.aborted || link.closed) return;
        if (!isNearest(table, key, { self: options.self, apart: link.id }) || !belongsTo(key, link.id)) continue;
        const { token } = await link.call('FIND_NODE', { target: key }, { signal });
        for (const item of await items.all(key, want)) {
          await link.call('STORE', { key, token, item, replicas: 1, life: ITEM_EXPIRY }).catch(() => undefined); // republishing does it again
        }
      }
    },
  };

  /** True when the node is among the k nearest to a key that we know. */
  function belongsTo(key: Key, id: NodeId): boolean {
    return table.closest(key, settings.k).some((contact) => contact.id === id);
  }
}

/** True when nobody we know, the newcomer apart, is nearer to the key than we are: so only one node hands a thing over. */
function isNearest(table: RoutingTable, key: Key, ids: { self: NodeId; apart: NodeId }): boolean {
  const [first, second] = table.closest(key, 2);
  const rival = first?.id === ids.apart ? second : first;
  return !rival || compareDistance(key, ids.self, rival.id) < 0;
}
