/**
 * What the page can do, apart from showing it. The user interface reaches it through effects; a part of it is `window.kadreel`,
 * for programs and tests. Implemented in `kadreel.ts` on ports.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Nat } from '../base/nat.ts';
import type { Cancel, MediaProbe, SourceFile, StillPicture } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { Manifest, VideoId } from '../media/manifest.ts';
import type { HelpSettings, HelpTuning } from './help-settings.ts';
import type { Preflight } from './preflight.ts';
import type { SharedWork } from './shared-work.ts';
import type { CopiesReport, Edit, NewCaptions, OwnVideo, Removal, VideoEdit } from './video-edit.ts';
import type { BytesBySource, WatchSession } from './watch-session.ts';

export type { SharedWork, SharedWorker, WorkOutcome, WorkSpan } from './shared-work.ts';
export type { CopiesReport, Edit, NewCaptions, OwnQuality, OwnVideo, Removal, VideoEdit } from './video-edit.ts';
export type { BytesBySource, LowerAsked, LowerChoice, LowerView, WatchSession } from './watch-session.ts';

/** `window.kadreel`. */
export interface KadreelPage {
  readonly node: {
    /** 40 hexadecimal digits. */
    readonly id: NodeId;
    stats(): NodeStats;
  };
  /**
   * Publishes a video file. Resolves once the link works: everything is cut, kept here, and the manifest is stored; of a file that takes long, its beginning.
   * Rejects with a `KadreelError` whose message can be shown to a person.
   */
  publish(file: SourceFile, options: PublishOptions): Promise<Publication>;
  /** Calls `listener` with what an earlier page began and did not end: as soon as that is known, and at each change, a few times a second at most. */
  onUnfinished(listener: (unfinished: readonly Unfinished[]) => void): Cancel;
  /**
   * Goes on with an unfinished publication: with its file, when it was chosen again; else the person may be asked, so it must follow from a press.
   * Rejects with `invalid` for another file, `refused`, or `not-found` when the file is gone; it can be tried again then.
   */
  goOn(id: string, file?: SourceFile): Promise<void>;
  /** Gives one up: what it wrote is removed. A video whose link works stays as it is. */
  discard(id: string): Promise<void>;
  /** A video that this browser published, as it is now. Rejects with `not-found`, or `withdrawn`. */
  own(videoId: VideoId): Promise<OwnVideo>;
  /**
   * Changes a video that this browser published: its next version stands on this disk when this resolves, wherever the network is. What is left out of
   * `edit` stays as the newest version has it. Rejects with `not-found`, `withdrawn`, `invalid`, `too-large` or `quota`, and then nothing changed.
   */
  edit(videoId: VideoId, edit: VideoEdit): Promise<Edit>;
  /**
   * Takes a video that this browser published off for good: what it has of it here is removed, and its link says so. Copies on other disks go only as others' videos
   * need the room. Rejects with `not-found`, and then nothing changed.
   */
  remove(videoId: VideoId): Promise<Removal>;
  /** The current manifest of a video, from this disk or the network. Rejects with `not-found`, or `withdrawn` when it was taken off. */
  manifest(videoId: VideoId): Promise<Manifest>;
  readonly network: {
    /** As they are kept now: addresses in full (`wss://example.org/ws`). */
    settings(): NetworkSettings;
    /**
     * Puts these in their place, keeps them on this disk, and uses them at once: open nodes are dialled, ICE servers serve for connections
     * made from now on. Rejects with `invalid` and a message for a person when one of them can't be right, and then nothing changed.
     */
    change(settings: NetworkSettings): Promise<void>;
  };
  readonly help: {
    view(): HelpView;
    /** Switches “Help with transcoding” on or off, and keeps that on this disk. Rejects with `quota`. */
    set(on: boolean): Promise<void>;
    /** Keeps other settings of it on this disk, and uses them at once. Rejects with `invalid` (a message for a person) or `quota`, and then nothing changed. */
    tune(tuning: Partial<HelpTuning>): Promise<void>;
  };
  /** An invitation for one person, good for 10 minutes. Rejects with `unreachable` on a device without a network. */
  invite(): Promise<Invitation>;
  /**
   * Answers an invitation, given as its link or the part of it behind `#`. What was joined before, and is not linked yet, is given up. Rejects with
   * `corrupt`, `invalid`, `unsupported` or `unreachable`.
   */
  join(url: string): Promise<Joining>;
}

/** What a person set about the network. */
export interface NetworkSettings {
  /** Addresses of open nodes that the person added. `change` also takes `example.org` or `http://192.0.2.1:8080`. */
  readonly openNodes: readonly string[];
  readonly iceServers: readonly IceServer[];
}

/** A STUN or TURN server, as RTCPeerConnection takes it. */
export interface IceServer {
  /** One of `stun:host:port`, `turn:host:port?transport=tcp`, `turns:host:port`. */
  readonly urls: string;
  /** For TURN, which must have both. */
  readonly username?: string;
  readonly credential?: string;
}

/** A link for somebody who has no way into the network, or who shall not need any server for it. */
export interface Invitation {
  /** `<origin>/join#<code>`. It says where this device is in the network: it is meant for one person. */
  readonly url: string;
  /**
   * Takes the code that the invited person got. Resolves when linked. `corrupt`, `invalid` or `unsupported`: that was not the code, and the invitation is
   * still open. Anything else ends it: `unreachable` (no path between the two networks), `timeout`, `closed`.
   */
  accept(code: string): Promise<void>;
  /** Idempotent. Does nothing once linked. */
  close(): void;
}

/** An invitation that was answered. */
export interface Joining {
  /** For whoever sent the invitation: at most some 180 characters. */
  readonly code: string;
  /** Rejects with `timeout` after 10 minutes, or with `closed`. */
  readonly linked: Promise<void>;
}

/** A publication that an earlier page of this browser began, and that has not ended. */
export interface Unfinished {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** `change`: of a published video, which is on this disk and on its way to others. */
  readonly kind: 'video' | 'change';
  /** Empty for one that can't be read. */
  readonly title: string;
  readonly fileName: string;
  /** 0 to 1. */
  readonly fraction: number;
  /** Set once the link works. */
  readonly videoId: VideoId | null;
  /**
   * `working`: it goes on here · `asks`: it goes on when the person lets the page read the file again · `needs-file`: when the file is chosen again ·
   * `elsewhere`: another tab of this browser has it · `failed`: it stopped, and can be tried again · `unreadable`: damaged, or of another version.
   */
  readonly phase: 'working' | 'asks' | 'needs-file' | 'elsewhere' | 'failed' | 'unreadable';
  /** For a person: why it does not go on; null when there is nothing to say. */
  readonly problem: string | null;
}

/** All that effects may call. */
export interface Kadreel extends KadreelPage {
  /** What the file is and what publishing it would do. */
  probe(file: SourceFile, signal: AbortSignal): Promise<MediaProbe>;
  /** What publishing a file would take. */
  preflight(file: SourceFile, probe: MediaProbe): Promise<Preflight>;
  /** Pictures proposed for it: as `Transcoder.pictures`. */
  pictures(file: SourceFile, signal: AbortSignal): Promise<readonly StillPicture[]>;
  /** A person's own picture, cut to `aspect` (width over height): as `Transcoder.still`. */
  still(picture: SourceFile, aspect: number): Promise<StillPicture>;
  /** Pictures proposed for a video that this browser published, out of what is kept of it. Rejects as `own`. */
  picturesOf(videoId: VideoId, signal: AbortSignal): Promise<readonly StillPicture[]>;
  /** Opens a video for watching: finds the manifest, links to holders, and starts on the first segments. */
  watch(videoId: VideoId, signal: AbortSignal): Promise<WatchSession>;
  /** The player no longer wants what it asked for at this address: whoever fetches it may stop. */
  abandon(url: string): void;
  /** The newest videos that the network knows, newest first. */
  newest(signal: AbortSignal): Promise<readonly VideoCard[]>;
  /** What this browser's person published, newest first. */
  mine(): Promise<readonly VideoCard[]>;
  /** Whose invitation this is. Throws as `join` rejects. */
  inviterOf(url: string): NodeId;
  /** Called at once and at each change, at most a few times a second. */
  onHealth(listener: (health: NodeHealth) => void): Cancel;
  /** How this tab is linked, now. */
  networkView(): NetworkView;
}

/** What this tab does for others' transcodes. */
export interface HelpView extends HelpSettings {
  /** Why it rests all the same; null while it does not, and while it is off. */
  readonly rest: HelpRest | null;
  /** Jobs done since this tab opened, and seconds of video in them. */
  readonly jobs: number;
  readonly seconds: number;
}

/** The computer runs on its battery · each byte is paid for · this tab publishes or plays something itself. */
export type HelpRest = 'battery' | 'metered' | 'publishing' | 'playing';

/** How this tab is linked, and by what, for a person to look at: it holds no password. */
export interface NetworkView {
  /** Linked tabs. */
  readonly tabs: number;
  /** Those that the person added, linked or not, then others that are linked. */
  readonly openNodes: readonly OpenNodeView[];
  readonly iceServers: readonly IceServerView[];
  /** `stun:` addresses of open nodes that are in use besides. */
  readonly stunFound: readonly string[];
  /** What stands between this tab and the rest; null as long as no connection has shown it. */
  readonly nat: Nat | null;
  /** RTCPeerConnections constructed in the life of this tab. */
  readonly connections: number;
  readonly help: HelpView;
}

export interface OpenNodeView {
  readonly url: string;
  readonly linked: boolean;
  /** By the person, who can remove it. */
  readonly added: boolean;
}

/** A STUN or TURN server without its password. */
export interface IceServerView {
  readonly urls: string;
  readonly username: string | null;
}

export interface PublishOptions {
  readonly title: string;
  /** Names of qualities that shall not be made: `480p`. */
  readonly without?: readonly string[];
  /** JPEG or WebP (≤ 12 KiB): the picture that stands for the video. Left out: one is taken from it. */
  readonly poster?: Bytes;
  /** At most one for each language. */
  readonly captions?: readonly NewCaptions[];
  /** Cancels: what was cut so far is removed. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PublishProgress) => void;
  /** Told of a video that is long in the making, whose link works before all of it is there. */
  readonly onGrowth?: (growth: GrowthState) => void;
  /** Told of all qualities, best first, as they are made after the link works. */
  readonly onQualities?: (qualities: readonly QualityState[]) => void;
  /** Told, a few times a second at most, who makes them when others help. */
  readonly onSharedWork?: (work: SharedWork) => void;
}

/** How much there is of a video whose link works before all of it is made. */
export interface GrowthState {
  /** Seconds that can be watched, of as many as it is going to last. */
  readonly made: number;
  readonly expected: number;
  /** Nothing follows. */
  readonly isWhole: boolean;
  /** Why the rest could not be made, for a person; else null. */
  readonly problem: string | null;
}

/** One quality that is made besides the first picture. */
export interface QualityState {
  /** As people call it: `480p`. */
  readonly name: string;
  readonly phase: 'waiting' | 'making' | 'made' | 'failed';
  /** 0 to 1. */
  readonly fraction: number;
  /** Why it failed, for a person; null unless it did. */
  readonly problem: string | null;
}

export interface PublishProgress {
  readonly stage: PublishStage;
  /** 0 to 1 over all stages, never falling. */
  readonly fraction: number;
  /** Estimated seconds to the end, null while there is nothing to estimate from. */
  readonly secondsLeft: number | null;
}

/** `cut` also covers hashing and keeping; `copies` goes on after the link works. */
export type PublishStage = 'read' | 'transcode' | 'cut' | 'announce' | 'copies';

export interface Publication {
  readonly videoId: VideoId;
  readonly watchUrl: string;
  /**
   * Settles when the copies are stored: `stored` is the smallest number of other disks that keep any group, `wanted` how many
   * were asked for. Waits as long as there is nobody to store them. Rejects with `aborted` or `closed`.
   */
  readonly done: Promise<CopiesReport>;
}

export interface VideoCard {
  readonly videoId: VideoId;
  readonly title: string;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** A data: address, or null. */
  readonly poster: string | null;
}

export interface NodeStats {
  /** Live links, by what is at their other end. */
  readonly links: { readonly tabs: number; readonly openNodes: number };
  /** Ids of linked nodes. */
  readonly linked: readonly NodeId[];
  /** Media bytes that this tab got for its own playing, by source. */
  readonly received: BytesBySource;
  /** Media bytes that this tab sent to others. */
  readonly served: number;
  /** Groups and media bytes on this disk, `own` of them the person's own; `quota` is the most we keep of others' videos. */
  readonly kept: { readonly groups: number; readonly bytes: number; readonly own: number; readonly quota: number };
  /** Holders dropped for sending bytes that did not match their hash. */
  readonly corruptHolders: number;
  /** Frames and messages that did not check, since start. */
  readonly malformed: number;
  /** RTCPeerConnections constructed in the life of this tab. */
  readonly connections: number;
  /** What stands between this tab and the rest; null as long as no connection has shown it. */
  readonly nat: Nat | null;
}

export interface NodeHealth {
  readonly phase: NodePhase;
  readonly id: NodeId | null;
  readonly links: { readonly tabs: number; readonly openNodes: number };
  /** Open nodes that this tab is linked to. */
  readonly openNodes: readonly string[];
  readonly kept: { readonly bytes: number; readonly quota: number };
  /** Media bytes sent to others since this tab opened. */
  readonly served: number;
  /** For a person, when something is wrong: what, why, what to do. */
  readonly problem: string | null;
}

/**
 * `starting`: opening the disk and the identity · `joining`: no link yet · `online`: linked to an open node ·
 * `peers-only`: linked to tabs, but to no open node · `alone`: was linked, or tried long enough, and now has no link · `failed`: can't run here.
 */
export type NodePhase = 'starting' | 'joining' | 'online' | 'peers-only' | 'alone' | 'failed';
