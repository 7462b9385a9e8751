/** Inviting: a link for one person, and the code that comes back. */
import { createEffect, createMemo, type JSX, Match, on, Show, Switch } from 'solid-js';
import type { Inviting } from '../app/state.ts';
import { CodeForm } from './code-form.tsx';
import { formatLeft } from './format.ts';
import { CheckIcon } from './icons.tsx';
import { inStep } from './in-step.ts';
import { Leader } from './leader.tsx';
import { PassOn } from './pass-on.tsx';
import { ProblemCard } from './problem-card.tsx';
import type { Dispatch, UiProps } from './props.ts';

export function InvitePage(props: UiProps): JSX.Element {
  const inviting = () => props.state.inviting;
  let heading!: HTMLHeadingElement;
  const step = createMemo(() => props.state.inviting.step);
  // The page comes after the frame has looked for a heading; and what was focused may be gone with the step it belonged to.
  createEffect(on(step, () => heading.focus({ preventScroll: true })));
  const again = () => props.dispatch({ type: 'invite-again-pressed' });
  return (
    <div class="page column pairing" data-step={inviting().step}>
      <h1 ref={heading} tabindex="-1">
        Invite somebody
      </h1>
      <p class="lead">
        Your two tabs link up directly, and no server takes part: this works when every one of them is down. You send a link, a code comes
        back.
      </p>
      <Switch>
        <Match when={inviting().step === 'making'}>
          <div class="pairing-wait" role="status">
            <Leader figure="1" turn={null} />
            <p>Making an invitation…</p>
          </div>
        </Match>
        <Match when={inStep(inviting(), 'open')}>
          {(open) => <OpenInvitation open={open()} now={props.state.now} canShare={props.state.canShare} dispatch={props.dispatch} />}
        </Match>
        <Match when={inviting().step === 'linked'}>
          <div class="pairing-done" role="status">
            <CheckIcon size={22} stroke-width={2.5} />
            <div>
              <p class="pairing-done-title">You are linked</p>
              <p>They join the network through you now. Keep this tab open until theirs counts a few tabs.</p>
            </div>
          </div>
          <div class="actions">
            <a class="button button-ink" href="/">
              Go home
            </a>
            <button type="button" class="button button-plain" onClick={again}>
              Invite somebody else
            </button>
          </div>
        </Match>
        <Match when={inStep(inviting(), 'over')}>
          {(over) => (
            <ProblemCard problem={over().problem} onRetry={null}>
              <button type="button" class="button button-ink" onClick={again}>
                Make a new invitation
              </button>
            </ProblemCard>
          )}
        </Match>
        <Match when={inviting().step === 'none'}>
          <div class="actions">
            <button type="button" class="button button-accent" onClick={again}>
              Make an invitation
            </button>
          </div>
        </Match>
      </Switch>
    </div>
  );
}

interface OpenInvitationProps {
  readonly open: Extract<Inviting, { step: 'open' }>;
  readonly now: number;
  readonly canShare: boolean;
  readonly dispatch: Dispatch;
}

/** Of an invitation, ms: `now` may be some seconds old. */
const MOST_LEFT = 600_000;

function OpenInvitation(props: OpenInvitationProps): JSX.Element {
  const left = () => formatLeft(Math.min(MOST_LEFT, Math.max(0, props.open.expires - props.now)) / 1000);
  return (
    <ol class="steps">
      <li>
        <h2>Send this link to one person</h2>
        <p class="quiet">
          It works once, for one person, for 10 minutes ({left()}): this tab holds a connection open for it. It says where this device is in
          the network, so don’t post it in public.
        </p>
        <PassOn
          text={props.open.url}
          what="link"
          label="Invitation link"
          qrLabel="QR code of the invitation link"
          shared={{ title: 'Join me on Kadreel', url: props.open.url }}
          canShare={props.canShare}
          dispatch={props.dispatch}
        />
      </li>
      <li>
        <h2>Put in the code that they send back</h2>
        <CodeForm
          label="Reply code"
          hint="Opening the link shows them a code of some 150 characters. Keep this tab open until you have it."
          button={props.open.linking ? 'Linking…' : 'Link up'}
          busy={props.open.linking}
          wrong={props.open.problem !== null}
          onEnter={(code) => props.dispatch({ type: 'reply-entered', code })}
        />
        <p class="hidden" role="status">
          {props.open.linking ? 'Linking, this takes some seconds.' : ''}
        </p>
        <Show when={props.open.problem}>{(problem) => <ProblemCard problem={problem()} onRetry={null} />}</Show>
      </li>
      <li class="steps-end">
        <button type="button" class="button button-plain" onClick={() => props.dispatch({ type: 'invitation-ended' })}>
          End this invitation
        </button>
      </li>
    </ol>
  );
}
