/** Publications that an earlier page began: how far each is, what it needs to go on, and how to give it up. */
import { createEffect, createSignal, For, type JSX, Match, on, Show, Switch } from 'solid-js';
import type { Unfinished } from '../app/api.ts';
import { pathOf } from '../app/router.ts';
import type { Dispatch, UiProps } from './props.ts';

/** Nothing when there is none. */
export function UnfinishedCards(props: UiProps): JSX.Element {
  return (
    <Show when={props.state.unfinished.length > 0}>
      <section class="unfinished" aria-labelledby="unfinished">
        <h2 id="unfinished">Not finished yet</h2>
        <ul>
          <For each={props.state.unfinished}>
            {(one) => (
              <li>
                <UnfinishedCard one={one} dispatch={props.dispatch} />
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}

function UnfinishedCard(props: { readonly one: Unfinished; readonly dispatch: Dispatch }): JSX.Element {
  /** Discarding can't be undone: it takes a second press. */
  const [asking, setAsking] = createSignal(false);
  const one = () => props.one;
  createEffect(
    on(
      () => props.one.id,
      () => setAsking(false),
    ),
  );
  const percent = () => Math.floor(100 * one().fraction);
  const name = () => one().title || 'A publication that can’t be read';
  const mayDiscard = () => one().phase !== 'elsewhere';
  return (
    <article class="file-card unfinished-card" data-phase={one().phase}>
      <div class="unfinished-words">
        <p class="file-name">
          {name()}
          <Show when={one().phase !== 'unreadable'}>: {percent()}% done</Show>
        </p>
        <p class="unfinished-state" role="status">
          {words(one())}
        </p>
        <Show when={one().problem}>
          <p class="unfinished-problem" role="alert">
            {one().problem}
          </p>
        </Show>
        <Show when={one().phase !== 'unreadable'}>
          <div class="strip" aria-hidden="true" style={{ '--done': `${one().fraction}` }}>
            <span class="strip-done" />
          </div>
        </Show>
      </div>
      <div class="actions unfinished-actions">
        <Switch>
          <Match when={asking()}>
            <button type="button" class="button button-ink" onClick={() => props.dispatch({ type: 'discard-pressed', id: one().id })}>
              {one().videoId ? 'Yes, leave it so' : 'Yes, discard it'}
            </button>
            <button type="button" class="button button-plain" onClick={() => setAsking(false)}>
              No
            </button>
          </Match>
          <Match when={true}>
            <Show when={one().phase === 'asks' || one().phase === 'failed'}>
              <button
                type="button"
                class="button button-accent"
                onClick={() => props.dispatch({ type: 'go-on-pressed', id: one().id, file: null })}
              >
                {one().phase === 'asks' ? 'Go on' : 'Try again'}
              </button>
            </Show>
            <Show when={one().phase === 'needs-file'}>
              <label class="button button-accent">
                Choose the file
                <input
                  type="file"
                  class="hidden"
                  aria-label={`File of ${name()}`}
                  onChange={(event) => {
                    const file = event.currentTarget.files?.[0];
                    if (file) props.dispatch({ type: 'go-on-pressed', id: one().id, file });
                    event.currentTarget.value = '';
                  }}
                />
              </label>
            </Show>
            <Show when={one().videoId}>
              {(videoId) => (
                <a class="button button-plain" href={pathOf({ page: 'watch', videoId: videoId() })}>
                  Watch
                </a>
              )}
            </Show>
            <Show when={mayDiscard()}>
              <button type="button" class="button button-plain" onClick={() => setAsking(true)}>
                {one().videoId ? 'Stop here' : 'Discard'}
              </button>
            </Show>
          </Match>
        </Switch>
      </div>
    </article>
  );
}

/** What happens with it, and what it waits for. */
function words({ phase, fileName, videoId, kind }: Unfinished): string {
  if (kind === 'change') return wordsOfChange(phase);
  const link = videoId ? 'The link works. ' : '';
  switch (phase) {
    case 'working':
      return videoId
        ? 'The link works. What is not there yet is made in this tab, and copied to others.'
        : 'It goes on in this tab where it was when the other one was closed.';
    case 'asks':
      return `${link}To go on, this page must be allowed to read “${fileName}” again.`;
    case 'needs-file':
      return `${link}To go on, choose “${fileName}” once more: this browser has not kept the way to it.`;
    case 'elsewhere':
      return `${link}It goes on in another tab of this browser.`;
    case 'failed':
      return `${link}It stopped. What was done is kept.`;
    case 'unreadable':
      return 'It was begun in this browser.';
  }
}

function wordsOfChange(phase: Unfinished['phase']): string {
  if (phase === 'elsewhere') return 'What was changed of it is on its way to others, from another tab of this browser.';
  return phase === 'failed'
    ? 'What was changed of it stands in this browser. Bringing it to others stopped.'
    : 'What was changed of it stands in this browser, and is on its way to others.';
}
