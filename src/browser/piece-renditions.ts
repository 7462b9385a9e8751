/** Cuts a conversion in a worker while its pieces come. */
import { fail } from '../base/errors.ts';
import { cellAt, cutOnGrid, SOUND_PACKET, SOUND_RATE } from './grid-cutter.ts';
import { type AudioTrack, openMediaFile, type VideoTrack } from './media-file.ts';
import type { ConvertedCutRequest } from './media-protocol.ts';
import type { PosterSearch } from './poster.ts';
import { type Rendition, rendition, SOUND } from './renditions.ts';
import { cutAudio } from './segment-cutter.ts';
import type { SegmentOutlet } from './segment-outlet.ts';

type PicturePlan = Extract<ConvertedCutRequest['picture'], { readonly from: number }>;

/** One whose pieces do not begin in their cell is told by this; nothing has been sent then. */
export class MisplacedPicture extends Error {}

/** The picture of a conversion. Its `next` rejects with `MisplacedPicture`. */
export function pictureOfPieces(
  pieces: AsyncIterable<Blob>,
  { outlet, plan, poster }: { outlet: SegmentOutlet; plan: PicturePlan; poster: PosterSearch },
): Rendition {
  const { origin, from, cell, frameRate } = plan;
  let first: VideoTrack | null = null;
  async function* packets() {
    for await (const piece of pieces) {
      const file = await openMediaFile(piece);
      const video = file?.video;
      if (!video) throw fail('unsupported', 'The converter made a picture that can’t be read.');
      if (!first && from > 0 && cellAt(video.start - origin) !== cell) throw new MisplacedPicture();
      first ??= video;
      await poster.look(video, video.start - origin);
      yield* video.packets({ metadataOnly: false });
      file.close();
    }
  }
  return rendition({
    ...{ outlet, index: 0, delay: 0, from, at: from > 0 ? null : 0 },
    track: () => known(first),
    facts: () => ({ kind: 'video', width: known(first).width, height: known(first).height, frameRate }),
    segments: cutOnGrid(packets(), origin),
  });
}

/** The sound of a conversion. */
export function soundOfPieces(
  pieces: AsyncIterable<Blob>,
  { outlet, plan }: { outlet: SegmentOutlet; plan: NonNullable<ConvertedCutRequest['sound']> },
): Rendition {
  const { index, from, packet, begin } = plan;
  const origin = (-begin * SOUND_PACKET) / SOUND_RATE;
  const start = (packet * SOUND_PACKET) / SOUND_RATE;
  let first: AudioTrack | null = null;
  async function* packets() {
    for await (const piece of pieces) {
      const file = await openMediaFile(piece);
      const audio = file?.audio;
      if (!audio) throw fail('unsupported', 'The converter made sound that can’t be read.');
      first ??= audio;
      for await (const one of audio.packets({ metadataOnly: false })) {
        // What the encoder puts in front, and the run-up.
        if (one.timestamp - origin > start - SOUND_PACKET / SOUND_RATE / 2) yield one;
      }
      file.close();
    }
  }
  return rendition({
    ...{ outlet, index, delay: 0, from, at: from > 0 ? start : 0 },
    track: () => known(first),
    facts: () => SOUND,
    segments: cutAudio(packets(), { origin, codec: 'aac', sampleRate: SOUND_RATE, at: start }),
  });
}

function known<T>(track: T | null): T {
  if (!track) throw fail('internal', 'A segment came out of no piece.');
  return track;
}
