/** A change that stands in this browser: whether others have it yet. */
import { type JSX, Show } from 'solid-js';
import type { EditedVideo } from '../app/state.ts';
import { CheckIcon, HourglassIcon } from './icons.tsx';

export interface EditSentProps {
  readonly sent: NonNullable<EditedVideo['sent']>;
  /** Linked ones. */
  readonly tabs: number;
}

export function EditSent(props: EditSentProps): JSX.Element {
  const isSafe = () => props.sent.copies !== null;
  const title = () => {
    if (isSafe()) return 'Safe to close';
    return props.tabs > 0 ? 'Saved. Keep this tab open' : 'Saved in this browser';
  };
  const text = () => {
    if (isSafe()) return 'Others have it. Who is watching now sees it within minutes, everybody else at once.';
    return props.tabs > 0
      ? `It is on its way to others: ${Math.floor(100 * props.sent.fraction)}%. If you close the tab, it goes on when you open the site again.`
      : 'Nobody else is here now. It goes to others as soon as somebody is, also when you open the site again another day.';
  };
  return (
    <div class="copies edit-sent" data-safe={isSafe() ? '' : undefined} role="status" aria-label="Your changes">
      <Show when={isSafe()} fallback={<HourglassIcon class="copies-icon" size={22} />}>
        <CheckIcon class="copies-icon" size={22} stroke-width={2.5} />
      </Show>
      <div>
        <p class="copies-title">{title()}</p>
        <p>{text()}</p>
      </div>
    </div>
  );
}
