/** Joining by an invitation: who invites, and the code that they wait for. */
import { createEffect, createMemo, type JSX, Match, on, Switch } from 'solid-js';
import { CodeForm } from './code-form.tsx';
import { shortId } from './format.ts';
import { CheckIcon, HourglassIcon } from './icons.tsx';
import { inStep } from './in-step.ts';
import { Leader } from './leader.tsx';
import { PassOn } from './pass-on.tsx';
import { ProblemCard } from './problem-card.tsx';
import type { Dispatch, UiProps } from './props.ts';

export function JoinPage(props: UiProps): JSX.Element {
  const joining = () => props.state.joining;
  let heading!: HTMLHeadingElement;
  const step = createMemo(() => props.state.joining.step);
  // The page comes after the frame has looked for a heading; and what was focused may be gone with the step it belonged to.
  createEffect(on(step, () => heading.focus({ preventScroll: true })));
  return (
    <div class="page column pairing" data-step={joining().step}>
      <h1 ref={heading} tabindex="-1">
        {joining().step === 'linked' ? 'You are linked' : 'You are invited'}
      </h1>
      <Switch>
        <Match when={joining().step === 'none'}>
          <p class="lead">There is no invitation in this address. Put in the link that you were sent.</p>
          <LinkForm dispatch={props.dispatch} />
        </Match>
        <Match when={joining().step === 'answering'}>
          <div class="pairing-wait" role="status">
            <Leader figure="2" turn={null} />
            <p>Answering the invitation…</p>
          </div>
        </Match>
        <Match when={inStep(joining(), 'waiting')}>
          {(waiting) => (
            <>
              <p class="lead">
                Node <span class="node-id">{shortId(waiting().inviter)}</span> invites you. Send this code back to whoever sent you the
                link.
              </p>
              <PassOn
                text={waiting().code}
                what="code"
                label="Reply code"
                qrLabel="QR code of the reply code"
                shared={{ title: 'My reply code for Kadreel', text: waiting().code }}
                canShare={props.state.canShare}
                dispatch={props.dispatch}
              />
              <p class="pairing-status" role="status">
                <HourglassIcon size={20} />
                Waiting until they put the code in. Keep this tab open; it waits for 10 minutes.
              </p>
            </>
          )}
        </Match>
        <Match when={inStep(joining(), 'linked')}>
          {(linked) => (
            <>
              <div class="pairing-done" role="status">
                <CheckIcon size={22} stroke-width={2.5} />
                <div>
                  <p class="pairing-done-title">Linked to {shortId(linked().inviter)}</p>
                  <p>This tab is finding its place in the network through them, without a server.</p>
                </div>
              </div>
              <div class="actions">
                <a class="button button-accent button-large" href="/">
                  See what is on
                </a>
              </div>
            </>
          )}
        </Match>
        <Match when={inStep(joining(), 'failed')}>
          {(failed) => (
            <>
              <ProblemCard problem={failed().problem} onRetry={null} />
              <LinkForm dispatch={props.dispatch} />
            </>
          )}
        </Match>
      </Switch>
    </div>
  );
}

function LinkForm(props: { readonly dispatch: Dispatch }): JSX.Element {
  return (
    <CodeForm
      label="Invitation link"
      hint="It ends in some 150 letters and digits behind “/join#”."
      button="Answer it"
      busy={false}
      wrong={false}
      onEnter={(link) => props.dispatch({ type: 'invitation-followed', link })}
    />
  );
}
