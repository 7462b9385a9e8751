/** The link works: pass it on, and see who keeps copies. */
import { type JSX, lazy, Show } from 'solid-js';
import type { GrowthState } from '../app/api.ts';
import { pathOf } from '../app/router.ts';
import type { Publishing, State } from '../app/state.ts';
import { copiesLine } from './copies.ts';
import { Cover } from './cover.tsx';
import { formatLeft, formatTime } from './format.ts';
import { CheckIcon, CopyIcon, HourglassIcon, PlayIcon } from './icons.tsx';
import { Later } from './later.tsx';
import type { Dispatch } from './props.ts';
import { Qualities } from './qualities.tsx';
import { ShareButton } from './share-button.tsx';

const SharedWork = lazy(async () => ({ default: (await import('./shared-work.tsx')).SharedWork }));

export interface PublishedCardProps {
  readonly publishing: Extract<Publishing, { step: 'published' }>;
  readonly state: State;
  readonly dispatch: Dispatch;
}

/** Shown once the link works. */
export function PublishedCard(props: PublishedCardProps): JSX.Element {
  let link!: HTMLInputElement;
  const poster = () => props.state.mine.videos.find(({ videoId }) => videoId === props.publishing.videoId)?.poster ?? null;
  /** While there is more to come, or there should be. */
  const growth = () => (props.publishing.growth?.isWhole ? null : props.publishing.growth);
  const making = () => props.publishing.qualities.some(({ phase }) => phase === 'waiting' || phase === 'making');
  const copies = () =>
    copiesLine(props.publishing.copies, { tabs: props.state.health.links.tabs, making: making(), growing: growth()?.problem === null });
  return (
    <div class="done">
      <div class="card-picture">
        <Cover videoId={props.publishing.videoId} poster={poster()} />
      </div>
      <div class="done-words">
        <p class="lead">
          <strong>{props.publishing.title}</strong> plays for anyone who has this link.
        </p>
        <Show when={growth()}>
          {(now) => (
            <p class="growth" role="status" data-phase={now().problem ? 'failed' : 'making'}>
              {growthWords(now(), props.publishing.progress.secondsLeft)}
            </p>
          )}
        </Show>
        <div class="link-box">
          <input ref={link} type="text" readonly aria-label="Watch link" value={props.publishing.watchUrl} onFocus={() => link.select()} />
          <button
            type="button"
            class="button button-accent"
            onClick={() => props.dispatch({ type: 'copy-link-pressed', videoId: props.publishing.videoId })}
          >
            <CopyIcon size={16} />
            Copy link
          </button>
        </div>
        <div class="actions">
          <a class="button button-ink" href={pathOf({ page: 'watch', videoId: props.publishing.videoId })}>
            <PlayIcon size={16} />
            Watch
          </a>
          <Show when={props.state.canShare}>
            <ShareButton
              onPress={() =>
                props.dispatch({ type: 'share-link-pressed', videoId: props.publishing.videoId, title: props.publishing.title })
              }
            />
          </Show>
          <a class="button button-plain" href={pathOf({ page: 'edit', videoId: props.publishing.videoId })}>
            Edit
          </a>
          <button type="button" class="button button-plain" onClick={() => props.dispatch({ type: 'publish-another-pressed' })}>
            Another video
          </button>
        </div>
        <Qualities qualities={props.publishing.qualities} />
        <Show when={props.publishing.sharedWork}>
          {(work) => (
            <Later meanwhile={null} otherwise={null}>
              <SharedWork work={work()} />
            </Later>
          )}
        </Show>
        <div class="copies" data-safe={copies().safe ? '' : undefined} role="status" aria-label="Copies">
          <Show when={copies().safe} fallback={<HourglassIcon class="copies-icon" size={22} />}>
            <CheckIcon class="copies-icon" size={22} stroke-width={2.5} />
          </Show>
          <div>
            <p class="copies-title">{copies().title}</p>
            <p>{copies().text}</p>
          </div>
        </div>
      </div>
    </div>
  );
}

/** How much of it can be watched, and when it will be all. */
function growthWords({ made, expected, problem }: GrowthState, secondsLeft: number | null): string {
  const there = `${formatTime(made)} of ${formatTime(expected)} can be watched`;
  if (problem === null) return `${there}; the rest follows by itself: ${formatLeft(secondsLeft)}.`;
  return `${there}. The rest could not be made: ${problem} It is among the videos not finished: try again there, or let it end where it does.`;
}
