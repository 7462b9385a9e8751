/** Media on this disk: groups and their segments, within a quota for what is others' (design §6). */
import { type Bytes, equal } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Clock, Crypto, Store, StoreChange } from '../base/ports.ts';
import { hashKey, type Key, parseKey } from '../kademlia/key.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import { segmentKey } from '../media/segment-key.ts';
import { createGroupAccount } from './group-account.ts';
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
  /**
   * Keeps a whole group as the person's own, its bytes checked by the caller, and makes the changes `also`: all of it happens, or nothing. Rejects
   * with `quota` when neither the disk nor eviction gives room.
   */
  putOwn(group: { group: Key; encoded: Bytes; segments: readonly Bytes[] }, also?: readonly StoreChange[]): Promise<void>;
  /** Notes that a group was used now, and how many other disks hold it, as far as known. */
  touch(group: Key, holders?: number): Promise<void>;
  /** Makes a group that was only watched a duty of this node. */
  adopt(group: Key): Promise<void>;
  /** Removes a group with all its segments. `unwanted`: the person wants it here no longer, so that others' offers of it are refused. */
  remove(group: Key, options?: { readonly unwanted: boolean }): Promise<void>;
  /** Whether the person wanted it here no longer, and has not published it again. */
  isUnwanted(group: Key): Promise<boolean>;
  list(): Promise<readonly StoredGroup[]>;
  /** Bytes and groups here; `others` is what counts against the quota. */
  usage(): Promise<{ readonly groups: number; readonly bytes: number; readonly others: number }>;
  /** Bytes of others' media that could be taken in as a duty now, what may be evicted for it included. */
  room(): Promise<number>;
}

/** A use is written down at most this often: reading a segment should not cost a write each. */
const TOUCH_INTERVAL = 60_000;
/** A group that was read or written within this time, ms, is being fetched or watched, by this tab or another one, and stays. */
const IN_USE = 2 * TOUCH_INTERVAL;
/** Rows in the table `meta` for what the person removed. */
const UNWANTED = 'unwanted/';

export interface GroupStoreOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Bytes of others' media at most. */
  readonly quota: () => number;
  /** How many other disks hold a group, as far as known; null when nobody counted. */
  readonly others?: (group: Key) => number | null;
  /** With so many others a copy here is one too many, and goes before a new duty is refused. */
  readonly enough?: number;
  /** A group is wholly here now, or is here for another reason than before. */
  readonly onComplete?: (group: Key, role: GroupRole) => void;
  /** A group was removed. */
  readonly onRemoved?: (group: Key) => void;
}

export function createGroupStore(options: GroupStoreOptions): GroupStore {
  const { store, crypto, clock } = options;
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

  const account = createGroupAccount({
    store,
    clock,
    async count() {
      const all = await list();
      const sum = (groups: readonly StoredGroup[]): number => groups.reduce((bytes, group) => bytes + group.bytes, 0);
      return { groups: all.length, own: sum(all.filter(isOwn)), others: sum(all.filter((group) => !isOwn(group))) };
    },
  });

  const remove: GroupStore['remove'] = async (group, { unwanted } = { unwanted: false }) => {
    const row = await rowOf(group);
    const segments = await store.keys('segments', `${group}/`);
    await store.write([
      { table: 'groups', key: group, value: null },
      ...segments.map((key) => ({ table: 'segments' as const, key, value: null })),
      ...(unwanted ? [{ table: 'meta' as const, key: UNWANTED + group, value: new Uint8Array(0) }] : []),
    ]);
    if (!row) return;
    await account.enter({ groups: -1, [bookOf(row.role)]: -summarize(row).bytes });
    options.onRemoved?.(group);
  };

  const isIdle = (group: StoredGroup): boolean => !isOwn(group) && group.used <= clock.now() - IN_USE;
  const othersOf = (group: StoredGroup & { readonly holders: number }): number => options.others?.(group.key) ?? group.holders;
  /** A copy that is needed is not given up for another duty: that would only move the lack. What is watched is worth more than both. */
  const isSpare = (group: StoredGroup & { readonly holders: number }): boolean =>
    group.role === 'seen' || !group.complete || othersOf(group) >= (options.enough ?? 0);

  /** Removes others' groups until `bytes` are free: first what is not whole, then what most others hold, then what was not used for longest. */
  const evict = async (bytes: number, role: GroupRole): Promise<number> => {
    const idle = (await list()).filter((group) => isIdle(group) && (role !== 'kept' || isSpare(group)));
    idle.sort((a, b) => Number(a.complete) - Number(b.complete) || othersOf(b) - othersOf(a) || a.used - b.used);
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
  const reserve = async (bytes: number, role: GroupRole): Promise<void> => {
    const over = (await account.plan({ others: bytes })).others - options.quota();
    if (over <= 0 || (await evict(over, role)) >= over) return;
    await account.enter({ others: -bytes });
    throw fail('quota', 'The space for other people’s videos is full, and nothing in it may be removed now.');
  };

  /** Writes segments; when the disk itself is full, once more after others' groups have made room. */
  const writeSegments = async (changes: readonly StoreChange[], role: GroupRole): Promise<void> => {
    const size = changes.reduce((sum, { table, value }) => sum + (table === 'segments' && value ? value.length : 0), 0);
    await store.write(changes).catch(async (error: unknown) => {
      if (!hasCode(error, 'quota') || (await inTurn(() => evict(size, role))) < size) throw error;
      await store.write(changes);
    });
  };

  /** The row first, so that no segment is ever on the disk without one; its bit last, so that it never claims what is not there. */
  const putSegment: GroupStore['put'] = async ({ group, encoded, index, bytes, role }) => {
    let isFirst = false;
    await store.update('groups', group, (before) => {
      const present = readRow(before);
      isFirst = !present;
      return writeRow({ ...(present ?? emptyRow({ role, encoded, now: clock.now() })), used: clock.now() });
    });
    if (isFirst) await account.enter({ groups: 1 });
    await writeSegments([{ table: 'segments', key: segmentKey(group, index), value: bytes }], role);
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
    if (is.role === 'own') await enterOwn(was, is);
    const { complete } = summarize(is);
    const isNews = complete && !summarize(was).complete;
    if (isNews || (complete && was.role !== is.role)) options.onComplete?.(group, is.role);
    return isNews;
  };

  /** What became the person's own moves to the other side of the book. */
  const enterOwn = async (was: GroupRow, is: GroupRow): Promise<void> => {
    const [before, after] = [summarize(was).bytes, summarize(is).bytes];
    if (was.role === 'own') await account.enter({ own: after - before });
    else await account.enter({ own: after, others: -before });
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
      if (counts) await inTurn(() => reserve(bytes.length, role));
      try {
        return await putSegment(segment);
      } catch (error) {
        if (counts) await account.enter({ others: -bytes.length });
        throw error;
      }
    },
    async putOwn({ group, encoded, segments }, also = []) {
      if (hashKey(crypto, encoded) !== group) throw fail('invalid', 'The group descriptor is not what its key says.');
      const [role, now] = ['own' as const, clock.now()];
      const was = await rowOf(group);
      const is = segments.reduce<GroupRow>(
        (row, _, index) => withSegment(row, index, { role, now }),
        was ?? emptyRow({ role, encoded, now }),
      );
      await writeSegments(
        [
          { table: 'groups', key: group, value: writeRow(is) },
          ...segments.map((value, index) => ({ table: 'segments' as const, key: segmentKey(group, index), value })),
          { table: 'meta', key: UNWANTED + group, value: null },
          ...also,
        ],
        role,
      );
      if (!was) await account.enter({ groups: 1 });
      await enterOwn(was ?? emptyRow({ role, encoded, now }), is);
      if (!was || was.role !== role || !summarize(was).complete) options.onComplete?.(group, role);
    },
    async touch(group, holders) {
      const row = await rowOf(group);
      if (!row || (clock.now() - row.used < TOUCH_INTERVAL && (holders === undefined || holders === row.holders))) return;
      await store.update('groups', group, (before) => {
        const present = readRow(before);
        return present ? writeRow({ ...present, used: clock.now(), holders: holders ?? present.holders }) : before;
      });
    },
    async adopt(group) {
      const row = await rowOf(group);
      if (row?.role !== 'seen') return;
      await store.update('groups', group, (before) => {
        const present = readRow(before);
        return present?.role === 'seen' ? writeRow({ ...present, role: 'kept' }) : before;
      });
      if (summarize(row).complete) options.onComplete?.(group, 'kept');
    },
    remove,
    isUnwanted: async (group) => (await store.get('meta', UNWANTED + group)) !== null,
    list,
    async usage() {
      const { groups, own, others } = await account.read();
      return { groups, bytes: own + others, others };
    },
    async room() {
      if ((await account.read()).others === 0) return options.quota();
      const staying = (await list()).filter((group) => !isOwn(group) && !(isIdle(group) && isSpare(group)));
      return Math.max(0, options.quota() - staying.reduce((sum, group) => sum + group.bytes, 0));
    },
  };
}

function isOwn({ role }: { readonly role: GroupRole }): boolean {
  return role === 'own';
}

function bookOf(role: GroupRole): 'own' | 'others' {
  return role === 'own' ? 'own' : 'others';
}

/** True when the bytes are the segment that the descriptor names. */
export async function isSegment(crypto: Crypto, bytes: Bytes, wanted: { digest: Uint8Array; size: number }): Promise<boolean> {
  return bytes.length === wanted.size && equal(await crypto.digest(bytes), wanted.digest);
}
