/** The 160-bit space of node ids and keys, and its XOR distance (Maymounkov and Mazières, "Kademlia", 2002, §2.1). */
import { type Bytes, fromHex, toHex } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import { fixedAs, type Schema } from '../base/schema.ts';

/** The width of a key, in bytes and in bits. */
export const KEY_BYTES = 20;
/** See `KEY_BYTES`. */
export const KEY_BITS = 8 * KEY_BYTES;

/** 160 bits, written as 40 lowercase hexadecimal digits, so that keys compare with `===` and order as text. */
export type Key = string & { readonly brand: 'Key' };

/** The key of a node: the first 160 bits of SHA-256 of its Ed25519 public key. */
export type NodeId = Key;

/** The key, or null when the text is not 40 hexadecimal digits. */
export function parseKey(text: string): Key | null {
  return /^[0-9a-f]{40}$/.test(text) ? (text as Key) : null;
}

/** The key whose bytes these 20 are. */
export function keyOf(bytes: Uint8Array): Key {
  return toHex(bytes) as Key;
}

/** The 20 bytes of a key. */
export function keyBytes(key: Key): Bytes {
  return fromHex(key) as Bytes;
}

/** The first 160 bits of SHA-256. */
export function hashKey(crypto: Crypto, bytes: Uint8Array): Key {
  return keyOf(crypto.hash(bytes).subarray(0, KEY_BYTES));
}

export const keySchema: Schema<Key> = fixedAs(KEY_BYTES, { parse: keyOf, format: keyBytes });

/** The XOR distance of two keys, as a key-shaped text whose text order is the order of distance. */
export function distance(a: Key, b: Key): string {
  let text = '';
  for (let i = 0; i < a.length; i += 8) {
    const word = (Number.parseInt(a.slice(i, i + 8), 16) ^ Number.parseInt(b.slice(i, i + 8), 16)) >>> 0;
    text += word.toString(16).padStart(8, '0');
  }
  return text;
}

/** Negative when `a` is nearer to `target` than `b`. */
export function compareDistance(target: Key, a: Key, b: Key): number {
  for (let i = 0; i < target.length; i += 8) {
    const t = Number.parseInt(target.slice(i, i + 8), 16);
    const da = (Number.parseInt(a.slice(i, i + 8), 16) ^ t) >>> 0;
    const db = (Number.parseInt(b.slice(i, i + 8), 16) ^ t) >>> 0;
    if (da !== db) return da < db ? -1 : 1;
  }
  return 0;
}

/** How many leading bits two keys share: 0 to 160. The k-bucket of `b` in `a`'s routing table. */
export function commonPrefix(a: Key, b: Key): number {
  for (let i = 0; i < a.length; i += 8) {
    const word = (Number.parseInt(a.slice(i, i + 8), 16) ^ Number.parseInt(b.slice(i, i + 8), 16)) >>> 0;
    if (word !== 0) return 4 * i + Math.clz32(word);
  }
  return KEY_BITS;
}

/** A key that shares exactly `prefix` leading bits with `key`; the rest comes from the 20 bytes of `random`. */
export function keyInBucket(key: Key, prefix: number, random: Uint8Array): Key {
  const own = keyBytes(key);
  const bytes = new Uint8Array(random.subarray(0, KEY_BYTES));
  for (let bit = 0; bit <= prefix && bit < KEY_BITS; bit++) {
    const index = bit >> 3;
    const mask = 0x80 >> (bit & 7);
    const wanted = bit === prefix ? ~(own[index] as number) & mask : (own[index] as number) & mask;
    bytes[index] = ((bytes[index] as number) & ~mask) | wanted;
  }
  return keyOf(bytes);
}
