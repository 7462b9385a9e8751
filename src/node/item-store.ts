/** The small things that the overlay asked this node to keep: values, records and sets of entries (design §6). */
import { type Bytes, copy } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { binary, decode, encode, list, struct, time } from '../base/schema.ts';
import { compareDistance, hashKey, type Key, parseKey } from '../kademlia/key.ts';
import { openEntry, type SignedEntry, verifyEntry } from '../records/entry.ts';
import { insertEntry, liveEntries } from '../records/entry-set.ts';
import { ITEM_EXPIRY } from '../records/expiry.ts';
import { judge } from '../records/merge.ts';
import { openRecord, recordKey, verifyRecord } from '../records/record.ts';
import { type Signed, signedSchema } from '../records/signed.ts';
import type { Item, Want } from '../wire/messages.ts';
import { trim } from './trim.ts';

export interface ItemStore {
  /**
   * Checks and keeps; an older version than the one kept changes nothing and is no error. Rejects with `invalid` (not what its
   * key says, bad signature), `refused` (no room) or `quota`. When it is full, what is farthest from this node makes room for what is nearer.
   */
  put(key: Key, item: Item): Promise<void>;
  /** What is kept under a key, newest first; entries later than `before` (ms) are left out, and at most `LIMITS.entriesReply` bytes are given. */
  find(key: Key, want: Want, before?: number): Promise<readonly Item[]>;
  /** What is kept under a key in full, for others to keep as well. */
  all(key: Key, want: Want): Promise<readonly Item[]>;
  /** Every key that something is kept under, with what is kept. */
  keys(): Promise<readonly { readonly key: Key; readonly want: Want }[]>;
  /** True when somebody stored all of it here within the last `ms`: then others have it from the same hand, and need it not from us. */
  wasStored(key: Key, want: Want, ms: number): boolean;
  /** Forgets what has expired. */
  expire(): Promise<void>;
}

/** What is kept at most: keys, and bytes of everything under them. At the usual few hundred bytes a key it is the former that counts. */
export const ITEM_LIMITS = { keys: 20_000, bytes: 128 * 1024 * 1024 };
/** The part that goes at once when it is full, so that not every STORE looks through everything. */
const EVICTED_PART = 1 / 16;
/** Keys of which it is remembered when they were last stored. */
const MAX_REMEMBERED = 2 * ITEM_LIMITS.keys;

const storedValue = struct<{ stored: number; bytes: Bytes }>({ stored: time, bytes: binary(LIMITS.value) });
const storedRecord = struct<{ stored: number; signed: Signed }>({ stored: time, signed: signedSchema });
const storedEntries = list(signedSchema, LIMITS.entriesPerTopic);

interface Usage {
  keys: number;
  bytes: number;
}

export function createItemStore(options: {
  store: Store;
  crypto: Crypto;
  clock: Clock;
  /** Things near to it are kept first. */
  self: Key;
  limits?: { readonly keys: number; readonly bytes: number };
}): ItemStore {
  const { store, crypto, clock, self, limits = ITEM_LIMITS } = options;
  /** As counted at the first use and at each `expire`, and kept since; another tab on the same disk may have added to it. */
  let usage: Promise<Usage> | null = null;
  /** When each row was last stored by somebody, ms. */
  const storedAt = new Map<string, number>();

  const count = async (): Promise<Usage> => {
    const rows = await store.entries('items');
    return { keys: rows.length, bytes: rows.reduce((sum, [, bytes]) => sum + bytes.length, 0) };
  };
  const measured = (): Promise<Usage> => {
    if (usage) return usage;
    const counting = count();
    counting.catch(() => {
      if (usage === counting) usage = null; // The next one who asks counts again.
    });
    usage = counting;
    return counting;
  };

  /** Removes what is farthest from us, as long as `key` is nearer. Rejects with `refused` when `key` is itself among the farthest. */
  const makeRoom = async (key: Key, row: string): Promise<void> => {
    const used = await measured();
    if (used.bytes < limits.bytes && (used.keys < limits.keys || (await store.get('items', row)))) return;
    const rows = (await store.keys('items')).flatMap((text) => {
      const parsed = parseRow(text);
      return parsed ? [{ text, key: parsed.key }] : [];
    });
    rows.sort((a, b) => compareDistance(self, b.key, a.key));
    const farthest = rows.slice(0, Math.ceil(rows.length * EVICTED_PART)).filter((one) => compareDistance(self, key, one.key) < 0);
    if (farthest.length === 0) throw fail('refused', 'This node keeps as many things as it can.');
    await store.write(farthest.map(({ text }) => ({ table: 'items' as const, key: text, value: null })));
    usage = null;
  };

  /** One atomic change of a row, and what it came to. */
  const change = async <T>(row: string, next: (before: Bytes | null) => { after: Bytes | null; outcome: T }): Promise<T> => {
    const box: { outcome: T | null; keys: number; bytes: number } = { outcome: null, keys: 0, bytes: 0 };
    const counting = measured();
    await counting;
    await store.update('items', row, (before) => {
      const { after, outcome } = next(before);
      box.outcome = outcome;
      box.keys = Number(after !== null) - Number(before !== null);
      box.bytes = (after?.length ?? 0) - (before?.length ?? 0);
      return after;
    });
    // A count that began meanwhile has seen the change.
    if (usage === counting) {
      const used = await counting;
      used.keys += box.keys;
      used.bytes += box.bytes;
    }
    return box.outcome as T;
  };

  const remember = (row: string): void => {
    storedAt.delete(row);
    storedAt.set(row, clock.now());
    trim(storedAt, MAX_REMEMBERED);
  };

  const putValue = async (key: Key, bytes: Bytes): Promise<void> => {
    if (hashKey(crypto, bytes) !== key) throw fail('invalid', 'The value is not what its key says.');
    const row = rowOf('value', key);
    await makeRoom(key, row);
    await change(row, () => ({ after: encode(storedValue, { stored: clock.now(), bytes }), outcome: null }));
    remember(row);
  };

  const putRecord = async (key: Key, signed: Signed): Promise<void> => {
    const record = openRecord(signed);
    if (!record || recordKey(crypto, record.body.owner, record.body.name) !== key) {
      throw fail('invalid', 'The record is not what its key says.');
    }
    if (!(await verifyRecord(crypto, record))) throw fail('invalid', "The record's signature is not its owner's.");
    const row = rowOf('record', key);
    await makeRoom(key, row);
    const now = clock.now();
    const outcome = await change(row, (before) => {
      const kept = before && decode(storedRecord, before);
      const verdict = judge(crypto, kept ? openRecord(kept.signed) : null, record, now);
      const wins = verdict === 'newer' || verdict === 'same';
      return { after: wins ? encode(storedRecord, { stored: now, signed: record.signed }) : before, outcome: verdict };
    });
    if (outcome === 'invalid') throw fail('invalid', "The record's time contradicts its clock.");
    // Who brings an older version has not told the others of this one.
    if (outcome !== 'older') remember(row);
  };

  const putEntry = async (key: Key, signed: Signed): Promise<void> => {
    const entry = openEntry(signed);
    if (entry?.body.topic !== key) throw fail('invalid', 'The entry is not what its key says.');
    if (!(await verifyEntry(crypto, entry))) throw fail('invalid', "The entry's signature is not its writer's.");
    const row = rowOf('entries', key);
    await makeRoom(key, row);
    const outcome = await change(row, (before) => {
      const { entries, outcome: verdict } = insertEntry(openEntries(before), entry, clock.now());
      const signeds = entries.map((kept) => kept.signed);
      return { after: signeds.length > 0 ? encode(storedEntries, signeds) : null, outcome: verdict };
    });
    if (outcome === 'expired') throw fail('invalid', 'The entry has expired.');
    if (outcome === 'refused') throw fail('refused', 'The set is full, or the times of the entry are not allowed.');
    // A new entry says nothing about the others in its set; one that was here already comes from somebody who stores the whole set again.
    if (outcome === 'same') remember(row);
  };

  const find = async (key: Key, want: Want, before = Number.MAX_SAFE_INTEGER): Promise<readonly Item[]> => {
    const kept = await store.get('items', rowOf(want, key));
    if (!kept) return [];
    if (want === 'entries') return latestEntries(liveEntries(openEntries(kept), clock.now()), before);
    if (want === 'value') {
      const value = decode(storedValue, kept);
      return value ? [{ type: 'value', bytes: value.bytes }] : [];
    }
    const record = decode(storedRecord, kept);
    return record ? [{ type: 'record', signed: record.signed }] : [];
  };

  return {
    put(key, item) {
      if (item.type === 'value') return putValue(key, copy(item.bytes));
      return item.type === 'record' ? putRecord(key, item.signed) : putEntry(key, item.signed);
    },
    find,
    async all(key, want) {
      if (want !== 'entries') return find(key, want);
      const entries = liveEntries(openEntries(await store.get('items', rowOf(want, key))), clock.now());
      return entries.map(({ signed }) => ({ type: 'entry', signed }));
    },
    wasStored: (key, want, ms) => (storedAt.get(rowOf(want, key)) ?? Number.NEGATIVE_INFINITY) > clock.now() - ms,
    async keys() {
      const rows = await store.keys('items');
      return rows.flatMap((row) => parseRow(row) ?? []);
    },
    async expire() {
      const now = clock.now();
      for (const [row, kept] of await store.entries('items')) {
        const want = parseRow(row)?.want;
        if (want && livesOn(want, kept, now)) continue;
        await store.update('items', row, (present) => (want && present && livesOn(want, present, now) ? present : null));
      }
      usage = null;
    },
  };
}

function livesOn(want: Want, kept: Bytes, now: number): boolean {
  if (want === 'entries') return liveEntries(openEntries(kept), now).length > 0;
  const stored = (want === 'value' ? decode(storedValue, kept) : decode(storedRecord, kept))?.stored;
  return stored !== undefined && stored + ITEM_EXPIRY > now;
}

function openEntries(bytes: Bytes | null): readonly SignedEntry[] {
  const kept = bytes ? decode(storedEntries, bytes) : null;
  return kept?.flatMap((signed) => openEntry(signed) ?? []) ?? [];
}

function latestEntries(entries: readonly SignedEntry[], before: number): readonly Item[] {
  const latest = [...entries].filter((entry) => entry.body.time < before).sort((a, b) => b.body.time - a.body.time);
  const items: Item[] = [];
  let bytes = 0;
  for (const { signed } of latest) {
    bytes += signed.body.length + signed.signature.length + 8;
    if (bytes > LIMITS.entriesReply) break;
    items.push({ type: 'entry', signed });
  }
  return items;
}

const PREFIX: Readonly<Record<Want, string>> = { value: 'v', record: 'r', entries: 'e' };

function rowOf(want: Want, key: Key): string {
  return `${PREFIX[want]}/${key}`;
}

function parseRow(row: string): { key: Key; want: Want } | null {
  const key = parseKey(row.slice(2));
  const want = (Object.keys(PREFIX) as Want[]).find((name) => row.startsWith(`${PREFIX[name]}/`));
  return key && want ? { key, want } : null;
}
