/** Captions that go with the video: files, and the language of each. */
import { For, type JSX, Show } from 'solid-js';
import type { PlanChange } from '../app/publish-plan.ts';
import type { CaptionFacts } from '../app/state.ts';
import { plural } from './format.ts';
import { CloseIcon } from './icons.tsx';
import { languageChoices } from './languages.ts';

export interface PlanCaptionsProps {
  /** Files that were chosen. */
  readonly captions: readonly CaptionFacts[];
  readonly onChange: (change: PlanChange) => void;
  readonly onFile: (file: File) => void;
  /** Rows above them: what the video has already. */
  readonly children?: JSX.Element;
}

export function PlanCaptions(props: PlanCaptionsProps): JSX.Element {
  return (
    <section class="plan-part" aria-labelledby="plan-captions">
      <h2 id="plan-captions">Captions</h2>
      <ul class="plan-captions" aria-label="Captions">
        {props.children}
        <For each={props.captions}>
          {(captions, index) => (
            <li>
              <span class="plan-caption-name">
                {captions.fileName}
                <span class="quiet">
                  {' '}
                  {plural(captions.texts, 'text')}
                  {captions.encoding === 'windows-1252' ? ', read as Western (Windows-1252)' : ''}
                </span>
              </span>
              <select
                aria-label={`Language of ${captions.fileName}`}
                onChange={(event) => props.onChange({ type: 'language', index: index(), language: event.currentTarget.value })}
              >
                <option value="und" selected={captions.language === 'und'} disabled>
                  Which language?
                </option>
                <For each={languageChoices(captions.language)}>
                  {({ tag, name }) => (
                    <option value={tag} lang={tag} selected={captions.language === tag}>
                      {name}
                    </option>
                  )}
                </For>
              </select>
              <button
                type="button"
                class="button button-plain"
                aria-label={`Remove ${captions.fileName}`}
                onClick={() => props.onChange({ type: 'captions-removed', index: index() })}
              >
                <CloseIcon size={16} />
              </button>
              <Show when={captions.leftOut > 0}>
                <div class="plan-left-out">
                  <p>{plural(captions.leftOut, 'text')} left out:</p>
                  <ul>
                    <For each={captions.problems}>{(problem) => <li>{`Line ${problem.line}: ${problem.what}.`}</li>}</For>
                  </ul>
                </div>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <label class="button button-plain plan-file">
        Add captions (.srt, .vtt)
        <input
          type="file"
          class="hidden"
          accept=".srt,.vtt,text/vtt,application/x-subrip"
          multiple
          onChange={(event) => {
            for (const file of event.currentTarget.files ?? []) props.onFile(file);
            event.currentTarget.value = ''; // The same file may be chosen again, corrected.
          }}
        />
      </label>
    </section>
  );
}
