/** Lists of videos as cards: the newest that the network knows, and one's own. */
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/ports.ts';
import { deadline } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { VideoCard } from './api.ts';
import { untilLinked } from './joining.ts';
import type { Library, Listing } from './library.ts';
import { pictureAddress } from './picture-address.ts';

export interface Feed {
  /** Newest first. Rejects with `aborted`. */
  newest(signal: AbortSignal): Promise<readonly VideoCard[]>;
  mine(): Promise<readonly VideoCard[]>;
}

/** Cards on the first page. */
const MAX_CARDS = 48;
/** A list without its last pictures is better than no list, ms. */
const POSTER_DEADLINE = 2_500;
/** Pictures kept in memory, 12 KiB each. */
const MAX_POSTERS = 200;

export function createFeed(options: { node: Pick<DhtNode, 'overlay' | 'links' | 'onLinks'>; library: Library; clock: Clock }): Feed {
  const { node, library, clock } = options;
  const posters = new Map<Key, string>();

  const poster = async (key: Key | null, own: readonly Bytes[] | null, signal?: AbortSignal): Promise<string | null> => {
    if (!key) return null;
    const known = posters.get(key);
    if (known) return known;
    const limit = deadline(clock, POSTER_DEADLINE, signal);
    try {
      const bytes = own?.find((one) => pictureAddress(one) !== null) ?? (await node.overlay.findValue(key, limit.signal));
      const url = bytes && pictureAddress(bytes);
      if (!url) return null;
      if (posters.size >= MAX_POSTERS) posters.clear();
      posters.set(key, url);
      return url;
    } catch {
      return null; // The card has a cover of its own for this.
    } finally {
      limit.done();
    }
  };

  const card = async (listing: Listing, own: readonly Bytes[] | null, signal?: AbortSignal): Promise<VideoCard> => ({
    videoId: listing.videoId,
    title: listing.title.trim() || 'Untitled',
    duration: listing.duration / 1000,
    created: listing.created,
    poster: await poster(listing.poster, own, signal),
  });

  return {
    async newest(signal) {
      await untilLinked(node, { clock, signal });
      const listings = new Map<Key, Listing>();
      const now = clock.now();
      for await (const { videoId, listing } of library.listings(signal)) {
        // A clock that is ahead does not make a video newer than now.
        if (listing) listings.set(videoId, { ...listing, created: Math.min(listing.created, now) });
        else listings.delete(videoId);
      }
      const latest = [...listings.values()].sort((a, b) => b.created - a.created).slice(0, MAX_CARDS);
      return Promise.all(latest.map((listing) => card(listing, null, signal)));
    },
    async mine() {
      return Promise.all((await library.all()).map((video) => card(video, video.values)));
    },
  };
}
