/** What follows from an event of an unfinished publication: a part of `update`. Pure. */
import { assertNever } from '../base/errors.ts';
import type { Unfinished } from './api.ts';
import type { Event } from './events.ts';
import type { State } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';

type UnfinishedEvent = Extract<Event, { type: 'unfinished-changed' | 'go-on-pressed' | 'discard-pressed' | 'discard-failed' }>;

export function updateUnfinished(state: State, event: UnfinishedEvent): Step {
  switch (event.type) {
    case 'unfinished-changed': {
      const { unfinished } = event;
      const before = new Map(state.unfinished.map((one) => [one.id, one]));
      const isNews = ({ id, videoId }: Unfinished): boolean => videoId !== null && before.has(id) && before.get(id)?.videoId === null;
      const ended = state.unfinished.filter(({ id }) => unfinished.every((one) => one.id !== id));
      const effects: Effect[] = unfinished.some(isNews) || ended.length > 0 ? [{ type: 'load-feed', feed: 'mine' }] : [];
      const { publishing } = state;
      // Its card says that the rest could not be made: that is over, one way or the other.
      const isOver =
        publishing.step === 'published' && publishing.growth?.problem && ended.some(({ videoId }) => videoId === publishing.videoId);
      const next: State = { ...state, unfinished, ...(isOver && { publishing: { step: 'empty' } }) };
      // Only what was on its way has been finished; what a person discards needs no words.
      const finished = ended.find(({ phase, videoId, title }) => phase === 'working' && videoId !== null && title !== '');
      if (!finished) return { state: next, effects };
      const { kind, title } = finished;
      const words =
        kind === 'change' ? `What you changed of “${title}” is safe with others.` : `“${title}” is whole now, and safe with others.`;
      const step = notify(next, 'good', words);
      return { state: step.state, effects: [...effects, ...step.effects] };
    }
    case 'go-on-pressed':
      return { state, effects: [{ type: 'go-on', id: event.id, file: event.file }] };
    case 'discard-pressed':
      return { state, effects: [{ type: 'discard', id: event.id }] };
    case 'discard-failed':
      return notify(state, 'bad', `It could not be discarded. ${event.problem.why ?? ''} ${event.problem.advice}`);
    default:
      return assertNever(event);
  }
}
