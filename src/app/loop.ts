/** The one-way loop: an event goes in, the next state comes out, and effects answer with more events. */
import type { Event } from './events.ts';
import type { State } from './state.ts';
import type { Effect } from './step.ts';
import { update } from './update.ts';

export interface Loop {
  state(): State;
  /** May be called from anywhere, also from inside a listener or an effect: events are taken in order, one at a time. */
  dispatch(event: Event): void;
  /** Calls `listener` after each change of the state. Returns how to stop that. */
  listen(listener: (state: State) => void): () => void;
}

export interface LoopOptions {
  readonly initial: State;
  /** Makes the runner of effects; what happens because of them is told to `dispatch`. */
  readonly effects: (dispatch: (event: Event) => void) => (effect: Effect) => void;
}

export function createLoop({ initial, effects }: LoopOptions): Loop {
  let state = initial;
  let running = false;
  const queue: Event[] = [];
  const listeners = new Set<(state: State) => void>();

  const dispatch = (event: Event): void => {
    queue.push(event);
    if (running) return;
    running = true;
    try {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const step = update(state, next);
        if (step.state !== state) {
          state = step.state;
          for (const listener of listeners) listener(state);
        }
        for (const effect of step.effects) run(effect);
      }
    } finally {
      running = false;
    }
  };
  const run = effects(dispatch);

  return {
    state: () => state,
    dispatch,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
