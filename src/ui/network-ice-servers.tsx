/** STUN and TURN servers, by which tabs behind NATs find a way to each other. */
import { createSignal, For, type JSX, Show } from 'solid-js';
import type { IceServerView } from '../app/api.ts';
import { AddForm, type Changing } from './network-form.tsx';

export function IceServers(
  props: Changing & { readonly servers: readonly IceServerView[]; readonly found: readonly string[] },
): JSX.Element {
  let heading!: HTMLHeadingElement;
  const [isTurn, setIsTurn] = createSignal(false);
  const remove = (urls: string): void => {
    heading.focus(); // the pressed button goes with its row
    props.dispatch({ type: 'network-change-pressed', change: { type: 'remove-ice-server', urls } });
  };
  const add = (value: (name: string) => string): void => {
    const [urls, username, credential] = [value('urls'), value('username'), value('credential')];
    const server = username === '' && credential === '' ? { urls } : { urls, username, credential };
    props.dispatch({ type: 'network-change-pressed', change: { type: 'add-ice-server', server } });
  };
  return (
    <section class="panel" aria-labelledby="ice-servers">
      <h2 ref={heading} id="ice-servers" tabindex="-1">
        STUN and TURN servers
      </h2>
      <p class="quiet">
        A STUN server tells a tab the address that its router shows to others. A TURN server relays where no direct way opens: then video
        passes through it. They serve for connections made from now on.
      </p>
      <Show when={props.servers.length > 0} fallback={<p class="nothing-yet">None: enough in one network, or between public addresses.</p>}>
        <ul class="rows" aria-label="STUN and TURN servers">
          <For each={props.servers}>
            {(server) => (
              <li class="row">
                <span class="row-words">
                  <span class="row-address">{server.urls}</span>
                  <Show when={server.username}>{(name) => <span class="row-state">as {name()}</span>}</Show>
                </span>
                <button
                  type="button"
                  class="button button-plain"
                  aria-label={`Remove ${server.urls}`}
                  disabled={props.busy}
                  onClick={() => remove(server.urls)}
                >
                  Remove
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={props.found.length > 0}>
        <p class="quiet">
          Open nodes that answer STUN serve as well: <For each={props.found}>{(url) => <span class="row-address">{url} </span>}</For>
        </p>
      </Show>
      <AddForm busy={props.busy} problem={props.refused?.problem ?? null} onAdd={add} onEmptied={() => setIsTurn(false)}>
        {(describedBy) => (
          <>
            <div class="field">
              <label for="ice-urls">Address of a STUN or TURN server</label>
              <input
                id="ice-urls"
                name="urls"
                type="text"
                required
                maxlength="300"
                placeholder="stun:example.org:3478"
                autocapitalize="none"
                spellcheck={false}
                aria-invalid={describedBy() !== undefined}
                aria-describedby={describedBy()}
                onInput={(event) => setIsTurn(/^\s*turns?:/i.test(event.currentTarget.value))}
              />
            </div>
            <Show when={isTurn()}>
              <div class="field-pair">
                <div class="field">
                  <label for="ice-username">User name</label>
                  <input
                    id="ice-username"
                    name="username"
                    type="text"
                    maxlength="256"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck={false}
                  />
                </div>
                <div class="field">
                  <label for="ice-credential">Password</label>
                  <input id="ice-credential" name="credential" type="password" maxlength="256" autocomplete="new-password" />
                </div>
              </div>
            </Show>
          </>
        )}
      </AddForm>
    </section>
  );
}
