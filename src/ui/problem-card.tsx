/** Something that went wrong: what happened, why, what to do, and the way to try again. */
import { type JSX, Show } from 'solid-js';
import type { Problem } from '../app/state.ts';
import { RetryIcon, WarningIcon } from './icons.tsx';

export interface ProblemCardProps {
  readonly problem: Problem;
  readonly onRetry: () => void;
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
          <button type="button" class="button button-ink" onClick={() => props.onRetry()}>
            <RetryIcon size={16} />
            Try again
          </button>
          {props.children}
        </div>
      </div>
    </div>
  );
}
