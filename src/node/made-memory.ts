/** What this node made for others of late, kept in memory: who wants it kept need not send it back (docs/protocol.md, J13). */
import { type Bytes, EMPTY, toHex } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import type { Key } from '../kademlia/key.ts';
import { isMadeOf, madeTopic } from '../media/lower-quality.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';

export interface MadeMemory {
  /** `group`: what the job's source was found to be of; null where only who asked for the job says so. */
  note(job: TranscodeJob, made: MadeSegment, group: GroupDescriptor | null): Promise<void>;
  /** What was made and has this SHA-256, or null. */
  get(digest: Uint8Array): Bytes | null;
  /** The topic (J12) of a group that was wholly made here, of a group that was found; null for another one: for what others made, or say, this node can't speak. */
  topicOf(descriptor: GroupDescriptor): Key | null;
}

/** Which piece of which made group something is. */
interface Place {
  readonly topic: Key;
  readonly segment: number;
  /** SHA-256 of its initialisation segment, hexadecimal. */
  readonly header: string;
  /** Of the group that it was made of, ms. */
  readonly durations: readonly number[];
}

/** Bytes: some minutes of 480p, which are whole groups. */
const MOST = 32 * 1024 * 1024;
const MICROSECONDS = 1000; // in a millisecond

export function createMadeMemory(options: { readonly crypto: Crypto; readonly most?: number }): MadeMemory {
  const { crypto, most = MOST } = options;
  /** The oldest first. */
  const made = new Map<string, { readonly bytes: Bytes; readonly place: Place | null }>();
  let size = 0;

  const add = (digest: Bytes, bytes: Bytes, place: Place | null): void => {
    const name = toHex(digest);
    const before = made.get(name);
    size += bytes.length - (before?.bytes.length ?? 0);
    made.delete(name);
    made.set(name, { bytes, place: place ?? before?.place ?? null });
    for (const [oldest, piece] of made) {
      if (size <= most) break;
      made.delete(oldest);
      size -= piece.bytes.length;
    }
  };

  return {
    async note(job, { init, bytes }, group) {
      const [own, header] = await Promise.all([crypto.digest(bytes), crypto.digest(init)]);
      const durations = group?.segments.map(({ duration }) => duration) ?? [];
      // The times in a job are the asker's as well.
      const isWhole = job.end - job.start === MICROSECONDS * (durations[job.segment] ?? 0);
      const place = { topic: madeTopic(crypto, job), segment: job.segment, header: toHex(header), durations };
      add(own, bytes, isWhole ? place : null);
      add(header, init, null);
    },
    get: (digest) => made.get(toHex(digest))?.bytes ?? null,
    topicOf(descriptor) {
      const { segments } = descriptor;
      const header = toHex(segments.at(-1)?.digest ?? EMPTY);
      const places = segments.slice(0, -1).map(({ digest }) => made.get(toHex(digest))?.place);
      const [first] = places;
      const isPiece = (place: Place | null | undefined, n: number): boolean =>
        place?.topic === first?.topic && place?.segment === n && place.header === header;
      return first && isMadeOf(descriptor, first.durations) && places.every(isPiece) ? first.topic : null;
    },
  };
}
