/** Draws the loop's state: only what changed is redrawn. */
import { createStore, reconcile } from 'solid-js/store';
import { render } from 'solid-js/web';
import type { Loop } from '../app/loop.ts';
import type { State } from '../app/state.ts';
import { App } from './app.tsx';
import type { FilePicker } from './file-picker.ts';
import './tokens.css';
import './base.css';
import './shell.css';
import './cards.css';
import './home.css';
import './publish.css';
import './pairing.css';
import './watch.css';
import './network.css';
import './player.css';

/** Returns how to take it down. */
export function mountApp(root: HTMLElement, loop: Loop, picker: FilePicker): () => void {
  // The store changes its objects in place, so it gets its own: the loop's states stay as they were.
  const [state, setState] = createStore<State>(plainCopy(loop.state()));
  const unlisten = loop.listen((next) => setState(reconcile(plainCopy(next), { key: 'videoId' })));
  const dispose = render(() => <App state={state} dispatch={loop.dispatch} picker={picker} />, root);
  return () => {
    unlisten();
    dispose();
  };
}

/** A copy of plain data: objects, arrays and simple values. */
function plainCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(plainCopy) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainCopy(part)])) as T;
}
