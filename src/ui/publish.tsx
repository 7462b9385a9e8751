/** Publishing: choose, look, press, wait, share. */
import { createEffect, createMemo, type JSX, Match, on, Switch } from 'solid-js';
import type { Publishing } from '../app/state.ts';
import { inStep } from './in-step.ts';
import type { UiProps } from './props.ts';
import { ChosenCard } from './publish-chosen.tsx';
import { PublishedCard } from './publish-done.tsx';
import { DropFrame } from './publish-drop.tsx';
import { ProgressCard } from './publish-progress.tsx';
import { UnfinishedCards } from './unfinished.tsx';

export function PublishPage(props: UiProps): JSX.Element {
  let heading!: HTMLHeadingElement;
  const step = createMemo(() => props.state.publishing.step);
  // What was focused may be gone with the step it belonged to.
  createEffect(on(step, () => heading.focus({ preventScroll: true }), { defer: true }));
  return (
    <div class="page publish" data-step={step()}>
      <h1 ref={heading} tabindex="-1">
        {headingOf(props.state.publishing)}
      </h1>
      <Switch>
        <Match when={step() === 'empty'}>
          <DropFrame dispatch={props.dispatch} />
        </Match>
        <Match when={inStep(props.state.publishing, 'chosen') ?? inStep(props.state.publishing, 'failed')}>
          {(chosen) => <ChosenCard publishing={chosen()} plan={props.state.plan} dispatch={props.dispatch} />}
        </Match>
        <Match when={inStep(props.state.publishing, 'working')}>
          {(working) => <ProgressCard publishing={working()} dispatch={props.dispatch} />}
        </Match>
        <Match when={inStep(props.state.publishing, 'published')}>
          {(published) => <PublishedCard publishing={published()} state={props.state} dispatch={props.dispatch} />}
        </Match>
      </Switch>
      <UnfinishedCards state={props.state} dispatch={props.dispatch} />
    </div>
  );
}

function headingOf({ step }: Publishing): string {
  if (step === 'working') return 'Publishing';
  if (step === 'published') return 'It is on air';
  if (step === 'failed') return 'That did not work';
  return 'Publish a video';
}
