/** The switch by which this tab lends its processor to other people's transcodes. */
import { createEffect, createUniqueId, For, type JSX, Show } from 'solid-js';
import type { HelpRest, HelpView } from '../app/api.ts';
import type { HelpTuning } from '../app/help-settings.ts';
import type { Changing } from './network-form.tsx';

export function Help(props: Changing & { readonly help: HelpView }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="help">
      <h2 id="help">Help with transcoding</h2>
      <p class="quiet">
        Videos are made smaller for slow lines by the tabs of whoever likes to help. This tab then takes short pieces of other people’s
        videos from tabs that it is linked to, and gives them back smaller. It rests by itself on battery, on a metered connection, and
        while you publish or watch something.
      </p>
      <label class="help-switch">
        <input
          type="checkbox"
          checked={props.help.on}
          disabled={props.busy}
          onChange={(event) => props.dispatch({ type: 'help-switched', on: event.currentTarget.checked })}
        />
        Help with transcoding
      </label>
      <p class="row-state" role="status" aria-label="Help with transcoding">
        {stateWords(props.help)}
      </p>
      <Choice
        {...props}
        label="Pieces at once"
        note="Each takes one processor core."
        options={slotOptions(props.help.slots)}
        textOf={String}
        chosen={props.help.slots}
        tuningOf={(slots) => ({ slots })}
      />
      <Choice
        {...props}
        label="Checks of what others make for you"
        note="So many of the pieces of your own videos are made twice and compared. More finds a helper that cheats sooner, and takes longer."
        options={shareOptions(props.help.checkShare)}
        textOf={(share) => `${Math.round(share * 1000) / 10}%`}
        chosen={props.help.checkShare}
        tuningOf={(checkShare) => ({ checkShare })}
      />
      <Show when={props.refused}>
        {(refused) => (
          <p class="health-problem" role="alert">
            {refused().problem.what} {refused().problem.advice}
          </p>
        )}
      </Show>
    </section>
  );
}

interface ChoiceProps extends Changing {
  readonly label: string;
  readonly note: string;
  readonly options: readonly number[];
  readonly textOf: (value: number) => string;
  readonly chosen: number;
  readonly tuningOf: (value: number) => Partial<HelpTuning>;
}

function Choice(props: ChoiceProps): JSX.Element {
  const id = createUniqueId();
  let select!: HTMLSelectElement;
  // Also when a change was refused.
  createEffect(() => {
    if (!props.busy) select.value = String(props.chosen);
  });
  return (
    <div class="help-choice">
      <label for={id}>{props.label}</label>
      <select
        ref={select}
        id={id}
        aria-describedby={`${id}-note`}
        disabled={props.busy}
        onChange={(event) => props.dispatch({ type: 'help-tuned', tuning: props.tuningOf(Number(event.currentTarget.value)) })}
      >
        <For each={props.options}>{(value) => <option value={value}>{props.textOf(value)}</option>}</For>
      </select>
      <p id={`${id}-note`} class="row-state">
        {props.note}
      </p>
    </div>
  );
}

/** As many as there are cores, and what a program may have set. */
function slotOptions(chosen: number): readonly number[] {
  return withChosen(
    [1, 2, 3, 4, 6, 8, 12, 16].filter((slots) => slots <= (navigator.hardwareConcurrency || 1)),
    chosen,
  );
}

function shareOptions(chosen: number): readonly number[] {
  return withChosen([0.01, 0.05, 0.1, 0.25, 0.5, 1], chosen);
}

function withChosen(options: readonly number[], chosen: number): readonly number[] {
  return options.includes(chosen) ? options : [...options, chosen].sort((a, b) => a - b);
}

function stateWords({ on, rest, jobs, seconds }: HelpView): string {
  const done = jobs > 0 ? ` Made so far: ${jobs} ${jobs === 1 ? 'piece' : 'pieces'}, ${Math.round(seconds)} s of video.` : '';
  if (!on) return `Off.${done}`;
  return `${rest ? `On, and resting: ${REASONS[rest]}.` : 'On: ready for whoever asks.'}${done}`;
}

const REASONS: Readonly<Record<HelpRest, string>> = {
  battery: 'this device runs on its battery',
  metered: 'this connection is metered, or saves data',
  publishing: 'this tab publishes something itself',
  playing: 'this tab plays something',
};
