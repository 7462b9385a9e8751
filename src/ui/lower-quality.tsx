/** A lower quality than the video has: offered, asked for, and how far it is. */
import { type JSX, Match, Show, Switch } from 'solid-js';
import type { LowerState } from '../app/state.ts';
import { formatBitrate } from './estimate.ts';
import './lower-quality.css';

export interface LowerQualityProps {
  readonly lower: LowerState;
  readonly onAsk: (name: string) => void;
  readonly onLeave: () => void;
  readonly onDecline: () => void;
}

/** Nothing while there is nothing to say. */
export function LowerQuality(props: LowerQualityProps): JSX.Element {
  return (
    <Switch>
      <Match when={props.lower.asked}>
        {(asked) => (
          <section class="lower" aria-label="Lower quality" data-playing={asked().playlistUrl ? '' : undefined}>
            <div role="status">
              <p class="lower-title">
                {asked().playlistUrl ? `Playing ${asked().name}, made on demand` : `${asked().name} is being made for you`}
              </p>
              <p class="quiet">{progressWords(asked())}</p>
            </div>
            <div class="actions">
              <button type="button" class="button button-plain" onClick={() => props.onLeave()}>
                {asked().playlistUrl ? 'Back to what was published' : 'Stop'}
              </button>
            </div>
          </section>
        )}
      </Match>
      <Match when={props.lower.problem}>
        {(problem) => (
          <section class="lower" aria-label="Lower quality">
            <div role="alert">
              <p class="lower-title">{problem().name} can’t be made now</p>
              <p class="quiet">
                <Show when={problem().why}>{(why) => <>{why()} </>}</Show>
                {problem().advice}
              </p>
            </div>
            <div class="actions">
              <button type="button" class="button button-plain" onClick={() => props.onAsk(problem().name)}>
                Ask again
              </button>
              <button type="button" class="button button-plain" onClick={() => props.onDecline()}>
                Close
              </button>
            </div>
          </section>
        )}
      </Match>
      <Match when={props.lower.offered}>
        {(offered) => (
          <section class="lower" aria-label="Lower quality">
            <div role="status">
              <p class="lower-title">This video comes more slowly than it plays</p>
              <p class="quiet">
                Tabs that help can make a smaller picture of it while you watch: {offered().name} takes {formatBitrate(offered().bitrate)}{' '}
                at most. The first seconds of it take a moment; until then the video goes on as it is.
              </p>
            </div>
            <div class="actions">
              <button type="button" class="button button-ink" onClick={() => props.onAsk(offered().name)}>
                Ask for {offered().name}
              </button>
              <button type="button" class="button button-plain" onClick={() => props.onDecline()}>
                Not now
              </button>
            </div>
          </section>
        )}
      </Match>
    </Switch>
  );
}

function progressWords({ playlistUrl, ahead, helpers, speed, found }: NonNullable<LowerState['asked']>): string {
  if (playlistUrl === null && helpers === 0) return 'Looking for a tab that has made it before, or that helps.';
  const who = helpers === 1 ? 'One linked tab makes it' : `${helpers} linked tabs make it`;
  const pace =
    speed === null
      ? ''
      : speed >= 1
        ? `, ${speed.toFixed(1)} times as fast as it plays`
        : `, at ${speed.toFixed(1)} of the speed it plays at`;
  const there = `${Math.floor(ahead)} s are there.`;
  if (playlistUrl === null) return `${who}${pace}. The video goes on as it is until there is enough.`;
  const trust = 'Its publisher did not sign it: it was checked here as far as it can be.';
  if (found) return `Somebody asked for it before: it was kept. ${trust}`;
  if (helpers === 0) return `Those who made it have gone. ${there} ${trust}`;
  const slow = speed !== null && speed < 1 ? ' It will stop now and then.' : '';
  return `${who}${pace}. ${there}${slow} ${trust}`;
}
