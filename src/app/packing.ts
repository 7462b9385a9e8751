/** Makes groups of what a transcoder gives, and keeps each on this disk. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, CutEvent, CutRendition } from '../base/ports.ts';
import { createGroupPacker, type GroupPacker, type PackedGroup } from '../media/group.ts';
import type { GroupReference } from '../media/group-reference.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { GroupStore } from '../node/group-store.ts';

/** What was made of all events. */
export interface Packed {
  /** Those with segments, in the order in which they came. */
  readonly renditions: readonly FinishedRendition[];
  readonly poster: Bytes | null;
  /** Microseconds at which the segments of the first picture begin; empty without one. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends; 0 without a picture. */
  readonly end: number;
}

export interface Packing {
  /** Rejects when the disk does not take a group, or with `internal` for a segment of no rendition. */
  take(event: CutEvent): Promise<void>;
  /** Keeps what belongs to a video and does not play by itself, as groups of their own (M17). `duration`: milliseconds of the video that each is for. */
  keepFiles(files: readonly { readonly bytes: Bytes; readonly duration: number }[]): Promise<readonly GroupReference[]>;
  /** Closes the groups that are open. */
  finish(): Promise<Packed>;
}

export interface PackingOptions {
  readonly crypto: Crypto;
  readonly groups: Pick<GroupStore, 'put'>;
  /** To be waited for before a group is written. */
  readonly onGroup: (group: PackedGroup) => Promise<void>;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/** A rendition under work: the bytes of its open group wait here until the group closes and has a key. */
interface OpenRendition extends FinishedRendition {
  readonly rendition: CutRendition;
  readonly packer: GroupPacker;
  readonly groups: PackedGroup[];
  readonly waiting: Bytes[];
}

export function createPacking({ crypto, groups, onGroup, onProgress }: PackingOptions): Packing {
  const open = new Map<number, OpenRendition>();
  let poster: Bytes | null = null;
  const starts: number[] = [];
  let elapsed = 0;
  let pictured: number | null = null;

  const keep = async (rendition: Pick<OpenRendition, 'groups' | 'waiting'>, group: PackedGroup): Promise<void> => {
    const segments = rendition.waiting.splice(0, group.descriptor.segments.length);
    await onGroup(group);
    for (const [index, bytes] of segments.entries()) {
      await groups.put({ group: group.key, encoded: group.encoded, index, bytes, role: 'own' });
    }
    rendition.groups.push(group);
  };

  return {
    async take(event) {
      switch (event.type) {
        case 'progress':
          return onProgress(event.fraction);
        case 'poster':
          // A picture that no node would store is none.
          if (event.bytes.length <= LIMITS.value) poster = event.bytes;
          return;
        case 'rendition':
          open.set(event.rendition.index, { rendition: event.rendition, packer: createGroupPacker(crypto), groups: [], waiting: [] });
          return;
        case 'segment': {
          const rendition = open.get(event.rendition);
          if (!rendition) throw fail('internal', 'A segment came before its rendition.');
          const { bytes, duration } = event;
          if (rendition.rendition.kind === 'video') pictured ??= event.rendition;
          if (event.rendition === pictured) {
            starts.push(elapsed);
            elapsed += duration;
          }
          const full = rendition.packer.add({ digest: await crypto.digest(bytes), size: bytes.length, duration });
          if (full) await keep(rendition, full);
          rendition.waiting.push(bytes);
          return;
        }
        case 'done':
          return;
      }
    },
    async keepFiles(files) {
      const into = { groups: [] as PackedGroup[], waiting: [] as Bytes[] };
      // They last no time: so they share a group as long as they fit.
      const packer = createGroupPacker(crypto);
      for (const { bytes } of files) {
        const full = packer.add({ digest: await crypto.digest(bytes), size: bytes.length, duration: 0 });
        if (full) await keep(into, full);
        into.waiting.push(bytes);
      }
      const last = packer.finish();
      if (last) await keep(into, last);
      return into.groups.map(({ key, firstSegment, descriptor }) => {
        const own = files.slice(firstSegment, firstSegment + descriptor.segments.length);
        return { key, durations: own.map(({ duration }) => duration) };
      });
    },
    async finish() {
      for (const rendition of open.values()) {
        const last = rendition.packer.finish();
        if (last) await keep(rendition, last);
      }
      return { renditions: [...open.values()].filter((rendition) => rendition.groups.length > 0), poster, starts, end: elapsed };
    },
  };
}
