/** Publishing under way: how far, which stage, how long. */
import { For, type JSX, Show } from 'solid-js';
import type { PublishStage } from '../app/api.ts';
import type { Publishing } from '../app/state.ts';
import { formatLeft, stageName } from './format.ts';
import { CheckIcon } from './icons.tsx';
import { Leader } from './leader.tsx';
import type { Dispatch } from './props.ts';

export interface ProgressCardProps {
  readonly publishing: Extract<Publishing, { step: 'working' }>;
  readonly dispatch: Dispatch;
}

export function ProgressCard(props: ProgressCardProps): JSX.Element {
  const progress = () => props.publishing.progress;
  const percent = () => Math.floor(100 * progress().fraction);
  const stages = (): readonly PublishStage[] =>
    props.publishing.probe.plan === 'copy' ? ['read', 'cut', 'announce'] : ['read', 'transcode', 'cut', 'announce'];
  return (
    <div class="progress">
      <Leader
        figure={
          <>
            {percent()}
            <small>%</small>
          </>
        }
        turn={progress().fraction}
      />
      <div class="progress-words">
        <p class="progress-title">{props.publishing.title}</p>
        <p class="quiet">{props.publishing.file.name}</p>
        <ol class="stages">
          <For each={stages()}>
            {(stage, index) => {
              // `copies` goes on after all of these.
              const now = () => (progress().stage === 'copies' ? stages().length : stages().indexOf(progress().stage));
              const phase = () => (index() < now() ? 'done' : index() === now() ? 'now' : 'later');
              return (
                <li data-phase={phase()} aria-current={phase() === 'now' ? 'step' : undefined}>
                  <span class="stage-mark" aria-hidden="true">
                    <Show when={phase() === 'done'}>
                      <CheckIcon size={14} stroke-width={3} />
                    </Show>
                  </span>
                  {stageName(stage)}
                  <Show when={phase() === 'done'}>
                    <span class="hidden">, done</span>
                  </Show>
                </li>
              );
            }}
          </For>
        </ol>
        <div
          class="strip"
          role="progressbar"
          aria-label="Publishing"
          aria-valuemin="0"
          aria-valuemax="100"
          aria-valuenow={percent()}
          aria-valuetext={`${percent()} %, ${stageName(progress().stage)}, ${formatLeft(progress().secondsLeft)}`}
          style={{ '--done': `${progress().fraction}` }}
        >
          <span class="strip-done" />
        </div>
        <p class="progress-figures">
          <span>{percent()} %</span>
          <span>{formatLeft(progress().secondsLeft)}</span>
        </p>
        <div class="actions">
          <button type="button" class="button button-plain" onClick={() => props.dispatch({ type: 'cancel-pressed' })}>
            Cancel
          </button>
          <p class="quiet">Keep this tab open. You can look around meanwhile.</p>
        </div>
      </div>
    </div>
  );
}
