/** One video in a list. */
import { For, type JSX, Show } from 'solid-js';
import type { VideoCard } from '../app/api.ts';
import { pathOf } from '../app/router.ts';
import { Cover } from './cover.tsx';
import { formatAge, formatTime, speakTime } from './format.ts';

/** `own`: it can be changed here. */
export function Card(props: { readonly video: VideoCard; readonly now: number; readonly own?: boolean }): JSX.Element {
  return (
    <article class="card">
      <a class="card-link" href={pathOf({ page: 'watch', videoId: props.video.videoId })} title={props.video.title}>
        <span class="card-picture">
          <Cover videoId={props.video.videoId} poster={props.video.poster} />
          <span class="badge" aria-hidden="true">
            {formatTime(props.video.duration)}
          </span>
        </span>
        <span class="card-words">
          <h3 class="card-title">{props.video.title}</h3>
          <span class="hidden">{speakTime(props.video.duration)}</span>
          <span class="card-meta">{formatAge(props.video.created, props.now)}</span>
        </span>
      </a>
      <Show when={props.own}>
        <a class="card-edit" href={pathOf({ page: 'edit', videoId: props.video.videoId })} aria-label={`Edit ${props.video.title}`}>
          Edit
        </a>
      </Show>
    </article>
  );
}

/** Where cards will be. */
export function CardSkeletons(props: { readonly count: number }): JSX.Element {
  return (
    <For each={Array.from({ length: props.count })}>
      {() => (
        <div class="card skeleton" aria-hidden="true">
          <span class="card-picture" />
          <span class="skeleton-line" />
          <span class="skeleton-line short" />
        </div>
      )}
    </For>
  );
}
