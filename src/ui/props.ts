/** What every part of the page is given: what to show, and where to say what happened. */
import type { Event } from '../app/events.ts';
import type { State } from '../app/state.ts';

export type Dispatch = (event: Event) => void;

export interface UiProps {
  readonly state: State;
  readonly dispatch: Dispatch;
}
