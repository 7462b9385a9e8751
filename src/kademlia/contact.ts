/** How to reach a node. */
import type { Bytes } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import { checkedString, fixed, list, nullable, type Schema, struct } from '../base/schema.ts';
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
}

/** A contact on the wire: the id is left out. */
export interface ContactFields {
  readonly publicKey: Bytes;
  readonly open: string | null;
  readonly via: readonly NodeId[];
  readonly coordinate: Coordinate | null;
}

const url = checkedString(MAX_URL_BYTES, isOpenUrl);

export const contactSchema: Schema<ContactFields> = struct<ContactFields>({
  publicKey: fixed(PUBLIC_KEY_BYTES),
  open: nullable(url),
  via: list(keySchema, MAX_VIA),
  coordinate: nullable(coordinateSchema),
});

const OPEN_URL = /^wss?:\/\/(?:[a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?(?:\/[\w./~-]*)?$/;

/** The form of an address that can be dialled; says nothing about what answers there. */
export function isOpenUrl(text: string): boolean {
  return OPEN_URL.test(text);
}

/** The contact whose fields came over the wire; the fields' bytes are copied. */
export function contactOf(crypto: Crypto, fields: ContactFields): Contact {
  const publicKey = new Uint8Array(fields.publicKey);
  return { id: hashKey(crypto, publicKey), publicKey, open: fields.open, via: fields.via, coordinate: fields.coordinate };
}
