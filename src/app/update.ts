/** What follows from an event: the next state, and what to do in the world. Pure. */
import { assertNever, type ErrorCode } from '../base/errors.ts';
import type { VideoId } from '../media/manifest.ts';
import type { NodeHealth } from './api.ts';
import type { Event } from './events.ts';
import { freshNews } from './news.ts';
import { EMPTY_PLAN } from './publish-plan.ts';
import { parsePath, pathOf } from './router.ts';
import type { Feed, Problem, Route, State, Theme } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';
import { openEditing, updateEditing } from './update-editing.ts';
import { updateFeeds } from './update-feeds.ts';
import { enterInvitePage, updateInviting } from './update-inviting.ts';
import { fallBack, NO_LOWER, updateLower } from './update-lower.ts';
import { updateNetwork } from './update-network.ts';
import { updatePublishing } from './update-publishing.ts';
import { updateUnfinished } from './update-unfinished.ts';

/** The state at the very start, before `started`. */
export function initialState(options: { path: string; theme: Theme; now: number; canShare: boolean }): State {
  const route = parsePath(options.path);
  return {
    route,
    theme: options.theme,
    health: STARTING,
    newest: LOADING,
    news: freshNews(options.now),
    mine: LOADING,
    publishing: { step: 'empty' },
    plan: EMPTY_PLAN,
    unfinished: [],
    watching: route.page === 'watch' ? { phase: 'loading', videoId: route.videoId } : { phase: 'idle' },
    editing: route.page === 'edit' ? openEditing(route.videoId).editing : { step: 'none' },
    network: { view: null, changing: null, refused: null },
    inviting: { step: route.page === 'invite' ? 'making' : 'none' },
    joining: { step: 'none' },
    notices: [],
    noticed: 0,
    now: options.now,
    canShare: options.canShare,
  };
}

export function update(state: State, event: Event): Step {
  switch (event.type) {
    case 'started':
      return {
        state,
        effects: [
          { type: 'follow-world' },
          { type: 'load-feed', feed: 'newest' },
          { type: 'load-feed', feed: 'mine' },
          ...(state.route.page === 'invite' ? [{ type: 'open-invitation' } as const] : []),
          ...(state.route.page === 'watch' ? [{ type: 'open-video', videoId: state.route.videoId } as const] : []),
          ...(state.route.page === 'edit' ? openEditing(state.route.videoId).effects : []),
          ...(state.route.page === 'network' ? [{ type: 'watch-network' } as const] : []),
        ],
      };
    case 'link-followed': {
      const route = parsePath(event.path);
      if (pathOf(route) === pathOf(state.route)) return { state, effects: [] };
      const step = go(state, route);
      return { state: step.state, effects: [{ type: 'push-path', path: event.path }, ...step.effects] };
    }
    case 'path-changed':
      return go(state, parsePath(event.path));
    case 'theme-chosen':
      return { state: { ...state, theme: event.theme }, effects: [{ type: 'keep-theme', theme: event.theme }] };
    case 'health-changed':
      return healthChanged(state, event.health);
    case 'node-failed':
      return {
        state: { ...state, health: { ...state.health, phase: 'failed', problem: sentence(event.problem) } },
        effects: [],
      };
    case 'tick':
    case 'feed-retry-pressed':
    case 'feed-loaded':
    case 'feed-failed':
      return updateFeeds(state, event);
    case 'file-chosen':
    case 'file-removed':
    case 'title-typed':
    case 'picture-file-chosen':
    case 'captions-file-chosen':
    case 'plan-changed':
    case 'publish-pressed':
    case 'publish-retry-pressed':
    case 'cancel-pressed':
    case 'publish-another-pressed':
    case 'probed':
    case 'probe-failed':
    case 'publish-progressed':
    case 'growth-changed':
    case 'qualities-changed':
    case 'shared-work-changed':
    case 'published':
    case 'publish-failed':
    case 'publish-cancelled':
    case 'copies-stored':
    case 'copies-failed':
      return updatePublishing(state, event);
    case 'unfinished-changed':
    case 'go-on-pressed':
    case 'discard-pressed':
    case 'discard-failed':
      return updateUnfinished(state, event);
    case 'network-change-pressed':
    case 'network-seen':
    case 'help-switched':
    case 'help-tuned':
    case 'help-changed':
    case 'network-changed':
    case 'network-change-failed':
      return updateNetwork(state, event);
    case 'invite-again-pressed':
    case 'invitation-ended':
    case 'reply-entered':
    case 'invitation-made':
    case 'reply-refused':
    case 'invitation-linked':
    case 'invitation-failed':
    case 'invitation-followed':
    case 'invitation-answered':
    case 'join-linked':
    case 'join-failed':
      return updateInviting(state, event);
    case 'watch-retry-pressed': {
      const { watching } = state;
      if (watching.phase !== 'failed') return { state, effects: [] };
      return {
        state: { ...state, watching: { phase: 'loading', videoId: watching.videoId } },
        effects: [{ type: 'open-video', videoId: watching.videoId }],
      };
    }
    case 'watch-opened':
      if (!isLoading(state, event.videoId)) return { state, effects: [] };
      return {
        state: {
          ...state,
          watching: {
            phase: 'ready',
            videoId: event.videoId,
            ...event.facts,
            sources: { store: 0, tabs: 0, openNodes: 0 },
            lower: NO_LOWER,
            problem: null,
          },
        },
        effects: [],
      };
    case 'editing':
      return updateEditing(state, event);
    case 'watch-changed': {
      const { watching } = state;
      const isShown = watching.phase === 'ready' && watching.videoId === event.videoId;
      return { state: isShown ? { ...state, watching: { ...watching, ...event.facts } } : state, effects: [] };
    }
    case 'watch-withdrawn':
      // What plays ends: its owner wants it so.
      if (state.watching.phase !== 'ready' || state.watching.videoId !== event.videoId) return { state, effects: [] };
      return {
        state: { ...state, watching: { phase: 'failed', videoId: event.videoId, problem: event.problem } },
        effects: [{ type: 'close-video' }],
      };
    case 'watch-failed':
      if (!isLoading(state, event.videoId)) return { state, effects: [] };
      return { state: { ...state, watching: { phase: 'failed', videoId: event.videoId, problem: event.problem } }, effects: [] };
    case 'sources-counted':
      return changeReady(state, event.videoId, { sources: event.sources });
    case 'request-abandoned':
      return { state, effects: [{ type: 'abandon-request', url: event.url }] };
    case 'playback-failed':
      return fallBack(state, event) ?? changeReady(state, event.videoId, { problem: event.problem });
    case 'playback-retry-pressed':
      return state.watching.phase === 'ready' ? changeReady(state, state.watching.videoId, { problem: null }) : { state, effects: [] };
    case 'lower-known':
    case 'lower-changed':
    case 'lower-asked':
    case 'lower-left':
    case 'lower-declined':
    case 'stream-too-slow':
    case 'playhead-moved':
      return updateLower(state, event);
    case 'copy-link-pressed':
      return { state, effects: [{ type: 'copy-link', videoId: event.videoId }] };
    case 'share-link-pressed':
      return { state, effects: [{ type: 'share-link', videoId: event.videoId, title: event.title }] };
    case 'copy-pressed':
      return { state, effects: [{ type: 'copy-text', text: event.text, what: event.what }] };
    case 'share-pressed':
      return { state, effects: [{ type: 'share-text', shared: event.shared }] };
    case 'text-copied':
      return notify(state, 'good', event.what === 'link' ? 'Link copied.' : 'Code copied.');
    case 'link-copied':
      return notify(state, 'good', 'Link copied.');
    case 'link-copy-failed':
      return notify(state, 'bad', `The browser did not allow copying. Copy it by hand: ${event.link}`);
    case 'link-share-failed':
      return notify(state, 'bad', 'The browser could not share the link. Copy it instead.');
    case 'notice-dismissed':
    case 'notice-expired':
      return { state: { ...state, notices: state.notices.filter((notice) => notice.id !== event.id) }, effects: [] };
    default:
      return assertNever(event);
  }
}

const STARTING: NodeHealth = {
  phase: 'starting',
  id: null,
  links: { tabs: 0, openNodes: 0 },
  openNodes: [],
  kept: { bytes: 0, quota: 0 },
  served: 0,
  problem: null,
};

const LOADING: Feed = { phase: 'loading', videos: [], problem: null };

function go(state: State, route: Route): Step {
  if (pathOf(route) === pathOf(state.route)) return { state, effects: [] };
  const effects: Effect[] = [];
  if (state.watching.phase !== 'idle') effects.push({ type: 'close-video' });
  if (route.page === 'watch') effects.push({ type: 'open-video', videoId: route.videoId });
  if (state.editing.step !== 'none') effects.push({ type: 'close-edit' });
  const opened = route.page === 'edit' ? openEditing(route.videoId) : null;
  effects.push(...(opened?.effects ?? []));
  if (state.route.page === 'network') effects.push({ type: 'leave-network' });
  if (route.page === 'network') effects.push({ type: 'watch-network' });
  if (route.page === 'home') effects.push({ type: 'load-feed', feed: 'newest' }, { type: 'load-feed', feed: 'mine' });
  const next: State = {
    ...state,
    route,
    news: route.page === 'home' ? freshNews(state.now) : state.news,
    network: { ...state.network, refused: null },
    editing: opened?.editing ?? { step: 'none' },
    watching: route.page === 'watch' ? { phase: 'loading', videoId: route.videoId } : { phase: 'idle' },
  };
  if (route.page !== 'invite') return { state: next, effects };
  const step = enterInvitePage(next);
  return { state: step.state, effects: [...effects, ...step.effects] };
}

/**
 * The first link opens the door to news: what was loaded without it is asked for again. And whoever comes may keep the video that
 * nobody had.
 */
function healthChanged(state: State, health: NodeHealth): Step {
  const linkedNow = linkCount(health) > 0 && linkCount(state.health) === 0;
  const moreTabs = health.links.tabs > state.health.links.tabs;
  const effects: Effect[] = linkedNow ? [{ type: 'load-feed', feed: 'newest' }] : [];
  const next: State = { ...state, health };
  const { watching } = state;
  if (!moreTabs || !('problem' in watching) || !watching.problem || !MAY_COME.includes(watching.problem.code))
    return { state: next, effects };
  // A player that stopped goes on from where it is.
  if (watching.phase === 'ready') return { state: { ...next, watching: { ...watching, problem: null } }, effects };
  const { videoId } = watching;
  return { state: { ...next, watching: { phase: 'loading', videoId } }, effects: [...effects, { type: 'open-video', videoId }] };
}

/** Failures that one more tab can cure. */
const MAY_COME: readonly ErrorCode[] = ['not-found', 'unreachable', 'no-path', 'timeout', 'closed'];

function linkCount({ links }: NodeHealth): number {
  return links.tabs + links.openNodes;
}

function isLoading({ watching }: State, videoId: VideoId): boolean {
  return watching.phase === 'loading' && watching.videoId === videoId;
}

type Ready = Extract<State['watching'], { phase: 'ready' }>;

/** Changes the video that is being watched, if it is still that one. */
function changeReady(state: State, videoId: VideoId, change: Partial<Pick<Ready, 'sources' | 'problem'>>): Step {
  const { watching } = state;
  if (watching.phase !== 'ready' || watching.videoId !== videoId) return { state, effects: [] };
  return { state: { ...state, watching: { ...watching, ...change } }, effects: [] };
}

function sentence({ what, why, advice }: Problem): string {
  return [what, why, advice].filter((part) => part !== null).join(' ');
}
