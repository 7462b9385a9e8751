/** Media on this disk: groups and their segments, within a quota for what is others' (design §6). */
import { type Bytes, equal } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { decode, encode, struct, uint } from '../base/schema.ts';
import { hashKey, type Key, parseKey } from '../kademlia/key.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import { segmentKey } from '../media/segment-key.ts';
import { emptyRow, type GroupRole, type GroupRow, hasSegment, readRow, summarize, withSegment, writeRow } from './group-row.ts';

export type { GroupRole } from './group-row.ts';

export interface StoredGroup {
  readonly key: Key;
  readonly descriptor: GroupDescriptor;
  readonly encoded: Bytes;
  readonly role: GroupRole;
  /** True when every segment is here. */
  readonly complete: boolean;
  /** Bytes of its segments that are here. */
  readonly bytes: number;
  /** When it was last read or written, ms. */
  readonly used: number;
}

export interface GroupStore {
  /** The descriptor and what is here of it, or null. */
  get(group: Key): Promise<StoredGroup | null>;
  segment(group: Key, index: number): Promise<Bytes | null>;
  /**
   * Keeps one segment whose bytes the caller has checked against the descriptor. Rejects with `quota` when neither the disk nor
   * eviction gives room. Resolves to true when the group became complete by it.
   */
  put(segment: { group: Key; encoded: Bytes; index: number; bytes: Bytes; role: GroupRole }): Promise<boolean>;
  /** Notes that a group was used now, and how many other disks hold it, as far as known. */
  touch(group: Key, holders?: number): Promise<void>;
  /** Removes a group with all its segments. */
  remove(group: Key): Promise<void>;
  list(): Promise<readonly StoredGroup[]>;
  /** Bytes and groups here; `others` is what counts against the quota. */
  usage(): Promise<{ readonly groups: number; readonly bytes: number; readonly others: number }>;
  /** Bytes of others' media that could be taken in now, what may be evicted for them included. */
  room(): Promise<number>;
}

/** A use is written down at most this often: reading a segment should not cost a write each. */
const TOUCH_INTERVAL = 60_000;
/** A group that was read or written within this time, ms, is being fetched or watched, by this tab or another one, and stays. */
const IN_USE = 2 * TOUCH_INTERVAL;
/** The bytes kept are counted anew this often, ms: a tab that died while it wrote leaves the account wrong. */
const COUNT_INTERVAL = 600_000;

/** The account of others' bytes, on the disk so that all tabs that share it write in the same book. */
const ACCOUNT = 'others-bytes';
const accountSchema = struct<{ bytes: number }>({ bytes: uint(Number.MAX_SAFE_INTEGER) });

export interface GroupStoreOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Bytes of others' media at most. */
  readonly quota: () => number;
}

export function createGroupStore(options: GroupStoreOptions): GroupStore {
  const { store, crypto, clock } = options;
  let countedAt = Number.NEGATIVE_INFINITY;
  /** Reservations are made one after the other: two that evict at once would count the same room twice. */
  let turn: Promise<unknown> = Promise.resolve();

  const rowOf = async (group: Key): Promise<GroupRow | null> => readRow(await store.get('groups', group));

  const list = async (): Promise<readonly (StoredGroup & { readonly holders: number })[]> => {
    const entries = await store.entries('groups');
    return entries.flatMap(([text, bytes]) => {
      const key = parseKey(text);
      const row = readRow(bytes);
      return key && row ? [{ key, ...row, ...summarize(row) }] : [];
    });
  };

  const usage: GroupStore['usage'] = async () => {
    const all = await list();
    const sum = (groups: readonly StoredGroup[]): number => groups.reduce((bytes, group) => bytes + group.bytes, 0);
    return { groups: all.length, bytes: sum(all), others: sum(all.filter((group) => group.role !== 'own')) };
  };

  /** Adds to the account, and gives what it says then. */
  const account = async (bytes: number): Promise<number> => {
    let balance = 0;
    await store.update('meta', ACCOUNT, (before) => {
      balance = Math.max(0, ((before && decode(accountSchema, before)?.bytes) ?? 0) + bytes);
      return encode(accountSchema, { bytes: balance });
    });
    return balance;
  };
  const recount = async (): Promise<void> => {
    const { others } = await usage();
    await store.update('meta', ACCOUNT, () => encode(accountSchema, { bytes: others }));
    countedAt = clock.now();
  };

  const remove = async (group: Key): Promise<void> => {
    const row = await rowOf(group);
    const segments = await store.keys('segments', `${group}/`);
    await store.write([
      { table: 'groups', key: group, value: null },
      ...segments.map((key) => ({ table: 'segments' as const, key, value: null })),
    ]);
    if (row && row.role !== 'own') await account(-summarize(row).bytes);
  };

  const isIdle = (group: StoredGroup): boolean => group.role !== 'own' && group.used <= clock.now() - IN_USE;

  /** Removes others' groups until `bytes` are free: first what is not whole, then what most others hold, then what was not used for longest. */
  const evict = async (bytes: number): Promise<number> => {
    const idle = (await list()).filter(isIdle);
    idle.sort((a, b) => Number(a.complete) - Number(b.complete) || b.holders - a.holders || a.used - b.used);
    let freed = 0;
    for (const group of idle) {
      if (freed >= bytes) break;
      await remove(group.key);
      freed += group.bytes;
    }
    return freed;
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  /** Enters bytes that will be written for others, and evicts until they fit. */
  const reserve = async (bytes: number): Promise<void> => {
    if (clock.now() - countedAt > COUNT_INTERVAL) await recount();
    const over = (await account(bytes)) - options.quota();
    if (over <= 0 || (await evict(over)) >= over) return;
    await account(-bytes);
    throw fail('quota', 'The space for other people’s videos is full, and nothing in it may be removed now.');
  };

  /** Writes a segment; when the disk itself is full, once more after others' groups have made room. */
  const writeSegment = async (key: string, value: Bytes): Promise<void> => {
    const write = (): Promise<void> => store.write([{ table: 'segments', key, value }]);
    await write().catch(async (error: unknown) => {
      if (!hasCode(error, 'quota') || (await inTurn(() => evict(value.length))) < value.length) throw error;
      await write();
    });
  };

  /** The row first, so that no segment is ever on the disk without one; its bit last, so that it never claims what is not there. */
  const putSegment: GroupStore['put'] = async ({ group, encoded, index, bytes, role }) => {
    await store.update('groups', group, (before) => {
      const row = readRow(before) ?? emptyRow({ role, encoded, now: clock.now() });
      return writeRow({ ...row, used: clock.now() });
    });
    await writeSegment(segmentKey(group, index), bytes);
    const change = { was: null as GroupRow | null, is: null as GroupRow | null };
    await store.update('groups', group, (before) => {
      change.was = readRow(before);
      change.is = change.was && withSegment(change.was, index, { role, now: clock.now() });
      return change.is && writeRow(change.is);
    });
    const { was, is } = change;
    if (!was || !is) {
      await store.write([{ table: 'segments', key: segmentKey(group, index), value: null }]);
      throw fail('closed', 'The group was removed while it was written.');
    }
    if (was.role !== 'own' && is.role === 'own') await account(-summarize(was).bytes);
    return summarize(is).complete && !summarize(was).complete;
  };

  return {
    async get(group) {
      const row = await rowOf(group);
      return row && { key: group, ...row, ...summarize(row) };
    },
    segment: (group, index) => store.get('segments', segmentKey(group, index)),
    async put(segment) {
      const { group, encoded, index, bytes, role } = segment;
      if (hashKey(crypto, encoded) !== group) throw fail('invalid', 'The group descriptor is not what its key says.');
      const before = await rowOf(group);
      const counts = role !== 'own' && before?.role !== 'own' && !(before && hasSegment(before, index));
      if (counts) await inTurn(() => reserve(bytes.length));
      try {
        return await putSegment(segment);
      } catch (error) {
        if (counts) await account(-bytes.length);
        throw error;
      }
    },
    async touch(group, holders) {
      const row = await rowOf(group);
      if (!row || (clock.now() - row.used < TOUCH_INTERVAL && (holders === undefined || holders === row.holders))) return;
      await store.update('groups', group, (before) => {
        const present = readRow(before);
        return present ? writeRow({ ...present, used: clock.now(), holders: holders ?? present.holders }) : before;
      });
    },
    remove,
    list,
    usage,
    async room() {
      const staying = (await list()).filter((group) => group.role !== 'own' && !isIdle(group));
      return Math.max(0, options.quota() - staying.reduce((sum, group) => sum + group.bytes, 0));
    },
  };
}

/** True when the bytes are the segment that the descriptor names. */
export async function isSegment(crypto: Crypto, bytes: Bytes, wanted: { digest: Uint8Array; size: number }): Promise<boolean> {
  return bytes.length === wanted.size && equal(await crypto.digest(bytes), wanted.digest);
}
