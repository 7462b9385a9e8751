/** What events mean for the lists of videos. */
import type { Event } from './events.ts';
import { afterList, isNewsDue } from './news.ts';
import type { Feed, Problem, State } from './state.ts';
import type { Step } from './step.ts';

type FeedEvent = Extract<Event, { readonly type: 'tick' | 'feed-retry-pressed' | 'feed-loaded' | 'feed-failed' }>;

export function updateFeeds(state: State, event: FeedEvent): Step {
  switch (event.type) {
    case 'tick':
      return tick(state, event.now);
    case 'feed-retry-pressed':
      return {
        state: { ...state, [event.feed]: { ...state[event.feed], phase: 'loading', problem: null } },
        effects: [{ type: 'load-feed', feed: event.feed }],
      };
    case 'feed-loaded':
      return feedLoaded(state, event);
    case 'feed-failed':
      return { state: { ...state, [event.feed]: failedFeed(state[event.feed], event.problem) }, effects: [] };
  }
}

function tick(state: State, now: number): Step {
  const { news, newest, route } = state;
  const next: State = { ...state, now };
  if (route.page !== 'home' || newest.phase !== 'ready' || !isNewsDue(news, { last: state.now, now })) return { state: next, effects: [] };
  return { state: { ...next, news: { ...news, next: now + news.pause } }, effects: [{ type: 'load-feed', feed: 'newest' }] };
}

function feedLoaded(state: State, { feed, videos }: Extract<Event, { type: 'feed-loaded' }>): Step {
  const { now, news, newest } = state;
  const loaded: State = { ...state, [feed]: { phase: 'ready', videos, problem: null } };
  if (feed === 'mine') return { state: loaded, effects: [] };
  return { state: { ...loaded, news: afterList(news, { now, before: newest.videos, after: videos }) }, effects: [] };
}

/** A list that is there stays: an old list is better than an apology. */
function failedFeed(feed: Feed, problem: Problem): Feed {
  return feed.videos.length > 0 ? { ...feed, phase: 'ready', problem: null } : { phase: 'failed', videos: [], problem };
}
