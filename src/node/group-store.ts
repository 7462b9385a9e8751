/** Media on this disk: groups and their segments, within a quota for what is others' (design §6). */
import { type Bytes, compare } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { binary, decode, encode, refine, struct, time, uint } from '../base/schema.ts';
import { hashKey, type Key, parseKey } from '../kademlia/key.ts';
import { type GroupDescriptor, groupDescriptorSchema } from '../media/manifest.ts';
import { segmentKey } from '../media/segment-key.ts';

/** Why a group is here. `own`: the person published it, never evicted · `kept`: a duty of the overlay · `seen`: watched. */
export type GroupRole = 'own' | 'kept' | 'seen';

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
}

interface GroupRow {
  readonly role: GroupRole;
  readonly used: number;
  /** Other disks that held it when we last looked. */
  readonly holders: number;
  /** Bit i: segment i is here. Two words: a group has at most 64 segments. */
  readonly low: number;
  readonly high: number;
  readonly encoded: Bytes;
}

const ROLES: readonly GroupRole[] = ['own', 'kept', 'seen'];
const groupRow = struct<GroupRow>({
  role: refine<number, GroupRole>(uint(2), { parse: (n) => ROLES[n] ?? null, format: (role) => ROLES.indexOf(role) }),
  used: time,
  holders: uint(1_000_000),
  low: uint(0xffff_ffff),
  high: uint(0xffff_ffff),
  encoded: binary(LIMITS.value),
});

/** A use is written down at most this often: reading a segment should not cost a write each. */
const TOUCH_INTERVAL = 60_000;
/** The bytes kept are counted anew at least this often, ms. */
const COUNT_INTERVAL = 60_000;

export interface GroupStoreOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Bytes of others' media at most. */
  readonly quota: () => number;
}

export function createGroupStore(options: GroupStoreOptions): GroupStore {
  const { store, crypto, clock } = options;
  /** Bytes of others' media as last counted, plus what was added since. Another tab may share the disk, so it is counted anew now and then. */
  let counted = { others: 0, at: Number.NEGATIVE_INFINITY };

  const rows = async (): Promise<readonly (readonly [Key, GroupRow])[]> => {
    const entries = await store.entries('groups');
    return entries.flatMap(([text, bytes]) => {
      const key = parseKey(text);
      const row = decode(groupRow, bytes);
      return key && row ? [[key, row] as const] : [];
    });
  };

  const usage: GroupStore['usage'] = async () => {
    const all = (await rows()).map(([, row]) => ({ role: row.role, bytes: storedBytes(row) }));
    const bytes = all.reduce((sum, row) => sum + row.bytes, 0);
    return { groups: all.length, bytes, others: all.reduce((sum, row) => sum + (row.role === 'own' ? 0 : row.bytes), 0) };
  };

  const remove = async (group: Key): Promise<void> => {
    const segments = await store.keys('segments', `${group}/`);
    await store.write([
      { table: 'groups', key: group, value: null },
      ...segments.map((key) => ({ table: 'segments' as const, key, value: null })),
    ]);
  };

  /** Evicts others' groups until `bytes` more fit: first what most others hold, then what was not used for longest. */
  const makeRoom = async (bytes: number, forced: boolean, spare: Key): Promise<void> => {
    const quota = options.quota();
    if (clock.now() - counted.at > COUNT_INTERVAL) counted = { others: (await usage()).others, at: clock.now() };
    if (!forced && counted.others + bytes <= quota) {
      counted.others += bytes;
      return;
    }
    let { others } = await usage();
    const evictable = (await rows())
      .filter(([key, row]) => row.role !== 'own' && key !== spare)
      .sort(([, a], [, b]) => worth(a) - worth(b) || a.used - b.used);
    let freed = 0;
    for (const [key, row] of evictable) {
      if (others + bytes <= quota && (!forced || freed >= bytes)) break;
      await remove(key);
      others -= storedBytes(row);
      freed += storedBytes(row);
    }
    counted = { others: others + bytes, at: clock.now() };
    if (others + bytes > quota || (forced && freed < bytes)) {
      throw fail('quota', 'The space for other people’s videos is full, and nothing in it may be removed.');
    }
  };

  return {
    async get(group) {
      const bytes = await store.get('groups', group);
      const row = bytes && decode(groupRow, bytes);
      return row ? storedGroup(group, row) : null;
    },
    segment: (group, index) => store.get('segments', segmentKey(group, index)),
    async put({ group, encoded, index, bytes, role }) {
      if (hashKey(crypto, encoded) !== group) throw fail('invalid', 'The group descriptor is not what its key says.');
      if (role !== 'own') await makeRoom(bytes.length, false, group);
      const write = (): Promise<void> => store.write([{ table: 'segments', key: segmentKey(group, index), value: bytes }]);
      await write().catch(async (error: unknown) => {
        if (!hasCode(error, 'quota')) throw error;
        await makeRoom(bytes.length, true, group);
        await write();
      });
      let became = false;
      await store.update('groups', group, (before) => {
        const old = before && decode(groupRow, before);
        const row = withSegment(old ?? { role, used: 0, holders: 0, low: 0, high: 0, encoded }, index, { role, now: clock.now() });
        became = isComplete(row) && !(old && isComplete(old));
        return encode(groupRow, row);
      });
      return became;
    },
    async touch(group, holders) {
      const bytes = await store.get('groups', group);
      const row = bytes && decode(groupRow, bytes);
      if (!row || (clock.now() - row.used < TOUCH_INTERVAL && (holders === undefined || holders === row.holders))) return;
      await store.update('groups', group, (before) => {
        const present = before && decode(groupRow, before);
        return present ? encode(groupRow, { ...present, used: clock.now(), holders: holders ?? present.holders }) : before;
      });
    },
    remove,
    async list() {
      return (await rows()).map(([key, row]) => storedGroup(key, row));
    },
    usage,
  };
}

function withSegment(row: GroupRow, index: number, by: { role: GroupRole; now: number }): GroupRow {
  const bit = index % 32;
  return {
    ...row,
    role: ROLES.indexOf(by.role) < ROLES.indexOf(row.role) ? by.role : row.role,
    used: by.now,
    low: index < 32 ? (row.low | (1 << bit)) >>> 0 : row.low,
    high: index < 32 ? row.high : (row.high | (1 << bit)) >>> 0,
  };
}

function has(row: GroupRow, index: number): boolean {
  return (((index < 32 ? row.low : row.high) >>> (index % 32)) & 1) === 1;
}

function descriptorOf(row: GroupRow): GroupDescriptor {
  return decode(groupDescriptorSchema, row.encoded) ?? { segments: [] };
}

function isComplete(row: GroupRow): boolean {
  const { segments } = descriptorOf(row);
  return segments.length > 0 && segments.every((_, index) => has(row, index));
}

function storedBytes(row: GroupRow): number {
  return descriptorOf(row).segments.reduce((sum, segment, index) => sum + (has(row, index) ? segment.size : 0), 0);
}

/** A group that fewer others hold is worth more. */
function worth(row: GroupRow): number {
  return -row.holders;
}

function storedGroup(key: Key, row: GroupRow): StoredGroup {
  return {
    key,
    descriptor: descriptorOf(row),
    encoded: row.encoded,
    role: row.role,
    complete: isComplete(row),
    bytes: storedBytes(row),
    used: row.used,
  };
}

/** True when the bytes are the segment that the descriptor names. */
export async function isSegment(crypto: Crypto, bytes: Bytes, wanted: { digest: Uint8Array; size: number }): Promise<boolean> {
  return bytes.length === wanted.size && compare(await crypto.digest(bytes), wanted.digest) === 0;
}
