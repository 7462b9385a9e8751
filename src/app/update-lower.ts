/** What follows from asking for a lower quality of the video that is watched. Pure. */
import { assertNever } from '../base/errors.ts';
import type { LowerChoice } from './api.ts';
import type { Event } from './events.ts';
import { problemOf } from './problems.ts';
import type { LowerState, State } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';

/** The events that are answered here. */
export type LowerEvent = Extract<
  Event,
  { type: 'lower-known' | 'lower-changed' | 'lower-asked' | 'lower-left' | 'lower-declined' | 'stream-too-slow' | 'playhead-moved' }
>;

/** Of a video of which nothing is known yet. */
export const NO_LOWER: LowerState = { choices: [], asked: null, offered: null, declined: false, problem: null };

/** Of what a link carries so much may be asked for: sound and bad moments take some. */
const SHARE = 0.75;

/** The best choice for a link of so many bits a second; the smallest where none fits, null where there is none. */
export function suggest(choices: readonly LowerChoice[], bandwidth: number): LowerChoice | null {
  return choices.find(({ bitrate }) => bitrate <= SHARE * bandwidth) ?? choices.at(-1) ?? null;
}

/** Answers an event about lower qualities. */
export function updateLower(state: State, event: LowerEvent): Step {
  const { watching } = state;
  if (watching.phase !== 'ready') return { state, effects: [] };
  const { lower } = watching;
  const change = (next: Partial<LowerState>, ...effects: readonly Effect[]): Step => ({
    state: { ...state, watching: { ...watching, lower: { ...lower, ...next } } },
    effects,
  });
  switch (event.type) {
    case 'lower-known':
      return event.videoId === watching.videoId ? change({ choices: event.choices }) : { state, effects: [] };
    case 'stream-too-slow': {
      const choice = suggest(lower.choices, event.bandwidth);
      const isQuiet = lower.asked !== null || lower.declined || choice === null;
      return isQuiet ? { state, effects: [] } : change({ offered: choice });
    }
    case 'lower-asked': {
      const { name, at } = event;
      const asked = { name, playlistUrl: null, ahead: 0, helpers: 0, speed: null, found: false };
      return change({ asked, offered: null, problem: null }, { type: 'ask-lower', name, at });
    }
    case 'lower-changed': {
      const { problem, ...asked } = event.view;
      if (event.videoId !== watching.videoId || lower.asked?.name !== asked.name) return { state, effects: [] };
      return problem ? change({ asked: null, problem: { name: asked.name, ...problemOf(problem, 'lowering') } }) : change({ asked });
    }
    case 'lower-left':
      return change({ asked: null, problem: null }, { type: 'leave-lower' });
    case 'lower-declined':
      return change({ offered: null, declined: true, problem: null });
    case 'playhead-moved':
      return { state, effects: lower.asked ? [{ type: 'tell-playhead', at: event.at }] : [] };
    default:
      return assertNever(event);
  }
}

/** Playing failed: where it was a lower quality, what was published goes on. Null where it was not. */
export function fallBack(state: State, { videoId, problem }: Extract<Event, { type: 'playback-failed' }>): Step | null {
  const { watching } = state;
  if (watching.phase !== 'ready' || watching.videoId !== videoId || !watching.lower.asked?.playlistUrl) return null;
  const { name } = watching.lower.asked;
  const lower = { ...watching.lower, asked: null };
  const why = problem.why ?? problem.what;
  const told = notify(
    { ...state, watching: { ...watching, lower } },
    'bad',
    `${name} stopped. ${why} The video goes on as it was published.`,
  );
  return { state: told.state, effects: [{ type: 'leave-lower' }, ...told.effects] };
}
