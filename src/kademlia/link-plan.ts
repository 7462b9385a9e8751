/** Which contacts a node should be linked to, and which links it can do without (design: the working set is live links). */
import type { Contact } from './contact.ts';
import { byMerit, type KBucket, type Known } from './k-bucket.ts';
import type { NodeId } from './key.ts';

export interface RoutingSettings {
  /** Contacts in a bucket. */
  readonly k: number;
  /** Links wanted in each far bucket. */
  readonly farLinks: number;
  /** The nearest nodes, all of which are wanted linked; never more than half of the budget, so that far buckets have links too. */
  readonly neighbours: number;
  /** Links at most. */
  readonly budget: number;
}

/** What the plan is made from. */
export interface LinkState {
  readonly settings: RoutingSettings;
  /** The buckets that hold somebody, farthest from us first. */
  readonly buckets: readonly KBucket[];
  readonly linkCount: number;
  /** The `count` nearest to us of those that `accept` takes, nearest first. */
  nearest(count: number, accept: (known: Known) => boolean): readonly Known[];
}

/**
 * Contacts to link to, most wanted first: neighbours, an open node for each bucket that knows one, then far buckets below
 * `farLinks`, the emptiest first. No more than there is room for; links that serve no purpose make room for the first two kinds.
 */
export function planWanted(state: LinkState, now: number): readonly Contact[] {
  const { settings, buckets } = state;
  const callable = (known: Known): boolean => known.linkedAt === null && known.retryAt <= now;
  const wanted = new Set<Known>();
  for (const known of state.nearest(neighbourCount(settings), (one) => one.linkedAt !== null || callable(one))) {
    if (known.linkedAt === null) wanted.add(known);
  }
  for (const bucket of buckets) {
    const open = [...bucket.all()].filter((known) => known.contact.open !== null);
    if (open.some((known) => known.linkedAt !== null || wanted.has(known))) continue;
    const best = open.filter(callable).sort(byMerit)[0];
    if (best) wanted.add(best);
  }
  const room = settings.budget - state.linkCount;
  const urgent = [...wanted].slice(0, Math.max(0, room + countIdle(state)));

  const far = buckets.map((bucket) => {
    const candidates = [...bucket.all()].filter((known) => callable(known) && !wanted.has(known)).sort(byMerit);
    return { candidates, links: bucket.linkCount + urgent.filter((known) => bucket.get(known.contact.id)).length };
  });
  const chosen = [...urgent];
  for (let links = 0; links < settings.farLinks; links++) {
    for (const bucket of far) {
      if (chosen.length >= room) return contactsOf(chosen);
      if (bucket.links > links) continue;
      const next = bucket.candidates.shift();
      if (!next) continue;
      chosen.push(next);
      bucket.links++;
    }
  }
  return contactsOf(chosen);
}

/**
 * The links to close so that no more than the budget are left, least useful first: those of a far bucket above `farLinks`, then the
 * rest of the far ones, then neighbours from the farthest, and the last open node at the very end. Within a bucket the youngest goes
 * first, then the slowest; an open node goes last. Links in `protect` are never named, so there may be fewer than needed.
 */
export function planSurplus(state: LinkState, protect: ReadonlySet<NodeId>): readonly NodeId[] {
  const excess = state.linkCount - state.settings.budget;
  if (excess <= 0) return [];
  const { far, neighbours } = rankLinks(state);
  far.sort((a, b) => b.rank - a.rank || (b.known.linkedAt ?? 0) - (a.known.linkedAt ?? 0));
  const order = [...far.map((link) => link.known), ...neighbours.toReversed()];
  const open = order.filter((known) => known.contact.open !== null);
  const last = open.length === 1 ? open[0] : undefined;
  return [...order.filter((known) => known !== last), ...(last ? [last] : [])]
    .map((known) => known.contact.id)
    .filter((id) => !protect.has(id))
    .slice(0, excess);
}

function contactsOf(known: readonly Known[]): readonly Contact[] {
  return known.map((one) => one.contact);
}

function neighbourCount(settings: RoutingSettings): number {
  return Math.min(settings.neighbours, settings.budget >> 1);
}

/** Links, nearest neighbours apart, each with its rank in its bucket: 0 is the last that the bucket would give up. */
function rankLinks(state: LinkState): { far: { known: Known; rank: number }[]; neighbours: readonly Known[] } {
  const neighbours = state.nearest(neighbourCount(state.settings), (known) => known.linkedAt !== null);
  const near = new Set(neighbours);
  const far = state.buckets.flatMap((bucket) => {
    const links = [...bucket.all()].filter((known) => known.linkedAt !== null).sort(byTenure);
    return links.map((known, rank) => ({ known, rank })).filter((link) => !near.has(link.known));
  });
  return { far, neighbours };
}

/** How many links are neither to neighbours nor needed by their bucket. */
function countIdle(state: LinkState): number {
  return rankLinks(state).far.filter((link) => link.rank >= state.settings.farLinks).length;
}

/** Open nodes first, then the oldest links, then the fastest. */
function byTenure(a: Known, b: Known): number {
  const open = Number(b.contact.open !== null) - Number(a.contact.open !== null);
  return open || (a.linkedAt ?? 0) - (b.linkedAt ?? 0) || (a.roundTrip ?? Number.MAX_VALUE) - (b.roundTrip ?? Number.MAX_VALUE);
}
