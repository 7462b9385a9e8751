/** Why what was wanted last did not come about; nothing when all went well. */
import { type JSX, Show } from 'solid-js';
import type { Problem } from '../app/state.ts';
import { WarningIcon } from './icons.tsx';

export function PlanProblem(props: { readonly problem: Problem | null }): JSX.Element {
  return (
    <Show when={props.problem}>
      {(problem) => (
        <p class="plan-problem" role="alert">
          <WarningIcon size={18} />
          <span>
            <strong>{problem().what}</strong> {problem().why} {problem().advice}
          </span>
        </p>
      )}
    </Show>
  );
}
