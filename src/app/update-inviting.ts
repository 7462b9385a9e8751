/** What follows from an event of inviting and joining: a part of `update`. Pure. */
import { assertNever } from '../base/errors.ts';
import type { Event } from './events.ts';
import type { State } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';

type InvitingEvent = Extract<
  Event,
  {
    type:
      | 'invite-again-pressed'
      | 'invitation-ended'
      | 'reply-entered'
      | 'invitation-made'
      | 'reply-refused'
      | 'invitation-linked'
      | 'invitation-failed'
      | 'invitation-followed'
      | 'invitation-answered'
      | 'join-linked'
      | 'join-failed';
  }
>;

/** An event that makes no sense in the present step changes nothing. */
export function updateInviting(state: State, event: InvitingEvent): Step {
  const { inviting, joining } = state;
  switch (event.type) {
    case 'invite-again-pressed':
      return inviting.step === 'making' ? { state, effects: [] } : startInviting(state);
    case 'invitation-ended':
      return { state: { ...state, inviting: { step: 'none' } }, effects: [{ type: 'close-invitation' }] };
    case 'reply-entered': {
      const code = event.code.trim();
      if (inviting.step !== 'open' || inviting.linking || code === '') return { state, effects: [] };
      return { state: { ...state, inviting: { ...inviting, linking: true, problem: null } }, effects: [{ type: 'accept-reply', code }] };
    }
    case 'invitation-made':
      if (inviting.step !== 'making') return { state, effects: [] };
      return {
        state: { ...state, inviting: { step: 'open', url: event.url, expires: event.expires, linking: false, problem: null } },
        effects: [],
      };
    case 'reply-refused':
      if (inviting.step !== 'open') return { state, effects: [] };
      return { state: { ...state, inviting: { ...inviting, linking: false, problem: event.problem } }, effects: [] };
    case 'invitation-linked': {
      const next: State = { ...state, inviting: { step: 'linked' } };
      return state.route.page === 'invite' ? { state: next, effects: [] } : notify(next, 'good', 'Whoever you invited is linked.');
    }
    case 'invitation-failed':
      if (inviting.step !== 'making' && inviting.step !== 'open') return { state, effects: [] };
      return { state: { ...state, inviting: { step: 'over', problem: event.problem } }, effects: [] };
    case 'invitation-followed':
      return { state: { ...state, joining: { step: 'answering' } }, effects: [{ type: 'follow-invitation', link: event.link }] };
    case 'invitation-answered':
      if (joining.step !== 'answering') return { state, effects: [] };
      return { state: { ...state, joining: { step: 'waiting', inviter: event.inviter, code: event.code } }, effects: [] };
    case 'join-linked': {
      if (joining.step !== 'waiting') return { state, effects: [] };
      const next: State = { ...state, joining: { step: 'linked', inviter: joining.inviter } };
      return state.route.page === 'join' ? { state: next, effects: [] } : notify(next, 'good', 'You are linked.');
    }
    case 'join-failed':
      if (joining.step !== 'answering' && joining.step !== 'waiting') return { state, effects: [] };
      return { state: { ...state, joining: { step: 'failed', problem: event.problem } }, effects: [] };
    default:
      return assertNever(event);
  }
}

/** Whoever opens the page wants an invitation; one that is open, or on its way, stays. */
export function enterInvitePage(state: State): Step {
  return state.inviting.step === 'making' || state.inviting.step === 'open' ? { state, effects: [] } : startInviting(state);
}

function startInviting(state: State): Step {
  const effects: readonly Effect[] = [{ type: 'open-invitation' }];
  return { state: { ...state, inviting: { step: 'making' } }, effects };
}
