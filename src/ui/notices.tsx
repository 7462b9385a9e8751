/** Short messages that come and go. */
import { For, type JSX } from 'solid-js';
import { CloseIcon } from './icons.tsx';
import type { UiProps } from './props.ts';

export function Notices(props: UiProps): JSX.Element {
  return (
    <section class="notices" aria-live="polite" aria-label="Messages">
      <For each={props.state.notices}>
        {(notice) => (
          <div class="notice" data-tone={notice.tone}>
            <p>{notice.text}</p>
            <button
              type="button"
              class="icon-button"
              aria-label="Dismiss this message"
              onClick={() => props.dispatch({ type: 'notice-dismissed', id: notice.id })}
            >
              <CloseIcon size={16} />
            </button>
          </div>
        )}
      </For>
    </section>
  );
}
