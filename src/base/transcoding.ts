/** What a transcoder is asked for, and what it gives. */
import type { Bytes } from './bytes.ts';

/** A run of the converter. */
export interface Conversion {
  readonly source: Bytes;
  /** What stands before and behind the name of the source. */
  readonly inputArgs: readonly string[];
  readonly args: readonly string[];
  /** Bytes that may come out. */
  readonly most: number;
}

/** A quality of the picture, and where its segments begin. */
export interface VideoQuality {
  /** Pixels as shown (after rotation), both even. */
  readonly width: number;
  readonly height: number;
  /** Bits a second, on average. */
  readonly bitrate: number;
  /**
   * Microseconds at which segments begin, each with a key frame that nothing refers across: what the durations of the cut rendition's segments
   * add up to, 0 first.
   */
  readonly starts: readonly number[];
  /** Where the last one ends (microseconds), as these durations say it. Left out: where the file's picture does, which may be a frame off. */
  readonly end?: number;
  /** Segments that the caller has from an earlier time. It goes on behind them where it can, and says in `rendition` where it does. */
  readonly from?: number;
}

export interface MediaProbe {
  /** Seconds. */
  readonly duration: number;
  readonly container: string;
  readonly video: VideoProbe | null;
  readonly audio: AudioProbe | null;
  /** What `cut` will do: `copy` re-encodes nothing. */
  readonly plan: 'copy' | 'transcode';
}

export interface VideoProbe {
  readonly codec: string;
  /** Pixels as shown (after rotation). */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise by which the pictures in the file are turned to be shown. */
  readonly rotation: number;
  /** Frames a second on average; 0 when unknown. */
  readonly frameRate: number;
  /** Whether the time between frames changes. */
  readonly variable: boolean;
  /** Bits a second on average; null when unknown. */
  readonly bitrate: number | null;
  /** Whether `cut` leaves it as it is. */
  readonly copied: boolean;
}

export interface AudioProbe {
  readonly codec: string;
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
  /** Bits a second on average; null when unknown. */
  readonly bitrate: number | null;
  /** Whether `cut` leaves it as it is. */
  readonly copied: boolean;
}

/** A small JPEG or WebP picture that fits in a value of the network (≤ 12 KiB). */
export interface StillPicture {
  readonly bytes: Bytes;
  readonly mime: string;
}

/** Tiles for a seek bar, in JPEG sheets: as `SeekPreview` of a manifest says. */
export interface PreviewSheets {
  /** Milliseconds between two tiles. */
  readonly interval: number;
  /** Tiles in all. */
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels of a tile. */
  readonly width: number;
  readonly height: number;
  readonly sheets: readonly Bytes[];
}

export type CutEvent =
  /** 0 to 1 over the whole work, never falling. */
  | { readonly type: 'progress'; readonly fraction: number }
  /** Comes once for each rendition, before its segments, of which the first is number `from`: 0 when it is left out. */
  | { readonly type: 'rendition'; readonly rendition: CutRendition; readonly from?: number }
  /** In order within a rendition; `duration` in microseconds. */
  | { readonly type: 'segment'; readonly rendition: number; readonly bytes: Bytes; readonly duration: number }
  /** A picture from the video. */
  | ({ readonly type: 'poster' } & StillPicture)
  | { readonly type: 'done' };

export interface CutRendition {
  /** 0, 1, …: what `segment` events name. */
  readonly index: number;
  readonly kind: 'video' | 'audio';
  /** As in RFC 6381, for example `avc1.64001f` or `mp4a.40.2`. */
  readonly codecs: string;
  /** The CMAF initialisation segment. */
  readonly init: Bytes;
  /** Pixels as shown (after rotation); 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Frames a second, 0 when unknown, variable or audio. */
  readonly frameRate: number;
}
