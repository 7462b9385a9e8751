/** What a video of ours says of itself: its manifest and pages are on this disk. */
import { fail } from '../base/errors.ts';
import type { Crypto } from '../base/ports.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type Additions, groupsOfAdditions } from '../media/additions.ts';
import { readIndexes } from '../media/index-pages.ts';
import type { Rendition } from '../media/manifest.ts';
import { decodeManifest } from '../media/manifest-read.ts';
import type { PublishedVideo } from './library.ts';

export interface OwnManifest {
  /** Their lists inline, however long they are. */
  readonly renditions: readonly Rendition[];
  readonly additions: Additions;
  /** Of renditions and additions. */
  readonly groups: readonly Key[];
}

/** Rejects with `corrupt` when the description is not whole. */
export async function readOwnManifest(crypto: Crypto, video: PublishedVideo): Promise<OwnManifest> {
  const values = new Map(video.values.map((bytes) => [hashKey(crypto, bytes), bytes]));
  const [first] = video.values;
  const manifest = first ? decodeManifest(first) : null;
  if (!manifest) throw fail('corrupt', `The description of ${video.videoId} is not valid.`);
  const lists = await readIndexes(manifest, async (key) => {
    const page = values.get(key);
    if (!page) throw fail('corrupt', `A page of ${video.videoId} is missing.`);
    return page;
  });
  return {
    renditions: manifest.renditions.map((rendition, n) => ({ ...rendition, groups: { type: 'inline', groups: lists[n] ?? [] } })),
    additions: manifest.additions,
    groups: [...lists.flatMap((references) => references.map(({ key }) => key)), ...groupsOfAdditions(manifest.additions)],
  };
}

/** All groups of a video of ours. Rejects when its description is not whole: then nothing may be removed. */
export async function groupsOfVideo(crypto: Crypto, video: PublishedVideo): Promise<readonly Key[]> {
  return (await readOwnManifest(crypto, video)).groups;
}
