/** What programs and the page say of a published video, and of what is to become of it: a part of `api.ts`. */
import type { Bytes } from '../base/bytes.ts';
import type { VideoId } from '../media/manifest.ts';
import type { Cue } from '../media/subtitles.ts';

/** Captions to be published. */
export interface NewCaptions {
  /** BCP 47. */
  readonly language: string;
  /** What players call it. */
  readonly name: string;
  readonly cues: readonly Cue[];
}

/** How well a video is kept. */
export interface CopiesReport {
  readonly stored: number;
  readonly wanted: number;
}

/** A video that this browser published, for whoever would change it. */
export interface OwnVideo {
  readonly videoId: VideoId;
  readonly title: string;
  /** Seconds. */
  readonly duration: number;
  /** A data: address, or null. */
  readonly poster: string | null;
  /** Pixels, of the best picture; 0 for sound alone. */
  readonly width: number;
  readonly height: number;
  readonly captions: readonly { readonly language: string; readonly name: string }[];
  /** In the manifest's order. */
  readonly qualities: readonly OwnQuality[];
}

/** A picture of an own video. */
export interface OwnQuality {
  /** Its number among the manifest's renditions. */
  readonly rendition: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Bits a second, on average. */
  readonly bitrate: number;
  /** Whether players are offered it. */
  readonly offered: boolean;
}

/** What is to become of a published video. */
export interface VideoEdit {
  /** At most 200 bytes. */
  readonly title?: string;
  /** JPEG or WebP (≤ 12 KiB): the picture that stands for the video. */
  readonly poster?: Bytes;
  /** Each takes the place of those in its language. */
  readonly captions?: readonly NewCaptions[];
  /** Languages (BCP 47) whose captions go. */
  readonly withoutCaptions?: readonly string[];
  /** Numbers of renditions that players are offered no longer. They can be offered again. */
  readonly withdrawn?: readonly number[];
  readonly offered?: readonly number[];
  /** 0 to 1: how much of it has come to others. */
  readonly onProgress?: (fraction: number) => void;
}

/** A change that stands on this disk. */
export interface Edit {
  readonly videoId: VideoId;
  /** Settles when others have it, as `Publication.done`; a change that goes without files is counted by the nodes that know it. */
  readonly done: Promise<CopiesReport>;
}

/** A video that was taken off. */
export interface Removal {
  readonly videoId: VideoId;
  /** Resolves when other nodes know it, as long as that takes. Rejects with `closed`. */
  readonly done: Promise<void>;
}
