/**
 * What publications under way have written, noted on disk: a tab that is closed in the middle leaves nothing that nobody would ever
 * remove.
 */
import { toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Cancel, Clock, Crypto, Random, Store } from '../base/ports.ts';
import { decode, encode, list, struct, time } from '../base/schema.ts';
import { hashKey, type Key, keySchema } from '../kademlia/key.ts';
import { groupsOfAdditions } from '../media/additions.ts';
import { readIndexes } from '../media/index-pages.ts';
import { decodeManifest } from '../media/manifest-read.ts';
import type { GroupStore } from '../node/group-store.ts';
import type { Library, PublishedVideo } from './library.ts';

export interface Draft {
  /** To be called, and waited for, before the group is written. Rejects with `quota`. */
  note(group: Key): Promise<void>;
  /** The publication has ended, one way or the other, and what it wrote is in good hands. Never rejects. */
  close(): Promise<void>;
}

export interface Drafts {
  open(): Draft;
  /** Removes what ended without a word, unless a published video or another draft has it. Gives how many groups went. */
  sweep(): Promise<number>;
  /** Sweeps soon, and then again and again. */
  start(): Cancel;
}

interface DraftRow {
  /** When the last group was noted, ms. */
  readonly updated: number;
  readonly groups: readonly Key[];
}

const MAX_GROUPS = 65_536; // a month of video
const rowSchema = struct<DraftRow>({ updated: time, groups: list(keySchema, MAX_GROUPS) });
const ROW_PREFIX = 'draft/';
const NAME_BYTES = 8;
/** A draft that nothing was added to for so long (ms) has nobody who writes it: the slowest transcode makes a group in a quarter of that. */
const ABANDONED = 3_600_000;
/** After the start, when the page has better things to do, and between two sweeps (ms). */
const FIRST_SWEEP = 20_000;
const SWEEP_INTERVAL = 3_600_000;

export function createDrafts(options: {
  store: Store;
  clock: Clock;
  random: Random;
  crypto: Crypto;
  library: Library;
  groups: Pick<GroupStore, 'get' | 'remove'>;
}): Drafts {
  const { store, clock, crypto, library, groups } = options;

  const sweep = async (): Promise<number> => {
    const rows = await store.entries('library', ROW_PREFIX);
    const abandoned = new Map<string, readonly Key[]>();
    const needed = new Set<Key>();
    for (const [name, bytes] of rows) {
      const row = decode(rowSchema, bytes);
      if (row && clock.now() - row.updated < ABANDONED) for (const group of row.groups) needed.add(group);
      else abandoned.set(name, row?.groups ?? []);
    }
    if (abandoned.size === 0) return 0;
    for (const video of await library.all()) for (const group of await groupsOf(crypto, video)) needed.add(group);
    let removed = 0;
    for (const [name, keys] of abandoned) {
      for (const group of keys) {
        if (needed.has(group) || (await groups.get(group))?.role !== 'own') continue;
        await groups.remove(group);
        removed++;
      }
      await store.write([{ table: 'library', key: name, value: null }]);
    }
    return removed;
  };

  return {
    open() {
      const key = ROW_PREFIX + toHex(options.random.bytes(NAME_BYTES));
      const noted: Key[] = [];
      return {
        async note(group) {
          noted.push(group);
          await store.write([{ table: 'library', key, value: encode(rowSchema, { updated: clock.now(), groups: noted }) }]);
        },
        close: () => store.write([{ table: 'library', key, value: null }]).catch(() => undefined), // Swept in an hour.
      };
    },
    sweep,
    start() {
      let cancel: Cancel = () => undefined;
      const next = (ms: number): void => {
        cancel = clock.after(ms, () => {
          void sweep().catch(() => undefined); // The disk does not answer: it is tried again.
          next(SWEEP_INTERVAL);
        });
      };
      next(FIRST_SWEEP);
      return () => cancel();
    },
  };
}

/** All groups of a video of ours. Rejects when its description is not whole: then nothing may be removed. */
async function groupsOf(crypto: Crypto, video: PublishedVideo): Promise<readonly Key[]> {
  const values = new Map(video.values.map((bytes) => [hashKey(crypto, bytes), bytes]));
  const [first] = video.values;
  const manifest = first ? decodeManifest(first) : null;
  if (!manifest) throw fail('corrupt', `The description of ${video.videoId} is not valid.`);
  const lists = await readIndexes(manifest, async (key) => {
    const page = values.get(key);
    if (!page) throw fail('corrupt', `A page of ${video.videoId} is missing.`);
    return page;
  });
  return [...lists.flatMap((references) => references.map((reference) => reference.key)), ...groupsOfAdditions(manifest.additions)];
}
