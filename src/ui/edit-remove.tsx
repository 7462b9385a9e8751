/** Taking a published video off: what that does, and what it can't do. */
import { createSignal, type JSX, Show } from 'solid-js';

export interface EditRemoveProps {
  readonly busy: boolean;
  readonly onRemove: () => void;
}

export function EditRemove(props: EditRemoveProps): JSX.Element {
  /** It can't be undone: it takes a second press. */
  const [asking, setAsking] = createSignal(false);
  let yes!: HTMLButtonElement;
  return (
    <section class="edit-remove" aria-labelledby="edit-remove">
      <h2 id="edit-remove">Remove this video</h2>
      <p>
        Its link then says that it was taken off, it leaves the list of the newest, and its files go from this disk. This can’t be undone.
      </p>
      <p class="quiet">
        Nobody can call copies back: other people’s disks keep theirs until they need the room, and who downloaded it has it. Without its
        description, which ends within seven days, nobody finds them any more.
      </p>
      <div class="actions">
        <Show
          when={asking()}
          fallback={
            <button
              type="button"
              class="button button-plain"
              disabled={props.busy}
              onClick={() => {
                setAsking(true);
                yes.focus();
              }}
            >
              Remove this video
            </button>
          }
        >
          <button ref={yes} type="button" class="button button-ink" disabled={props.busy} onClick={() => props.onRemove()}>
            Yes, remove it
          </button>
          <button type="button" class="button button-plain" onClick={() => setAsking(false)}>
            No
          </button>
        </Show>
      </div>
    </section>
  );
}
