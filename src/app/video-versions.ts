/** The versions of one video: each has a manifest, and a record that points to it and takes the place of the one before (docs/protocol.md, M4, M10, M16). */

import { type Bytes, toHex } from '../base/bytes.ts';
import type { Clock, Crypto, Random, Signer } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { hashKey } from '../kademlia/key.ts';
import { type Additions, NO_ADDITIONS } from '../media/additions.ts';
import type { Rendition } from '../media/manifest.ts';
import { describeFirst, describeRendition, describeVideo, type FinishedRendition } from '../media/manifest-build.ts';
import { openRecord, recordKey, type SignedRecord, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { type PublishedVideo, videoRecordSchema } from './library.ts';
import type { OwnManifest } from './own-manifest.ts';

/** What a version has that the one before it has not. */
export interface VideoChange {
  /** More qualities. */
  readonly added?: readonly FinishedRendition[];
  /** One that was added, and what takes its place. */
  readonly replaced?: { readonly before: FinishedRendition; readonly after: FinishedRendition };
  /** What takes the place of the additions that there are. */
  readonly additions?: Partial<Additions>;
}

export interface VideoVersions {
  /**
   * The next version: the first one, or one that differs by `change`. It counts when `keep` has it on the disk: later ones stand on what counts. One
   * after the other. Rejects with `invalid`, `too-large`, or what `keep` rejects with.
   */
  next(change: VideoChange, keep: (video: PublishedVideo) => Promise<void>): Promise<PublishedVideo>;
}

export interface VideoVersionsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  /** At most 200 bytes. */
  readonly title: string;
  readonly first: readonly FinishedRendition[];
  readonly poster: Bytes | null;
  /** The name of the video's record (`videoName`). */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The last version that counts, and what it says; null when there is none yet. */
  readonly last: { readonly video: PublishedVideo; readonly manifest: OwnManifest } | null;
}

const NAME_BYTES = 8;

/** A name that no other video of the account has. */
export function videoName(random: Random): string {
  return `video/${toHex(random.bytes(NAME_BYTES))}`;
}

/** The versions of a video from its first one on, or from the last that there is. */
export function createVideoVersions(options: VideoVersionsOptions): VideoVersions {
  const { clock, crypto, account, device, title, first, poster, name, created, last } = options;
  const facts = { title, owner: account.publicKey, created, poster: poster && hashKey(crypto, poster) };
  let renditions = last ? last.manifest.renditions : describeFirst(first);
  let additions = last ? last.manifest.additions : NO_ADDITIONS;
  let previous: SignedRecord | null = last && openRecord(last.video.record);
  /** Sheets and qualities come when they are made: each version is written when the one before it is. */
  let turn: Promise<unknown> = Promise.resolve();

  const write = async (change: VideoChange, keep: (video: PublishedVideo) => Promise<void>): Promise<PublishedVideo> => {
    const replaced = change.replaced && {
      before: describeRendition(change.replaced.before),
      after: describeRendition(change.replaced.after),
    };
    const next = {
      renditions: [
        ...renditions.map((one) => (replaced && isSame(one, replaced.before) ? replaced.after : one)),
        ...(change.added ?? []).map(describeRendition),
      ],
      additions: { ...additions, ...change.additions },
    };
    const built = describeVideo(crypto, { ...facts, additions: next.additions }, next.renditions);
    const value = encode(videoRecordSchema, { manifest: built.key });
    const record = await writeRecord({ signer: account, device, name, value, now: clock.now(), previous });
    const video: PublishedVideo = {
      videoId: recordKey(crypto, account.publicKey, name),
      title,
      duration: built.manifest.duration,
      created,
      poster: facts.poster,
      record: record.signed,
      values: [built.encoded, ...built.pages.map((page) => page.bytes), ...(poster ? [poster] : [])],
    };
    await keep(video);
    ({ renditions, additions } = next);
    previous = record;
    return video;
  };

  return {
    next(change, keep) {
      const done = turn.then(() => write(change, keep));
      turn = done.catch(() => undefined); // Whoever asked for it hears why.
      return done;
    },
  };
}

/** The same pictures: groups are known by their hashes. */
function isSame(one: Rendition, other: Rendition): boolean {
  const keysOf = ({ groups }: Rendition): string => (groups.type === 'inline' ? groups.groups.map(({ key }) => key).join() : '');
  return keysOf(one) === keysOf(other);
}
