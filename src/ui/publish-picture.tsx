/** The picture that will stand for the video: one of three out of it, or the person's own. */
import { For, type JSX, Show } from 'solid-js';
import type { PublishPlan } from '../app/state.ts';
import type { Dispatch } from './props.ts';

export function PlanPicture(props: { readonly plan: PublishPlan; readonly dispatch: Dispatch }): JSX.Element {
  const choose = (picture: number | 'own'): void => props.dispatch({ type: 'plan-changed', change: { type: 'picture', picture } });
  return (
    <fieldset class="plan-part">
      <legend>Picture</legend>
      <div class="plan-pictures">
        <Show when={props.plan.pictures} fallback={<p class="quiet">Looking for good moments…</p>}>
          {(pictures) => (
            <For
              each={pictures()}
              fallback={<p class="quiet">This browser can’t look into this file: a picture is taken when it is converted.</p>}
            >
              {(picture, index) => (
                <Choice
                  picture={picture}
                  label={`Picture ${index() + 1} of ${pictures().length} from the video`}
                  checked={props.plan.picture === index()}
                  onChoose={() => choose(index())}
                />
              )}
            </For>
          )}
        </Show>
        <Show when={props.plan.own}>
          {(picture) => (
            <Choice picture={picture()} label="Your own picture" checked={props.plan.picture === 'own'} onChoose={() => choose('own')} />
          )}
        </Show>
        <label class="button button-plain plan-file">
          Your own picture
          <input
            type="file"
            class="hidden"
            accept="image/*"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) props.dispatch({ type: 'picture-file-chosen', file });
              event.currentTarget.value = ''; // The same file may be chosen again.
            }}
          />
        </label>
      </div>
    </fieldset>
  );
}

interface ChoiceProps {
  /** A data: address. */
  readonly picture: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}

function Choice(props: ChoiceProps): JSX.Element {
  return (
    <label class="plan-picture">
      <input type="radio" name="picture" class="hidden" checked={props.checked} onChange={() => props.onChoose()} />
      <img src={props.picture} alt={props.label} />
    </label>
  );
}
