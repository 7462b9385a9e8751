/** What the page and its media workers say to each other. */
import type { Bytes } from '../base/bytes.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { CutEvent, PreviewSheets, StillPicture, VideoQuality } from '../base/ports.ts';

/**
 * Segments that a worker may be ahead of its reader, who writes them down: with the tab no more than this goes that was made. At most 16 MiB
 * each.
 */
export const SEGMENTS_AHEAD = 1;

/** A failure on its way out of a worker. */
export interface WorkerFailure {
  readonly type: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a cut worker is asked. */
export type CutRequest =
  /** Answered by `inspected`. */
  | { readonly type: 'inspect'; readonly file: Blob }
  /** Answered by `pictures`, or by `sheets`. */
  | { readonly type: 'pictures' | 'sheets'; readonly file: Blob }
  /**
   * Answered by `event`s and by `ended`. Every packet is looked at first: where a GOP fits in no segment, the answer is `uncuttable`. `kept`: segments of
   * each rendition that the page has already.
   */
  | { readonly type: 'cut'; readonly file: Blob; readonly kept: readonly number[] }
  | EncodeRequest
  /** Answered by `verdict`: whether `encode` would not say `uncuttable`. */
  | { readonly type: 'can-encode'; readonly file: Blob; readonly quality: VideoQuality }
  /** Answered by `verdict`: whether every picture can be decoded. */
  | { readonly type: 'decode'; readonly file: Blob; readonly pictures: number }
  | ConvertedCutRequest
  /** One more piece of a conversion, a small file of its own; null after the last one. */
  | { readonly type: 'piece'; readonly of: PieceKind; readonly piece: Blob | null }
  /** One more segment was taken. */
  | { readonly type: 'credit' };

/** What a cut worker says. */
export type CutReply =
  | { readonly type: 'inspected'; readonly inspection: Inspection | null }
  | { readonly type: 'pictures'; readonly pictures: readonly StillPicture[] }
  | { readonly type: 'sheets'; readonly sheets: PreviewSheets | null }
  | { readonly type: 'event'; readonly event: CutEvent }
  | { readonly type: 'uncuttable' }
  /** Null: this browser can't tell. */
  | { readonly type: 'verdict'; readonly verdict: boolean | null }
  | { readonly type: 'ended' }
  | WorkerFailure;

/** What a piece of a conversion is of. */
export type PieceKind = 'picture' | 'sound';

/**
 * Cuts what ffmpeg makes of a file, as its pieces come. Answered by `event`s and by `ended`, or by `uncuttable`: the picture can't be copied after all, or
 * its pieces do not begin in the cell that they should.
 */
export interface ConvertedCutRequest {
  readonly type: 'cut-converted';
  /**
   * A file whose picture is copied behind `kept` segments, and begins at `late` (seconds) · pieces of a picture · null: none, or all of it is there.
   */
  readonly picture:
    | { readonly file: Blob; readonly kept: number; readonly late: number }
    | {
        /** The second of the pieces that is 0. */
        readonly origin: number;
        /** The number of the first segment, and its cell. */
        readonly from: number;
        readonly cell: number;
        /** Frames a second; 0 when variable or unknown. */
        readonly frameRate: number;
      }
    | null;
  /** `index` of the rendition; the number of the first segment, its first packet, and that of the first piece, both counted from the origin. */
  readonly sound: { readonly index: number; readonly from: number; readonly packet: number; readonly begin: number } | null;
  /** Seconds in all. */
  readonly duration: number;
}

/** What a cut worker is asked when a quality is to be made. */
export type EncodeRequest =
  /** Answered by `event`s and by `ended`, or at once by `uncuttable` where this browser can't decode the picture or encode it so. */
  | { readonly type: 'encode'; readonly file: Blob; readonly quality: VideoQuality }
  /** The same of pictures that come in pieces, and have key frames where the segments begin already. `origin`: their second that becomes 0. */
  | { readonly type: 'recut'; readonly quality: VideoQuality; readonly origin: number };

/** What the headers say. Null instead of it: mediabunny does not know the format. */
export interface Inspection {
  readonly container: string;
  /** Seconds, from the first thing shown to the last. */
  readonly duration: number;
  readonly video: TrackInspection<{
    readonly width: number;
    readonly height: number;
    readonly rotation: number;
    readonly frameRate: number;
    readonly variable: boolean;
  }> | null;
  readonly audio: TrackInspection<{ readonly channels: number; readonly sampleRate: number }> | null;
}

export type TrackInspection<Facts> = Facts & {
  readonly codec: string;
  readonly codecs: string | null;
  /** Bits a second on average; null when unknown. */
  readonly bitrate: number | null;
  /** Whether it can be cut as it is, if the browser plays `codecs`. */
  readonly cuttable: boolean;
};

/** What an ffmpeg worker is asked. */
export type FfmpegRequest =
  /** Answered by `probed`. */
  | { readonly type: 'probe'; readonly file: Blob }
  /** Answered by `chunk`s of the output and `finished`. `threads`: by the build of ffmpeg that has any; then `loaded` comes first. */
  | {
      readonly type: 'run';
      readonly file: Blob;
      readonly inputArgs?: readonly string[];
      readonly args: readonly string[];
      readonly threads?: boolean;
      /** What another worker compiled, as that takes longer than many a run; `tell`: says `compiled` when it has compiled it. */
      readonly module?: WebAssembly.Module | 'tell';
    };

/** What an ffmpeg worker says. */
export type FfmpegReply =
  /** What ffprobe printed, as JSON; an empty object when it found nothing that it knows. */
  | { readonly type: 'probed'; readonly json: string }
  /** The build with threads has come over the network: what is still to do is up to this computer. */
  | { readonly type: 'loaded' }
  | { readonly type: 'chunk'; readonly bytes: Bytes; readonly to: typeof FFMPEG_OUTPUT | typeof FFMPEG_PICTURE }
  /** Seconds of the output that are done. */
  | { readonly type: 'time'; readonly seconds: number }
  | { readonly type: 'finished' }
  /** What was compiled, for the next worker. Comes before all else, where it was asked for. */
  | { readonly type: 'compiled'; readonly module: WebAssembly.Module }
  | WorkerFailure;

/** The path that ffmpeg writes to, at the end of its arguments: a device that sends everything on. */
export const FFMPEG_OUTPUT = '/output';
/** A second one, to be named among the arguments. */
export const FFMPEG_PICTURE = '/picture';
/** In the arguments: the path of the source, to read it a second time. */
export const FFMPEG_SOURCE = '/source';
