/** What goes on with the video that is open: its later versions, and the lower qualities that it is asked for. */
import { fail } from '../base/errors.ts';
import type { VideoId } from '../media/manifest.ts';
import type { LowerAsked, WatchSession } from './api.ts';
import type { Event } from './events.ts';
import { problemOf } from './problems.ts';
import type { Effect } from './step.ts';
import { factsOf } from './watch-facts.ts';

export interface WatchEffects {
  /** A video was opened. Tells what it is, of later versions, and what it can be asked for. Once `signal` fires nothing is told any more. */
  opened(videoId: VideoId, session: WatchSession, signal: AbortSignal): void;
  run(effect: LowerEffect): void;
}

/** The effects that are run here. */
export type LowerEffect = Extract<Effect, { type: 'ask-lower' | 'leave-lower' | 'tell-playhead' }>;

export function createWatchEffects(tell: (signal: AbortSignal, event: Event) => void): WatchEffects {
  let open: { readonly videoId: VideoId; readonly session: WatchSession; readonly signal: AbortSignal } | null = null;
  let asked: LowerAsked | null = null;
  const leave = (): void => {
    asked?.close();
    asked = null;
  };
  return {
    opened(videoId, session, signal) {
      open = { videoId, session, signal };
      asked = null;
      tell(signal, { type: 'watch-opened', videoId, facts: factsOf(videoId, session) });
      const askChoices = (): void => void session.lower().then((choices) => tell(signal, { type: 'lower-known', videoId, choices }));
      session.onVersion((manifest) => {
        if (manifest) {
          tell(signal, { type: 'watch-changed', videoId, facts: factsOf(videoId, { ...session, manifest }) });
          askChoices();
        } else tell(signal, { type: 'watch-withdrawn', videoId, problem: problemOf(fail('withdrawn', ''), 'opening') });
      });
      askChoices();
    },
    run(effect) {
      if (effect.type === 'tell-playhead') return asked?.playhead(effect.at);
      leave();
      if (effect.type === 'leave-lower' || !open || open.signal.aborted) return;
      const { name, at } = effect;
      const { videoId, session, signal } = open;
      const own = session.askLower({ name, at, onView: (view) => asked === own && tell(signal, { type: 'lower-changed', videoId, view }) });
      asked = own;
    },
  };
}
