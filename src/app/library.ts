/**
 * What this browser's person published: everything needed to publish it again is kept on this disk for ever, as others forget what
 * nobody renews.
 */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Crypto, Signer, Store, StoreChange } from '../base/ports.ts';
import { binary, decode, encode, list, nullable, string, struct, time, uint } from '../base/schema.ts';
import { hashKey, type Key, keySchema, parseKey } from '../kademlia/key.ts';
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

/** A video that was taken off: its record names no manifest (M20). */
export interface WithdrawnVideo {
  readonly videoId: VideoId;
  readonly record: Signed;
}

/** What the record of a video says; null when its owner took it off. */
export const videoRecordSchema = struct<{ manifest: Key | null }>({ manifest: nullable(keySchema) });

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
const WITHDRAWN_PREFIX = 'withdrawn/';
const withdrawnSchema = struct<{ record: Signed }>({ record: signedSchema });
/** A listing that takes the place of an earlier one, and lists nothing. */
const NO_LISTING: Bytes = new Uint8Array(0);

export interface Library {
  /** Makes the changes `also` with it: all of it, or nothing. */
  add(video: PublishedVideo, also?: readonly StoreChange[]): Promise<void>;
  remove(videoId: VideoId): Promise<void>;
  get(videoId: VideoId): Promise<PublishedVideo | null>;
  /** Newest first. */
  all(): Promise<readonly PublishedVideo[]>;
  /** Stores a video's record and values in the network: its link works then. Gives how many nodes have all of it, this one included where it is near. */
  announce(video: PublishedVideo, signal?: AbortSignal): Promise<number>;
  /** Puts a video on the list of the newest. */
  list(video: PublishedVideo, signal?: AbortSignal): Promise<void>;
  /**
   * The newest videos that the network knows, as they are found; without a listing those that were taken off. A listing of somebody else's
   * video is none.
   */
  listings(signal: AbortSignal): AsyncIterable<{ readonly videoId: VideoId; readonly listing: Listing | null }>;
  /** A video is no longer among those that are published here, and `record` says so. Makes the changes `also` with it: all of it, or nothing. */
  withdraw(video: WithdrawnVideo, also?: readonly StoreChange[]): Promise<void>;
  /** What was taken off, as long as it has to be said again and again. */
  withdrawn(videoId: VideoId): Promise<WithdrawnVideo | null>;
  allWithdrawn(): Promise<readonly WithdrawnVideo[]>;
  /** Tells the network that a video was taken off. Gives how many nodes know it, this one included where it is near. */
  announceWithdrawn(video: WithdrawnVideo, signal?: AbortSignal): Promise<number>;
  forgetWithdrawn(videoId: VideoId): Promise<void>;
  /** Called when a video is taken off in this tab. */
  onWithdrawn(listener: (videoId: VideoId) => void): Cancel;
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
  const listeners = new Set<(videoId: VideoId) => void>();

  /** Puts it in the place of what this account said of that video on the list. */
  const enlist = async (signed: Signed, value: Bytes, signal?: AbortSignal): Promise<number> => {
    const record = openRecord(signed);
    if (!record) throw fail('internal', 'The record of a video in the library can’t be read.');
    const time = now();
    const { name } = record.body;
    const entry = await writeEntry({ signer: account, topic: newestKey, name, value, time, expires: time + MAX_ENTRY_LIFE });
    return node.overlay.store(newestKey, { type: 'entry', signed: entry.signed }, signal && { signal });
  };
  const storeRecord = (videoId: VideoId, signed: Signed, signal?: AbortSignal): Promise<number> =>
    node.overlay.store(videoId, { type: 'record', signed }, signal && { signal });

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
      const counts = await Promise.all([
        ...video.values.map((bytes) => node.overlay.store(hashKey(crypto, bytes), { type: 'value', bytes }, signal && { signal })),
        storeRecord(video.videoId, video.record, signal),
      ]);
      return Math.min(...counts);
    },
    async list(video, signal) {
      const { videoId, title, duration, created, poster } = video;
      await enlist(video.record, encode(listingSchema, { videoId, title, duration, created, poster }), signal);
    },
    async *listings(signal) {
      for await (const { body } of node.overlay.findEntries(newestKey, { signal })) {
        const videoId = recordKey(crypto, body.writer, body.name);
        const listing = decode(listingSchema, body.value);
        if (listing?.videoId === videoId) yield { videoId, listing };
        else if (body.value.length === 0) yield { videoId, listing: null };
      }
    },
    async withdraw({ videoId, record }, also = []) {
      await store.write([
        { table: 'library', key: ROW_PREFIX + videoId, value: null },
        { table: 'library', key: WITHDRAWN_PREFIX + videoId, value: encode(withdrawnSchema, { record }) },
        ...also,
      ]);
      for (const listener of listeners) listener(videoId);
    },
    async withdrawn(videoId) {
      const row = await store.get('library', WITHDRAWN_PREFIX + videoId);
      const read = row && decode(withdrawnSchema, row);
      return read && { videoId, ...read };
    },
    async allWithdrawn() {
      return (await store.entries('library', WITHDRAWN_PREFIX)).flatMap(([key, bytes]) => {
        const videoId = parseKey(key.slice(WITHDRAWN_PREFIX.length));
        const read = decode(withdrawnSchema, bytes);
        return videoId && read ? [{ videoId, ...read }] : [];
      });
    },
    async announceWithdrawn({ videoId, record }, signal) {
      return Math.min(...(await Promise.all([storeRecord(videoId, record, signal), enlist(record, NO_LISTING, signal)])));
    },
    forgetWithdrawn: (videoId) => store.write([{ table: 'library', key: WITHDRAWN_PREFIX + videoId, value: null }]),
    onWithdrawn(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
