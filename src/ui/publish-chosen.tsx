/** The chosen file: what it is, what will happen to it, and its title. Also after a failure, with the reason on top. */
import { For, type JSX, lazy, Match, Show, Switch } from 'solid-js';
import type { Publishing, PublishPlan } from '../app/state.ts';
import type { AudioProbe, MediaProbe } from '../base/ports.ts';
import { formatBitrate, formatFrameRate } from './estimate.ts';
import { codecName, containerName, formatBytes, formatTime } from './format.ts';
import { FileVideoIcon } from './icons.tsx';
import { Later } from './later.tsx';
import { planWords } from './plan-words.ts';
import { ProblemCard } from './problem-card.tsx';
import type { Dispatch } from './props.ts';
import { TitleField } from './title-field.tsx';

const PlanCard = lazy(async () => ({ default: (await import('./publish-plan.tsx')).PlanCard }));

export interface ChosenCardProps {
  readonly publishing: Extract<Publishing, { step: 'chosen' | 'failed' }>;
  readonly plan: PublishPlan;
  readonly dispatch: Dispatch;
}

export function ChosenCard(props: ChosenCardProps): JSX.Element {
  const failure = () => (props.publishing.step === 'failed' ? props.publishing.problem : null);
  return (
    <form
      class="chosen"
      onSubmit={(event) => {
        event.preventDefault();
        props.dispatch({ type: 'publish-pressed' });
      }}
    >
      <Show when={failure()}>
        {(problem) => (
          <ProblemCard
            problem={problem()}
            onRetry={problem().code === 'unsupported' ? null : () => props.dispatch({ type: 'publish-retry-pressed' })}
          />
        )}
      </Show>
      <section class="file-card" aria-label="Chosen file">
        <FileVideoIcon class="file-icon" size={28} stroke-width={1.5} />
        <div class="file-words">
          <p class="file-name">{props.publishing.file.name}</p>
          <Switch fallback={<p class="file-facts">{formatBytes(props.publishing.file.size)}</p>}>
            <Match when={props.publishing.probe}>
              {(probe) => (
                <ul class="file-facts">
                  <For each={[formatBytes(props.publishing.file.size), ...factsOf(probe())]}>{(fact) => <li>{fact}</li>}</For>
                </ul>
              )}
            </Match>
            <Match when={props.publishing.step === 'chosen'}>
              <p class="file-facts" role="status">
                {formatBytes(props.publishing.file.size)} · looking at what is in it…
              </p>
            </Match>
          </Switch>
        </div>
        <button type="button" class="button button-plain" onClick={() => props.dispatch({ type: 'file-removed' })}>
          Choose another
        </button>
        <Show when={props.publishing.probe}>
          {(probe) => (
            <p class="file-plan" data-plan={probe().plan}>
              <strong>{planWords(probe()).what}</strong>
              <span>{planWords(probe()).why}</span>
            </p>
          )}
        </Show>
      </section>
      <TitleField title={props.publishing.title} onTyped={(title) => props.dispatch({ type: 'title-typed', title })} />
      <Show when={failure() === null && props.publishing.probe}>
        {(probe) => (
          <Later meanwhile={null} otherwise={<p class="quiet">The choices could not be loaded. It is published with all qualities.</p>}>
            <PlanCard probe={probe()} plan={props.plan} dispatch={props.dispatch} />
          </Later>
        )}
      </Show>
      <Show when={failure() === null}>
        <div class="actions">
          <button type="submit" class="button button-accent button-large" disabled={props.publishing.probe === null}>
            Publish
          </button>
          <Show when={props.publishing.probe === null}>
            <p class="quiet">as soon as the file has been looked at</p>
          </Show>
        </div>
      </Show>
    </form>
  );
}

/** Length, resolution, frame rate, codecs, bits. */
function factsOf({ duration, video, audio, container }: MediaProbe): readonly string[] {
  const facts = [formatTime(duration)];
  if (video) {
    facts.push(`${video.width} × ${video.height}`, codecName(video.codec), formatFrameRate(video));
    if (video.bitrate !== null) facts.push(formatBitrate(video.bitrate));
    if (video.rotation !== 0) facts.push(`turned by ${video.rotation}°`);
  } else facts.push('no picture');
  facts.push(audio ? soundOf(audio) : 'no sound', containerName(container));
  return facts;
}

function soundOf({ codec, channels }: AudioProbe): string {
  const ways = channels === 1 ? ', mono' : channels > 2 ? `, ${channels} channels` : '';
  return codecName(codec) + ways;
}
