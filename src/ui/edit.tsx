/** Changing a video that this browser published, and taking it off. */
import { createMemo, For, type JSX, Match, Show, Switch } from 'solid-js';
import type { EditEvent } from '../app/edit-events.ts';
import { pathOf } from '../app/router.ts';
import type { EditedVideo } from '../app/state.ts';
import { isChanged } from '../app/update-editing.ts';
import { EditQualities } from './edit-qualities.tsx';
import { EditRemove } from './edit-remove.tsx';
import { EditSent } from './edit-sent.tsx';
import { CloseIcon, RetryIcon } from './icons.tsx';
import { PlanProblem } from './plan-problem.tsx';
import { ProblemCard } from './problem-card.tsx';
import type { UiProps } from './props.ts';
import { PlanCaptions } from './publish-captions.tsx';
import { PlanPicture } from './publish-picture.tsx';
import './publish-plan.css';
import { inStep } from './in-step.ts';
import { TitleField } from './title-field.tsx';
import './edit.css';

export function EditPage(props: UiProps): JSX.Element {
  const editing = () => props.state.editing;
  const open = createMemo(() => inStep(editing(), 'open'));
  const failed = createMemo(() => inStep(editing(), 'failed'));
  const tell = (event: EditEvent): void => {
    const now = editing();
    if (now.step !== 'none') props.dispatch({ type: 'editing', videoId: now.videoId, event });
  };
  return (
    <div class="page publish edit" data-step={editing().step}>
      <h1 tabindex="-1">{editing().step === 'removed' ? 'It is removed' : 'Edit'}</h1>
      <Switch>
        <Match when={editing().step === 'loading'}>
          <p class="quiet" role="status">
            Reading what this browser has of it
          </p>
        </Match>
        <Match when={failed()}>
          {(failure) => (
            <ProblemCard
              problem={{ ...failure().problem, what: 'This video can’t be changed here.', advice: WHERE }}
              onRetry={failure().problem.code === 'internal' ? () => tell({ type: 'retry-pressed' }) : null}
            >
              <a class="button button-plain" href="/">
                First page
              </a>
            </ProblemCard>
          )}
        </Match>
        <Match when={editing().step === 'removed'}>
          <p class="lead">
            Nothing of it is on this disk any more. Its link says so, and the lists of others lose it, as they hear of it: at once, or when
            this tab is linked again.
          </p>
          <p class="actions">
            <a class="button button-ink" href="/">
              First page
            </a>
          </p>
        </Match>
        <Match when={open()}>
          {(edited) => (
            <>
              <EditForm edited={edited()} tabs={props.state.health.links.tabs} tell={tell} />
              <EditRemove busy={edited().saving} onRemove={() => tell({ type: 'remove-confirmed' })} />
            </>
          )}
        </Match>
      </Switch>
    </div>
  );
}

const WHERE = 'A video is changed in the browser that published it, as long as its data there was not cleared.';

interface EditFormProps {
  readonly edited: EditedVideo;
  /** Linked ones. */
  readonly tabs: number;
  readonly tell: (event: EditEvent) => void;
}

function EditForm(props: EditFormProps): JSX.Element {
  const video = () => props.edited.video;
  const changed = createMemo(() => isChanged(props.edited));
  return (
    <form
      class="chosen"
      onSubmit={(event) => {
        event.preventDefault();
        props.tell({ type: 'save-pressed' });
      }}
    >
      <fieldset class="edit-fields" disabled={props.edited.saving}>
        <p class="edit-link">
          <a href={pathOf({ page: 'watch', videoId: props.edited.videoId })}>Watch it</a>
          <span class="quiet">The link stays the same, whatever you change.</span>
        </p>
        <TitleField title={props.edited.title} onTyped={(title) => props.tell({ type: 'title-typed', title })} />
        <Show when={video().qualities.length > 0}>
          <PlanPicture
            plan={props.edited.plan}
            present={video().poster}
            onChange={(change) => props.tell({ type: 'plan-changed', change })}
            onFile={(file) => props.tell({ type: 'picture-file-chosen', file })}
          />
          <PlanCaptions
            captions={props.edited.plan.captions}
            onChange={(change) => props.tell({ type: 'plan-changed', change })}
            onFile={(file) => props.tell({ type: 'captions-file-chosen', file })}
          >
            <For each={video().captions}>
              {(captions) => (
                <PresentCaptions
                  {...captions}
                  wanted={!props.edited.without.includes(captions.language)}
                  replaced={props.edited.plan.captions.some(({ language }) => language === captions.language)}
                  onSwitch={(wanted) => props.tell({ type: 'captions-switched', language: captions.language, wanted })}
                />
              )}
            </For>
          </PlanCaptions>
          <EditQualities
            qualities={video().qualities}
            withdrawn={props.edited.withdrawn}
            onSwitch={(rendition, offered) => props.tell({ type: 'quality-switched', rendition, offered })}
          />
        </Show>
      </fieldset>
      <PlanProblem problem={props.edited.plan.problem} />
      <PlanProblem problem={props.edited.problem} />
      <div class="actions">
        <button type="submit" class="button button-accent button-large" disabled={!changed() || props.edited.saving}>
          Save
        </button>
        <Show when={!changed() && props.edited.sent === null}>
          <p class="quiet">as soon as something is changed</p>
        </Show>
      </div>
      <Show when={!changed() && props.edited.sent}>{(sent) => <EditSent sent={sent()} tabs={props.tabs} />}</Show>
    </form>
  );
}

interface PresentCaptionsProps {
  /** BCP 47. */
  readonly language: string;
  readonly name: string;
  readonly wanted: boolean;
  /** A file in the same language was chosen. */
  readonly replaced: boolean;
  readonly onSwitch: (wanted: boolean) => void;
}

function PresentCaptions(props: PresentCaptionsProps): JSX.Element {
  const state = () => {
    if (props.replaced) return 'replaced when you save';
    return props.wanted ? '' : 'removed when you save';
  };
  return (
    <li class="edit-captions" data-gone={props.wanted && !props.replaced ? undefined : ''}>
      <span class="plan-caption-name">
        <span lang={props.language}>{props.name}</span>
        <span class="quiet"> {state()}</span>
      </span>
      <Show when={!props.replaced}>
        <button
          type="button"
          class="button button-plain"
          aria-label={props.wanted ? `Remove ${props.name}` : `Keep ${props.name}`}
          onClick={() => props.onSwitch(!props.wanted)}
        >
          <Show when={props.wanted} fallback={<RetryIcon size={16} />}>
            <CloseIcon size={16} />
          </Show>
        </button>
      </Show>
    </li>
  );
}
