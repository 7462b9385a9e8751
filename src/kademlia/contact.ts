/** How to reach a node. */
import type { Bytes } from '../base/bytes.ts';
import { Memo } from '../base/memo.ts';
import { NATS, type Nat } from '../base/nat.ts';
import type { Crypto } from '../base/ports.ts';
import { checkedString, list, nullable, oneOf, type Schema, shared, struct, uint } from '../base/schema.ts';
import { type Coordinate, coordinateSchema } from './coordinate.ts';
import { hashKey, keySchema, type NodeId } from './key.ts';

/** An Ed25519 public key (RFC 8032). */
export const PUBLIC_KEY_BYTES = 32;
/** Bytes of an open node's address. Long enough for a name of 253 characters with scheme, port and path. */
export const MAX_URL_BYTES = 300;
/** Nodes that a closed node names as ways to it. More would not be tried before its address is stale. */
export const MAX_VIA = 3;

export interface Contact {
  readonly id: NodeId;
  /** The node's Ed25519 public key; its id is computed from it, never believed. */
  readonly publicKey: Bytes;
  /** The address where an open node can be dialled (`ws:` or `wss:`); null for a closed node. */
  readonly open: string | null;
  /** Nodes, open or not, that a closed node keeps a link to: ways to it while its neighbours have not found it. */
  readonly via: readonly NodeId[];
  /** Where it says it is; null when it does not know yet. */
  readonly coordinate: Coordinate | null;
  /** What it believes stands between it and the rest; null when it does not know, and for an open node. */
  readonly nat: Nat | null;
  /** The UDP port at which an open node answers STUN (RFC 8489), on the host of its address; null when it does not. */
  readonly stun: number | null;
}

const MAX_PORT = 65_535;

/** As Nat. */
export const natSchema: Schema<Nat> = oneOf(NATS);

/** A contact on the wire: the id is left out. */
export interface ContactFields {
  readonly publicKey: Bytes;
  readonly open: string | null;
  readonly via: readonly NodeId[];
  readonly coordinate: Coordinate | null;
  readonly nat: Nat | null;
  readonly stun: number | null;
}

const url = checkedString(MAX_URL_BYTES, isOpenUrl);

export const contactSchema: Schema<ContactFields> = struct<ContactFields>({
  publicKey: shared(PUBLIC_KEY_BYTES),
  open: nullable(url),
  via: list(keySchema, MAX_VIA),
  coordinate: nullable(coordinateSchema),
  nat: nullable(natSchema),
  stun: nullable(uint(MAX_PORT)),
});

const OPEN_URL = /^wss?:\/\/(?:[a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?(?:\/[\w./~-]*)?$/;

/** The form of an address that can be dialled; says nothing about what answers there. */
export function isOpenUrl(text: string): boolean {
  return OPEN_URL.test(text);
}

/** A node by its public key, and what was said of late of how to reach it. */
interface Named {
  readonly id: NodeId;
  readonly publicKey: Bytes;
  readonly versions: Contact[];
  /** Of the version that goes when there is a new one. */
  oldest: number;
}

interface Names {
  readonly memo: Memo<Named>;
  /** Of each contact. */
  versions: number;
}

/** Nodes that are remembered: all of a network of 10,000. At most 20 MB; it grows by what comes. */
const MEMO_SLOTS = 32_768;
const names = new WeakMap<Crypto, Names>();

/** The contact whose fields came over the wire. The same fields give the same object: nobody changes it, and thousands name it. */
export function contactOf(crypto: Crypto, fields: ContactFields): Contact {
  const { publicKey, open, via, coordinate, nat, stun } = fields;
  const { memo, versions } = namesOf(crypto);
  const named = memo.read(publicKey, 0, publicKey.length) as Named;
  let ways = via;
  for (const one of named.versions) {
    if (!isSameList(one.via, via)) continue;
    if (one.open === open && one.nat === nat && one.stun === stun && isSamePlace(one.coordinate, coordinate)) return one;
    ways = one.via;
  }
  const contact = { id: named.id, publicKey: named.publicKey, open, via: ways, coordinate, nat, stun };
  named.versions[named.oldest] = contact;
  named.oldest = (named.oldest + 1) % versions;
  return contact;
}

/** The same contact at another place: a copy. */
export function movedTo(contact: Contact, coordinate: Coordinate): Contact {
  return { ...contact, coordinate };
}

/** Remembers so many versions of each contact: one does for a node by itself; thousands in one process know the same ones. */
export function rememberContacts(crypto: Crypto, { versions }: { readonly versions: number }): void {
  namesOf(crypto).versions = versions;
}

function namesOf(crypto: Crypto): Names {
  let found = names.get(crypto);
  if (!found) {
    found = {
      memo: new Memo((bytes) => ({ id: hashKey(crypto, bytes), publicKey: bytes, versions: [], oldest: 0 }), MEMO_SLOTS),
      versions: 1,
    };
    names.set(crypto, found);
  }
  return found;
}

function isSameList(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function isSamePlace(a: Coordinate | null, b: Coordinate | null): boolean {
  return a === b || (a !== null && b !== null && a.x === b.x && a.y === b.y && a.height === b.height);
}
