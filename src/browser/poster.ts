/** Small pictures of a video, for cards and for the time before it plays. */
import { equal } from '../base/bytes.ts';
import type { StillPicture } from '../base/ports.ts';
import type { VideoTrack } from './media-file.ts';
import { compressPicture, STILL_WIDTH } from './still.ts';

/** Where to look, as parts of the duration: many videos begin with black. */
const MOMENTS = [0.1, 0.25, 0.5, 0.02];
/** Where the proposals are from: one of each row. */
const PROPOSED: readonly (readonly number[])[] = [
  [0.12, 0.05, 0.22],
  [0.5, 0.42, 0.58],
  [0.85, 0.75, 0.92],
];
/** Milliseconds: a decoder that hangs must not hold up the publication. */
const PATIENCE = 10_000;
/** Standard deviation of the brightness, of 255, below which a picture counts as empty: black, white, or of one colour. */
const DULL = 10;

/** The picture, or null when this browser can't decode the video or make it small enough. Never rejects. */
export async function makePoster(video: VideoTrack): Promise<StillPicture | null> {
  try {
    const found = await liveliest(video, MOMENTS);
    return found && (await compressPicture(found.canvas));
  } catch {
    return null;
  }
}

/** Looks for the picture in pieces of a video, as they come. */
export interface PosterSearch {
  /** `time`: where the piece begins (seconds). Never rejects. */
  look(piece: VideoTrack, time: number): Promise<void>;
  /** No more pieces come: the best of what was seen is given, if none was before. Never rejects. */
  finish(): Promise<void>;
}

/** Parts of the duration where it looks besides the very start, which is taken only where nothing else is. */
const MOMENTS_IN_ORDER = [0.1, 0.25, 0.5];

/** `onFound` gets the first picture that shows something, once. */
export function createPosterSearch(duration: number, onFound: (picture: StillPicture) => void): PosterSearch {
  const moments = MOMENTS_IN_ORDER.map((moment) => moment * duration);
  let best: Candidate | null = null;
  let given = false;
  let isTried = false;
  const give = async (candidate: Candidate): Promise<void> => {
    const picture = await compressPicture(candidate.canvas).catch(() => null);
    if (given || !picture) return;
    given = true;
    onFound(picture);
  };
  return {
    async look(piece, time) {
      if (given) return;
      const due = moments.filter((moment) => moment <= time).length;
      // One that can't be decoded would be tried at every piece.
      if (due === 0 && isTried) return;
      isTried = true;
      moments.splice(0, due);
      const found = await patiently(
        liveliest(piece, [0]).catch(() => null),
        PATIENCE,
      );
      if (found && (!best || found.contrast > best.contrast)) best = found;
      if (best && due > 0 && best.contrast >= DULL) await give(best);
    },
    async finish() {
      if (best && !given) await give(best);
    },
  };
}

/** Up to three pictures from all over the video, in its order; no two from one key frame. Never rejects. */
export async function proposePictures(video: VideoTrack): Promise<readonly StillPicture[]> {
  const pictures: StillPicture[] = [];
  try {
    for (const moments of PROPOSED) {
      const found = await liveliest(video, moments);
      const picture = found && (await compressPicture(found.canvas));
      if (picture && !pictures.some((other) => equal(other.bytes, picture.bytes))) pictures.push(picture);
    }
  } catch {
    return pictures; // What was decoded so far is good.
  }
  return pictures;
}

interface Candidate {
  readonly canvas: OffscreenCanvas;
  readonly contrast: number;
}

/** The first picture of these that shows something, else the one that shows most. */
async function liveliest(video: VideoTrack, moments: readonly number[]): Promise<Candidate | null> {
  let best: Candidate | null = null;
  for (const moment of moments) {
    const time = video.start + (video.end - video.start) * moment;
    for await (const canvas of video.keyPictures([time], { width: STILL_WIDTH })) {
      const contrast = contrastOf(canvas);
      if (!best || contrast > best.contrast) best = { canvas, contrast };
    }
    if (best && best.contrast >= DULL) break;
  }
  return best;
}

/** How much the brightness (0 to 255) of its pixels differs. */
function contrastOf(canvas: OffscreenCanvas): number {
  const context = canvas.getContext('2d');
  if (!context) return 0;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let [count, sum, squares] = [0, 0, 0];
  for (let i = 0; i + 2 < data.length; i += 4) {
    const light = 0.3 * (data[i] ?? 0) + 0.6 * (data[i + 1] ?? 0) + 0.1 * (data[i + 2] ?? 0);
    count++;
    sum += light;
    squares += light * light;
  }
  return count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/** The result, or null when it takes longer than `ms`. */
export function patiently<T>(work: Promise<T>, ms: number): Promise<T | null> {
  return Promise.race([work, new Promise<null>((resolve) => setTimeout(() => resolve(null), ms))]);
}
