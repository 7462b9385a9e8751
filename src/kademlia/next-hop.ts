/** Choosing among linked nodes by distance: the nearest ones, and the one to pass a lookup on to. All of it by the first 32 bits where they decide. */
import { compareDistance, type Key, type NodeId } from './key.ts';
import { headOf, type Known } from './known.ts';

/** The `count` of them that are nearest to `target`, nearest first. */
export function nearestOf(list: Iterable<Known>, target: Key, count: number): readonly Known[] {
  const head = headOf(target);
  const best: Known[] = [];
  if (count <= 0) return best;
  for (const known of list) {
    const full = best.length >= count;
    if (full && compareBy(head, target, known, best[count - 1] as Known) > 0) continue;
    let place = full ? count - 1 : best.length;
    while (place > 0 && compareBy(head, target, known, best[place - 1] as Known) < 0) {
      best[place] = best[place - 1] as Known;
      place--;
    }
    best[place] = known;
  }
  return best;
}

/** How a hop is chosen. */
export interface HopOptions {
  readonly self: NodeId;
  readonly target: Key;
  readonly without: ReadonlySet<NodeId>;
  /** Milliseconds to a linked node; infinite when not measured. */
  readonly roundTrip: (known: Known) => number;
}

/**
 * The linked node to pass a lookup on to: strictly nearer to `target` than we are, so no lookup goes in circles; null when there is none. Not always the
 * nearest one: a hop that leaves a bit more to do but costs much less time is the better one (proximity route selection: Gummadi et al.,
 * "The impact of DHT routing geometry on resilience and proximity", 2003).
 */
export function nextHop(links: readonly Known[], { self, target, without, roundTrip }: HopOptions): Known | null {
  const head = headOf(target);
  const ours = (headOf(self) ^ head) >>> 0;
  let best: Known | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const known of links) {
    const theirs = (known.head ^ head) >>> 0;
    if (theirs > ours || (theirs === ours && compareDistance(target, known.contact.id, self) >= 0)) continue;
    if (without.has(known.contact.id)) continue;
    const ms = roundTrip(known);
    const cost = (Number.isFinite(ms) ? ms : UNMEASURED) + MS_PER_BIT * Math.log2(theirs + 1);
    if (cost > least || (cost === least && best && compareBy(head, target, known, best) > 0)) continue;
    best = known;
    least = cost;
  }
  return best;
}

/**
 * Milliseconds that one bit of distance left costs later: a quarter of a usual round trip around the world, as a hop gains some four bits. In a model of 10,000
 * nodes 30 to 70 are alike; less makes more hops, more forgets the latency (docs/decisions.md).
 */
const MS_PER_BIT = 45;
/** Milliseconds of a link whose round trip nobody has measured. */
const UNMEASURED = 150;

function compareBy(head: number, target: Key, a: Known, b: Known): number {
  const difference = ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0);
  return difference || compareDistance(target, a.contact.id, b.contact.id);
}
