/**
 * What this browser's person published: everything needed to publish it again is kept on this disk for ever, as others forget what
 * nobody renews.
 */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, Signer, Store, StoreChange } from '../base/ports.ts';
import { binary, decode, encode, list, nullable, string, struct, time, uint } from '../base/schema.ts';
import { hashKey, type Key, keySchema } from '../kademlia/key.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { topicKey, writeEntry } from '../records/entry.ts';
import { MAX_ENTRY_LIFE } from '../records/expiry.ts';
import { openRecord, recordKey } from '../records/record.ts';
import { type Signed, signedSchema } from '../records/signed.ts';

export interface PublishedVideo {
  readonly videoId: VideoId;
  /** At most 200 bytes. */
  readonly title: string;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly poster: Key | null;
  /** The record that points to the manifest. */
  readonly record: Signed;
  /** The manifest, its pages and the poster. */
  readonly values: readonly Bytes[];
}

/** What the record of a video says. */
export const videoRecordSchema = struct<{ manifest: Key }>({ manifest: keySchema });

/** A line in the list of newest videos, in an entry with the name of the video's record: so only its owner can list it. */
export interface Listing {
  readonly videoId: VideoId;
  readonly title: string;
  readonly duration: number;
  readonly created: number;
  readonly poster: Key | null;
}

const listingFields = {
  videoId: keySchema,
  title: string(200),
  duration: uint(0xffff_ffff),
  created: time,
  poster: nullable(keySchema),
};
/** How a listing is written in a set entry. */
export const listingSchema = struct<Listing>(listingFields);

const MAX_VALUES = 200; // a manifest, its pages for 16 renditions, a poster
const publishedSchema = struct<PublishedVideo>({
  ...listingFields,
  record: signedSchema,
  values: list(binary(LIMITS.value), MAX_VALUES),
});

/** The topic under which new videos are listed. */
const NEWEST_TOPIC = 'newest';
const ROW_PREFIX = 'published/';

export interface Library {
  /** Makes the changes `also` with it: all of it, or nothing. */
  add(video: PublishedVideo, also?: readonly StoreChange[]): Promise<void>;
  remove(videoId: VideoId): Promise<void>;
  get(videoId: VideoId): Promise<PublishedVideo | null>;
  /** Newest first. */
  all(): Promise<readonly PublishedVideo[]>;
  /** Stores a video's record and values in the network: its link works then. */
  announce(video: PublishedVideo, signal?: AbortSignal): Promise<void>;
  /** Puts a video on the list of the newest. */
  list(video: PublishedVideo, signal?: AbortSignal): Promise<void>;
  /** The newest videos that the network knows, as they are found. A listing of somebody else's video is none. */
  listings(signal: AbortSignal): AsyncIterable<Listing>;
}

export interface LibraryOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly node: Pick<DhtNode, 'overlay'>;
  readonly now: () => number;
}

export function createLibrary(options: LibraryOptions): Library {
  const { store, crypto, account, node, now } = options;
  const newestKey = topicKey(crypto, NEWEST_TOPIC);

  return {
    add: (video, also = []) =>
      store.write([{ table: 'library', key: ROW_PREFIX + video.videoId, value: encode(publishedSchema, video) }, ...also]),
    remove: (videoId) => store.write([{ table: 'library', key: ROW_PREFIX + videoId, value: null }]),
    async get(videoId) {
      const row = await store.get('library', ROW_PREFIX + videoId);
      return row && decode(publishedSchema, row);
    },
    async all() {
      const rows = await store.entries('library', ROW_PREFIX);
      const videos = rows.flatMap(([, bytes]) => decode(publishedSchema, bytes) ?? []);
      return videos.sort((a, b) => b.created - a.created);
    },
    async announce(video, signal) {
      await Promise.all([
        ...video.values.map((bytes) => node.overlay.store(hashKey(crypto, bytes), { type: 'value', bytes }, signal && { signal })),
        node.overlay.store(video.videoId, { type: 'record', signed: video.record }, signal && { signal }),
      ]);
    },
    async list(video, signal) {
      const { videoId, title, duration, created, poster } = video;
      const record = openRecord(video.record);
      if (!record) throw fail('internal', 'The record of a video in the library can’t be read.');
      const time = now();
      const listing = await writeEntry({
        signer: account,
        topic: newestKey,
        name: record.body.name,
        value: encode(listingSchema, { videoId, title, duration, created, poster }),
        time,
        expires: time + MAX_ENTRY_LIFE,
      });
      await node.overlay.store(newestKey, { type: 'entry', signed: listing.signed }, signal && { signal });
    },
    async *listings(signal) {
      for await (const { body } of node.overlay.findEntries(newestKey, { signal })) {
        const listing = decode(listingSchema, body.value);
        if (listing && recordKey(crypto, body.writer, body.name) === listing.videoId) yield listing;
      }
    },
  };
}
