/** What follows from an event of the page about the network: a part of `update`. Pure. */
import { assertNever } from '../base/errors.ts';
import type { Event } from './events.ts';
import { partOf } from './network-change.ts';
import type { NetworkPage, State } from './state.ts';
import { notify, type Step } from './step.ts';

type NetworkEvent = Extract<
  Event,
  {
    type:
      | 'network-change-pressed'
      | 'network-seen'
      | 'network-changed'
      | 'network-change-failed'
      | 'help-switched'
      | 'help-tuned'
      | 'help-changed';
  }
>;

/** One change at a time: a second press while one is under way changes nothing. */
export function updateNetwork(state: State, event: NetworkEvent): Step {
  const { network } = state;
  switch (event.type) {
    case 'network-change-pressed':
      if (network.changing !== null) return { state, effects: [] };
      return {
        ...withNetwork(state, { changing: partOf(event.change), refused: null }),
        effects: [{ type: 'change-network', change: event.change }],
      };
    case 'help-switched':
      if (network.changing !== null) return { state, effects: [] };
      return { ...withNetwork(state, { changing: 'help', refused: null }), effects: [{ type: 'switch-help', on: event.on }] };
    case 'help-tuned':
      if (network.changing !== null) return { state, effects: [] };
      return { ...withNetwork(state, { changing: 'help', refused: null }), effects: [{ type: 'tune-help', tuning: event.tuning }] };
    case 'help-changed':
      return withNetwork(state, { view: event.view, changing: null });
    case 'network-seen':
      return withNetwork(state, { view: event.view });
    case 'network-changed':
      return notify(
        withNetwork(state, { view: event.view, changing: null }).state,
        'good',
        network.changing === 'ice-servers' ? 'Changed, for connections made from now on.' : 'Changed, and in use.',
      );
    case 'network-change-failed':
      return withNetwork(state, { changing: null, refused: { part: event.part, problem: event.problem } });
    default:
      return assertNever(event);
  }
}

function withNetwork(state: State, change: Partial<NetworkPage>): Step {
  return { state: { ...state, network: { ...state.network, ...change } }, effects: [] };
}
