import { describe, expect, it } from 'vitest';
import type { VideoCard } from '../../../src/app/api.ts';
import type { Event } from '../../../src/app/events.ts';
import type { State } from '../../../src/app/state.ts';
import { update } from '../../../src/app/update.ts';
import { NO_LOWER } from '../../../src/app/update-lower.ts';
import { CARD, FACTS, FILE, follow, HEALTH, OTHER, PROBE, PROBLEM, stateAt, VIDEO } from './states.ts';

const OPENED: Event = { type: 'watch-opened', videoId: VIDEO, facts: FACTS };

/** The state is that very object, and nothing is to be done. */
function expectNothing(state: State, ...events: readonly Event[]): void {
  for (const event of events) {
    const step = update(state, event);
    expect(step.effects, event.type).toEqual([]);
    expect(step.state, event.type).toEqual(state);
  }
}

describe('update: starting and moving', () => {
  it('starts by following the world and loading both lists', () => {
    expect(update(stateAt('/'), { type: 'started' }).effects).toEqual([
      { type: 'follow-world' },
      { type: 'load-feed', feed: 'newest' },
      { type: 'load-feed', feed: 'mine' },
    ]);
  });

  it('starts on a watch link by opening the video', () => {
    const state = stateAt(`/watch/${VIDEO}`);
    expect(state.watching).toEqual({ phase: 'loading', videoId: VIDEO });
    expect(update(state, { type: 'started' }).effects).toContainEqual({ type: 'open-video', videoId: VIDEO });
  });

  it('follows a link: new entry in the history, and the video opens', () => {
    const { state, effects } = follow(stateAt('/'), { type: 'link-followed', path: `/watch/${VIDEO}` });
    expect(state.route).toEqual({ page: 'watch', videoId: VIDEO });
    expect(state.watching).toEqual({ phase: 'loading', videoId: VIDEO });
    expect(effects).toEqual([
      { type: 'push-path', path: `/watch/${VIDEO}` },
      { type: 'open-video', videoId: VIDEO },
    ]);
  });

  it('does nothing for a link to where we are', () => {
    expectNothing(stateAt('/publish'), { type: 'link-followed', path: '/publish' }, { type: 'path-changed', path: '/publish' });
  });

  it('goes back without a new entry, closes the video and asks for news', () => {
    const { state, effects } = follow(stateAt(`/watch/${VIDEO}`), { type: 'path-changed', path: '/' });
    expect(state.watching).toEqual({ phase: 'idle' });
    expect(effects).toEqual([{ type: 'close-video' }, { type: 'load-feed', feed: 'newest' }, { type: 'load-feed', feed: 'mine' }]);
  });

  it('goes from video to video by closing one and opening the other', () => {
    const { state, effects } = follow(stateAt(`/watch/${VIDEO}`), OPENED, { type: 'path-changed', path: `/watch/${OTHER}` });
    expect(state.watching).toEqual({ phase: 'loading', videoId: OTHER });
    expect(effects).toEqual([{ type: 'close-video' }, { type: 'open-video', videoId: OTHER }]);
  });

  it('shows an unknown path as missing', () => {
    expect(follow(stateAt('/'), { type: 'path-changed', path: '/what' }).state.route).toEqual({ page: 'missing', path: '/what' });
  });

  it('keeps the theme that was chosen', () => {
    const { state, effects } = update(stateAt('/'), { type: 'theme-chosen', theme: 'dark' });
    expect(state.theme).toBe('dark');
    expect(effects).toEqual([{ type: 'keep-theme', theme: 'dark' }]);
  });
});

describe('update: the world', () => {
  it('takes the time from a tick', () => {
    const home = stateAt('/');
    expect(follow(home, { type: 'tick', now: 5_000 })).toEqual({ state: { ...home, now: 5_000 }, effects: [] });
  });

  it('asks for news while they are shown: after a minute, ever later when there are none, and at once for who comes back', () => {
    const ASKED = [{ type: 'load-feed', feed: 'newest' }];
    const list = (...videos: VideoCard[]) => ({ type: 'feed-loaded', feed: 'newest', videos }) as const;
    let home = follow(stateAt('/'), list(CARD)).state;
    /** Ticks until news are asked for: the seconds that it took. */
    const untilAsked = (): number => {
      const start = home.now;
      for (let i = 0; i < 200; i++) {
        const step = update(home, { type: 'tick', now: home.now + 10_000 });
        home = step.state;
        if (step.effects.length === 0) continue;
        expect(step.effects).toEqual(ASKED);
        return (home.now - start) / 1000;
      }
      return Number.POSITIVE_INFINITY;
    };
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      pauses.push(untilAsked());
      home = follow(home, list(CARD)).state;
    }
    expect(pauses).toEqual([60, 120, 240, 480, 480, 480, 480]);
    home = follow(home, list({ ...CARD, videoId: 'new' as VideoCard['videoId'] }, CARD)).state;
    expect(untilAsked()).toBe(60);
    expect(follow(home, { type: 'tick', now: home.now + 40_000 }).effects, 'hidden for a while').toEqual(ASKED);
    expect(follow({ ...home, route: { page: 'publish' } }, { type: 'tick', now: home.now + 2_000_000 }).effects).toEqual([]);
    expect(follow(stateAt('/'), { type: 'tick', now: 2_000_000 }).effects, 'still loading').toEqual([]);
  });

  it('asks for news at the first link only', () => {
    const first = update(stateAt('/'), { type: 'health-changed', health: HEALTH });
    expect(first.state.health).toEqual(HEALTH);
    expect(first.effects).toEqual([{ type: 'load-feed', feed: 'newest' }]);
    expect(update(first.state, { type: 'health-changed', health: { ...HEALTH, served: 9 } }).effects).toEqual([]);
  });

  it('says why the node could not start', () => {
    const { health } = update(stateAt('/'), { type: 'node-failed', problem: PROBLEM }).state;
    expect(health).toMatchObject({ phase: 'failed', problem: 'It stopped. Nobody answered. Try again.' });
    expect(update(stateAt('/'), { type: 'node-failed', problem: { ...PROBLEM, why: null } }).state.health.problem).toBe(
      'It stopped. Try again.',
    );
  });

  it.each(['newest', 'mine'] as const)('loads %s, fails, and tries again', (feed) => {
    const failed = follow(stateAt('/'), { type: 'feed-failed', feed, problem: PROBLEM }).state;
    expect(failed[feed]).toEqual({ phase: 'failed', videos: [], problem: PROBLEM });
    const again = update(failed, { type: 'feed-retry-pressed', feed });
    expect(again.state[feed]).toEqual({ phase: 'loading', videos: [], problem: null });
    expect(again.effects).toEqual([{ type: 'load-feed', feed }]);
    const loaded = follow(again.state, { type: 'feed-loaded', feed, videos: [CARD] }).state;
    expect(loaded[feed]).toEqual({ phase: 'ready', videos: [CARD], problem: null });
    expect(follow(loaded, { type: 'feed-failed', feed, problem: PROBLEM }).state[feed], 'an old list stays').toEqual(loaded[feed]);
  });
});

describe('update: watching', () => {
  const loading = stateAt(`/watch/${VIDEO}`);
  const ready = follow(loading, OPENED).state;

  it('opens', () => {
    expect(ready.watching).toEqual({
      phase: 'ready',
      videoId: VIDEO,
      ...FACTS,
      sources: { store: 0, tabs: 0, openNodes: 0 },
      lower: NO_LOWER,
      problem: null,
    });
  });

  it('fails, and tries again', () => {
    const failed = follow(loading, { type: 'watch-failed', videoId: VIDEO, problem: PROBLEM }).state;
    expect(failed.watching).toEqual({ phase: 'failed', videoId: VIDEO, problem: PROBLEM });
    const again = update(failed, { type: 'watch-retry-pressed' });
    expect(again.state.watching).toEqual({ phase: 'loading', videoId: VIDEO });
    expect(again.effects).toEqual([{ type: 'open-video', videoId: VIDEO }]);
  });

  it('looks again for a video that nobody had when one more tab comes, and not for a damaged one', () => {
    const failed = (code: 'not-found' | 'corrupt') =>
      follow(loading, { type: 'watch-failed', videoId: VIDEO, problem: { ...PROBLEM, code } }, { type: 'health-changed', health: HEALTH });
    const again = failed('not-found');
    expect(again.state.watching).toEqual({ phase: 'loading', videoId: VIDEO });
    expect(again.effects).toContainEqual({ type: 'open-video', videoId: VIDEO });
    expect(failed('corrupt').state.watching.phase).toBe('failed');
    const lost = follow(
      again.state,
      { type: 'watch-failed', videoId: VIDEO, problem: { ...PROBLEM, code: 'not-found' } },
      { type: 'health-changed', health: { ...HEALTH, links: { tabs: 1, openNodes: 1 } } },
    );
    expect(lost.state.watching.phase).toBe('failed');
  });

  it('plays on from where it stopped when one more tab comes', () => {
    const stopped = (code: 'timeout' | 'unsupported') =>
      follow(ready, { type: 'playback-failed', videoId: VIDEO, problem: { ...PROBLEM, code } }).state;
    const on = update(stopped('timeout'), { type: 'health-changed', health: HEALTH });
    expect(on.state.watching).toEqual(ready.watching);
    expect(on.effects).not.toContainEqual({ type: 'open-video', videoId: VIDEO });
    const noBetter = update(stopped('unsupported'), { type: 'health-changed', health: HEALTH });
    expect(noBetter.state.watching).toMatchObject({ problem: { code: 'unsupported' } });
  });

  it('drops late answers of a video that was left', () => {
    expectNothing(
      stateAt(`/watch/${OTHER}`),
      OPENED,
      { type: 'watch-failed', videoId: VIDEO, problem: PROBLEM },
      { type: 'sources-counted', videoId: VIDEO, sources: { store: 1, tabs: 2, openNodes: 0 } },
      { type: 'playback-failed', videoId: VIDEO, problem: PROBLEM },
      { type: 'watch-retry-pressed' },
      { type: 'playback-retry-pressed' },
    );
    expectNothing(stateAt('/'), OPENED, { type: 'watch-failed', videoId: VIDEO, problem: PROBLEM });
  });

  it('counts sources, and playing fails and goes on without opening anew', () => {
    const sources = { store: 1, tabs: 2, openNodes: 0 };
    expect(follow(ready, { type: 'sources-counted', videoId: VIDEO, sources }).state.watching).toMatchObject({ sources });
    const failed = follow(ready, { type: 'playback-failed', videoId: VIDEO, problem: PROBLEM }).state;
    expect(failed.watching).toMatchObject({ phase: 'ready', problem: PROBLEM });
    expect(update(failed, { type: 'playback-retry-pressed' })).toEqual({ state: ready, effects: [] });
  });
});

describe('update: links and notices', () => {
  it('copies and shares the link of a video', () => {
    expect(update(stateAt('/'), { type: 'copy-link-pressed', videoId: VIDEO }).effects).toEqual([{ type: 'copy-link', videoId: VIDEO }]);
    expect(update(stateAt('/'), { type: 'share-link-pressed', videoId: VIDEO, title: 'A' }).effects).toEqual([
      { type: 'share-link', videoId: VIDEO, title: 'A' },
    ]);
  });

  it('gives each notice its own id, lets it expire, and lets a person send it away', () => {
    const { state, effects } = follow(stateAt('/'), { type: 'link-copied' }, { type: 'link-share-failed' });
    expect(state.notices.map(({ id, tone }) => [id, tone])).toEqual([
      [1, 'good'],
      [2, 'bad'],
    ]);
    expect(effects).toEqual([
      { type: 'expire-notice', id: 1 },
      { type: 'expire-notice', id: 2 },
    ]);
    const later = follow(state, { type: 'notice-dismissed', id: 2 }, { type: 'link-copied' }).state;
    expect(
      later.notices.map(({ id }) => id),
      'the timer of one does not end another',
    ).toEqual([1, 3]);
    expect(follow(state, { type: 'notice-expired', id: 1 }).state.notices.map(({ id }) => id)).toEqual([2]);
    expect(follow(state, { type: 'notice-dismissed', id: 2 }, { type: 'notice-dismissed', id: 2 }).state.notices).toHaveLength(1);
  });

  it('shows the link itself when it can’t be copied', () => {
    const { notices } = follow(stateAt('/'), { type: 'link-copy-failed', link: 'https://x.example/watch/1' }).state;
    expect(notices[0]?.text).toContain('https://x.example/watch/1');
  });
});

it('the state is plain data after every kind of event', () => {
  const { state } = follow(
    stateAt(`/watch/${VIDEO}`),
    { type: 'started' },
    { type: 'health-changed', health: HEALTH },
    OPENED,
    { type: 'feed-loaded', feed: 'newest', videos: [CARD] },
    { type: 'file-chosen', file: FILE },
    { type: 'probed', probe: PROBE },
    { type: 'publish-pressed' },
    { type: 'link-copied' },
  );
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  expect(structuredClone(state)).toEqual(state);
});
