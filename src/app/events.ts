/** All that can happen. Components and effects say what happened; only `update` says what follows from it. */
import type { MediaProbe, SourceFile } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { VideoId } from '../media/manifest.ts';
import type {
  BytesBySource,
  CopiesReport,
  GrowthState,
  LowerChoice,
  LowerView,
  NetworkView,
  NodeHealth,
  PublishProgress,
  QualityState,
  SharedWork,
  Unfinished,
  VideoCard,
} from './api.ts';
import type { EditEvent } from './edit-events.ts';
import type { HelpTuning } from './help-settings.ts';
import type { NetworkChange } from './network-change.ts';
import type { PlanChange } from './publish-plan.ts';
import type { NetworkPart, Problem, Theme, WatchFacts } from './state.ts';

/** The two lists of videos on the first page. */
export type FeedName = 'newest' | 'mine';

/** What is on the clipboard now, in a word. */
export type CopiedThing = 'link' | 'code';

/** What is handed to another program: an address, or a text that is none. */
export type Shared = { readonly title: string } & ({ readonly url: string } | { readonly text: string });

/** What a person did. */
export type PersonEvent =
  /** A link of ours was followed. */
  | { readonly type: 'link-followed'; readonly path: string }
  | { readonly type: 'theme-chosen'; readonly theme: Theme }
  | { readonly type: 'feed-retry-pressed'; readonly feed: FeedName }
  | { readonly type: 'file-chosen'; readonly file: SourceFile }
  | { readonly type: 'file-removed' }
  | { readonly type: 'title-typed'; readonly title: string }
  /** A picture of the person's own for the chosen video, and captions. */
  | { readonly type: 'picture-file-chosen'; readonly file: SourceFile }
  | { readonly type: 'captions-file-chosen'; readonly file: SourceFile }
  | { readonly type: 'publish-pressed' }
  | { readonly type: 'publish-retry-pressed' }
  | { readonly type: 'cancel-pressed' }
  | { readonly type: 'publish-another-pressed' }
  /** Of an unfinished publication; `file` when it was chosen again. */
  | { readonly type: 'go-on-pressed'; readonly id: string; readonly file: SourceFile | null }
  | { readonly type: 'discard-pressed'; readonly id: string }
  | { readonly type: 'watch-retry-pressed' }
  | { readonly type: 'playback-retry-pressed' }
  /** A quality that the video does not have, from this time on (s). */
  | { readonly type: 'lower-asked'; readonly name: string; readonly at: number }
  /** It is wanted no more. */
  | { readonly type: 'lower-left' }
  /** None is wanted, however slow the link. */
  | { readonly type: 'lower-declined' }
  | { readonly type: 'copy-link-pressed'; readonly videoId: VideoId }
  | { readonly type: 'share-link-pressed'; readonly videoId: VideoId; readonly title: string }
  | { readonly type: 'network-change-pressed'; readonly change: NetworkChange }
  | { readonly type: 'help-switched'; readonly on: boolean }
  | { readonly type: 'help-tuned'; readonly tuning: Partial<HelpTuning> }
  | { readonly type: 'invite-again-pressed' }
  | { readonly type: 'invitation-ended' }
  /** The reply code of the invited person, as it was typed or pasted. */
  | { readonly type: 'reply-entered'; readonly code: string }
  /** An invitation was opened, or pasted: its link, or the part behind `#`. */
  | { readonly type: 'invitation-followed'; readonly link: string }
  | { readonly type: 'copy-pressed'; readonly text: string; readonly what: CopiedThing }
  | { readonly type: 'share-pressed'; readonly shared: Shared }
  | { readonly type: 'notice-dismissed'; readonly id: number };

/** What the world did. */
export type WorldEvent =
  /** The first event of all. */
  | { readonly type: 'started' }
  /** The browser's own back and forward. */
  | { readonly type: 'path-changed'; readonly path: string }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'health-changed'; readonly health: NodeHealth }
  | { readonly type: 'node-failed'; readonly problem: Problem }
  | { readonly type: 'feed-loaded'; readonly feed: FeedName; readonly videos: readonly VideoCard[] }
  | { readonly type: 'feed-failed'; readonly feed: FeedName; readonly problem: Problem }
  /** By the person, too: of a published video that is changed. */
  | { readonly type: 'editing'; readonly videoId: VideoId; readonly event: EditEvent }
  /** By the person, too. */
  | { readonly type: 'plan-changed'; readonly change: PlanChange }
  | { readonly type: 'probed'; readonly probe: MediaProbe }
  | { readonly type: 'probe-failed'; readonly problem: Problem }
  | { readonly type: 'publish-progressed'; readonly progress: PublishProgress }
  | { readonly type: 'published'; readonly videoId: VideoId; readonly watchUrl: string }
  /** The smaller pictures of the video that is being published, or was. */
  | { readonly type: 'shared-work-changed'; readonly work: SharedWork }
  | { readonly type: 'growth-changed'; readonly growth: GrowthState }
  | { readonly type: 'qualities-changed'; readonly qualities: readonly QualityState[] }
  | { readonly type: 'publish-failed'; readonly problem: Problem }
  /** Publishing has ended after `cancel-pressed`; `published` when it was too late to stop it. */
  | { readonly type: 'publish-cancelled'; readonly published: boolean }
  | { readonly type: 'copies-stored'; readonly videoId: VideoId; readonly copies: CopiesReport }
  | { readonly type: 'copies-failed'; readonly videoId: VideoId; readonly problem: Problem }
  | { readonly type: 'unfinished-changed'; readonly unfinished: readonly Unfinished[] }
  | { readonly type: 'discard-failed'; readonly problem: Problem }
  | { readonly type: 'watch-opened'; readonly videoId: VideoId; readonly facts: WatchFacts }
  /** It has a later version than the one that plays. */
  | { readonly type: 'watch-changed'; readonly videoId: VideoId; readonly facts: WatchFacts }
  /** Its owner took it off. */
  | { readonly type: 'watch-withdrawn'; readonly videoId: VideoId; readonly problem: Problem }
  | { readonly type: 'watch-failed'; readonly videoId: VideoId; readonly problem: Problem }
  | { readonly type: 'sources-counted'; readonly videoId: VideoId; readonly sources: BytesBySource }
  | { readonly type: 'lower-known'; readonly videoId: VideoId; readonly choices: readonly LowerChoice[] }
  | { readonly type: 'lower-changed'; readonly videoId: VideoId; readonly view: LowerView }
  /** What the video has does not come as fast as it plays; `bandwidth` is what does come, bits a second. */
  | { readonly type: 'stream-too-slow'; readonly bandwidth: number }
  /** The player is at this time (s). */
  | { readonly type: 'playhead-moved'; readonly at: number }
  /** The player no longer wants what it asked for at this address. */
  | { readonly type: 'request-abandoned'; readonly url: string }
  | { readonly type: 'playback-failed'; readonly videoId: VideoId; readonly problem: Problem }
  | { readonly type: 'network-seen'; readonly view: NetworkView }
  | { readonly type: 'help-changed'; readonly view: NetworkView }
  | { readonly type: 'network-changed'; readonly view: NetworkView }
  | { readonly type: 'network-change-failed'; readonly part: NetworkPart; readonly problem: Problem }
  | { readonly type: 'invitation-made'; readonly url: string; readonly expires: number }
  /** That was not the code: the invitation is still open. */
  | { readonly type: 'reply-refused'; readonly problem: Problem }
  | { readonly type: 'invitation-linked' }
  | { readonly type: 'invitation-failed'; readonly problem: Problem }
  | { readonly type: 'invitation-answered'; readonly inviter: NodeId; readonly code: string }
  | { readonly type: 'join-linked' }
  | { readonly type: 'join-failed'; readonly problem: Problem }
  | { readonly type: 'text-copied'; readonly what: CopiedThing }
  | { readonly type: 'link-copied' }
  /** The clipboard refused; the person copies by hand. */
  | { readonly type: 'link-copy-failed'; readonly link: string }
  | { readonly type: 'link-share-failed' }
  | { readonly type: 'notice-expired'; readonly id: number };

/** All that `update` may be told. */
export type Event = PersonEvent | WorldEvent;
