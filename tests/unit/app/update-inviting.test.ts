import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/app/events.ts';
import { codeOfLink, formatInvitationLink } from '../../../src/app/invitation-link.ts';
import type { State } from '../../../src/app/state.ts';
import type { Effect } from '../../../src/app/step.ts';
import { update } from '../../../src/app/update.ts';
import { PROBLEM, stateAt, VIDEO } from './states.ts';

const MADE: Event = { type: 'invitation-made', url: 'https://x.example/join#abc', expires: 700_000 };

function play(state: State, ...events: readonly Event[]): { state: State; effects: readonly Effect[] } {
  const effects: Effect[] = [];
  for (const event of events) {
    const step = update(state, event);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

describe('inviting', () => {
  it('begins with its page, whichever way that is reached, and stays open when the page is left', () => {
    expect(play(stateAt('/invite'), { type: 'started' }).effects).toContainEqual({ type: 'open-invitation' });
    const opened = play(stateAt('/'), { type: 'link-followed', path: '/invite' }, MADE);
    expect(opened.effects).toContainEqual({ type: 'open-invitation' });
    const back = play(opened.state, { type: 'path-changed', path: '/' }, { type: 'path-changed', path: '/invite' });
    expect(back.state.inviting).toMatchObject({ step: 'open', url: 'https://x.example/join#abc', linking: false, problem: null });
    expect(back.effects.map(({ type }) => type)).not.toContain('open-invitation');
  });

  it('takes one reply at a time; a wrong one is told and leaves it open', () => {
    const open = play(stateAt('/invite'), MADE).state;
    expect(play(open, { type: 'reply-entered', code: '  ' }).effects).toEqual([]);
    const linking = play(open, { type: 'reply-entered', code: ' abc \n' });
    expect(linking.effects).toEqual([{ type: 'accept-reply', code: 'abc' }]);
    expect(play(linking.state, { type: 'reply-entered', code: 'abc' }).effects).toEqual([]);
    const refused = play(linking.state, { type: 'reply-refused', problem: PROBLEM });
    expect(refused.state.inviting).toMatchObject({ step: 'open', linking: false, problem: PROBLEM });
    expect(play(refused.state, { type: 'reply-entered', code: 'x' }).state.inviting).toMatchObject({ linking: true, problem: null });
  });

  it('ends linked, over, or by the person; a new one is a press away', () => {
    const open = play(stateAt('/invite'), MADE).state;
    expect(play(open, { type: 'invitation-linked' }).state.inviting).toEqual({ step: 'linked' });
    const over = play(open, { type: 'invitation-failed', problem: PROBLEM }).state;
    expect(over.inviting).toEqual({ step: 'over', problem: PROBLEM });
    expect(play(over, { type: 'invite-again-pressed' })).toMatchObject({
      state: { inviting: { step: 'making' } },
      effects: [{ type: 'open-invitation' }],
    });
    const ended = play(open, { type: 'invitation-ended' });
    expect(ended).toMatchObject({ state: { inviting: { step: 'none' } }, effects: [{ type: 'close-invitation' }] });
    expect(play(ended.state, { type: 'invitation-failed', problem: PROBLEM }).state).toBe(ended.state);
  });

  it('is told by a notice on another page', () => {
    const elsewhere = play(stateAt('/invite'), MADE, { type: 'path-changed', path: '/' }, { type: 'invitation-linked' });
    expect(elsewhere.state.notices).toMatchObject([{ tone: 'good' }]);
  });
});

describe('joining', () => {
  it('answers, waits, and is linked', () => {
    const followed = play(stateAt('/join'), { type: 'invitation-followed', link: 'abc' });
    expect(followed).toMatchObject({ state: { joining: { step: 'answering' } }, effects: [{ type: 'follow-invitation', link: 'abc' }] });
    const waiting = play(followed.state, { type: 'invitation-answered', inviter: VIDEO, code: 'reply' });
    expect(waiting.state.joining).toEqual({ step: 'waiting', inviter: VIDEO, code: 'reply' });
    expect(play(waiting.state, { type: 'join-linked' }).state.joining).toEqual({ step: 'linked', inviter: VIDEO });
    expect(play(waiting.state, { type: 'join-failed', problem: PROBLEM }).state.joining).toEqual({ step: 'failed', problem: PROBLEM });
  });

  it('passes on what was pressed', () => {
    expect(
      play(
        stateAt('/join'),
        { type: 'copy-pressed', text: 'abc', what: 'code' },
        { type: 'share-pressed', shared: { title: 'A', text: 'abc' } },
      ).effects,
    ).toEqual([
      { type: 'copy-text', text: 'abc', what: 'code' },
      { type: 'share-text', shared: { title: 'A', text: 'abc' } },
    ]);
  });
});

describe('the link of an invitation', () => {
  it('holds its code behind the #; a bare code is taken as well', () => {
    const link = formatInvitationLink('https://x.example', 'abc-_9');
    expect(link).toBe('https://x.example/join#abc-_9');
    expect([codeOfLink(link), codeOfLink(' abc-_9\n')]).toEqual(['abc-_9', 'abc-_9']);
  });
});
