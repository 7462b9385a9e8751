/** What `update` answers with. */
import type { SourceFile } from '../base/ports.ts';
import type { VideoId } from '../media/manifest.ts';
import type { EditWish } from './edit-events.ts';
import type { CopiedThing, FeedName, Shared } from './events.ts';
import type { HelpTuning } from './help-settings.ts';
import type { NetworkChange } from './network-change.ts';
import type { Notice, PublishPlan, State, Theme } from './state.ts';

/** Something to do in the world. Whatever takes time answers with events. */
export type Effect =
  /** For as long as the page lives: `health-changed`, `node-failed`, `tick`, `unfinished-changed`. */
  | { readonly type: 'follow-world' }
  | { readonly type: 'push-path'; readonly path: string }
  | { readonly type: 'keep-theme'; readonly theme: Theme }
  /** `feed-loaded` or `feed-failed`; a newer one of the same feed replaces it. */
  | { readonly type: 'load-feed'; readonly feed: FeedName }
  /** `probed` and then `plan-changed`, or `probe-failed`, of this file; it is also what `publish` will publish. */
  | { readonly type: 'choose-file'; readonly file: SourceFile }
  /** The same answers, of the file chosen before. */
  | { readonly type: 'probe-again' }
  | { readonly type: 'forget-file' }
  /** `publish-progressed`…, then `publish-failed`, or `published` and after it `copies-stored` or `copies-failed`. */
  | { readonly type: 'publish'; readonly title: string; readonly plan: PublishPlan }
  /** `plan-changed`; the picture is cut to `aspect` (width over height). */
  | { readonly type: 'read-picture'; readonly file: SourceFile; readonly aspect: number }
  | { readonly type: 'read-captions'; readonly file: SourceFile }
  /** `publish-cancelled`. */
  | { readonly type: 'cancel-publish' }
  /** What comes of it stands in `unfinished-changed`. */
  | { readonly type: 'go-on'; readonly id: string; readonly file: SourceFile | null }
  /** The same, or `discard-failed`. */
  | { readonly type: 'discard'; readonly id: string }
  /** All of these answer with `editing`, of that video: `loaded` or `failed`, and then `plan-changed`, until `close-edit`. */
  | { readonly type: 'open-edit'; readonly videoId: VideoId }
  | { readonly type: 'close-edit' }
  /** `plan-changed`. */
  | { readonly type: 'read-edit-picture'; readonly videoId: VideoId; readonly file: SourceFile; readonly aspect: number }
  | { readonly type: 'read-edit-captions'; readonly videoId: VideoId; readonly file: SourceFile }
  /** `refused`, or `kept`, `progressed` and `stored`. */
  | { readonly type: 'edit'; readonly videoId: VideoId; readonly wish: EditWish; readonly plan: PublishPlan }
  /** `refused` or `removed`. */
  | { readonly type: 'remove'; readonly videoId: VideoId }
  /** `watch-failed`, or `watch-opened`, `lower-known` and then `sources-counted` (`watch-changed`, `watch-withdrawn`) until `close-video`. */
  | { readonly type: 'open-video'; readonly videoId: VideoId }
  | { readonly type: 'close-video' }
  /** `lower-changed`, until `leave-lower`. */
  | { readonly type: 'ask-lower'; readonly name: string; readonly at: number }
  | { readonly type: 'leave-lower' }
  | { readonly type: 'tell-playhead'; readonly at: number }
  /** Nobody waits for what was asked for at this address. */
  | { readonly type: 'abandon-request'; readonly url: string }
  /** `network-seen` at once and each second, until `leave-network`. */
  | { readonly type: 'watch-network' }
  | { readonly type: 'leave-network' }
  /** `network-changed` or `network-change-failed`. */
  | { readonly type: 'change-network'; readonly change: NetworkChange }
  /** `help-changed` or `network-change-failed`. */
  | { readonly type: 'switch-help'; readonly on: boolean }
  | { readonly type: 'tune-help'; readonly tuning: Partial<HelpTuning> }
  /** `link-copied` or `link-copy-failed`. */
  | { readonly type: 'copy-link'; readonly videoId: VideoId }
  /** `link-share-failed`, or nothing. */
  | { readonly type: 'share-link'; readonly videoId: VideoId; readonly title: string }
  /** `invitation-made` or `invitation-failed`; later `invitation-failed` when its time is up. Another one of this tab ends. */
  | { readonly type: 'open-invitation' }
  /** `reply-refused`, `invitation-failed` or `invitation-linked`. */
  | { readonly type: 'accept-reply'; readonly code: string }
  | { readonly type: 'close-invitation' }
  /** `join-failed`, or `invitation-answered` and then `join-linked` or `join-failed`; a newer one silences it. */
  | { readonly type: 'follow-invitation'; readonly link: string }
  /** `text-copied` or `link-copy-failed`. */
  | { readonly type: 'copy-text'; readonly text: string; readonly what: CopiedThing }
  /** `link-share-failed`, or nothing. */
  | { readonly type: 'share-text'; readonly shared: Shared }
  /** `notice-expired`, some seconds later. */
  | { readonly type: 'expire-notice'; readonly id: number };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** The state with one more notice, which goes away by itself. */
export function notify(state: State, tone: Notice['tone'], text: string): Step {
  const id = state.noticed + 1;
  return { state: { ...state, notices: [...state.notices, { id, tone, text }], noticed: id }, effects: [{ type: 'expire-notice', id }] };
}
