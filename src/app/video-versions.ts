/** The versions of one video: each has a manifest, and a record that points to it and takes the place of the one before (docs/protocol.md, M4, M10, M16). */

import type { Bytes } from '../base/bytes.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock, Crypto, Random, Signer } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { hashKey } from '../kademlia/key.ts';
import { buildManifest, type FinishedRendition } from '../media/manifest-build.ts';
import { openRecord, recordKey, type SignedRecord, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { type PublishedVideo, videoRecordSchema } from './library.ts';

export interface VideoVersions {
  /**
   * The next version: the first one when `added` is empty, else one that has these qualities, too. It counts when `keep` has it on the disk: later ones
   * stand on what counts. Rejects with `invalid`, `too-large`, or what `keep` rejects with.
   */
  next(added: readonly FinishedRendition[], keep: (video: PublishedVideo) => Promise<void>): Promise<PublishedVideo>;
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
  /** The last version that counts, and the qualities that joined since the first, in their order; null when there is none yet. */
  readonly last: { readonly video: PublishedVideo; readonly added: readonly FinishedRendition[] } | null;
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
  const more: FinishedRendition[] = [...(last?.added ?? [])];
  let previous: SignedRecord | null = last && openRecord(last.video.record);

  return {
    async next(added, keep) {
      const built = buildManifest(crypto, facts, first, [...more, ...added]);
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
      more.push(...added);
      previous = record;
      return video;
    },
  };
}
