/** Who keeps a group: signed, expiring entries under the group's key (design §1, "holder"). */
import type { Bytes } from '../base/bytes.ts';
import { copy, EMPTY, toHex } from '../base/bytes.ts';
import type { Nat } from '../base/nat.ts';
import type { Clock, Crypto, Signer } from '../base/ports.ts';
import { decode, encode, fixed, list, nullable, string, struct } from '../base/schema.ts';
import { type Contact, contactOf, isOpenUrl, MAX_URL_BYTES, MAX_VIA, natSchema } from '../kademlia/contact.ts';
import { type Coordinate, coordinateSchema } from '../kademlia/coordinate.ts';
import { hashKey, type Key, keySchema, type NodeId } from '../kademlia/key.ts';
import { type SignedEntry, writeEntry } from '../records/entry.ts';
import { HOLDER_LIFE } from '../records/expiry.ts';
import { STORE_ID_BYTES } from '../wire/messages.ts';

export interface Holder {
  readonly contact: Contact;
  /** Hexadecimal. Nodes with the same one share a disk, and are one copy. */
  readonly storeId: string;
  readonly expires: number;
}

interface HolderValue {
  readonly storeId: Bytes;
  readonly open: string | null;
  readonly via: readonly NodeId[];
  readonly coordinate: Coordinate | null;
  readonly nat: Nat | null;
}

const holderValue = struct<HolderValue>({
  storeId: fixed(STORE_ID_BYTES),
  open: nullable(string(MAX_URL_BYTES)),
  via: list(keySchema, MAX_VIA),
  coordinate: nullable(coordinateSchema),
  nat: nullable(natSchema),
});

/** Only one entry of a node under a group: the next replaces it. */
const ENTRY_NAME = '';

/** Whose word it is, and on what. */
export interface HolderEntryOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly group: Key;
  readonly contact: Contact;
  readonly storeId: Bytes;
}

/** This node's word that it keeps the group. */
export function holderEntry(options: HolderEntryOptions): Promise<SignedEntry> {
  const { signer, clock, group, contact, storeId } = options;
  const time = clock.now();
  const { open, via, coordinate, nat } = contact;
  const value = encode(holderValue, { storeId, open, via, coordinate, nat });
  return writeEntry({ signer, topic: group, name: ENTRY_NAME, value, time, expires: time + HOLDER_LIFE });
}

/** This node's word that it no longer keeps the group: it takes the place of the other word, and lives as long as that might. */
export function withdrawalEntry({ signer, clock, group }: Pick<HolderEntryOptions, 'signer' | 'clock' | 'group'>): Promise<SignedEntry> {
  const time = clock.now();
  return writeEntry({ signer, topic: group, name: ENTRY_NAME, value: EMPTY, time, expires: time + HOLDER_LIFE });
}

/** Who has taken back its word on a group, and until when that holds; null when the entry says something else. The caller has verified it. */
export function readWithdrawal(crypto: Crypto, { body }: SignedEntry, group: Key): { id: NodeId; expires: number } | null {
  if (body.topic !== group || body.name !== ENTRY_NAME || body.value.length > 0) return null;
  return { id: hashKey(crypto, body.writer), expires: body.expires };
}

/** The holder that an entry names, or null when it is none, has expired or asks to live too long. The caller has verified the entry. */
export function readHolder(crypto: Crypto, { body }: SignedEntry, at: { group: Key; now: number }): Holder | null {
  if (body.topic !== at.group || body.expires <= at.now) return null;
  // One entry for each node, and a short one: else one node could pass for many disks, or stay after it has gone.
  if (body.name !== ENTRY_NAME || body.expires - body.time > HOLDER_LIFE) return null;
  const value = decode(holderValue, body.value);
  if (!value || (value.open !== null && !isOpenUrl(value.open))) return null;
  const { open, via, coordinate, nat } = value;
  const contact = contactOf(crypto, { publicKey: copy(body.writer), open, via, coordinate, nat, stun: null });
  return { contact, storeId: toHex(value.storeId), expires: body.expires };
}
