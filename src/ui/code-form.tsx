/** A field for a code that came from another person, and the button that gives it. */
import { createUniqueId, type JSX } from 'solid-js';

export interface CodeFormProps {
  readonly label: string;
  readonly hint: string;
  readonly button: string;
  readonly busy: boolean;
  readonly wrong: boolean;
  readonly onEnter: (code: string) => void;
}

export function CodeForm(props: CodeFormProps): JSX.Element {
  const id = createUniqueId();
  let field!: HTMLTextAreaElement;
  return (
    <form
      class="code-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (field.value.trim() === '') field.focus();
        else props.onEnter(field.value);
      }}
    >
      <label for={id}>{props.label}</label>
      <textarea
        ref={field}
        id={id}
        class="code-text"
        rows="3"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        aria-invalid={props.wrong}
        readOnly={props.busy}
        onKeyDown={(event) => {
          // A code has one line: Enter gives it.
          if (event.key !== 'Enter' || event.isComposing) return;
          event.preventDefault();
          field.form?.requestSubmit();
        }}
      />
      <p id={`${id}-hint`} class="quiet">
        {props.hint}
      </p>
      <div class="actions">
        <button type="submit" class="button button-ink" disabled={props.busy}>
          {props.button}
        </button>
      </div>
    </form>
  );
}
