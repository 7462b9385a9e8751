/** The small things that the overlay asked this node to keep: values, records and sets of entries (design §6). */
import { type Bytes, copy } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import { compareDistance, hashKey, type Key } from '../kademlia/key.ts';
import { openEntry, type SignedEntry, verifyEntry } from '../records/entry.ts';
import { insertEntry, liveEntries } from '../records/entry-set.ts';
import { ITEM_LIFE } from '../records/expiry.ts';
import { judge } from '../records/merge.ts';
import { openRecord, recordKey, verifyRecord } from '../records/record.ts';
import type { Signed } from '../records/signed.ts';
import type { Item, Want } from '../wire/messages.ts';
import { entriesRow, livesOn, openEntries, openTermed, parseRow, recordRow, rowOf, type Term, valueRow } from './item-rows.ts';
import { trim } from './trim.ts';

export interface ItemStore {
  /**
   * Checks and keeps; true when it is news, false when it or something newer was here. Rejects with `invalid` (not what its
   * key says, bad signature), `refused` (no room) or `quota`. When it is full, what is farthest from this node makes room for what is nearer.
   */
  put(key: Key, item: Item, terms?: KeepTerms): Promise<boolean>;
  /** What is kept under a key, newest first; entries later than `before` (ms) are left out, and at most `LIMITS.entriesReply` bytes are given. */
  find(key: Key, want: Want, before?: number): Promise<readonly Item[]>;
  /** What is kept under a key in full, for others to keep as well: spare copies are left out. */
  all(key: Key, want: Want): Promise<readonly KeptItem[]>;
  /** Every key that something is kept under, with what is kept. */
  keys(): Promise<readonly { readonly key: Key; readonly want: Want }[]>;
  /** When somebody last stored all of it here, ms; null when not since the node began: then others have it from the same hand, and need it not from us. */
  storedAt(key: Key, want: Want): number | null;
  /** When it last changed here, ms; null when not since the node began. */
  changedAt(key: Key, want: Want): number | null;
  /** Notes that it has just been stored where it belongs. */
  touch(key: Key, want: Want): void;
  /** Others nearer to the key have it: a value or record stays as a spare copy for `life` ms at most; a set, which changes elsewhere, goes. */
  release(key: Key, want: Want, life: number): Promise<void>;
  /** Forgets what has expired. */
  expire(): Promise<void>;
}

/** How something is kept. Set entries say it themselves. */
export interface KeepTerms {
  /** Milliseconds; at most, and when absent, `ITEM_LIFE`. */
  readonly life?: number;
  /** A copy that is given to who asks, but not stored again elsewhere. */
  readonly spare?: boolean;
}

/** Something kept, and for how many ms yet. */
export interface KeptItem {
  readonly item: Item;
  readonly life: number;
}

/** What is kept at most: keys, and bytes of everything under them. At the usual few hundred bytes a key it is the former that counts. */
export const ITEM_LIMITS = { keys: 20_000, bytes: 128 * 1024 * 1024 };
/** The part that goes at once when it is full, so that not every STORE looks through everything. */
const EVICTED_PART = 1 / 16;
/** Keys of which it is remembered when they were last stored. */
const MAX_REMEMBERED = 2 * ITEM_LIMITS.keys;

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
  /** When each row last changed, ms. */
  const changedAt = new Map<string, number>();

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

  const note = (times: Map<string, number>, row: string): void => {
    times.delete(row);
    times.set(row, clock.now());
    trim(times, MAX_REMEMBERED);
  };
  /** Somebody stored it here, and it was news or not. */
  const noteStored = (row: string, news: boolean): boolean => {
    note(storedAt, row);
    if (news) note(changedAt, row);
    return news;
  };

  const termOf = ({ life = ITEM_LIFE, spare = false }: KeepTerms): Term => ({ expires: clock.now() + Math.min(life, ITEM_LIFE), spare });

  const putValue = async (key: Key, bytes: Bytes, term: Term): Promise<boolean> => {
    if (hashKey(crypto, bytes) !== key) throw fail('invalid', 'The value is not what its key says.');
    const row = rowOf('value', key);
    await makeRoom(key, row);
    const news = await change(row, (before) => {
      const kept = before && openTermed('value', before, clock.now());
      return { after: encode(valueRow, { ...longer(term, kept), bytes }), outcome: kept === null };
    });
    return noteStored(row, news);
  };

  const putRecord = async (key: Key, signed: Signed, term: Term): Promise<boolean> => {
    const record = openRecord(signed);
    if (!record || recordKey(crypto, record.body.owner, record.body.name) !== key) {
      throw fail('invalid', 'The record is not what its key says.');
    }
    if (!(await verifyRecord(crypto, record))) throw fail('invalid', "The record's signature is not its owner's.");
    const row = rowOf('record', key);
    await makeRoom(key, row);
    const outcome = await change(row, (before) => {
      const kept = before && decode(recordRow, before);
      const verdict = judge(crypto, kept ? openRecord(kept.signed) : null, record, clock.now());
      if (verdict !== 'newer' && verdict !== 'same') return { after: before, outcome: verdict };
      const next = verdict === 'same' ? longer(term, kept) : term;
      return { after: encode(recordRow, { ...next, signed: record.signed }), outcome: verdict };
    });
    if (outcome === 'invalid') throw fail('invalid', "The record's time contradicts its clock.");
    // Who brings an older version has not told the others of this one.
    return outcome !== 'older' && noteStored(row, outcome === 'newer');
  };

  const putEntry = async (key: Key, signed: Signed): Promise<boolean> => {
    const entry = openEntry(signed);
    if (entry?.body.topic !== key) throw fail('invalid', 'The entry is not what its key says.');
    if (!(await verifyEntry(crypto, entry))) throw fail('invalid', "The entry's signature is not its writer's.");
    const row = rowOf('entries', key);
    await makeRoom(key, row);
    const outcome = await change(row, (before) => {
      const { entries, outcome: verdict } = insertEntry(openEntries(before), entry, clock.now());
      const signeds = entries.map((kept) => kept.signed);
      return { after: signeds.length > 0 ? encode(entriesRow, signeds) : null, outcome: verdict };
    });
    if (outcome === 'expired') throw fail('invalid', 'The entry has expired.');
    if (outcome === 'refused') throw fail('refused', 'The set is full, or the times of the entry are not allowed.');
    if (outcome === 'stored') note(changedAt, row);
    // A new entry says nothing about the others in its set; one that was here already comes from somebody who stores the whole set again.
    if (outcome === 'same') note(storedAt, row);
    return outcome === 'stored';
  };

  const find = async (key: Key, want: Want, before = Number.MAX_SAFE_INTEGER): Promise<readonly Item[]> => {
    const kept = await store.get('items', rowOf(want, key));
    if (!kept) return [];
    if (want === 'entries') return latestEntries(liveEntries(openEntries(kept), clock.now()), before);
    const termed = openTermed(want, kept, clock.now());
    return termed ? [termed.item] : [];
  };

  return {
    put(key, item, terms = {}) {
      if (item.type === 'entry') return putEntry(key, item.signed);
      return item.type === 'value' ? putValue(key, copy(item.bytes), termOf(terms)) : putRecord(key, item.signed, termOf(terms));
    },
    find,
    async all(key, want) {
      const now = clock.now();
      const kept = await store.get('items', rowOf(want, key));
      if (!kept) return [];
      if (want === 'entries') {
        return liveEntries(openEntries(kept), now).map(({ signed, body }) => ({
          item: { type: 'entry', signed },
          life: body.expires - now,
        }));
      }
      const termed = openTermed(want, kept, now);
      return termed && !termed.spare ? [{ item: termed.item, life: termed.expires - now }] : [];
    },
    storedAt: (key, want) => storedAt.get(rowOf(want, key)) ?? null,
    changedAt: (key, want) => changedAt.get(rowOf(want, key)) ?? null,
    touch: (key, want) => note(storedAt, rowOf(want, key)),
    async release(key, want, life) {
      const most = clock.now() + life;
      await change(rowOf(want, key), (before) => {
        const kept = before && want !== 'entries' ? openTermed(want, before, clock.now()) : null;
        if (!kept) return { after: null, outcome: null };
        const term = { expires: Math.min(kept.expires, most), spare: true };
        const { item } = kept;
        if (item.type === 'value') return { after: encode(valueRow, { ...term, bytes: item.bytes }), outcome: null };
        return { after: encode(recordRow, { ...term, signed: item.signed }), outcome: null };
      });
    },
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

/** The longer of two terms: who stores a thing again never shortens its life. */
function longer(a: Term, b: Term | null): Term {
  return b ? { expires: Math.max(a.expires, b.expires), spare: a.spare && b.spare } : a;
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
