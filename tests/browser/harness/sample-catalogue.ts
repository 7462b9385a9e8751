/** A video of two renditions that exists only as a description: the bytes of its segments are made up. */
import type { Key } from '../../../src/kademlia/key.ts';
import { NO_ADDITIONS } from '../../../src/media/additions.ts';
import type { Catalogue } from '../../../src/media/hls-responder.ts';
import type { GroupReference, Rendition, VideoId } from '../../../src/media/manifest.ts';

export const SAMPLE_VIDEO = 'ab'.repeat(20) as VideoId;

/** The key of the `n`-th group of a rendition of the sample. */
export function sampleGroup(rendition: number, n: number): Key {
  return `${rendition}${n}`.padEnd(40, 'c') as Key;
}

/** Two groups of three segments of 4 s for each rendition. */
export function sampleCatalogue(): Catalogue {
  const groupsOf = (rendition: number): GroupReference[] =>
    [0, 1].map((n) => ({ key: sampleGroup(rendition, n), durations: [4000, 4000, 4000] }));
  const groups = [groupsOf(0), groupsOf(1)];
  const rendition = (kind: Rendition['kind'], index: number): Rendition => ({
    kind,
    codecs: kind === 'video' ? 'avc1.64001f' : 'mp4a.40.2',
    bandwidth: 1_000_000,
    averageBandwidth: 900_000,
    width: kind === 'video' ? 1280 : 0,
    height: kind === 'video' ? 720 : 0,
    frameRate: kind === 'video' ? 30_000 : 0,
    init: new Uint8Array([1, 2, 3, index]),
    groups: { type: 'inline', groups: groups[index] ?? [] },
  });
  return {
    manifest: {
      version: 1,
      title: 'A sample',
      owner: new Uint8Array(32),
      created: 1_700_000_000_000,
      duration: 24_000,
      poster: null,
      renditions: [rendition('video', 0), rendition('audio', 1)],
      additions: NO_ADDITIONS,
    },
    groups,
  };
}
