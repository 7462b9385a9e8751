import { expect, it } from 'vitest';
import { createLoop } from '../../../src/app/loop.ts';
import type { Effect } from '../../../src/app/step.ts';
import { stateAt } from './states.ts';

it('takes events in order, one at a time, also those that listeners and effects cause', () => {
  const seen: string[] = [];
  const loop = createLoop({
    initial: stateAt('/'),
    effects: (dispatch) => (effect: Effect) => {
      seen.push(`effect ${effect.type}`);
      if (effect.type === 'keep-theme') dispatch({ type: 'link-copied' });
    },
  });
  loop.listen((state) => {
    seen.push(`state ${state.theme} ${state.notices.length}`);
    if (state.theme === 'dark' && state.notices.length === 0) loop.dispatch({ type: 'link-share-failed' });
  });
  loop.dispatch({ type: 'theme-chosen', theme: 'dark' });
  expect(seen).toEqual([
    'state dark 0',
    'effect keep-theme',
    'state dark 1',
    'effect expire-notice',
    'state dark 2',
    'effect expire-notice',
  ]);
  expect(loop.state().notices.map(({ tone }) => tone)).toEqual(['bad', 'good']);
});

it('does not bother listeners when nothing changed, nor after they have left', () => {
  let calls = 0;
  const loop = createLoop({ initial: stateAt('/'), effects: () => () => undefined });
  const leave = loop.listen(() => calls++);
  loop.dispatch({ type: 'cancel-pressed' });
  expect(calls).toBe(0);
  loop.dispatch({ type: 'theme-chosen', theme: 'dark' });
  leave();
  loop.dispatch({ type: 'theme-chosen', theme: 'light' });
  expect(calls).toBe(1);
});

it('goes on after an effect that throws', () => {
  const loop = createLoop({
    initial: stateAt('/'),
    effects: () => (effect) => {
      if (effect.type === 'keep-theme') throw new Error('broken');
    },
  });
  expect(() => loop.dispatch({ type: 'theme-chosen', theme: 'dark' })).toThrow('broken');
  loop.dispatch({ type: 'link-copied' });
  expect(loop.state().notices).toHaveLength(1);
});
