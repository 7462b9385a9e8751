/** The first page: what this is, what is new, and what is yours. */
import { For, type JSX, Match, Show, Switch } from 'solid-js';
import type { FeedName } from '../app/events.ts';
import type { Feed } from '../app/state.ts';
import { Card, CardSkeletons } from './card.tsx';
import { plural } from './format.ts';
import { UploadIcon } from './icons.tsx';
import { Leader } from './leader.tsx';
import { ProblemCard } from './problem-card.tsx';
import type { Dispatch, UiProps } from './props.ts';
import { UnfinishedCards } from './unfinished.tsx';

export function HomePage(props: UiProps): JSX.Element {
  const mine = () => props.state.mine;
  return (
    <div class="page home">
      <Hero state={props.state} dispatch={props.dispatch} />
      <UnfinishedCards state={props.state} dispatch={props.dispatch} />
      <section class="shelf" aria-labelledby="newest">
        <h2 id="newest">Newest</h2>
        <FeedGrid
          feed={props.state.newest}
          name="newest"
          now={props.state.now}
          dispatch={props.dispatch}
          alone={props.state.health.phase === 'alone'}
        >
          <div class="film nothing">
            <p class="nothing-title">Nothing is showing yet.</p>
            <p>The tabs that are open now have no public video. Yours can be the first.</p>
          </div>
        </FeedGrid>
      </section>
      <Show when={mine().videos.length > 0 || mine().phase === 'failed'}>
        <section class="shelf" aria-labelledby="mine">
          <h2 id="mine">Mine</h2>
          <FeedGrid feed={mine()} name="mine" now={props.state.now} dispatch={props.dispatch} row>
            {null}
          </FeedGrid>
        </section>
      </Show>
    </div>
  );
}

/** How far the leader's hand has gone round on air. */
const ON_AIR = 0.25;

function Hero(props: UiProps): JSX.Element {
  let input!: HTMLInputElement;
  const tabs = () => props.state.health.links.tabs + 1;
  const edge = () => (tabs() === 1 ? (['tab on air', 'yours'] as const) : (['tabs on air', 'yours included'] as const));
  return (
    <section class="hero" aria-labelledby="hero">
      <div class="hero-words">
        <h1 id="hero" tabindex="-1">
          The audience is the server.
        </h1>
        <p class="lead">
          Kadreel is a video site with no video server: every open tab, this one too, keeps a few videos and serves them to the others.
        </p>
        <div class="hero-actions">
          <label class="button button-accent button-large">
            <UploadIcon size={20} />
            Choose a video file
            <input
              ref={input}
              type="file"
              class="hidden"
              accept="video/*,audio/*,.mkv,.mov,.avi,.ts,.m2ts,.webm"
              onChange={() => {
                const file = input.files?.[0];
                if (file) props.dispatch({ type: 'file-chosen', file });
              }}
            />
          </label>
          <p class="quiet hero-drop">or drop it anywhere on this page</p>
        </div>
      </div>
      <div class="hero-art">
        {/* It stands still on air: a tab is open for hours, and a picture that moves costs a quarter of a core. */}
        <Leader figure={tabs()} edge={edge()} turn={props.state.health.phase === 'online' ? ON_AIR : null} />
        <p class="hidden">{plural(tabs(), 'tab')} on air, this one among them.</p>
      </div>
    </section>
  );
}

interface FeedGridProps {
  readonly feed: Feed;
  readonly name: FeedName;
  readonly now: number;
  readonly dispatch: Dispatch;
  /** One line that scrolls sideways. */
  readonly row?: boolean;
  /** Nobody can be asked now: it loads as soon as somebody can. */
  readonly alone?: boolean;
  /** What stands there when there is nothing to list. */
  readonly children: JSX.Element;
}

function FeedGrid(props: FeedGridProps): JSX.Element {
  return (
    <Switch>
      <Match when={props.feed.videos.length > 0}>
        <div class={props.row ? 'cards cards-row' : 'cards'}>
          <For each={props.feed.videos}>{(video) => <Card video={video} now={props.now} own={props.name === 'mine'} />}</For>
        </div>
      </Match>
      <Match when={props.feed.problem}>
        {(problem) => <ProblemCard problem={problem()} onRetry={() => props.dispatch({ type: 'feed-retry-pressed', feed: props.name })} />}
      </Match>
      <Match when={props.feed.phase === 'loading' && props.alone}>
        <div class="film nothing" role="status">
          <p class="nothing-title">No other node can be reached.</p>
          <p>This tab goes on trying, and lists the videos as soon as it is linked. What is on this disk still plays.</p>
          <p>
            Somebody who is linked can <strong>invite you</strong> without any server, and you <a href="/invite">can invite them</a>.
          </p>
        </div>
      </Match>
      <Match when={props.feed.phase === 'loading'}>
        <div class="cards" aria-busy="true">
          <p class="hidden" role="status">
            Looking for videos
          </p>
          <CardSkeletons count={4} />
        </div>
      </Match>
      <Match when={true}>{props.children}</Match>
    </Switch>
  );
}
