/** Opens videos for watching: from an id to a catalogue, and from a player's requests to bytes that are there in time (design §8). */

import type { Bytes } from '../base/bytes.ts';
import { equal } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Cancel, Clock, Crypto } from '../base/ports.ts';
import { decode } from '../base/schema.ts';
import { deadline, orAbort } from '../base/timing.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type Catalogue, locateSegment } from '../media/hls-responder.ts';
import { readIndexes } from '../media/index-pages.ts';
import type { GroupReference, Manifest, VideoId } from '../media/manifest.ts';
import { decodeManifest } from '../media/manifest-read.ts';
import { formatHlsPath } from '../media/urls.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { trim } from '../node/trim.ts';
import { newest } from '../records/merge.ts';
import { openRecord, type SignedRecord } from '../records/record.ts';
import type { BytesBySource, WatchSession } from './api.ts';
import { askWhileJoining } from './joining.ts';
import { type Library, type PublishedVideo, videoRecordSchema } from './library.ts';

export interface Watcher {
  /** Rejects with `not-found` when nobody has the video's description, `withdrawn` when it was taken off, `corrupt` when it is not valid. */
  catalogue(videoId: VideoId, signal: AbortSignal): Promise<Catalogue>;
  watch(videoId: VideoId, signal: AbortSignal): Promise<Omit<WatchSession, 'lower' | 'askLower'>>;
  /** A segment that the player needs now. */
  segment(group: Key, index: number, signal: AbortSignal): Promise<Bytes>;
  /** The service worker gave the player a segment from this disk. */
  read(segment: { group: Key; index: number; bytes: number }): void;
  /** The video has a later version on this disk. */
  changed(videoId: VideoId): void;
}

export interface WatcherOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly node: Pick<DhtNode, 'overlay' | 'segments' | 'links' | 'onLinks'>;
  readonly library: Pick<Library, 'get' | 'withdrawn'>;
}

/** Descriptions kept: what a person has open, and a little more. */
const MAX_CATALOGUES = 16;
/** Pages of a description, each a lookup: what a publisher's own disk keeps of one video. Sixteen renditions could name five times as many. */
const MAX_PAGES = 200;
/** A video may have got more qualities after this time, ms: twice as long each time that it has not, up to the most. Asking costs some 700 bytes. */
const FRESH_FIRST = 30_000;
const FRESH_MOST = 480_000;
/** The same of a video of which more is to come (M22). */
const GROWING_FIRST = 10_000;
const GROWING_MOST = 60_000;
/** For finding a video's description, ms: two lookups, each with a few time-outs in it. */
const LOAD_DEADLINE = 25_000;
/** Segments fetched ahead of the one that the player asked for, each 4 s: the player's next requests find them on the disk. */
const AHEAD = 3;
/** The one needed now comes before those ahead; the farther, the later. */
const URGENT = 0;
const AHEAD_URGENCY = 10;

/** What a video's record pointed to when it was looked up. */
interface Version {
  readonly record: SignedRecord;
  readonly manifestKey: Key;
  readonly catalogue: Catalogue;
}

interface Known {
  readonly version: Promise<Version>;
  /** Clock time at which a later version is asked for, and how long that is after the last time (ms). */
  readonly due: number;
  readonly pause: number;
}

interface Session {
  readonly videoId: VideoId;
  catalogue: Catalogue;
  readonly abort: AbortController;
  readonly listeners: Set<(manifest: Manifest | null) => void>;
}

export function createWatcher(options: WatcherOptions): Watcher {
  const { clock, crypto, node, library } = options;
  const known = new Map<VideoId, Known>();
  const sessions = new Set<Session>();

  /** From this disk when it is our own video, else from the network. */
  const load = async (videoId: VideoId, before: Version | null, signal: AbortSignal): Promise<Version> => {
    const own = await library.get(videoId);
    if (!own && (await library.withdrawn(videoId))) throw takenOff();
    const find = () => node.overlay.findRecord(videoId, { settle: 'first', signal });
    const record = own ? openRecord(own.record) : await askWhileJoining(node, { clock, signal }, find);
    const pointer = record && decode(videoRecordSchema, record.body.value);
    if (!record || !pointer) throw fail('not-found', 'Nobody in the network knows this video now.');
    // Not everybody has heard of the newest one.
    if (before && newest(crypto, before.record, record) === before.record) return before;
    if (pointer.manifest === null) throw takenOff();
    if (pointer.manifest === before?.manifestKey) return { ...before, record };
    const manifest = decodeManifest(await value(pointer.manifest, own, signal));
    if (!manifest || !equal(manifest.owner, record.body.owner)) throw fail('corrupt', 'The description of this video is not valid.');
    if (pagesOf(manifest) > MAX_PAGES) throw fail('corrupt', 'The description of this video is longer than any that can be published.');
    const groups = await readIndexes(manifest, (key) => value(key, own, signal));
    return { record, manifestKey: pointer.manifest, catalogue: { manifest, groups } };
  };

  const value = async (key: Key, own: PublishedVideo | null, signal: AbortSignal): Promise<Bytes> => {
    const find = () => node.overlay.findValue(key, signal);
    const bytes = own?.values.find((one) => hashKey(crypto, one) === key) ?? (await askWhileJoining(node, { clock, signal }, find));
    if (!bytes) throw fail('not-found', 'Nobody who is here now has the description of this video.');
    return bytes;
  };

  /** Others may want it too: it goes on when the first who asked has gone. */
  const begin = (videoId: VideoId, before: Version | null): Promise<Version> => {
    const limit = deadline(clock, LOAD_DEADLINE);
    return load(videoId, before, limit.signal).finally(limit.done);
  };

  const note = (videoId: VideoId, version: Promise<Version>, pause: number): void => {
    known.delete(videoId);
    known.set(videoId, { version, due: clock.now() + pause, pause });
    trim(known, MAX_CATALOGUES);
  };

  /** A later version is for who asks next: the present one plays as well, and is there. Nobody asks twice for it meanwhile. */
  const refresh = (videoId: VideoId, { version, pause }: Known): void => {
    note(videoId, version, Math.min(2 * pause, FRESH_MOST));
    const look = async (): Promise<void> => {
      const before = await version;
      if (isGrowing(before)) note(videoId, version, Math.min(2 * pause, GROWING_MOST));
      const now = await begin(videoId, before);
      if (now.catalogue === before.catalogue) return;
      note(videoId, Promise.resolve(now), isGrowing(now) ? GROWING_FIRST : FRESH_FIRST);
      tell(videoId, now.catalogue);
    };
    look().catch((error: unknown) => {
      // All else is asked for again when it is due.
      if (!hasCode(error, 'withdrawn')) return;
      known.delete(videoId);
      tell(videoId, null);
    });
  };
  const tell = (videoId: VideoId, catalogue: Catalogue | null): void => {
    for (const session of [...sessions].filter((one) => one.videoId === videoId)) {
      if (catalogue) session.catalogue = catalogue;
      for (const listener of session.listeners) listener(catalogue?.manifest ?? null);
    }
  };

  /** Looks for later versions as long as the video is open: a player that has all it needs asks for nothing. */
  const follow = (session: Session): Cancel => {
    const { videoId } = session;
    // It may be due sooner than it was: a version that came is asked after soon.
    let cancel = clock.after(isGrowing(session) ? GROWING_FIRST : FRESH_FIRST, () => {
      const now = known.get(videoId);
      if (now && clock.now() >= now.due) refresh(videoId, now);
      cancel = follow(session);
    });
    return () => cancel();
  };

  const catalogue: Watcher['catalogue'] = async (videoId, signal) => {
    const present = known.get(videoId);
    if (present && clock.now() >= present.due) refresh(videoId, present);
    const version = present?.version ?? begin(videoId, null);
    if (!present) {
      note(videoId, version, FRESH_FIRST);
      const isNewest = (): boolean => known.get(videoId)?.version === version;
      version.then(
        (found) => {
          if (isGrowing(found) && isNewest()) note(videoId, version, GROWING_FIRST);
        },
        () => {
          if (isNewest()) known.delete(videoId); // The next one asks anew.
        },
      );
    }
    return (await orAbort(version, signal)).catalogue;
  };

  /** Fetches what comes after a segment in whichever rendition of an open video it belongs to. */
  const fetchAhead = (group: Key, index: number): void => {
    for (const { catalogue: open, abort } of sessions) {
      for (const groups of open.groups) {
        const at = positionOf(groups, group, index);
        if (at === null) continue;
        for (let step = 1; step <= AHEAD; step++) prefetch(groups, at + step, { signal: abort.signal, urgency: AHEAD_URGENCY * step });
        return;
      }
    }
  };

  const prefetch = (groups: readonly GroupReference[], segment: number, by: { signal: AbortSignal; urgency: number }): void => {
    const place = locateSegment(groups, segment);
    if (!place) return;
    const request = { group: place.group.key, segment: place.index, urgency: by.urgency };
    node.segments.prefetch(request, by.signal).catch(() => undefined); // The player asks for it by itself, and gets the reason.
  };

  return {
    catalogue,
    async watch(videoId, signal) {
      const opened = await catalogue(videoId, signal);
      const abort = new AbortController();
      const session: Session = { videoId, catalogue: opened, abort, listeners: new Set() };
      node.segments.countAnew();
      const before = { ...node.segments.received };
      sessions.add(session);
      const unfollow = follow(session);
      for (const groups of firstChoice(opened)) prefetch(groups, 0, { signal: abort.signal, urgency: URGENT });
      return {
        manifest: opened.manifest,
        playlistUrl: formatHlsPath({ type: 'master', video: videoId }),
        sources: () => difference(node.segments.received, before),
        onVersion(listener) {
          session.listeners.add(listener);
          return () => session.listeners.delete(listener);
        },
        close() {
          unfollow();
          sessions.delete(session);
          abort.abort(fail('closed', 'The video was left.'));
        },
      };
    },
    async segment(group, index, signal) {
      const bytes = node.segments.get({ group, segment: index, urgency: URGENT }, signal);
      fetchAhead(group, index);
      return bytes;
    },
    read({ group, index, bytes }) {
      node.segments.readElsewhere({ group, segment: index, bytes });
      fetchAhead(group, index);
    },
    changed(videoId) {
      const present = known.get(videoId);
      if (present) refresh(videoId, present);
    },
  };
}

/** What somebody is told who would watch it. */
function takenOff(): Error {
  return fail('withdrawn', 'Whoever published this video took it off.');
}

function isGrowing({ catalogue }: { readonly catalogue: Catalogue }): boolean {
  return catalogue.manifest.additions.growing !== null;
}

function pagesOf({ renditions }: Manifest): number {
  return renditions.reduce((sum, { groups }) => sum + (groups.type === 'pages' ? groups.pages.length : 0), 0);
}

/** The renditions that a player starts with: the first of each kind. */
function firstChoice({ manifest, groups }: Catalogue): readonly (readonly GroupReference[])[] {
  const kinds = new Set<string>();
  return groups.filter((_, index) => {
    const kind = manifest.renditions[index]?.kind ?? '';
    const first = !kinds.has(kind);
    kinds.add(kind);
    return first;
  });
}

/** The number of a segment within its rendition, or null when the group is none of it. */
function positionOf(groups: readonly GroupReference[], group: Key, index: number): number | null {
  let first = 0;
  for (const { key, durations } of groups) {
    if (key === group) return first + index;
    first += durations.length;
  }
  return null;
}

function difference(now: BytesBySource, before: BytesBySource): BytesBySource {
  return { store: now.store - before.store, tabs: now.tabs - before.tabs, openNodes: now.openNodes - before.openNodes };
}
