/** A frame of film leader, the countdown before a film: our picture for beginnings, waiting and nothing there. */
import { type JSX, Show } from 'solid-js';

export interface LeaderProps {
  /** What stands in the middle, as large as it gets. */
  readonly figure: JSX.Element;
  /** What stands in the lower corners, as film has print on its edge. */
  readonly edge?: readonly [left: string, right: string];
  /** 0 to 1: how far the hand has gone round; null lets it run. */
  readonly turn: number | null;
}

/** Only a picture: what it says stands in words beside it. */
export function Leader(props: LeaderProps): JSX.Element {
  return (
    <div class="leader" aria-hidden="true" data-running={props.turn === null ? '' : undefined}>
      <div class="leader-sweep" style={{ '--turn': `${(props.turn ?? 0.25) * 100}%` }} />
      <svg class="leader-lines" aria-hidden="true" viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice">
        <path d="M0 150H400M200 0V300" />
        <circle cx="200" cy="150" r="118" />
        <circle cx="200" cy="150" r="104" />
      </svg>
      <div class="leader-figure">{props.figure}</div>
      <Show when={props.edge}>
        {(edge) => (
          <div class="leader-edge">
            <span>{edge()[0]}</span>
            <span>{edge()[1]}</span>
          </div>
        )}
      </Show>
    </div>
  );
}
