/** What is on the disk of one part of a publication: closed groups, and the segments of those that are open. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, CutRendition, Store, StoreChange } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import type { Key } from '../kademlia/key.ts';
import { type NewSegment, type PackedGroup, reopenGroup } from '../media/group.ts';
import type { GroupStore } from '../node/group-store.ts';
import {
  type GroupFacts,
  groupSchema,
  openKey,
  type PartFacts,
  parseOpenKey,
  partSchema,
  renditionSchema,
  rowKey,
} from './journal-rows.ts';

/** A closed group, and the microseconds that each of its segments lasts. */
export interface ClosedGroup {
  readonly group: PackedGroup;
  readonly durations: readonly number[];
}

/** What is there of a rendition. */
export interface KeptRendition {
  readonly rendition: CutRendition;
  readonly groups: readonly ClosedGroup[];
}

export interface JournalPart {
  readonly name: string;
  readonly facts: PartFacts;
  /** In the order of their index. */
  readonly renditions: readonly KeptRendition[];
  /** Microseconds of the first rendition that are on the disk. */
  readonly covered: number;
  /** Segments of all renditions that are on the disk. */
  readonly segments: number;
  /** The change as it is to be written; it counts here once `done` is called. */
  changing(change: Partial<PartFacts>): { readonly row: StoreChange; done(): void };
  change(change: Partial<PartFacts>): Promise<void>;
  /** A rendition of which there is nothing yet. */
  begin(rendition: CutRendition): Promise<void>;
  /** Rejects with `quota`. */
  segment(segment: { rendition: number; index: number; duration: number; bytes: Bytes }): Promise<void>;
  /** Moves the segments of a group that has closed to where groups are kept: all of it happens, or nothing. Rejects with `quota`. */
  close(rendition: number, group: PackedGroup): Promise<void>;
  /**
   * The segments behind the closed groups, in order, after what is not whole was taken away: what comes behind a group or a segment
   * that is gone.
   */
  reopen(rendition: number): Promise<readonly NewSegment[]>;
  /** Forgets a rendition. Gives its groups, which somebody else may need. */
  forget(rendition: number): Promise<readonly Key[]>;
}

/** Rows of a part as they were found on the disk. */
export interface PartRows {
  readonly facts: PartFacts | null;
  readonly renditions: readonly CutRendition[];
  readonly groups: readonly { readonly rendition: number; readonly key: Key; readonly facts: GroupFacts }[];
}

export interface PartOptions {
  readonly id: string;
  readonly name: string;
  readonly store: Store;
  readonly crypto: Crypto;
  readonly groups: Pick<GroupStore, 'get' | 'putOwn'>;
  /** Groups are closed, and removed, one after the other. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onChange: () => void;
}

const BLANK: PartFacts = { status: 'open', problem: null, poster: null };

interface Kept {
  readonly rendition: CutRendition;
  readonly groups: ClosedGroup[];
  /** Segments that are in no closed group. They are held until it closes, at most one group of them: reading them again takes as long as writing them. */
  readonly open: OpenSegment[];
}

interface OpenSegment {
  /** Of its row. */
  readonly key: string;
  readonly bytes: Bytes;
  /** Microseconds. */
  readonly duration: number;
}

export function createJournalPart(options: PartOptions, rows: PartRows | null): JournalPart {
  const { id, name, store, crypto } = options;
  let facts = rows?.facts ?? BLANK;
  const kept = new Map<number, Kept>(rows?.renditions.map((rendition) => [rendition.index, { rendition, groups: [], open: [] }]));
  for (const { rendition, key, facts } of rows?.groups ?? []) {
    const known = kept.get(rendition);
    const group = known && reopenGroup(crypto, facts.encoded, segmentsIn(known.groups));
    if (known && group?.key === key) known.groups.push({ group, durations: facts.durations });
  }

  const partKey = rowKey.part(id, name);
  const groupKey = (rendition: number, number: number, key: Key): string => rowKey.group(id, { part: name, rendition, number, key });
  const known = (index: number): Kept => {
    const rendition = kept.get(index);
    if (!rendition) throw fail('internal', `There is no rendition ${index} in ${name}.`);
    return rendition;
  };

  const changing: JournalPart['changing'] = (change) => {
    const next = { ...facts, ...change };
    return {
      row: { table: 'meta', key: partKey, value: encode(partSchema, next) },
      done() {
        facts = next;
        options.onChange();
      },
    };
  };

  /** The segments on the disk behind the closed groups: number, microseconds, bytes. */
  const openSegments = async (index: number) => {
    const prefix = openKey.rendition(id, name, index);
    return (await store.entries('segments', prefix)).flatMap(([key, bytes]) => {
      const segment = parseOpenKey(key.slice(prefix.length));
      return segment ? [{ key, bytes, ...segment }] : [];
    });
  };

  /** Closed groups of which something is gone, and all behind them, are no longer ours to go on from. */
  const dropBroken = async (index: number): Promise<void> => {
    const { groups } = known(index);
    let whole = 0;
    for (const { group } of groups) {
      const stored = await options.groups.get(group.key);
      if (!stored?.complete || stored.role !== 'own') break;
      whole++;
    }
    if (whole === groups.length) return;
    const gone = groups.splice(whole);
    await store.write(gone.map(({ group }, n) => ({ table: 'meta', key: groupKey(index, whole + n, group.key), value: null })));
  };

  return {
    name,
    get facts() {
      return facts;
    },
    get renditions() {
      return [...kept.values()].sort((a, b) => a.rendition.index - b.rendition.index);
    },
    get covered() {
      const [first] = [...kept.values()];
      const closed = first?.groups.flatMap(({ durations }) => durations) ?? [];
      return [...closed, ...(first?.open.map(({ duration }) => duration) ?? [])].reduce((sum, duration) => sum + duration, 0);
    },
    get segments() {
      return [...kept.values()].reduce((sum, { groups, open }) => sum + segmentsIn(groups) + open.length, 0);
    },
    changing,
    async change(change) {
      const { row, done } = changing(change);
      await store.write([row]);
      done();
    },
    async begin(rendition) {
      const key = rowKey.rendition(id, name, rendition.index);
      await store.write([{ table: 'meta', key, value: encode(renditionSchema, rendition) }]);
      kept.set(rendition.index, { rendition, groups: [], open: [] });
    },
    async segment({ rendition, index, duration, bytes }) {
      const { open } = known(rendition);
      const key = openKey.segment(id, { part: name, rendition, index, duration });
      await store.write([{ table: 'segments', key, value: bytes }]);
      open.push({ key, bytes, duration });
      options.onChange();
    },
    close: (rendition, group) =>
      options.inTurn(async () => {
        const { groups, open } = known(rendition);
        const count = group.descriptor.segments.length;
        const segments = open.slice(0, count);
        const durations = segments.map(({ duration }) => duration);
        const row = encode(groupSchema, { encoded: group.encoded, durations });
        await options.groups.putOwn({ group: group.key, encoded: group.encoded, segments: segments.map(({ bytes }) => bytes) }, [
          { table: 'meta', key: groupKey(rendition, groups.length, group.key), value: row },
          ...segments.map(({ key }) => ({ table: 'segments' as const, key, value: null })),
        ]);
        groups.push({ group, durations });
        open.splice(0, count);
      }),
    async reopen(index) {
      await dropBroken(index);
      const { groups, open } = known(index);
      let next = segmentsIn(groups);
      const segments: NewSegment[] = [];
      const stray: StoreChange[] = [];
      open.length = 0;
      for (const { key, bytes, index: number, duration } of await openSegments(index)) {
        if (number !== next) stray.push({ table: 'segments', key, value: null });
        else {
          segments.push({ digest: await crypto.digest(bytes), size: bytes.length, duration });
          open.push({ key, bytes, duration });
          next++;
        }
      }
      await store.write(stray);
      return segments;
    },
    async forget(index) {
      const { groups } = known(index);
      const segments = await store.keys('segments', openKey.rendition(id, name, index));
      await store.write([
        { table: 'meta', key: rowKey.rendition(id, name, index), value: null },
        ...groups.map(({ group }, n) => ({ table: 'meta' as const, key: groupKey(index, n, group.key), value: null })),
        ...segments.map((key) => ({ table: 'segments' as const, key, value: null })),
      ]);
      kept.delete(index);
      return groups.map(({ group }) => group.key);
    },
  };
}

function segmentsIn(groups: readonly ClosedGroup[]): number {
  return groups.reduce((sum, { durations }) => sum + durations.length, 0);
}
