/** The versions of one video: each has a manifest, and a record that points to it and takes the place of the one before (docs/protocol.md, M4, M10, M16). */

import type { Bytes } from '../base/bytes.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock, Crypto, Random, Signer } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { hashKey } from '../kademlia/key.ts';
import { buildManifest, type FinishedRendition } from '../media/manifest-build.ts';
import { recordKey, type SignedRecord, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { type PublishedVideo, videoRecordSchema } from './library.ts';

export interface VideoVersions {
  /**
   * The next version: the first one when `added` is empty, else one that has these qualities, too. It counts when `keep` has it on the disk: later ones
   * stand on what counts. Rejects with `invalid`, `too-large`, or what `keep` rejects with.
   */
  next(added: readonly FinishedRendition[], keep: (video: PublishedVideo) => Promise<void>): Promise<PublishedVideo>;
  /** The next version, with another rendition in the place of one that was added. Rejects as `next`. */
  replace(
    one: { readonly before: FinishedRendition; readonly after: FinishedRendition },
    keep: (video: PublishedVideo) => Promise<void>,
  ): Promise<PublishedVideo>;
}

export interface VideoVersionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  /** At most 200 bytes. */
  readonly title: string;
  readonly first: readonly FinishedRendition[];
  readonly poster: Bytes | null;
}

const NAME_BYTES = 8;

/** Begins a video that has no version yet. */
export function createVideoVersions(options: VideoVersionsOptions): VideoVersions {
  const { clock, crypto, account, device, title, first, poster } = options;
  const created = clock.now();
  const name = `video/${toHex(options.random.bytes(NAME_BYTES))}`;
  const facts = { title, owner: account.publicKey, created, poster: poster && hashKey(crypto, poster) };
  let more: readonly FinishedRendition[] = [];
  let previous: SignedRecord | null = null;

  const version = async (
    renditions: readonly FinishedRendition[],
    keep: (video: PublishedVideo) => Promise<void>,
  ): Promise<PublishedVideo> => {
    const built = buildManifest(crypto, facts, first, renditions);
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
    more = renditions;
    previous = record;
    return video;
  };

  return {
    next: (added, keep) => version([...more, ...added], keep),
    replace: ({ before, after }, keep) =>
      version(
        more.map((rendition) => (rendition === before ? after : rendition)),
        keep,
      ),
  };
}
