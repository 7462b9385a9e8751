/** Puts the loop, its effects and the page together: what `main.tsx` calls. */
import type { Kadreel } from '../app/api.ts';
import { createEffects, type Effects } from '../app/effects.ts';
import { createLoop, type Loop } from '../app/loop.ts';
import { initialState } from '../app/update.ts';
import type { Clock } from '../base/ports.ts';
import { createBrowser } from './browser.ts';
import { type FilePicker, plainPicker } from './file-picker.ts';
import { mountApp } from './mount.tsx';

export interface UiOptions {
  /** An empty element; the page fills it. */
  readonly root: HTMLElement;
  /** May still be starting: the page shows at once. A rejection is shown as the reason why this tab is no node. */
  readonly kadreel: Promise<Kadreel>;
  readonly clock: Clock;
  /** Left out: files come without handles. */
  readonly picker?: FilePicker;
}

export interface Ui {
  readonly loop: Loop;
  /** Takes the page down and stops what it had under way. Idempotent. */
  close(): void;
}

export function startUi({ root, kadreel, clock, picker = plainPicker }: UiOptions): Ui {
  const browser = createBrowser();
  let effects: Effects | null = null;
  const loop = createLoop({
    initial: initialState({ path: browser.path(), theme: browser.theme(), now: clock.now(), canShare: browser.canShare }),
    effects: (dispatch) => {
      effects = createEffects({ kadreel, browser, clock, dispatch });
      return effects.run;
    },
  });
  const unmount = mountApp(root, loop, picker);
  const followInvitation = (): void => {
    const link = browser.takeInvitation();
    if (link !== null) loop.dispatch({ type: 'invitation-followed', link });
  };
  const unlisten = browser.onPathChange((path) => {
    loop.dispatch({ type: 'path-changed', path });
    followInvitation();
  });
  loop.dispatch({ type: 'started' });
  followInvitation();
  return {
    loop,
    close() {
      effects?.close();
      unlisten();
      unmount();
    },
  };
}
