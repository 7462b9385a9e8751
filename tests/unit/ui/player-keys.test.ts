import { expect, it } from 'vitest';
import { playerAction } from '../../../src/ui/player-keys.ts';

it.each([
  [' ', { type: 'toggle' }],
  ['k', { type: 'toggle' }],
  ['K', { type: 'toggle' }],
  ['ArrowLeft', { type: 'skip', by: -5 }],
  ['ArrowRight', { type: 'skip', by: 5 }],
  ['j', { type: 'skip', by: -10 }],
  ['l', { type: 'skip', by: 10 }],
  ['m', { type: 'mute' }],
  ['f', { type: 'fullscreen' }],
  ['0', { type: 'jump', to: 0 }],
  ['9', { type: 'jump', to: 0.9 }],
  ['ArrowUp', { type: 'louder', by: 0.1 }],
  ['ArrowDown', { type: 'louder', by: -0.1 }],
])('the key %j does %j', (key, action) => {
  expect(playerAction(key)).toEqual(action);
});

it.each(['a', 'Enter', 'Tab', 'Escape', 'F5', '10', ''])('the key %j is left alone', (key) => {
  expect(playerAction(key)).toBeNull();
});
