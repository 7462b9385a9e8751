/** What this node made for others of late, kept in memory: who wants it kept need not send it back (docs/protocol.md, J13). */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import type { Key } from '../kademlia/key.ts';
import { madeTopic } from '../media/lower-quality.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';

export interface MadeMemory {
  note(job: TranscodeJob, made: MadeSegment): Promise<void>;
  /** What was made and has this SHA-256, or null. */
  get(digest: Uint8Array): Bytes | null;
  /** The topic (J12) of a group that was wholly made here; null for another one: for what others made this node can't speak. */
  topicOf(descriptor: GroupDescriptor): Key | null;
}

/** Bytes: some minutes of 480p, which are whole groups. */
const MOST = 32 * 1024 * 1024;

export function createMadeMemory(options: { readonly crypto: Crypto; readonly most?: number }): MadeMemory {
  const { crypto, most = MOST } = options;
  /** The oldest first. Initialisation segments have no topic: they are the same for all groups. */
  const made = new Map<string, { readonly bytes: Bytes; readonly topic: Key | null }>();
  let size = 0;

  const add = (digest: Bytes, bytes: Bytes, topic: Key | null): void => {
    const name = toHex(digest);
    size += bytes.length - (made.get(name)?.bytes.length ?? 0);
    made.delete(name);
    made.set(name, { bytes, topic });
    for (const [oldest, piece] of made) {
      if (size <= most) break;
      made.delete(oldest);
      size -= piece.bytes.length;
    }
  };

  return {
    async note(job, { init, bytes }) {
      const [own, header] = await Promise.all([crypto.digest(bytes), crypto.digest(init)]);
      add(own, bytes, madeTopic(crypto, job));
      add(header, init, null);
    },
    get: (digest) => made.get(toHex(digest))?.bytes ?? null,
    topicOf({ segments }) {
      const own = segments.map(({ digest }) => made.get(toHex(digest)));
      const topics = new Set(own.slice(0, -1).map((piece) => piece?.topic ?? null));
      const [topic = null] = topics;
      return own.at(-1) && topics.size === 1 ? topic : null;
    },
  };
}
