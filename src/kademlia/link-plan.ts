/** Which nodes to be linked to: the plan of links (docs/protocol.md, rules T2 and T6). The working set of a routing table is live links. */
import type { Contact } from './contact.ts';
import type { KBucket } from './k-bucket.ts';
import type { Known } from './known.ts';
import type { OpenNodes } from './open-nodes.ts';

export interface RoutingSettings {
  /** Contacts in a bucket. */
  readonly k: number;
  /** Links wanted in each far bucket, no two of them in the same quarter of it. */
  readonly farLinks: number;
  /** The nearest nodes, all of which are wanted linked; never more than half of the budget, so that far buckets have links too. */
  readonly neighbours: number;
  /** Links at most. */
  readonly budget: number;
}

/** What plans are made from. */
export interface LinkState {
  readonly settings: RoutingSettings;
  /** Farthest from us first. */
  readonly buckets: readonly KBucket[];
  /** Nearest to us first, as are `known`. */
  readonly links: readonly Known[];
  readonly known: readonly Known[];
  readonly openNodes: Pick<OpenNodes, 'all' | 'again'>;
  /** Negative when `a` is nearer to us than `b`. */
  compare(a: Known, b: Known): number;
  /** Milliseconds, measured or else expected; infinite when nobody can tell. */
  roundTrip(known: Known): number;
}

export interface LinkPlan {
  /** Contacts to link to, most wanted first; no more than there is room for. */
  readonly wanted: readonly Contact[];
  /**
   * One more link in a far bucket that has some: to be opened when there is time, as others may fill its place from their side. Null when there is none.
   * It is looked for when it is asked for, which is to be done before anything changes.
   */
  spare(): Contact | null;
  /** When somebody who is wanted may be tried again; infinite when there is nobody. */
  readonly again: number;
  /** What no known node can be: a neighbour, or a link in some quarter of a far bucket. */
  readonly short: { readonly neighbours: boolean; readonly far: boolean };
}

/** How a plan is made. */
export interface PlanOptions {
  readonly now: number;
  /** Nodes that links are being opened to. */
  readonly underWay: ReadonlySet<Known>;
  /** False while candidates for the far buckets are still being gathered. */
  readonly far: boolean;
}

/** Links in a far bucket that are wanted at once. As many again come from others, who want us: opening all four from both sides made twice the links. */
const FAR_AT_ONCE = 2;
/** Links to open nodes that are wanted at once; those of the other buckets when there is time. */
const OPEN_AT_ONCE = 2;
/** A candidate must be this much nearer than the link whose place it takes: a new connection has its price, and estimates err by 10%. */
const NEARER = { share: 0.6, ms: 20 };

/** The part of the budget that routing leaves to guests: who comes to fetch something, and newcomers at an open node. */
export function guestRoom(settings: RoutingSettings): number {
  return Math.floor(settings.budget / 10);
}

/** How many of the nearest are neighbours. */
export function neighbourCount(settings: RoutingSettings): number {
  return Math.min(settings.neighbours, settings.budget >> 1);
}

/** Contacts to link to: neighbours, an open node for each bucket that knows one, then one in each empty quarter of the far buckets. */
export function planLinks(state: LinkState, { now, underWay, far }: PlanOptions): LinkPlan {
  const { settings, buckets, links, known } = state;
  let again = Number.POSITIVE_INFINITY;
  const isTaken = (one: Known): boolean => one.linkedAt !== null || underWay.has(one);
  const isDue = (at: number): boolean => {
    if (at > now && at < again) again = at;
    return at <= now;
  };
  const isCallable = (one: Known): boolean => isDue(one.contact.open === null ? one.retryAt : Math.max(one.retryAt, state.openNodes.again));

  const urgent: Known[] = [];
  let near = 0;
  let border = -1;
  for (const one of known) {
    if (near >= neighbourCount(settings)) break;
    if (!isTaken(one)) {
      if (!isDue(one.retryAt)) continue;
      urgent.push(one);
    }
    border = one.bucket;
    near++;
  }
  const open = openWanted(state, [...underWay, ...urgent], isCallable);
  const isOpen = (one: Known): boolean => one.contact.open !== null;
  const openSoon = Math.max(0, OPEN_AT_ONCE - [...underWay, ...urgent, ...links].filter(isOpen).length);
  urgent.push(...open.slice(0, openSoon));

  /** For each bucket the quarters that will have a link, as bits. */
  const promised: number[] = [];
  for (const one of [...underWay, ...urgent]) promised[one.bucket] = (promised[one.bucket] ?? 0) | (1 << one.quarter);
  const gaps: { candidate: Known; rank: number }[] = [];
  let missing = false;
  let seen = 0;
  for (const bucket of buckets) {
    // A bucket just before the neighbours may well have nobody in a quarter; those farther away have.
    const full = bucket.index < border - 1;
    if (full) seen++;
    const filled = quartersOf(bucket, promised[bucket.index] ?? 0);
    let count = QUARTERS_IN[filled] as number;
    for (let quarter = 0; quarter < 4 && count < settings.farLinks; quarter++) {
      if ((filled & (1 << quarter)) !== 0) continue;
      const candidate = bestOf(bucket.nodes, (one) => one.quarter === quarter && !isTaken(one) && isCallable(one), state);
      if (candidate) gaps.push({ candidate, rank: count++ });
      else missing ||= full;
    }
  }
  const short = { neighbours: near < neighbourCount(settings), far: missing || seen < border - 1 };

  const used = links.length + underWay.size;
  const free = settings.budget - used;
  if (urgent.length > free) urgent.length = Math.max(0, Math.min(urgent.length, free + rankLinks(state).redundant.length));
  const room = far ? Math.max(0, free - guestRoom(settings) - urgent.length) : 0;
  gaps.sort((a, b) => a.rank - b.rank || a.candidate.bucket - b.candidate.bucket);
  const late = gaps.findIndex((gap) => gap.rank >= FAR_AT_ONCE);
  const soon = gaps.slice(0, Math.min(room, late < 0 ? gaps.length : late));
  // The last places are for those who need us at once; but what we opened and need no more gives its place.
  const isRoomy = (): boolean =>
    late >= 0 && soon.length === late && (room - soon.length > guestRoom(settings) || rankLinks(state).redundant.some((one) => one.ours));
  const laterOpen = (): Known | undefined => open.slice(openSoon).find((one) => soon.every(({ candidate }) => candidate !== one));
  return {
    wanted: [...urgent, ...soon.map((gap) => gap.candidate)].map((one) => one.contact),
    spare: () => (laterOpen() ?? (isRoomy() ? gaps[late]?.candidate : undefined))?.contact ?? null,
    again,
    short,
  };
}

/** True when a bucket has no link in this quarter, and fewer quarters with links than are wanted. */
export function isQuarterFree(bucket: KBucket, quarter: number, { farLinks }: RoutingSettings): boolean {
  const filled = quartersOf(bucket, 0);
  return (filled & (1 << quarter)) === 0 && (QUARTERS_IN[filled] as number) < farLinks;
}

/** How many of four bits are set. */
const QUARTERS_IN = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];
const ALL_QUARTERS = 15;

/** The quarters in which a bucket has a link, as bits, besides those given. */
function quartersOf(bucket: KBucket, besides: number): number {
  let filled = besides;
  for (const one of bucket.links) {
    filled |= 1 << one.quarter;
    if (filled === ALL_QUARTERS) break;
  }
  return filled;
}

/** The open nodes to link to, one in each bucket that has no link to one. */
function openWanted(state: LinkState, promised: readonly Known[], isCallable: (one: Known) => boolean): readonly Known[] {
  const served = new Set<number>();
  for (const one of promised) if (one.contact.open !== null) served.add(one.bucket);
  for (const one of state.openNodes.all) if (one.linkedAt !== null) served.add(one.bucket);
  const best = new Map<number, Known>();
  for (const one of state.openNodes.all) {
    if (served.has(one.bucket) || !isCallable(one)) continue;
    const present = best.get(one.bucket);
    if (!present || byMerit(one, present, state) < 0) best.set(one.bucket, one);
  }
  return [...best.values()].sort((a, b) => a.bucket - b.bucket);
}

/** A node that is so much nearer in time than our best link in its quarter that it should have that link's place. Null when there is none. */
export function planNearer(state: LinkState, { now, underWay }: PlanOptions): Contact | null {
  const near = new Set(state.links.slice(0, neighbourCount(state.settings)));
  let best: Known | null = null;
  let gain = NEARER.ms;
  for (const bucket of state.buckets) {
    for (let quarter = 0; quarter < 4; quarter++) {
      const links = bucket.links.filter((one) => one.quarter === quarter && !near.has(one));
      if (links.length === 0 || bucket.nodes.some((one) => one.quarter === quarter && underWay.has(one))) continue;
      const present = Math.min(...links.map((one) => state.roundTrip(one)));
      // Not measured yet is no reason to look for another one.
      if (!Number.isFinite(present)) continue;
      for (const one of bucket.nodes) {
        if (one.quarter !== quarter || one.linkedAt !== null || one.retryAt > now || one.failures > 0) continue;
        const expected = state.roundTrip(one);
        if (expected >= NEARER.share * present || present - expected <= gain) continue;
        best = one;
        gain = present - expected;
      }
    }
  }
  return best?.contact ?? null;
}

/** Links that are not to neighbours, the ones that routing needs, and the others: each list the least useful first. */
export function rankLinks(state: LinkState): { redundant: Known[]; needed: Known[] } {
  const { settings, links, buckets } = state;
  const near = new Set(links.slice(0, spared(settings)));
  const redundant: Known[] = [];
  const needed: Known[] = [];
  for (const bucket of buckets) {
    const far = bucket.links.filter((one) => !near.has(one)).sort((a, b) => byUse(a, b, state));
    const quarters = new Set<number>();
    let kept = 0;
    // By their order an open one is the first.
    for (const [place, one] of far.entries()) {
      const keeps = (place === 0 && one.contact.open !== null) || (kept < settings.farLinks && !quarters.has(one.quarter));
      (keeps ? needed : redundant).push(one);
      if (!keeps) continue;
      quarters.add(one.quarter);
      kept++;
    }
  }
  const late = (a: Known, b: Known): number => (b.linkedAt ?? 0) - (a.linkedAt ?? 0);
  // Guests first, then what we opened: what others opened they may still need.
  const kind = (one: Known): number => 2 * Number(one.guest) + Number(one.ours);
  redundant.sort((a, b) => kind(b) - kind(a) || (a.guest ? late(b, a) : compare(state.roundTrip(b), state.roundTrip(a)) || late(a, b)));
  needed.sort((a, b) => b.bucket - a.bucket || compare(state.roundTrip(b), state.roundTrip(a)) || late(a, b));
  // What is needed may fill no more than routing's part of the budget: a node that is full of useful links would let nobody in for ever.
  const over = near.size + needed.length - (settings.budget - guestRoom(settings));
  if (over > 0) redundant.push(...needed.splice(0, over));
  return { redundant, needed };
}

/** Links to the nearest that are not given up for a place in a far bucket: half as many again as we want, as others may count us among their nearest. */
export function spared(settings: RoutingSettings): number {
  return Math.min(settings.neighbours + (settings.neighbours >> 1), settings.budget >> 1);
}

/** The most useful links of a bucket first: open ones, then members before guests, then the fastest, then the oldest. */
function byUse(a: Known, b: Known, state: LinkState): number {
  const open = Number(b.contact.open !== null) - Number(a.contact.open !== null);
  return (
    open || Number(a.guest) - Number(b.guest) || compare(state.roundTrip(a), state.roundTrip(b)) || (a.linkedAt ?? 0) - (b.linkedAt ?? 0)
  );
}

/** Whom one wants a link to: those that did not fail, then the nearest in time, then the longest known. */
function bestOf(nodes: readonly Known[], accept: (one: Known) => boolean, state: LinkState): Known | null {
  let best: Known | null = null;
  for (const one of nodes) {
    if (accept(one) && (best === null || byMerit(one, best, state) < 0)) best = one;
  }
  return best;
}

function byMerit(a: Known, b: Known, state: LinkState): number {
  return a.failures - b.failures || compare(state.roundTrip(a), state.roundTrip(b)) || a.since - b.since;
}

/** As a difference, which two infinite numbers don't have. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
