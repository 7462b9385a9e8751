/** A video that is open for watching, as the page sees it. */
import type { KadreelError } from '../base/errors.ts';
import type { Cancel } from '../base/ports.ts';
import type { Manifest } from '../media/manifest.ts';

/** What `Kadreel.watch` gives. */
export interface WatchSession {
  readonly manifest: Manifest;
  /** Where hls.js starts: `/hls/<video>/master.m3u8`. */
  readonly playlistUrl: string;
  /** Where this video's bytes came from since `watch`. */
  sources(): BytesBySource;
  /** Called when the video has a later version, or was taken off: `null`. */
  onVersion(listener: (manifest: Manifest | null) => void): Cancel;
  /** Qualities below all that the video has, which helpers could make of it; best first. Never rejects. */
  lower(): Promise<readonly LowerChoice[]>;
  /** Has one of them made from here on. What was asked for before ends. */
  askLower(request: LowerRequest): LowerAsked;
  close(): void;
}

/** Media bytes. */
export interface BytesBySource {
  readonly store: number;
  readonly tabs: number;
  readonly openNodes: number;
}

/** A quality that can be asked for. */
export interface LowerChoice {
  /** As people call it: `360p`. */
  readonly name: string;
  /** Bits a second that its picture may take on average. */
  readonly bitrate: number;
}

/** What a person asks for. */
export interface LowerRequest {
  readonly name: string;
  /** Where the player is (s). */
  readonly at: number;
  /** At each change, a few times a second at most. After a view with a `problem` comes nothing more. */
  readonly onView: (view: LowerView) => void;
}

/** A quality that is being made. */
export interface LowerAsked {
  /** The player is at this time (s). */
  playhead(seconds: number): void;
  close(): void;
}

/** How far it is. */
export interface LowerView {
  readonly name: string;
  /** Where a player finds it beside the others; null until there is enough of it to begin. */
  readonly playlistUrl: string | null;
  /** Seconds that are there from the playhead on. */
  readonly ahead: number;
  /** Linked tabs that make it. */
  readonly helpers: number;
  /** Seconds of video that they make in a second; null before there is anything to go by. */
  readonly speed: number | null;
  /** What plays was made before, for somebody else. */
  readonly found: boolean;
  /** Why it ended; null while it goes on. */
  readonly problem: KadreelError | null;
}
