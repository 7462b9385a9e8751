/** The picture that will stand for the video: one of three out of it, or the person's own. */
import { For, type JSX, Show } from 'solid-js';
import type { PlanChange } from '../app/publish-plan.ts';
import type { PublishPlan } from '../app/state.ts';

export interface PlanPictureProps {
  readonly plan: PublishPlan;
  /** The picture that the video has, as a data: address; left out before it is published. */
  readonly present?: string | null;
  readonly onChange: (change: PlanChange) => void;
  readonly onFile: (file: File) => void;
}

export function PlanPicture(props: PlanPictureProps): JSX.Element {
  const choose = (picture: number | 'own' | null): void => props.onChange({ type: 'picture', picture });
  const isPublished = () => props.present !== undefined;
  return (
    <fieldset class="plan-part">
      <legend>Picture</legend>
      <div class="plan-pictures">
        <Show when={props.present}>
          {(picture) => (
            <Choice
              picture={picture()}
              label="The picture that it has"
              checked={props.plan.picture === null}
              onChoose={() => choose(null)}
            />
          )}
        </Show>
        <Show when={props.plan.pictures} fallback={<p class="quiet">Looking for good moments…</p>}>
          {(pictures) => (
            <For
              each={pictures()}
              fallback={
                <p class="quiet">
                  {isPublished()
                    ? 'This browser can’t take pictures out of the video.'
                    : 'This browser can’t look into this file: a picture is taken when it is converted.'}
                </p>
              }
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
              if (file) props.onFile(file);
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
