/** What the lists on the page about the network have in common. */
import { createEffect, createUniqueId, type JSX, on, Show } from 'solid-js';
import type { Problem, State } from '../app/state.ts';
import type { UiProps } from './props.ts';

/** What a list needs to be changed: whether a change is under way, why the last one was refused, and where to ask for one. */
export type Changing = Pick<UiProps, 'dispatch'> & {
  readonly busy: boolean;
  readonly refused: State['network']['refused'];
};

export interface AddFormProps {
  /** A change is under way. */
  readonly busy: boolean;
  /** Why what was sent is not in the list. */
  readonly problem: Problem | null;
  /** The fields by their names; values trimmed of nothing. */
  readonly onAdd: (values: (name: string) => string) => void;
  readonly onEmptied?: () => void;
  /** Given the id of the text that says what was wrong, or undefined. */
  readonly children: (describedBy: () => string | undefined) => JSX.Element;
}

/** A form that adds to a list: it is emptied when what was sent is in the list, and keeps what was typed when it was refused. */
export function AddForm(props: AddFormProps): JSX.Element {
  const id = createUniqueId();
  let form!: HTMLFormElement;
  let sent = false;

  createEffect(
    on(
      () => props.busy,
      (busy) => {
        if (busy || !sent) return;
        sent = false;
        if (!props.problem) {
          form.reset();
          props.onEmptied?.();
        }
        form.querySelector('input')?.focus();
      },
      { defer: true },
    ),
  );

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(form);
    sent = true;
    props.onAdd((name) => {
      const value = data.get(name);
      return typeof value === 'string' ? value : '';
    });
  };

  return (
    <form ref={form} class="add-form" autocomplete="off" onSubmit={submit}>
      <div class="add-fields">{props.children(() => (props.problem ? id : undefined))}</div>
      <button type="submit" class="button button-ink" disabled={props.busy}>
        Add
      </button>
      <Show when={props.problem}>
        {(problem) => (
          <p id={id} class="refusal" role="alert">
            {problem().why ?? problem().what}
          </p>
        )}
      </Show>
    </form>
  );
}
