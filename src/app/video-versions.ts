/** The versions of one video: each has a manifest, and a record that points to it and takes the place of the one before (docs/protocol.md, M4, M10, M16). */

import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Cancel, Clock, Crypto, Locks, Random, Signer } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { abortError } from '../base/timing.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { groupsOfAdditions, NO_ADDITIONS } from '../media/additions.ts';
import type { VideoId } from '../media/manifest.ts';
import { describeVideo } from '../media/manifest-build.ts';
import { openRecord, recordKey, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { type Library, type PublishedVideo, videoRecordSchema } from './library.ts';
import { readOwnManifest } from './own-manifest.ts';
import { changeVideo, type VideoChange, type VideoDraft } from './video-change.ts';
import { takenOff } from './withdrawal.ts';

export interface VideoVersions {
  /**
   * The next version: the first one, or one that differs from the newest on this disk by `change`, whichever tab made that. It counts when `keep` has it on
   * the disk; `dropped` are the groups that only the version before it has. One after the other. Rejects with `withdrawn`, `invalid`, `too-large`,
   * `aborted`, or what `keep` rejects with.
   */
  next(change: VideoChange, keep: (video: PublishedVideo, dropped: readonly Key[]) => Promise<void>): Promise<PublishedVideo>;
}

export interface VideoVersionsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly locks: Locks;
  readonly library: Pick<Library, 'get' | 'withdrawn'>;
  /** The name of the video's record (`videoName`). */
  readonly name: string;
  /** What is to be said in a first version, which the first change gives its renditions; null where there must be one. */
  readonly first: FirstVersion | null;
  readonly signal: AbortSignal;
}

/** What a video begins with. */
export interface FirstVersion {
  /** At most 200 bytes. */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

const NAME_BYTES = 8;

/** A name that no other video of the account has. */
export function videoName(random: Random): string {
  return `video/${toHex(random.bytes(NAME_BYTES))}`;
}

/** Takes the name under which the newest version of a video is read, changed and written by one tab at a time. Rejects with `aborted`. */
export async function lockVideo(locks: Locks, videoId: VideoId, signal: AbortSignal): Promise<Cancel> {
  const name = `video/${videoId}`;
  return (await locks.take(name)) ?? locks.wait(name, signal);
}

/** The versions of a video from its first one on, or from the newest that there is. */
export function createVideoVersions(options: VideoVersionsOptions): VideoVersions {
  const { clock, crypto, account, device, locks, library, name, first } = options;
  const videoId = recordKey(crypto, account.publicKey, name);

  const write: VideoVersions['next'] = async (change, keep) => {
    const last = await library.get(videoId);
    if (options.signal.aborted) throw abortError(options.signal);
    if (!last && (await library.withdrawn(videoId))) throw takenOff();
    if (!last && !first) throw fail('not-found', 'The video is no longer among those of this browser.');
    const before = last && (await readOwnManifest(crypto, last));
    const draft: VideoDraft =
      last && before
        ? { title: last.title, poster: posterOf(crypto, last), renditions: before.renditions, additions: before.additions }
        : {
            title: first?.title ?? '',
            poster: null,
            renditions: [],
            additions: NO_ADDITIONS,
          };
    const { title, poster, renditions, additions } = changeVideo(draft, change);
    const created = last?.created ?? first?.created ?? 0;
    const posterKey = poster && hashKey(crypto, poster);
    const built = describeVideo(crypto, { title, owner: account.publicKey, created, poster: posterKey, additions }, renditions);
    const value = encode(videoRecordSchema, { manifest: built.key });
    const record = await writeRecord({ signer: account, device, name, value, now: clock.now(), previous: last && openRecord(last.record) });
    const video: PublishedVideo = {
      ...{ videoId, title, created, poster: posterKey },
      duration: Math.max(built.manifest.duration, additions.growing?.expected ?? 0),
      record: record.signed,
      values: [built.encoded, ...built.pages.map((page) => page.bytes), ...(poster ? [poster] : [])],
    };
    const kept = new Set(groupsOfAdditions(additions));
    for (const { groups } of renditions) if (groups.type === 'inline') for (const { key } of groups.groups) kept.add(key);
    await keep(video, before?.groups.filter((group) => !kept.has(group)) ?? []);
    return video;
  };

  return {
    async next(change, keep) {
      const release = await lockVideo(locks, videoId, options.signal);
      try {
        return await write(change, keep);
      } finally {
        release();
      }
    },
  };
}

/** The picture that stands for it; null when it has none. */
export function posterOf(crypto: Crypto, { poster, values }: PublishedVideo): Bytes | null {
  return (poster && values.find((bytes) => hashKey(crypto, bytes) === poster)) ?? null;
}
