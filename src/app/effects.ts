/** Does in the world what `update` asked for, and tells what came of it. */
import { assertNever } from '../base/errors.ts';
import type { Cancel, Clock, SourceFile } from '../base/ports.ts';
import { quiet } from '../base/timing.ts';
import type { VideoId } from '../media/manifest.ts';
import type { Kadreel } from './api.ts';
import { createEditEffects } from './edit-effects.ts';
import type { Event, FeedName, Shared } from './events.ts';
import { createInvitationEffects } from './invitation-effects.ts';
import { createNetworkEffects } from './network-effects.ts';
import { createPlanEffects } from './plan-effects.ts';
import { problemOf } from './problems.ts';
import { createPublishEffects } from './publish-effects.ts';
import { pathOf } from './router.ts';
import type { Theme } from './state.ts';
import type { Effect } from './step.ts';
import { createWatchEffects } from './watch-effects.ts';

/** What effects need of the browser itself. */
export interface BrowserEffects {
  /** Puts a path into the address bar, as a new entry of the history. */
  pushPath(path: string): void;
  keepTheme(theme: Theme): void;
  /** False while the page is hidden: what only a person would look at need not be fetched. */
  isSeen(): boolean;
  /** The full address of a path on this site. */
  address(path: string): string;
  /** Rejects when the browser does not allow it. */
  copy(text: string): Promise<void>;
  /** Rejects when the browser can't; resolves also when the person thinks better of it. */
  share(shared: Shared): Promise<void>;
}

export interface EffectsOptions {
  /** Rejects when this browser can't run a node. */
  readonly kadreel: Promise<Kadreel>;
  readonly browser: BrowserEffects;
  readonly clock: Clock;
  readonly dispatch: (event: Event) => void;
}

export interface Effects {
  run(effect: Effect): void;
  /** Stops everything that still goes on. Nothing is dispatched afterwards. */
  close(): void;
}

/** How often the sources of a video's bytes are read. Milliseconds: often enough to look live. */
const SOURCES_EVERY = 1_000;
/** How often `tick` comes to a page that is seen. Milliseconds: ages are told in minutes. */
const TICK_EVERY = 10_000;
/** How long a notice stays. Milliseconds: time to read two short sentences. */
const NOTICE_STAYS = 6_000;

/** One thing at a time of its kind: what starts replaces, and silences, what went before. */
interface Slot {
  /** The signal of what starts now. */
  next(): AbortSignal;
  stop(): void;
}

export function createEffects({ kadreel, browser, clock, dispatch }: EffectsOptions): Effects {
  const whole = new AbortController();
  const slot = (): Slot => {
    let current: AbortController | null = null;
    const stop = (): void => current?.abort();
    whole.signal.addEventListener('abort', stop);
    return {
      next() {
        stop();
        current = new AbortController();
        if (whole.signal.aborted) current.abort();
        return current.signal;
      },
      stop,
    };
  };
  const slots = { newest: slot(), mine: slot(), probe: slot(), picture: slot(), video: slot(), network: slot() };
  let chosen: SourceFile | null = null;
  quiet(kadreel);

  /** Dispatches unless the signal has fired: an answer that nobody waits for any more is dropped. */
  const tell = (signal: AbortSignal, event: Event): void => {
    if (!signal.aborted) dispatch(event);
  };

  const invitations = createInvitationEffects({ kadreel, clock, tell: (event) => tell(whole.signal, event) });
  whole.signal.addEventListener('abort', invitations.close);

  const every = (signal: AbortSignal, ms: number, run: () => void): void => {
    let cancel: Cancel = () => undefined;
    const again = (): void => {
      cancel = clock.after(ms, () => {
        run();
        if (!signal.aborted) again();
      });
    };
    if (signal.aborted) return;
    again();
    signal.addEventListener('abort', () => cancel(), { once: true });
  };

  const network = createNetworkEffects({ kadreel, tell, every });
  const plans = createPlanEffects({ kadreel, changed: (signal, change) => tell(signal, { type: 'plan-changed', change }) });
  const publishing = createPublishEffects({ kadreel, tell: (event) => tell(whole.signal, event), options: plans.options });
  const edits = createEditEffects({ kadreel, tell, whole: whole.signal });
  const watching = createWatchEffects(tell);

  const followWorld = async (): Promise<void> => {
    every(whole.signal, TICK_EVERY, () => {
      if (browser.isSeen()) tell(whole.signal, { type: 'tick', now: clock.now() });
    });
    try {
      const page = await kadreel;
      if (whole.signal.aborted) return;
      const cancel = page.onHealth((health) => tell(whole.signal, { type: 'health-changed', health }));
      whole.signal.addEventListener('abort', cancel, { once: true });
      const forget = page.onUnfinished((unfinished) => tell(whole.signal, { type: 'unfinished-changed', unfinished }));
      whole.signal.addEventListener('abort', forget, { once: true });
    } catch (error) {
      tell(whole.signal, { type: 'node-failed', problem: problemOf(error, 'starting') });
    }
  };

  const loadFeed = async (feed: FeedName): Promise<void> => {
    const signal = slots[feed].next();
    try {
      const page = await kadreel;
      const videos = feed === 'newest' ? await page.newest(signal) : await page.mine();
      tell(signal, { type: 'feed-loaded', feed, videos });
    } catch (error) {
      tell(signal, { type: 'feed-failed', feed, problem: problemOf(error, 'listing') });
    }
  };

  const probe = async (file: SourceFile): Promise<void> => {
    const signal = slots.probe.next();
    try {
      const found = await (await kadreel).probe(file, signal);
      tell(signal, { type: 'probed', probe: found });
      void plans.plan(file, found, signal);
    } catch (error) {
      tell(signal, { type: 'probe-failed', problem: problemOf(error, 'probing') });
    }
  };

  const openVideo = async (videoId: VideoId): Promise<void> => {
    const signal = slots.video.next();
    try {
      const session = await (await kadreel).watch(videoId, signal);
      if (signal.aborted) {
        session.close();
        return;
      }
      signal.addEventListener('abort', () => session.close(), { once: true });
      watching.opened(videoId, session, signal);
      every(signal, SOURCES_EVERY, () => tell(signal, { type: 'sources-counted', videoId, sources: session.sources() }));
    } catch (error) {
      tell(signal, { type: 'watch-failed', videoId, problem: problemOf(error, 'opening') });
    }
  };

  const copyText = async (text: string, copied: Event): Promise<void> => {
    try {
      await browser.copy(text);
      tell(whole.signal, copied);
    } catch {
      tell(whole.signal, { type: 'link-copy-failed', link: text });
    }
  };
  const share = (shared: Shared): void => {
    browser.share(shared).catch(() => tell(whole.signal, { type: 'link-share-failed' }));
  };

  const linkOf = (videoId: VideoId): string => browser.address(pathOf({ page: 'watch', videoId }));

  const run = (effect: Effect): void => {
    if (whole.signal.aborted) return;
    switch (effect.type) {
      case 'follow-world':
        void followWorld();
        break;
      case 'push-path':
        browser.pushPath(effect.path);
        break;
      case 'keep-theme':
        browser.keepTheme(effect.theme);
        break;
      case 'load-feed':
        void loadFeed(effect.feed);
        break;
      case 'choose-file':
        publishing.leave();
        chosen = effect.file;
        plans.forget();
        void probe(chosen);
        break;
      case 'probe-again':
        if (chosen) void probe(chosen);
        break;
      case 'forget-file':
        // A publication whose copies are still on their way goes on; only nobody looks at it any more.
        publishing.leave();
        chosen = null;
        plans.forget();
        slots.probe.stop();
        break;
      case 'publish':
        if (chosen) void publishing.publish(chosen, effect);
        break;
      case 'read-picture':
        void plans.readPicture(effect.file, effect.aspect, slots.picture.next());
        break;
      case 'read-captions':
        void plans.readCaptions(effect.file, whole.signal);
        break;
      case 'cancel-publish':
        publishing.cancel();
        break;
      case 'go-on':
        void kadreel.then((page) => page.goOn(effect.id, effect.file ?? undefined)).catch(() => undefined); // Its card says why.
        break;
      case 'discard':
        kadreel
          .then((page) => page.discard(effect.id))
          .catch((error: unknown) => tell(whole.signal, { type: 'discard-failed', problem: problemOf(error, 'discarding') }));
        break;
      case 'open-video':
        void openVideo(effect.videoId);
        break;
      case 'close-video':
        slots.video.stop();
        break;
      case 'open-edit':
      case 'close-edit':
      case 'read-edit-picture':
      case 'read-edit-captions':
      case 'edit':
      case 'remove':
        edits.run(effect);
        break;
      case 'ask-lower':
      case 'leave-lower':
      case 'tell-playhead':
        watching.run(effect);
        break;
      case 'abandon-request':
        void kadreel.then((page) => page.abandon(effect.url)).catch(() => undefined); // Without a node there is nothing to abandon.
        break;
      case 'watch-network':
        void network.watch(slots.network.next());
        break;
      case 'leave-network':
        slots.network.stop();
        break;
      case 'switch-help':
        void network.changeHelp((help) => help.set(effect.on), whole.signal);
        return;
      case 'tune-help':
        void network.changeHelp((help) => help.tune(effect.tuning), whole.signal);
        return;
      case 'change-network':
        void network.change(effect.change, whole.signal);
        break;
      case 'copy-link':
        void copyText(linkOf(effect.videoId), { type: 'link-copied' });
        break;
      case 'share-link':
        share({ url: linkOf(effect.videoId), title: effect.title });
        break;
      case 'open-invitation':
        void invitations.open();
        break;
      case 'accept-reply':
        void invitations.accept(effect.code);
        break;
      case 'close-invitation':
        invitations.close();
        break;
      case 'follow-invitation':
        void invitations.follow(effect.link);
        break;
      case 'copy-text':
        void copyText(effect.text, { type: 'text-copied', what: effect.what });
        break;
      case 'share-text':
        share(effect.shared);
        break;
      case 'expire-notice':
        clock.after(NOTICE_STAYS, () => tell(whole.signal, { type: 'notice-expired', id: effect.id }));
        break;
      default:
        assertNever(effect);
    }
  };

  return {
    run,
    close() {
      publishing.cancel();
      whole.abort();
    },
  };
}
