/** Who may have a link when there is little room, and whose link goes for it (docs/protocol.md, rule T3). The budget is never exceeded. */

import type { NodeId } from './key.ts';
import type { Known } from './known.ts';
import { guestRoom, isQuarterFree, type LinkState, neighbourCount, rankLinks, spared } from './link-plan.ts';

/**
 * Who wants a link, and what for · `own`: we do · `routing`: another node wants us in its routing table · `guest`: another node wants something of
 * us, or has nobody else yet.
 */
export type LinkPurpose = 'own' | 'routing' | 'guest';

export interface Admission {
  readonly taken: boolean;
  /** The link that must be closed first; null when there is room. */
  readonly instead: NodeId | null;
}

export interface AdmissionOptions {
  readonly now: number;
  readonly purpose: LinkPurpose;
  /** Links that are promised to others. */
  readonly reserved: number;
  /** Links that carry something now are not closed. */
  readonly isBusy: (id: NodeId) => boolean;
}

/** Links to close. */
export interface Surplus {
  /** Now. */
  readonly ready: readonly NodeId[];
  /** When the next one may be; infinite when there is none. */
  readonly again: number;
}

const NO_SURPLUS: Surplus = { ready: [], again: Number.POSITIVE_INFINITY };
/**
 * How long a link lasts at least before another node gets its place, ms: else those who come at once push each other out, come back at once, and none
 * gets in. A newcomer has its first links after 2 s, and the others by these.
 */
const LEAST_STAY = 4_000;
/** How long a guest may stay when its place is wanted for the next ones, ms: a newcomer has links of its own by then. */
const GUEST_STAY = 30_000;
const REFUSED: Admission = { taken: false, instead: null };

/** Whether a link to this node may be made. */
export function admit(state: LinkState, newcomer: Known, { now, purpose, reserved, isBusy }: AdmissionOptions): Admission {
  const { settings, links } = state;
  const free = settings.budget - links.length - reserved;
  const near = placeAmong(state, newcomer);
  const useful = near < spared(settings) || fillsGap(state, newcomer);
  if (purpose === 'routing' && !useful) return { taken: free > guestRoom(settings), instead: null };
  if (free > 0) return { taken: true, instead: null };
  const { redundant, needed } = rankLinks(state);
  const order = redundant.filter((one) => purpose !== 'guest' || useful || one.guest);
  if (purpose === 'own' || near < neighbourCount(settings)) order.push(...needed);
  // Its neighbours from the farthest on: they are nearer to us than anybody who comes for something else.
  if (near < neighbourCount(settings)) order.push(...links.slice(Math.max(near, neighbourCount(settings) - 1), spared(settings)).reverse());
  const mayGo = (one: Known): boolean => !isBusy(one.contact.id) && (purpose === 'own' || now - (one.linkedAt ?? now) >= LEAST_STAY);
  const out = lastOpenSpared(order, links).find(mayGo);
  return out ? { taken: true, instead: out.contact.id } : REFUSED;
}

/**
 * Links that are in the way of others: what routing does not need beyond its part of the budget, the least useful first. What we opened ourselves and
 * need no more makes room for what others need even before that: else a network that grows is full of links that were of use when it was small.
 */
export function planSurplus(state: LinkState, { now, isBusy }: { now: number; isBusy: (id: NodeId) => boolean }): Surplus {
  const excess = state.links.length - (state.settings.budget - guestRoom(state.settings));
  const unneeded = excess + guestRoom(state.settings);
  if (unneeded <= 0) return NO_SURPLUS;
  const redundant = lastOpenSpared(rankLinks(state).redundant, state.links);
  const order = [...redundant.slice(0, Math.max(0, excess)), ...redundant.slice(Math.max(0, excess)).filter((one) => one.ours)].slice(
    0,
    unneeded,
  );
  const stay = (one: Known): number => (isBusy(one.contact.id) ? now : (one.linkedAt ?? now)) + GUEST_STAY;
  const ready = order.filter((one) => stay(one) <= now);
  const later = order.filter((one) => stay(one) > now);
  return { ready: ready.map((one) => one.contact.id), again: Math.min(...later.map(stay)) };
}

/** The way out to the world goes at the very end. */
function lastOpenSpared(order: readonly Known[], links: readonly Known[]): readonly Known[] {
  const isOpen = (one: Known): boolean => one.contact.open !== null;
  if (links.filter(isOpen).length !== 1) return order;
  return [...order.filter((one) => !isOpen(one)), ...order.filter(isOpen)];
}

/** How many linked nodes are nearer to us than this one. */
function placeAmong({ links, settings, compare }: LinkState, newcomer: Known): number {
  let place = 0;
  // Beyond those that are spared it does not matter.
  while (place < Math.min(links.length, spared(settings)) && compare(links[place] as Known, newcomer) < 0) place++;
  return place;
}

/** True when a quarter of a far bucket has no link, or a bucket no link to an open node. */
function fillsGap({ settings, buckets }: LinkState, newcomer: Known): boolean {
  const bucket = buckets.find((one) => one.index === newcomer.bucket);
  if (!bucket) return settings.farLinks > 0;
  if (newcomer.contact.open !== null && !bucket.links.some((one) => one.contact.open !== null)) return true;
  return isQuarterFree(bucket, newcomer.quarter, settings);
}
