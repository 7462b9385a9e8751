/** Fills the routing table: when the node joins, and bucket by bucket when nothing was looked up in one for long (Kademlia paper §2.3). */
import type { Clock, Random } from '../base/ports.ts';
import { KEY_BYTES, keyInBucket, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Overlay } from './overlay.ts';
import type { NodeSettings } from './settings.ts';

export interface Refreshing {
  /** The first link stands: finds the neighbourhood, and somebody in each bucket. */
  join(signal: AbortSignal): Promise<void>;
  /** Looks up a random key in each bucket that nothing was looked up in for `refreshInterval`. */
  refresh(signal: AbortSignal): Promise<void>;
}

export interface RefreshingOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly overlay: Overlay;
}

/** Nodes that must answer in a bucket's refreshing: enough to fill its links from what they name. */
const REFRESH_WIDTH = 4;

export function createRefreshing(options: RefreshingOptions): Refreshing {
  const { clock, random, settings, table, overlay } = options;

  const refresh = async (signal: AbortSignal): Promise<void> => {
    for (const bucket of table.staleBuckets(clock.now(), settings.refreshInterval)) {
      if (signal.aborted) return;
      const target = keyInBucket(options.self, bucket, random.bytes(KEY_BYTES));
      // What the replies name is what counts; the last word on the nearest is not needed.
      for await (const event of overlay.lookup(target, { width: REFRESH_WIDTH, signal })) if (event.type === 'done') break;
    }
  };

  return {
    async join(signal) {
      await overlay.nearest(options.self, signal);
      await refresh(signal);
    },
    refresh,
  };
}
