/** The small things that the overlay asked this node to keep: values, records and sets of entries (design §6). */
import { type Bytes, copy } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { binary, decode, encode, list, struct, time } from '../base/schema.ts';
import { hashKey, type Key, parseKey } from '../kademlia/key.ts';
import { openEntry, type SignedEntry, verifyEntry } from '../records/entry.ts';
import { insertEntry, liveEntries } from '../records/entry-set.ts';
import { ITEM_EXPIRY } from '../records/expiry.ts';
import { judge } from '../records/merge.ts';
import { openRecord, recordKey, verifyRecord } from '../records/record.ts';
import { type Signed, signedSchema } from '../records/signed.ts';
import type { Item, Want } from '../wire/messages.ts';

export interface ItemStore {
  /**
   * Checks and keeps; an older version than the one kept changes nothing and is no error. Rejects with `invalid` (not what its
   * key says, bad signature), `refused` (no room) or `quota`.
   */
  put(key: Key, item: Item): Promise<void>;
  /** What is kept under a key, newest first; entries later than `before` (ms) are left out, and at most `LIMITS.entriesReply` bytes are given. */
  find(key: Key, want: Want, before?: number): Promise<readonly Item[]>;
  /** Every key that something is kept under, with what is kept. */
  keys(): Promise<readonly { readonly key: Key; readonly want: Want }[]>;
  /** Forgets what has expired. */
  expire(): Promise<void>;
}

/** Keys at most: at 12 KiB each this is 240 MB, at the usual few hundred bytes it is 6 MB. */
const MAX_KEYS = 20_000;

const storedValue = struct<{ stored: number; bytes: Bytes }>({ stored: time, bytes: binary(LIMITS.value) });
const storedRecord = struct<{ stored: number; signed: Signed }>({ stored: time, signed: signedSchema });
const storedEntries = list(signedSchema, LIMITS.entriesPerTopic);

export function createItemStore(options: { store: Store; crypto: Crypto; clock: Clock }): ItemStore {
  const { store, crypto, clock } = options;
  let count: Promise<number> | null = null;

  const makeRoom = async (row: string): Promise<void> => {
    count ??= store.keys('items').then((keys) => keys.length);
    if ((await count) < MAX_KEYS || (await store.get('items', row))) return;
    throw fail('refused', 'This node keeps as many things as it can.');
  };
  const counted = (): void => {
    count = count?.then((n) => n + 1) ?? null;
  };

  const putValue = async (key: Key, bytes: Bytes): Promise<void> => {
    if (hashKey(crypto, bytes) !== key) throw fail('invalid', 'The value is not what its key says.');
    const row = rowOf('value', key);
    await makeRoom(row);
    await store.write([{ table: 'items', key: row, value: encode(storedValue, { stored: clock.now(), bytes }) }]);
    counted();
  };

  const putRecord = async (key: Key, signed: Signed): Promise<void> => {
    const record = openRecord(signed);
    if (!record || recordKey(crypto, record.body.owner, record.body.name) !== key) {
      throw fail('invalid', 'The record is not what its key says.');
    }
    if (!(await verifyRecord(crypto, record))) throw fail('invalid', "The record's signature is not its owner's.");
    const row = rowOf('record', key);
    await makeRoom(row);
    const now = clock.now();
    const verdict = await changing(store, row, (before) => {
      const kept = before && decode(storedRecord, before);
      const outcome = judge(crypto, kept ? openRecord(kept.signed) : null, record, now);
      const next = outcome === 'newer' || outcome === 'same' ? encode(storedRecord, { stored: now, signed: record.signed }) : before;
      return { next, outcome };
    });
    counted();
    if (verdict === 'invalid') throw fail('invalid', "The record's time contradicts its clock.");
  };

  const putEntry = async (key: Key, signed: Signed): Promise<void> => {
    const entry = openEntry(signed);
    if (entry?.body.topic !== key) throw fail('invalid', 'The entry is not what its key says.');
    if (!(await verifyEntry(crypto, entry))) throw fail('invalid', "The entry's signature is not its writer's.");
    const row = rowOf('entries', key);
    await makeRoom(row);
    const outcome = await changing(store, row, (before) => {
      const { entries, outcome } = insertEntry(openEntries(before), entry, clock.now());
      const signeds = entries.map((kept) => kept.signed);
      return { next: encode(storedEntries, signeds), outcome };
    });
    counted();
    if (outcome === 'expired') throw fail('invalid', 'The entry has expired, or asks to live too long.');
    if (outcome === 'refused') throw fail('refused', 'The set is full.');
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
      count = null;
    },
  };
}

/** One atomic change of a row, and what it came to. */
async function changing<T>(store: Store, row: string, change: (before: Bytes | null) => { next: Bytes | null; outcome: T }): Promise<T> {
  const box: { outcome: T | null } = { outcome: null };
  await store.update('items', row, (before) => {
    const { next, outcome } = change(before);
    box.outcome = outcome;
    return next;
  });
  return box.outcome as T;
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
