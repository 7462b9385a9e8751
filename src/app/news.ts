/** When the list of newest videos is asked for again: soon while there is news, ever more seldom while there is none, as each is a lookup that others may have to carry. */
import type { VideoCard } from './api.ts';

export interface News {
  /** Milliseconds between the last list and the next. */
  readonly pause: number;
  /** Milliseconds since 1970. */
  readonly next: number;
}

const FIRST_PAUSE = 60_000;
const LONGEST_PAUSE = 480_000;
/** Longer between two ticks (ms), and the page was hidden, or the computer slept. */
const AWAY = 30_000;

/** Nothing was asked yet, or somebody comes to look. */
export function freshNews(now: number): News {
  return { pause: FIRST_PAUSE, next: now + FIRST_PAUSE };
}

/** A list came that took the place of another. */
export function afterList(news: News, lists: { now: number; before: readonly VideoCard[]; after: readonly VideoCard[] }): News {
  const { now, before, after } = lists;
  const isSame = before.length === after.length && after.every(({ videoId }, i) => videoId === before[i]?.videoId);
  if (!isSame) return freshNews(now);
  const pause = Math.min(2 * news.pause, LONGEST_PAUSE);
  return { pause, next: now + pause };
}

/** Whether to ask, between one tick and the next. */
export function isNewsDue(news: News, ticks: { last: number; now: number }): boolean {
  return ticks.now >= news.next || ticks.now - ticks.last > AWAY;
}
