/** The smaller pictures of a published video, for slow lines and small screens, as they are made. */
import { For, type JSX, Show } from 'solid-js';
import type { QualityState } from '../app/api.ts';

/** Nothing while there are none. */
export function Qualities(props: { readonly qualities: readonly QualityState[] }): JSX.Element {
  return (
    <Show when={props.qualities.length > 0}>
      <div class="qualities">
        <p class="qualities-title">Smaller pictures</p>
        <ul aria-label="Smaller pictures">
          <For each={props.qualities}>
            {(quality) => (
              <li data-phase={quality.phase} title={quality.problem ?? undefined}>
                <span>{quality.name}</span>
                <span class="quality-bar" aria-hidden="true">
                  <span style={{ width: `${quality.fraction * 100}%` }} />
                </span>
                <span class="quiet">{wordFor(quality)}</span>
              </li>
            )}
          </For>
        </ul>
      </div>
    </Show>
  );
}

function wordFor({ phase, fraction, problem }: QualityState): string {
  switch (phase) {
    case 'waiting':
      return 'waiting';
    case 'making':
      return `${Math.floor(fraction * 100)}%`;
    case 'made':
      return 'there';
    case 'failed':
      return `left out: ${problem ?? 'it could not be made'}`;
  }
}
