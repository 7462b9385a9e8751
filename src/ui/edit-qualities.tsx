/** Which pictures of a published video players are offered. */
import { For, type JSX, Show } from 'solid-js';
import type { OwnQuality } from '../app/api.ts';
import { formatBitrate } from './estimate.ts';

export interface EditQualitiesProps {
  readonly qualities: readonly OwnQuality[];
  /** Numbers of those that shall not be offered. */
  readonly withdrawn: readonly number[];
  readonly onSwitch: (rendition: number, offered: boolean) => void;
}

/** Nothing where there is no choice. */
export function EditQualities(props: EditQualitiesProps): JSX.Element {
  const sorted = () => [...props.qualities].sort((a, b) => b.height - a.height || b.bitrate - a.bitrate);
  const isOffered = ({ rendition }: OwnQuality): boolean => !props.withdrawn.includes(rendition);
  const isLast = (quality: OwnQuality): boolean => isOffered(quality) && props.qualities.filter(isOffered).length === 1;
  return (
    <Show when={props.qualities.length > 1}>
      <section class="plan-part" aria-labelledby="edit-qualities">
        <h2 id="edit-qualities">Qualities</h2>
        <ul class="plan-rungs" aria-label="Qualities">
          <For each={sorted()}>
            {(quality) => (
              <li>
                <label class="plan-rung">
                  <input
                    type="checkbox"
                    checked={isOffered(quality)}
                    disabled={isLast(quality)}
                    onChange={(event) => props.onSwitch(quality.rendition, event.currentTarget.checked)}
                  />
                  <span class="plan-name">{Math.min(quality.width, quality.height)}p</span>
                  <span class="plan-facts">
                    <span>
                      {quality.width} × {quality.height}
                    </span>
                    <span>{formatBitrate(quality.bitrate)}</span>
                  </span>
                </label>
              </li>
            )}
          </For>
        </ul>
        <p class="plan-sum">
          An unticked quality is offered to players no longer. It stays on this disk and others’, so you can offer it again at any time.
        </p>
      </section>
    </Show>
  );
}
