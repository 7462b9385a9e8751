/** The empty frame that waits for a file. */
import type { JSX } from 'solid-js';
import type { Dispatch } from './props.ts';

export function DropFrame(props: { readonly dispatch: Dispatch }): JSX.Element {
  let input!: HTMLInputElement;
  return (
    <>
      <label class="film drop-frame">
        <span class="drop-title">Drop a video here</span>
        <span class="drop-or">or</span>
        <span class="button button-accent button-large" aria-hidden="true">
          Choose a file
        </span>
        <input
          ref={input}
          type="file"
          class="drop-input"
          aria-label="Video file"
          accept="video/*,audio/*,.mkv,.mov,.avi,.ts,.m2ts,.webm"
          onChange={() => {
            const file = input.files?.[0];
            if (file) props.dispatch({ type: 'file-chosen', file });
          }}
        />
      </label>
      <ul class="promises">
        <li>
          <strong>Nothing is uploaded to a server.</strong> The video is cut in this tab, and other tabs take copies.
        </li>
        <li>
          <strong>Most files are copied as they are.</strong> What browsers can’t play is converted in this tab, which takes longer.
        </li>
        <li>
          <strong>Anyone with the link can watch.</strong> Keep the tab open until it says that it is safe to close.
        </li>
      </ul>
    </>
  );
}
