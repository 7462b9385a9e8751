/** States and values that tests of the loop start from. */
import type { NodeHealth, VideoCard } from '../../../src/app/api.ts';
import type { Event } from '../../../src/app/events.ts';
import type { Problem, State, WatchFacts } from '../../../src/app/state.ts';
import type { Effect, Step } from '../../../src/app/step.ts';
import { initialState, update } from '../../../src/app/update.ts';
import type { MediaProbe, SourceFile } from '../../../src/base/ports.ts';
import type { Key } from '../../../src/kademlia/key.ts';

export const VIDEO = 'ab'.repeat(20) as Key;
export const OTHER = 'cd'.repeat(20) as Key;

export const PROBLEM: Problem = { code: 'timeout', what: 'It stopped.', why: 'Nobody answered.', advice: 'Try again.' };

export const PROBE: MediaProbe = {
  duration: 10,
  container: 'mp4',
  video: { codec: 'avc1.64001f', width: 640, height: 360, rotation: 0, frameRate: 30, variable: false, bitrate: 800_000, copied: true },
  audio: null,
  plan: 'copy',
};

export const FILE: SourceFile = {
  name: 'my_film.final.mp4',
  size: 12,
  slice: () => ({ arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)) }),
};

/** Of a video that is open. */
export const FACTS: WatchFacts = {
  title: 'A film',
  duration: 61.5,
  created: 1_000,
  hasVideo: true,
  hasAudio: true,
  width: 1280,
  height: 720,
  preview: null,
  offer: '',
  growing: null,
  playlistUrl: '/hls/x/master.m3u8',
};

export const CARD: VideoCard = { videoId: VIDEO, title: 'A film', duration: 10, created: 5, poster: null };

export const HEALTH: NodeHealth = {
  phase: 'online',
  id: VIDEO,
  links: { tabs: 2, openNodes: 1 },
  openNodes: ['ws://a.example'],
  kept: { bytes: 1, quota: 2 },
  served: 3,
  problem: null,
};

export function stateAt(path: string, change: Partial<State> = {}): State {
  return { ...initialState({ path, theme: 'system', now: 1_000, canShare: false }), ...change };
}

/** What follows from several events, one after the other; the effects of all of them. */
export function follow(state: State, ...events: readonly Event[]): Step {
  const effects: Effect[] = [];
  let now = state;
  for (const event of events) {
    const step = update(now, event);
    now = step.state;
    effects.push(...step.effects);
  }
  return { state: now, effects };
}
