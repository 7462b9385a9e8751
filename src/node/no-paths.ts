/** Nodes that answered and could not be connected to: what two NATs do to each other seldom changes, and each try costs both an RTCPeerConnection. */
import type { Clock } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import { trim } from './trim.ts';

export interface NoPaths {
  /** One more attempt failed. */
  add(id: NodeId): void;
  /** There is a link after all. */
  delete(id: NodeId): void;
  /** True while nothing else is to be expected than that it fails again. */
  isPaused(id: NodeId): boolean;
  /** This node's own network may have changed. */
  clear(): void;
}

/** Until the next try, ms: the first failure may have been chance; four times as long after each, so that a pair costs six connections a day. */
const FIRST_PAUSE = 120_000;
const LONGER = 4;
const LONGEST_PAUSE = 43_200_000;
/** Nodes that are remembered. */
const MOST = 512;

export function createNoPaths({ clock }: { readonly clock: Clock }): NoPaths {
  const nodes = new Map<NodeId, { readonly pause: number; readonly until: number }>();
  return {
    add(id) {
      const known = nodes.get(id);
      const now = clock.now();
      // Both sides' attempts at once are one failure.
      if (known && now < known.until) return;
      const pause = known ? Math.min(known.pause * LONGER, LONGEST_PAUSE) : FIRST_PAUSE;
      nodes.delete(id);
      nodes.set(id, { pause, until: now + pause });
      trim(nodes, MOST);
    },
    delete: (id) => void nodes.delete(id),
    isPaused: (id) => clock.now() < (nodes.get(id)?.until ?? 0),
    clear: () => nodes.clear(),
  };
}
