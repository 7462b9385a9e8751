/** Watching: the player, what it plays, and where the bytes come from. */
import { createMemo, For, type JSX, lazy, Match, Show, Switch } from 'solid-js';
import { problemOf } from '../app/problems.ts';
import { pathOf } from '../app/router.ts';
import type { State, Watching } from '../app/state.ts';
import { Card } from './card.tsx';
import { formatAge, formatTime } from './format.ts';
import { CopyIcon } from './icons.tsx';
import { Later } from './later.tsx';
import { Leader } from './leader.tsx';
import { Player } from './player.tsx';
import { ProblemCard } from './problem-card.tsx';
import type { UiProps } from './props.ts';
import { ShareButton } from './share-button.tsx';
import { Sources } from './sources.tsx';
import { preloadPlayer } from './stream.ts';

const LowerQuality = lazy(async () => ({ default: (await import('./lower-quality.tsx')).LowerQuality }));

/** Cards of other videos beside the player. */
const OTHERS = 6;

export function WatchPage(props: UiProps): JSX.Element {
  preloadPlayer();
  const ready = createMemo(() => (props.state.watching.phase === 'ready' ? props.state.watching : undefined));
  const failed = createMemo(() => (props.state.watching.phase === 'failed' ? props.state.watching : undefined));
  const others = createMemo(() =>
    props.state.newest.videos.filter(({ videoId }) => videoId !== shownId(props.state.watching)).slice(0, OTHERS),
  );
  let playhead = 0;
  const askLower = (name: string, at: number): void => props.dispatch({ type: 'lower-asked', name, at });
  return (
    <div class="page watch">
      <div class="watch-main">
        <Switch>
          <Match when={failed()}>
            {(failure) => (
              <div class="screen">
                <div class="screen-message">
                  <ProblemCard
                    problem={failure().problem}
                    onRetry={failure().problem.code === 'withdrawn' ? null : () => props.dispatch({ type: 'watch-retry-pressed' })}
                  >
                    <a class="button button-plain" href="/">
                      Other videos
                    </a>
                  </ProblemCard>
                </div>
              </div>
            )}
          </Match>
          <Match when={ready()}>
            {(video) => (
              <Show when={video().videoId} keyed>
                {(videoId) => (
                  <Player
                    playlistUrl={video().lower.asked?.playlistUrl ?? video().playlistUrl}
                    only={video().lower.asked?.playlistUrl ? (video().lower.asked?.name ?? null) : null}
                    videoId={videoId}
                    title={video().title}
                    duration={video().duration}
                    growing={video().growing !== null}
                    hasVideo={video().hasVideo}
                    aspect={video().width > 0 && video().height > 0 ? video().width / video().height : 16 / 9}
                    preview={video().preview}
                    offer={video().offer}
                    poster={posterOf(props.state, video().videoId)}
                    problem={video().problem}
                    onFailed={(error) =>
                      props.dispatch({ type: 'playback-failed', videoId: video().videoId, problem: problemOf(error, 'playing') })
                    }
                    onAbandoned={(url) => props.dispatch({ type: 'request-abandoned', url })}
                    onRetry={() => props.dispatch({ type: 'playback-retry-pressed' })}
                    lower={video().lower.choices}
                    making={video().lower.asked?.name ?? null}
                    onLeaveLower={() => props.dispatch({ type: 'lower-left' })}
                    onAskLower={askLower}
                    onTooSlow={(bandwidth) => props.dispatch({ type: 'stream-too-slow', bandwidth })}
                    onPlayhead={(at) => {
                      playhead = at;
                      if (video().lower.asked) props.dispatch({ type: 'playhead-moved', at });
                    }}
                  />
                )}
              </Show>
            )}
          </Match>
          <Match when={true}>
            <div class="screen" aria-busy="true">
              <Leader figure="" turn={null} />
            </div>
          </Match>
        </Switch>
        <Show when={ready()?.lower}>
          {(lower) => (
            <Show when={lower().asked || lower().offered || lower().problem}>
              <Later meanwhile={null} otherwise={null}>
                <LowerQuality
                  lower={lower()}
                  onAsk={(name) => askLower(name, playhead)}
                  onLeave={() => props.dispatch({ type: 'lower-left' })}
                  onDecline={() => props.dispatch({ type: 'lower-declined' })}
                />
              </Later>
            </Show>
          )}
        </Show>
        <div class="watch-words">
          <h1 tabindex="-1">{ready()?.title ?? (failed() ? 'Not showing' : 'Finding the video…')}</h1>
          <Show when={ready()?.growing}>
            {(growing) => (
              <p class="quiet" role="status">
                Still being made: {formatTime(growing().made)} of about {formatTime(growing().expected)} can be watched. The rest follows by
                itself.
              </p>
            )}
          </Show>
          <Show
            when={ready()}
            fallback={
              <Show when={!failed()}>
                <p class="quiet" role="status">
                  Asking the tabs that are open who keeps it
                </p>
              </Show>
            }
          >
            {(video) => (
              <div class="watch-line">
                <p class="quiet">{formatAge(video().created, props.state.now)}</p>
                <div class="actions">
                  <Show when={props.state.mine.videos.some(({ videoId }) => videoId === video().videoId)}>
                    <a class="button button-plain" href={pathOf({ page: 'edit', videoId: video().videoId })}>
                      Edit
                    </a>
                  </Show>
                  <button
                    type="button"
                    class="button button-plain"
                    onClick={() => props.dispatch({ type: 'copy-link-pressed', videoId: video().videoId })}
                  >
                    <CopyIcon size={16} />
                    Copy link
                  </button>
                  <Show when={props.state.canShare}>
                    <ShareButton
                      onPress={() => props.dispatch({ type: 'share-link-pressed', videoId: video().videoId, title: video().title })}
                    />
                  </Show>
                </div>
              </div>
            )}
          </Show>
        </div>
      </div>
      <aside class="watch-side">
        <Show when={ready()}>{(video) => <Sources sources={video().sources} />}</Show>
        <Show when={others().length > 0}>
          <section aria-labelledby="others">
            <h2 id="others">Also showing</h2>
            <div class="cards-list">
              <For each={others()}>{(video) => <Card video={video} now={props.state.now} />}</For>
            </div>
          </section>
        </Show>
      </aside>
    </div>
  );
}

function shownId(watching: Watching): string | null {
  return watching.phase === 'idle' ? null : watching.videoId;
}

function posterOf({ newest, mine }: State, videoId: string): string | null {
  return [...newest.videos, ...mine.videos].find((card) => card.videoId === videoId)?.poster ?? null;
}
