/** What every part of the page is given. */
import type { Event } from '../app/events.ts';
import type { State } from '../app/state.ts';

/** Where a part says what happened. */
export type Dispatch = (event: Event) => void;

/** What to show, and where to say what happened. */
export interface UiProps {
  readonly state: State;
  readonly dispatch: Dispatch;
}
