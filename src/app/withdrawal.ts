/** Work on a video ends when its person takes it off. */
import { fail, hasCode, type KadreelError } from '../base/errors.ts';
import type { VideoId } from '../media/manifest.ts';
import type { Library } from './library.ts';

/** What somebody is told who would change a video that was taken off. */
export function takenOff(): KadreelError {
  return fail('withdrawn', 'The video was taken off: nothing of it can be changed any more.');
}

export interface WhilePublished {
  /** Fires with the one that was given, or, with `withdrawn`, when the video is taken off. */
  readonly signal: AbortSignal;
  /** Passes a failure on, having looked whether it says that another tab took the video off. */
  failed(error: unknown): never;
  /** To be called when the work has ended. */
  done(): void;
}

/** For work on this video. */
export function whilePublished(library: Pick<Library, 'onWithdrawn'>, videoId: VideoId, signal: AbortSignal): WhilePublished {
  const off = new AbortController();
  const unlisten = library.onWithdrawn((id) => id === videoId && off.abort(takenOff()));
  return {
    signal: AbortSignal.any([signal, off.signal]),
    failed(error) {
      if (hasCode(error, 'withdrawn')) off.abort(error);
      throw error;
    },
    done: unlisten,
  };
}
