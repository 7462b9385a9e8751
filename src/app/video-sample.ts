/** A few moments of a stored video as a file, to take pictures from. */
import type { SourceFile } from '../base/ports.ts';
import { locateSegment } from '../media/hls-responder.ts';
import type { Rendition } from '../media/manifest.ts';
import type { GroupStore } from '../node/group-store.ts';
import type { OwnManifest } from './own-manifest.ts';

/** Segments that are taken, from all over the video: each begins with a key frame. */
const MOMENTS = 9;
/** Pixels: twice as wide as a picture on a card. A larger one only takes longer to decode. */
const WIDE_ENOUGH = 640;

/** Null when there is no picture, or none of it on this disk. */
export async function sampleOf(
  groups: Pick<GroupStore, 'segment'>,
  { renditions }: Pick<OwnManifest, 'renditions'>,
): Promise<SourceFile | null> {
  const picture = pictureIn(renditions);
  if (picture?.groups.type !== 'inline') return null;
  const list = picture.groups.groups;
  const count = list.reduce((sum, { durations }) => sum + durations.length, 0);
  const wanted = new Set(Array.from({ length: MOMENTS }, (_, n) => Math.floor(((n + 0.5) / MOMENTS) * count)));
  const parts: BlobPart[] = [picture.init];
  for (const segment of wanted) {
    const place = locateSegment(list, segment);
    const bytes = place && (await groups.segment(place.group.key, place.index));
    if (bytes) parts.push(bytes);
  }
  return parts.length > 1 ? new File(parts, 'sample.mp4', { type: 'video/mp4' }) : null;
}

/** The smallest that is large enough, else the largest. */
function pictureIn(renditions: readonly Rendition[]): Rendition | null {
  const pictures = renditions.filter(({ kind }) => kind === 'video').sort((a, b) => a.width - b.width);
  return pictures.find(({ width }) => width >= WIDE_ENOUGH) ?? pictures.at(-1) ?? null;
}
