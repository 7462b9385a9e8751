import { describe, expect, it } from 'vitest';
import type { LowerView } from '../../../src/app/api.ts';
import type { Event } from '../../../src/app/events.ts';
import type { State } from '../../../src/app/state.ts';
import { suggest } from '../../../src/app/update-lower.ts';
import { fail } from '../../../src/base/errors.ts';
import { FACTS, follow, OTHER, PROBLEM, stateAt, VIDEO } from './states.ts';

const CHOICES = [
  { name: '480p', bitrate: 1_300_000 },
  { name: '360p', bitrate: 850_000 },
  { name: '240p', bitrate: 460_000 },
];
const VIEW: LowerView = { name: '360p', playlistUrl: null, ahead: 0, helpers: 1, speed: null, found: false, problem: null };
const URL = '/hls/y/master.m3u8';

const opened: Event = { type: 'watch-opened', videoId: VIDEO, facts: FACTS };
const known: Event = { type: 'lower-known', videoId: VIDEO, choices: CHOICES };
const asked: Event = { type: 'lower-asked', name: '360p', at: 12.5 };
const changed = (change: Partial<LowerView>): Event => ({ type: 'lower-changed', videoId: VIDEO, view: { ...VIEW, ...change } });
const ready = follow(stateAt(`/watch/${VIDEO}`), opened, known).state;
const lowerOf = ({ watching }: State) => (watching.phase === 'ready' ? watching.lower : null);

describe('a link that is too slow', () => {
  it('is offered what it carries, or the least there is', () => {
    expect([2e6, 1.2e6, 9e5, 1e5].map((bandwidth) => suggest(CHOICES, bandwidth)?.name)).toEqual(['480p', '360p', '240p', '240p']);
    expect(suggest([], 1e6)).toBeNull();
  });

  it('is offered once, not while something is made, and not to who said no', () => {
    const slow: Event = { type: 'stream-too-slow', bandwidth: 1.2e6 };
    const offered = follow(ready, slow).state;
    expect(lowerOf(offered)?.offered?.name).toBe('360p');
    expect(lowerOf(follow(offered, { type: 'lower-declined' }).state)?.offered).toBeNull();
    expect(lowerOf(follow(offered, { type: 'lower-declined' }, slow).state)?.offered).toBeNull();
    expect(lowerOf(follow(offered, asked, slow).state)?.offered).toBeNull();
    expect(lowerOf(follow(stateAt(`/watch/${VIDEO}`), opened, slow).state)?.offered).toBeNull();
  });
});

describe('a quality that was asked for', () => {
  it('is followed until it plays, and left', () => {
    const step = follow(ready, asked);
    expect(step.effects).toEqual([{ type: 'ask-lower', name: '360p', at: 12.5 }]);
    expect(lowerOf(step.state)?.asked).toMatchObject({ name: '360p', playlistUrl: null });
    expect(follow(step.state, { type: 'playhead-moved', at: 13 }).effects).toEqual([{ type: 'tell-playhead', at: 13 }]);
    expect(follow(ready, { type: 'playhead-moved', at: 13 }).effects).toEqual([]);
    const playing = follow(step.state, changed({ playlistUrl: URL, ahead: 8 })).state;
    expect(lowerOf(playing)?.asked).toEqual({ name: '360p', playlistUrl: URL, ahead: 8, helpers: 1, speed: null, found: false });
    const left = follow(playing, { type: 'lower-left' });
    expect(lowerOf(left.state)?.asked).toBeNull();
    expect(left.effects).toEqual([{ type: 'leave-lower' }]);
    expect(follow(left.state, changed({ ahead: 9 })).state, 'nothing is told of it any more').toEqual(left.state);
    expect(follow(playing, { ...changed({ ahead: 9 }), videoId: OTHER } as Event).state).toEqual(playing);
  });

  it('that can’t be made says why, and what was published plays on', () => {
    const failed = follow(ready, asked, changed({ problem: fail('unreachable', 'No one linked helps now.') })).state;
    expect(lowerOf(failed)).toMatchObject({ asked: null, problem: { name: '360p', why: 'No one linked helps now.' } });
    expect(lowerOf(failed)?.problem?.advice).toMatch(/goes on as it was published/);
    expect(lowerOf(follow(failed, asked).state)?.problem).toBeNull();
  });

  it('that stops while it plays gives way to what was published; what was published itself fails as ever', () => {
    const stopped: Event = { type: 'playback-failed', videoId: VIDEO, problem: PROBLEM };
    const step = follow(ready, asked, changed({ playlistUrl: URL }), stopped);
    expect(step.state.watching).toMatchObject({ problem: null, lower: { asked: null } });
    expect(step.effects).toContainEqual({ type: 'leave-lower' });
    expect(step.state.notices.at(-1)?.text).toMatch(/^360p stopped\. .* as it was published\.$/);
    expect(follow(ready, asked, stopped).state.watching).toMatchObject({ problem: PROBLEM });
  });
});
