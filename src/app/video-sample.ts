/** Moments of a stored video as small files, to take pictures from. */
import type { SourceFile } from '../base/ports.ts';
import { locateSegment } from '../media/hls-responder.ts';
import type { Rendition } from '../media/manifest.ts';
import type { GroupStore } from '../node/group-store.ts';
import type { OwnManifest } from './own-manifest.ts';

/** Where they are from, as parts of the video, and segments of each: some 8 s, of which the picture that shows most is taken. */
const MOMENTS = [1 / 6, 1 / 2, 5 / 6];
const SEGMENTS = 2;
/** Pixels: twice as wide as a picture on a card. A larger one only takes longer to decode. */
const WIDE_ENOUGH = 640;

/** None when there is no picture, or nothing of it on this disk. A file for each moment: what lies between is missing. */
export async function samplesOf(
  groups: Pick<GroupStore, 'segment'>,
  { renditions }: Pick<OwnManifest, 'renditions'>,
): Promise<readonly SourceFile[]> {
  const picture = pictureIn(renditions);
  if (picture?.groups.type !== 'inline') return [];
  const list = picture.groups.groups;
  const count = list.reduce((sum, { durations }) => sum + durations.length, 0);
  const read = async (segment: number): Promise<readonly BlobPart[]> => {
    const place = locateSegment(list, segment);
    const bytes = place && (await groups.segment(place.group.key, place.index));
    return bytes ? [bytes] : [];
  };
  const files: SourceFile[] = [];
  for (const first of new Set(MOMENTS.map((moment) => Math.floor(moment * count)))) {
    const parts = await Promise.all(Array.from({ length: SEGMENTS }, (_, n) => read(first + n)));
    if (parts[0]?.length === 1) files.push(new File([picture.init, ...parts.flat()], 'moment.mp4', { type: 'video/mp4' }));
  }
  return files;
}

/** The smallest that is large enough, else the largest. */
function pictureIn(renditions: readonly Rendition[]): Rendition | null {
  const pictures = renditions.filter(({ kind }) => kind === 'video').sort((a, b) => a.width - b.width);
  return pictures.find(({ width }) => width >= WIDE_ENOUGH) ?? pictures.at(-1) ?? null;
}
