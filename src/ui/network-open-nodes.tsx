/** Open nodes: those that are linked, and those that the person added. */
import { For, type JSX, Show } from 'solid-js';
import type { OpenNodeView } from '../app/api.ts';
import { AddForm, type Changing } from './network-form.tsx';

export function OpenNodes(props: Changing & { readonly nodes: readonly OpenNodeView[] }): JSX.Element {
  let heading!: HTMLHeadingElement;
  const remove = (url: string): void => {
    heading.focus(); // the pressed button goes with its row
    props.dispatch({ type: 'network-change-pressed', change: { type: 'remove-open-node', url } });
  };
  return (
    <section class="panel" aria-labelledby="open-nodes">
      <h2 ref={heading} id="open-nodes" tabindex="-1">
        Open nodes
      </h2>
      <p class="quiet">
        They introduce tabs to each other and never take video. This tab links to those that you add at once and whenever they can be
        reached, and remembers the others that it meets.
      </p>
      <Show
        when={props.nodes.length > 0}
        fallback={<p class="nothing-yet">None is linked now. Add one below, or wait: this tab goes on trying.</p>}
      >
        <ul class="rows" aria-label="Open nodes">
          <For each={props.nodes}>
            {(node) => (
              <li class="row" data-linked={node.linked}>
                <span class="row-dot" aria-hidden="true" />
                <span class="row-words">
                  <span class="row-address">{node.url}</span>
                  <span class="row-state">
                    {node.linked ? 'linked' : 'no link yet, still trying'}
                    {node.added ? ' · added by you' : ''}
                  </span>
                </span>
                <Show when={node.added}>
                  <button
                    type="button"
                    class="button button-plain"
                    aria-label={`Remove ${node.url}`}
                    disabled={props.busy}
                    onClick={() => remove(node.url)}
                  >
                    Remove
                  </button>
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <AddForm
        busy={props.busy}
        problem={props.refused?.problem ?? null}
        onAdd={(value) => props.dispatch({ type: 'network-change-pressed', change: { type: 'add-open-node', url: value('url') } })}
      >
        {(describedBy) => (
          <div class="field">
            <label for="open-node-url">Address of an open node</label>
            <input
              id="open-node-url"
              name="url"
              type="text"
              inputmode="url"
              required
              maxlength="300"
              placeholder="https://example.org"
              autocapitalize="none"
              spellcheck={false}
              aria-invalid={describedBy() !== undefined}
              aria-describedby={describedBy()}
            />
          </div>
        )}
      </AddForm>
    </section>
  );
}
