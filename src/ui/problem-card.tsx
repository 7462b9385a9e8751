/** Something that went wrong: what happened, why, what to do, and the way to try again. */
import { type JSX, Show } from 'solid-js';
import type { Problem } from '../app/state.ts';
import { RetryIcon, WarningIcon } from './icons.tsx';

export interface ProblemCardProps {
  readonly problem: Problem;
  /** Null where the same again would fail the same way. */
  readonly onRetry: (() => void) | null;
  /** More ways out. */
  readonly children?: JSX.Element;
}

export function ProblemCard(props: ProblemCardProps): JSX.Element {
  return (
    <div class="problem" role="alert">
      <WarningIcon class="problem-icon" size={22} />
      <div>
        <p class="problem-what">{props.problem.what}</p>
        <Show when={props.problem.why}>{(why) => <p class="problem-why">{why()}</p>}</Show>
        <p class="problem-advice">{props.problem.advice}</p>
        <div class="actions">
          <Show when={props.onRetry}>
            {(retry) => (
              <button type="button" class="button button-ink" onClick={() => retry()()}>
                <RetryIcon size={16} />
                Try again
              </button>
            )}
          </Show>
          {props.children}
        </div>
      </div>
    </div>
  );
}
