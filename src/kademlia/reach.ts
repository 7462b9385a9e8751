/** How far a node sees: up to which distance it is linked to every node there is, and so which keys it knows the nearest nodes of. */
import { isCovered } from './coverage.ts';
import { compareDistance, type Key, type NodeId } from './key.ts';
import type { Known } from './known.ts';
import { nearestOf } from './next-hop.ts';

export interface Reach {
  /** Links or contacts came or went. */
  changed(): void;
  /** Our nearest were asked for others, and what they named is known: from now on `covers` may say yes. Undone when the last link ends. */
  settled(): void;
  /** True when our links to neighbours show for certain that the `count` nodes nearest to `target` are among us and those linked to us. */
  covers(target: Key, count: number): boolean;
}

export interface ReachOptions {
  readonly self: NodeId;
  /** Both nearest to us first. */
  readonly known: readonly Known[];
  readonly links: readonly Known[];
  /** How many of the nearest are wanted linked. */
  readonly neighbours: number;
}

export function createReach({ self, known, links, neighbours }: ReachOptions): Reach {
  /** The farthest neighbour up to which we are linked to everybody whom we know; undefined when it must be looked for again. */
  let edge: NodeId | null | undefined;
  let complete = false;

  const findEdge = (): NodeId | null => {
    let last: NodeId | null = null;
    // In a network that small, fewer than are wanted, nobody can tell from the inside where it ends.
    if (known.length < neighbours) return null;
    for (let i = 0; i < Math.min(known.length, neighbours); i++) {
      const one = known[i] as Known;
      if (one.linkedAt === null) break;
      last = one.contact.id;
    }
    return last;
  };

  return {
    changed() {
      edge = undefined;
      complete &&= links.length > 0;
    },
    settled() {
      complete = links.length > 0;
    },
    covers(target, count) {
      if (!complete) return false;
      if (edge === undefined) edge = findEdge();
      if (edge === null) return false;
      // Too far away to see anything there, which is the common case.
      if (compareDistance(self, target, edge) > 0) return false;
      const nearest = nearestOf(links, target, count).map((one) => one.contact.id);
      const ours = nearest.filter((id) => compareDistance(target, id, self) < 0).length;
      const last = ours >= count ? nearest[count - 1] : ours === count - 1 ? self : nearest[count - 2];
      return last !== undefined && isCovered({ self, target, edge, last });
    },
  };
}
