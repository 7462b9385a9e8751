/** What an all-knowing eye sees: the nodes that really are nearest to a key. */
import { compareDistance, type Key, type NodeId } from '../../src/kademlia/key.ts';
import type { World } from './world.ts';

export interface Truth {
  /** The ids of the `count` nodes nearest to a key that are up, nearest first, without `apart`. */
  nearest(target: Key, count: number, apart?: NodeId): readonly NodeId[];
}

/** So few are sorted by distance at once instead of being split by their next bit. */
const FEW = 32;

export function createTruth(world: World): Truth {
  /** All that are up in the order of their ids; null when somebody came or went since. */
  let ids: readonly NodeId[] | null = null;
  world.onChange(() => {
    ids = null;
  });
  return {
    nearest(target, count, apart) {
      ids ??= world.nodes
        .filter((one) => one.up)
        .map((one) => one.id)
        .sort();
      const found: NodeId[] = [];
      collect(ids, target, { from: 0, to: ids.length, bit: 0 }, (id) => {
        if (id !== apart) found.push(id);
        return found.length < count;
      });
      return found;
    },
  };
}

/** Visits a slice of sorted ids that share their first `bit` bits, nearest first, until `take` says stop. */
function collect(
  ids: readonly NodeId[],
  target: Key,
  { from, to, bit }: { from: number; to: number; bit: number },
  take: (id: NodeId) => boolean,
): boolean {
  if (to - from <= FEW) {
    const few = ids.slice(from, to).sort((a, b) => compareDistance(target, a, b));
    return few.every(take);
  }
  const middle = firstWithBit(ids, { from, to, bit });
  const halves = [
    { from, to: middle, bit: bit + 1 },
    { from: middle, to, bit: bit + 1 },
  ] as const;
  const [near, far] = hasBit(target, bit) ? [halves[1], halves[0]] : halves;
  return collect(ids, target, near, take) && collect(ids, target, far, take);
}

function firstWithBit(ids: readonly NodeId[], slice: { from: number; to: number; bit: number }): number {
  let { from, to } = slice;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (hasBit(ids[middle] as NodeId, slice.bit)) to = middle;
    else from = middle + 1;
  }
  return from;
}

function hasBit(key: Key, bit: number): boolean {
  return (Number.parseInt(key[bit >> 2] as string, 16) & (8 >> (bit & 3))) !== 0;
}
