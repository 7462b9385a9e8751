/** The switch by which this tab lends its processor to other people's transcodes. */
import { type JSX, Show } from 'solid-js';
import type { HelpRest, HelpView } from '../app/api.ts';
import type { Changing } from './network-form.tsx';

export function Help(props: Changing & { readonly help: HelpView }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="help">
      <h2 id="help">Help with transcoding</h2>
      <p class="quiet">
        Videos are made smaller for slow lines by the tabs of whoever likes to help. This tab then takes short pieces of other people’s
        videos from tabs that it is linked to, and gives them back smaller. It uses one processor core, and rests by itself on battery, on a
        metered connection, and while you publish or watch something.
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
