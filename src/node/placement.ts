/** How near this node is to a key, among the nodes that it has links to. */
import { commonPrefix, compareDistance, type Key } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';

export interface Placement {
  /** Linked nodes that are nearer, counted up to k: 0 when nobody is. */
  readonly rank: number;
  /** True among the k nearest, whose duty it is to keep what belongs to the key. */
  readonly near: boolean;
  /** How many bits farther than the farthest of the k nearest: 0 among them and just behind. */
  readonly bits: number;
}

/** Where this node stands for a key, among the k nearest or behind them. */
export function placementOf(table: RoutingTable, key: Key, k: number): Placement {
  const nearest = table.closestLinked(key, k);
  const farther = nearest.findIndex((contact) => compareDistance(key, table.self, contact.id) < 0);
  const rank = farther < 0 ? nearest.length : farther;
  const last = nearest[k - 1];
  if (rank < k || !last) return { rank, near: true, bits: 0 };
  return { rank, near: false, bits: Math.max(0, commonPrefix(key, last.id) - commonPrefix(key, table.self)) };
}
