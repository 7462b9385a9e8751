/** The title of a video, as a person types it. */
import type { JSX } from 'solid-js';

export function TitleField(props: { readonly title: string; readonly onTyped: (title: string) => void }): JSX.Element {
  return (
    <div class="field">
      <label for="title">Title</label>
      <input
        id="title"
        type="text"
        required
        maxlength="200"
        autocomplete="off"
        value={props.title}
        onInput={(event) => props.onTyped(event.currentTarget.value)}
      />
    </div>
  );
}
