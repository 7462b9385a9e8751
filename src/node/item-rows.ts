/** How kept things lie on the disk: one row for the value, the record or the set under a key. */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, boolean, decode, list, struct, time } from '../base/schema.ts';
import { type Key, parseKey } from '../kademlia/key.ts';
import { openEntry, type SignedEntry } from '../records/entry.ts';
import { liveEntries } from '../records/entry-set.ts';
import { type Signed, signedSchema } from '../records/signed.ts';
import type { Item, Want } from '../wire/messages.ts';

/** What a row of a value or a record says besides. */
export interface Term {
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** True for a copy that others nearer to the key have as well: it is given to who asks, but not stored again elsewhere. */
  readonly spare: boolean;
}

/** A kept value. */
export const valueRow = struct<Term & { bytes: Bytes }>({ expires: time, spare: boolean, bytes: binary(LIMITS.value) });
/** A kept record. */
export const recordRow = struct<Term & { signed: Signed }>({ expires: time, spare: boolean, signed: signedSchema });
/** Entries carry their own ends. */
export const entriesRow = list(signedSchema, LIMITS.entriesPerTopic);

const PREFIX: Readonly<Record<Want, string>> = { value: 'v', record: 'r', entries: 'e' };

/** The name of a row. */
export function rowOf(want: Want, key: Key): string {
  return `${PREFIX[want]}/${key}`;
}

/** What a row's name says, or null. */
export function parseRow(row: string): { key: Key; want: Want } | null {
  const key = parseKey(row.slice(2));
  const want = (Object.keys(PREFIX) as Want[]).find((name) => row.startsWith(`${PREFIX[name]}/`));
  return key && want ? { key, want } : null;
}

/** The entries in a row, expired ones included. */
export function openEntries(bytes: Bytes | null): readonly SignedEntry[] {
  const kept = bytes ? decode(entriesRow, bytes) : null;
  return kept?.flatMap((signed) => openEntry(signed) ?? []) ?? [];
}

/** The value or record in a row, with its term; null when it has expired or is not what it should be. */
export function openTermed(want: 'value' | 'record', bytes: Bytes, now: number): (Term & { item: Item }) | null {
  const row = want === 'value' ? decode(valueRow, bytes) : decode(recordRow, bytes);
  if (!row || row.expires <= now) return null;
  const { expires, spare } = row;
  return { expires, spare, item: 'bytes' in row ? { type: 'value', bytes: row.bytes } : { type: 'record', signed: row.signed } };
}

/** True when anything in the row has not expired. */
export function livesOn(want: Want, bytes: Bytes, now: number): boolean {
  return want === 'entries' ? liveEntries(openEntries(bytes), now).length > 0 : openTermed(want, bytes, now) !== null;
}
