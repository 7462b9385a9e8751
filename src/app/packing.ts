/** Makes groups of what a transcoder gives. Each segment is on this disk before the next is asked for, and it goes on from what is there. */
import type { Bytes } from '../base/bytes.ts';
import { equal } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, CutEvent, CutRendition } from '../base/ports.ts';
import { abortError, quiet } from '../base/timing.ts';
import { createGroupPacker, type GroupPacker, type PackedGroup } from '../media/group.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { JournalEntry } from './journal.ts';
import type { JournalPart } from './journal-part.ts';

/** What was made of all events. */
export interface Packed {
  /** Those with segments, in the order of their index. */
  readonly renditions: readonly FinishedRendition[];
  readonly poster: Bytes | null;
  /** Microseconds at which the segments of the first picture begin; empty without one. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends; 0 without a picture. */
  readonly end: number;
}

export interface Packing {
  /** Segments of each rendition that are on the disk: a transcoder goes on behind them. */
  readonly kept: readonly number[];
  /**
   * False for a rendition that does not go on where the one on the disk ends, or would need other parameters: that one is forgotten, and the transcoder must
   * be asked again. Rejects when the disk does not take a segment, or with `internal` for one of no rendition.
   */
  take(event: CutEvent): Promise<boolean>;
  /** Closes the groups that are open, and gives all that there is so far. */
  close(): Promise<Packed>;
  /** The same at the end: notes that the part is whole. */
  finish(): Promise<Packed>;
}

export interface PackingOptions {
  readonly crypto: Crypto;
  readonly entry: Pick<JournalEntry, 'forget'>;
  readonly part: JournalPart;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/** Each try that does not fit ends with a rendition less that has to: there are two at most. */
const MOST_TRIES = 4;

/** A rendition under work. */
interface OpenRendition {
  readonly rendition: CutRendition;
  readonly packer: GroupPacker;
  segments: number;
}

/** Goes on with what is on the disk of a part. */
export async function openPacking({ crypto, entry, part, onProgress }: PackingOptions): Promise<Packing> {
  const open = new Map<number, OpenRendition>();
  /** The next group fills while one is closed. */
  let closing: Promise<void> = Promise.resolve();
  const close = async (index: number, group: PackedGroup): Promise<void> => {
    await closing;
    closing = quiet(part.close(index, group));
  };

  const reopen = async (rendition: CutRendition): Promise<void> => {
    const waiting = await part.reopen(rendition.index);
    const closed = part.renditions.find((kept) => kept.rendition.index === rendition.index)?.groups ?? [];
    const durations = closed.flatMap((group) => group.durations);
    const behind = { segments: durations.length, elapsed: durations.reduce((sum, duration) => sum + duration, 0) };
    const packer = createGroupPacker(crypto, behind);
    open.set(rendition.index, { rendition, packer, segments: behind.segments });
    for (const segment of waiting) await add(rendition.index, segment);
  };

  const add = async (index: number, segment: Parameters<GroupPacker['add']>[0]): Promise<void> => {
    const rendition = open.get(index);
    if (!rendition) throw fail('internal', 'A segment came before its rendition.');
    const full = rendition.packer.add(segment);
    if (full) await close(index, full);
    rendition.segments++;
  };

  /** Whether what comes can stand behind what is there; what can't be continued is forgotten. */
  const begin = async (rendition: CutRendition, from: number): Promise<boolean> => {
    const there = open.get(rendition.index);
    if (there && there.segments === from && isAlike(there.rendition, rendition)) return true;
    if (there) {
      open.delete(rendition.index);
      await entry.forget(part, rendition.index);
    }
    if (from > 0) return false;
    await part.begin(rendition);
    await reopen(rendition);
    return true;
  };

  const closeAll = async (): Promise<Packed> => {
    for (const [index, { packer }] of open) {
      const last = packer.finish();
      if (last) await close(index, last);
    }
    await closing;
    return packedOf(part);
  };

  for (const { rendition } of part.renditions) await reopen(rendition);

  return {
    get kept() {
      const length = Math.max(-1, ...open.keys()) + 1;
      return Array.from({ length }, (_, index) => open.get(index)?.segments ?? 0);
    },
    async take(event) {
      switch (event.type) {
        case 'progress':
          onProgress(event.fraction);
          return true;
        case 'poster':
          // A picture that no node would store is none.
          if (event.bytes.length <= LIMITS.value && !part.facts.poster) await part.change({ poster: event.bytes });
          return true;
        case 'rendition':
          return begin(event.rendition, event.from ?? 0);
        case 'segment': {
          const { rendition, bytes, duration } = event;
          const digest = await crypto.digest(bytes);
          await add(rendition, { digest, size: bytes.length, duration });
          const index = (open.get(rendition)?.segments ?? 0) - 1;
          await part.segment({ rendition, index, duration, bytes });
          return true;
        }
        case 'done':
          return true;
      }
    },
    close: closeAll,
    async finish() {
      await closeAll();
      if (part.facts.status === 'open') await part.change({ status: 'whole' });
      return packedOf(part);
    },
  };
}

/** Gives a packing all events of a transcoder that goes on behind what is kept; asks it anew where they don't fit. */
export async function packAll(
  packing: Packing,
  events: (kept: readonly number[]) => AsyncIterable<CutEvent>,
  signal: AbortSignal,
): Promise<Packed> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    let fits = true;
    for await (const event of events(packing.kept)) {
      if (signal.aborted) throw abortError(signal);
      fits = await packing.take(event);
      if (!fits) break;
    }
    if (!fits) continue;
    const packed = await packing.finish();
    if (signal.aborted) throw abortError(signal);
    return packed;
  }
  throw fail('internal', 'What was made earlier can’t be gone on with.');
}

/** What was made of a part: all of it that is in closed groups. */
export function packedOf(part: JournalPart): Packed {
  const renditions = part.renditions.flatMap(({ rendition, groups }) =>
    groups.length > 0 ? [{ rendition, groups: groups.map(({ group }) => group) }] : [],
  );
  const picture = part.renditions.find(({ rendition }) => rendition.kind === 'video');
  const starts: number[] = [];
  let end = 0;
  for (const duration of picture?.groups.flatMap(({ durations }) => durations) ?? []) {
    starts.push(end);
    end += duration;
  }
  return { renditions, poster: part.facts.poster, starts, end };
}

function isAlike(a: CutRendition, b: CutRendition): boolean {
  return a.kind === b.kind && a.codecs === b.codecs && a.width === b.width && a.height === b.height && equal(a.init, b.init);
}
