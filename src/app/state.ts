/** All that the user interface shows. Plain data: it can be printed, compared and replayed. */
import type { ErrorCode } from '../base/errors.ts';
import type { MediaProbe } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { VideoId } from '../media/manifest.ts';
import type { SubtitleProblem } from '../media/subtitles.ts';
import type {
  BytesBySource,
  CopiesReport,
  GrowthState,
  LowerChoice,
  LowerView,
  NetworkView,
  NodeHealth,
  OwnVideo,
  PublishProgress,
  QualityState,
  SharedWork,
  Unfinished,
  VideoCard,
} from './api.ts';
import type { Encoding } from './caption-files.ts';
import type { News } from './news.ts';
import type { Preflight } from './preflight.ts';

export interface State {
  readonly route: Route;
  readonly theme: Theme;
  readonly health: NodeHealth;
  readonly newest: Feed;
  readonly news: News;
  readonly mine: Feed;
  readonly publishing: Publishing;
  /** What is wanted of the chosen file besides its title. It stays when publishing fails or is cancelled. */
  readonly plan: PublishPlan;
  /** Publications that an earlier page began. */
  readonly unfinished: readonly Unfinished[];
  readonly watching: Watching;
  /** The page on which a published video is changed. */
  readonly editing: Editing;
  readonly network: NetworkPage;
  readonly inviting: Inviting;
  readonly joining: Joining;
  readonly notices: readonly Notice[];
  /** Notices so far: the number of the last one is not given again while its time still runs. */
  readonly noticed: number;
  /** Milliseconds since 1970, a few times a minute: what ages are counted from. */
  readonly now: number;
  /** Whether this browser can hand a link to other programs. */
  readonly canShare: boolean;
}

/** Which page is shown. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'publish' }
  | { readonly page: 'watch'; readonly videoId: VideoId }
  | { readonly page: 'edit'; readonly videoId: VideoId }
  | { readonly page: 'network' }
  | { readonly page: 'invite' }
  | { readonly page: 'join' }
  | { readonly page: 'missing'; readonly path: string };

/** As the system has it, or as the person chose. */
export type Theme = 'system' | 'light' | 'dark';

export interface Feed {
  readonly phase: 'loading' | 'ready' | 'failed';
  /** Kept while a newer list is loading. */
  readonly videos: readonly VideoCard[];
  readonly problem: Problem | null;
}

/** Something that went wrong, as a person is told it. */
export interface Problem {
  readonly code: ErrorCode;
  /** What happened. */
  readonly what: string;
  /** Why, in the words of the part that failed; null when it has nothing to add. */
  readonly why: string | null;
  /** What to do now. */
  readonly advice: string;
}

export type Publishing =
  | { readonly step: 'empty' }
  /** `probe` is null while the file is being looked at. */
  | { readonly step: 'chosen'; readonly file: FileFacts; readonly title: string; readonly probe: MediaProbe | null }
  | {
      readonly step: 'working';
      readonly file: FileFacts;
      readonly title: string;
      readonly probe: MediaProbe;
      readonly progress: PublishProgress;
    }
  /** The link works. `copies` is null while they are being stored, and none are `stored` when that failed. */
  | {
      readonly step: 'published';
      readonly title: string;
      readonly videoId: VideoId;
      readonly watchUrl: string;
      readonly progress: PublishProgress;
      /** How much of it there is, when it is long in the making; else null. */
      readonly growth: GrowthState | null;
      /** Best first; empty while there is none to be made. */
      readonly qualities: readonly QualityState[];
      /** Who makes them, once somebody helps. */
      readonly sharedWork: SharedWork | null;
      readonly copies: CopiesReport | null;
    }
  /** The file and the title are still there: trying again is one press. `probe` is null when looking at the file is what failed. */
  | {
      readonly step: 'failed';
      readonly file: FileFacts;
      readonly title: string;
      readonly probe: MediaProbe | null;
      readonly problem: Problem;
    };

/** What a person wants of a publication besides its title, and what is known to choose from. */
export interface PublishPlan {
  /** Null while it is being worked out. */
  readonly preflight: Preflight | null;
  /** Names of qualities that shall not be made. */
  readonly without: readonly string[];
  /** Proposed pictures, as data: addresses; null while they are being made. */
  readonly pictures: readonly string[] | null;
  /** The person's own picture, likewise. */
  readonly own: string | null;
  /** Which is taken: a proposed one by its number, the person's own, or null for whichever the cut finds. */
  readonly picture: number | 'own' | null;
  readonly captions: readonly CaptionFacts[];
  /** Why the last file that was given for it can't be used. */
  readonly problem: Problem | null;
}

/** A file of captions that was read; its texts are kept where they were read. */
export interface CaptionFacts {
  readonly id: number;
  readonly fileName: string;
  /** BCP 47; `und` while nobody has said which. */
  readonly language: string;
  readonly texts: number;
  readonly encoding: Encoding;
  /** How many texts were left out, and why the first of them were. */
  readonly leftOut: number;
  readonly problems: readonly SubtitleProblem[];
}

export interface FileFacts {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** What the ready video is, as the watch page needs it. */
export interface WatchFacts {
  readonly title: string;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** Pixels, of the best rendition; 0 without video. */
  readonly width: number;
  readonly height: number;
  readonly playlistUrl: string;
  /** Tiles for the seek bar; null when there are none. */
  readonly preview: PreviewTiles | null;
  /** Seconds that can be watched, of as many as it is going to last; null when it is whole. */
  readonly growing: { readonly made: number; readonly expected: number } | null;
  /** What players are offered besides pictures that join: another text, and a player must begin anew to see it. */
  readonly offer: string;
}

/** Where the tiles of a video are. */
export interface PreviewTiles {
  /** Seconds between two tiles. */
  readonly interval: number;
  /** Tiles in all, across a sheet, and down one. */
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels of a tile. */
  readonly width: number;
  readonly height: number;
  /** The address of each sheet. */
  readonly sheets: readonly string[];
}

export type Watching =
  | { readonly phase: 'idle' }
  | { readonly phase: 'loading'; readonly videoId: VideoId }
  | (WatchFacts & {
      readonly phase: 'ready';
      readonly videoId: VideoId;
      readonly sources: BytesBySource;
      readonly lower: LowerState;
      /** Set when playing failed after it had begun. */
      readonly problem: Problem | null;
    })
  | { readonly phase: 'failed'; readonly videoId: VideoId; readonly problem: Problem };

/** The page on which a published video is changed. */
export type Editing =
  | { readonly step: 'none' }
  | { readonly step: 'loading'; readonly videoId: VideoId }
  | { readonly step: 'failed'; readonly videoId: VideoId; readonly problem: Problem }
  | EditedVideo
  | { readonly step: 'removed'; readonly videoId: VideoId };

/** A video, and what the person would make of it. */
export interface EditedVideo {
  readonly step: 'open';
  readonly videoId: VideoId;
  /** As it is now. */
  readonly video: OwnVideo;
  readonly title: string;
  /** Picture and captions. */
  readonly plan: PublishPlan;
  /** Languages whose captions shall go. */
  readonly without: readonly string[];
  /** Renditions that shall not be offered, now or after saving. */
  readonly withdrawn: readonly number[];
  /** It is being written to this disk. */
  readonly saving: boolean;
  /** Why it was not. */
  readonly problem: Problem | null;
  /** How far the last change has come to others, 0 to 1; `copies` is null until they have it. Null before there was one. */
  readonly sent: { readonly fraction: number; readonly copies: CopiesReport | null } | null;
}

/** Qualities below all that the video has, which others make while it is watched. */
export interface LowerState {
  /** What can be asked for, best first; empty while that is not known. */
  readonly choices: readonly LowerChoice[];
  /** What was asked for, and how far it is. */
  readonly asked: Omit<LowerView, 'problem'> | null;
  /** What would suit a link that is too slow for what there is; null while it is not, or the person knows. */
  readonly offered: LowerChoice | null;
  /** The person does not want to be offered any. */
  readonly declined: boolean;
  /** Why what was asked for last did not come. */
  readonly problem: (Problem & { readonly name: string }) | null;
}

/** The page about the network. */
export interface NetworkPage {
  /** Null until the node has started. */
  readonly view: NetworkView | null;
  /** What is being changed. */
  readonly changing: NetworkPart | null;
  /** Why the last change was refused. */
  readonly refused: { readonly part: NetworkPart; readonly problem: Problem } | null;
}

/** What a person may change: two lists, and whether this tab helps others. */
export type NetworkPart = 'open-nodes' | 'ice-servers' | 'help';
/** The invitation of this tab. It stays open when its page is left. */
export type Inviting =
  | { readonly step: 'none' }
  | { readonly step: 'making' }
  /** `expires`: milliseconds since 1970. `linking`: a reply was given and its connection opens. `problem`: what was wrong with the last reply. */
  | {
      readonly step: 'open';
      readonly url: string;
      readonly expires: number;
      readonly linking: boolean;
      readonly problem: Problem | null;
    }
  | { readonly step: 'linked' }
  /** It could not be made, ran out, or led to no link: a new one is needed. */
  | { readonly step: 'over'; readonly problem: Problem };

/** The invitation that this tab follows. */
export type Joining =
  | { readonly step: 'none' }
  | { readonly step: 'answering' }
  | { readonly step: 'waiting'; readonly inviter: NodeId; readonly code: string }
  | { readonly step: 'linked'; readonly inviter: NodeId }
  | { readonly step: 'failed'; readonly problem: Problem };

/** A short message that goes away by itself. */
export interface Notice {
  readonly id: number;
  readonly tone: 'info' | 'good' | 'bad';
  readonly text: string;
}
