/** What publishing the chosen file will do, and what can be chosen about it: qualities, picture, captions. */
import { For, type JSX, Show } from 'solid-js';
import { bytesOf, type Preflight, timeOf } from '../app/preflight.ts';
import type { PlanChange } from '../app/publish-plan.ts';
import type { PublishPlan } from '../app/state.ts';
import type { MediaProbe } from '../base/ports.ts';
import { formatBitrate, formatRange } from './estimate.ts';
import { codecName, formatBytes } from './format.ts';
import { WarningIcon } from './icons.tsx';
import { PlanProblem } from './plan-problem.tsx';
import type { Dispatch } from './props.ts';
import { PlanCaptions } from './publish-captions.tsx';
import { PlanPicture } from './publish-picture.tsx';
import './publish-plan.css';

export interface PlanCardProps {
  readonly probe: MediaProbe;
  readonly plan: PublishPlan;
  readonly dispatch: Dispatch;
}

export function PlanCard(props: PlanCardProps): JSX.Element {
  const changed = (change: PlanChange): void => props.dispatch({ type: 'plan-changed', change });
  return (
    <div class="plan">
      <Show when={props.plan.preflight}>
        {(preflight) => (
          <PlanQualities probe={props.probe} preflight={preflight()} without={props.plan.without} dispatch={props.dispatch} />
        )}
      </Show>
      <Show when={props.probe.video}>
        <PlanPicture plan={props.plan} onChange={changed} onFile={(file) => props.dispatch({ type: 'picture-file-chosen', file })} />
        <PlanCaptions
          captions={props.plan.captions}
          onChange={changed}
          onFile={(file) => props.dispatch({ type: 'captions-file-chosen', file })}
        />
      </Show>
      <PlanProblem problem={props.plan.problem} />
    </div>
  );
}

interface PlanQualitiesProps {
  readonly probe: MediaProbe;
  readonly preflight: Preflight;
  readonly without: readonly string[];
  readonly dispatch: Dispatch;
}

function PlanQualities(props: PlanQualitiesProps): JSX.Element {
  const names = () => props.preflight.rungs.map(({ name }) => name).filter((name) => !props.without.includes(name));
  const whole = () => timeOf(props.preflight, names());
  const bytes = () => bytesOf(props.preflight, names());
  const room = () => props.preflight.room;
  const short = () => {
    const there = room();
    return there === null || bytes() <= there ? null : { there, first: props.preflight.bytes > there };
  };
  return (
    <section class="plan-part" aria-labelledby="plan-qualities">
      <h2 id="plan-qualities">What will be made</h2>
      <ul class="plan-rungs">
        <li>
          <label class="plan-rung">
            <input type="checkbox" checked disabled />
            <span class="plan-name">{firstName(props.preflight, props.probe)}</span>
            <span class="plan-facts">
              <Show when={props.preflight.first}>{(size) => <span>{sizeOf(size())}</span>}</Show>
              <span>{firstWork(props.probe)}</span>
            </span>
            <span class="plan-cost">
              {formatBytes(props.preflight.bytes)} · {formatRange(props.preflight.time)}
            </span>
          </label>
        </li>
        <For each={props.preflight.rungs}>
          {(rung) => (
            <li>
              <label class="plan-rung">
                <input
                  type="checkbox"
                  checked={!props.without.includes(rung.name)}
                  onChange={(event) =>
                    props.dispatch({
                      type: 'plan-changed',
                      change: { type: 'quality', name: rung.name, wanted: event.currentTarget.checked },
                    })
                  }
                />
                <span class="plan-name">{rung.name}</span>
                <span class="plan-facts">
                  <span>{sizeOf(rung)}</span>
                  <span>up to {formatBitrate(rung.bitrate)}</span>
                </span>
                <span class="plan-cost">
                  {formatBytes(rung.bytes)} · {formatRange(rung.time)}
                </span>
              </label>
            </li>
          )}
        </For>
      </ul>
      <p class="plan-sum">
        <strong>{formatBytes(bytes())}</strong>
        {room() === null ? ' of your disk' : ` of the ${formatBytes(room() ?? 0)} that this site may still use on your disk`}. The link
        works after {formatRange(props.preflight.link)}
        <Show when={formatRange(whole()) !== formatRange(props.preflight.link)}>, everything is there after {formatRange(whole())}</Show>.{' '}
        {props.preflight.measured ? 'Reckoned from how fast this device was before.' : 'A guess: nothing was measured on this device yet.'}
      </p>
      <Show when={short()}>
        {(lack) => (
          <p class="plan-problem" role="alert">
            <WarningIcon size={18} />
            <span>
              <strong>It does not fit.</strong> {formatBytes(bytes() - lack().there)} are missing.{' '}
              {lack().first
                ? 'Free some space on this disk first, or choose a smaller file.'
                : 'Untick a quality, or free some space on this disk.'}
            </span>
          </p>
        )}
      </Show>
    </section>
  );
}

function sizeOf({ width, height }: { readonly width: number; readonly height: number }): string {
  return `${width} × ${height}`;
}

function firstName({ first }: Preflight, { video }: MediaProbe): string {
  if (!first) return 'Sound';
  return video?.copied ? 'As it is' : `${Math.min(first.width, first.height)}p`;
}

function firstWork({ video, audio }: MediaProbe): string {
  if (!video) return audio?.copied ? 'copied' : 'converted to AAC';
  if (!video.copied) return `converted from ${codecName(video.codec)}`;
  return audio && !audio.copied ? `copied, sound converted from ${codecName(audio.codec)}` : 'copied, nothing is lost';
}
