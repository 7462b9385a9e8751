/** When a node can be certain that it knows the nodes nearest to a key, from the reach of its links to neighbours alone. */
import type { Key, NodeId } from './key.ts';

/** The parts of the question: who we are, for which key, and how far we see. */
export interface CoverageOptions {
  readonly self: NodeId;
  readonly target: Key;
  /** We are linked to every node that is as near to us as this one is. */
  readonly edge: NodeId;
  /** The last of the nodes that we would answer with: the question is whether somebody nearer to `target` may be unknown to us. */
  readonly last: NodeId;
}

/**
 * True when every id that is as near to `target` as `last` is must lie within our edge. An id at distance x of the target is at distance a xor x of us,
 * where a is our own distance to it; so the largest a xor x of all x up to that of `last` must not be beyond the edge. Exact, 32 bits at a time.
 */
export function isCovered({ self, target, edge, last }: CoverageOptions): boolean {
  let tight = true;
  for (let i = 0; i < target.length; i += 8) {
    const [s, t, e, l] = [wordAt(self, i), wordAt(target, i), wordAt(edge, i), wordAt(last, i)];
    const reach = (s ^ e) >>> 0;
    const worst: Largest = tight ? largestXor(s ^ t, t ^ l) : { value: 0xffff_ffff, tight: false };
    if (worst.value !== reach) return worst.value < reach;
    tight = worst.tight;
  }
  return true;
}

/** `tight`: it is reached only where x begins as the limit does. */
interface Largest {
  readonly value: number;
  readonly tight: boolean;
}

/** The largest of `a` xor x over 0 ≤ x ≤ `most`, in 32 bits. */
function largestXor(a: number, most: number): Largest {
  let value = 0;
  for (let bit = 31; bit >= 0; bit--) {
    const [own, limit] = [(a >>> bit) & 1, (most >>> bit) & 1];
    // A bit of x that is left at 0 where it might be 1 frees all later ones.
    if (own === 1 && limit === 1) return { value: (value | (2 ** (bit + 1) - 1)) >>> 0, tight: false };
    value = (value | ((own | limit) << bit)) >>> 0;
  }
  return { value, tight: true };
}

function wordAt(key: Key, at: number): number {
  return Number.parseInt(key.slice(at, at + 8), 16);
}
