/** The 160-bit space of node ids and keys, and its XOR distance (Maymounkov and Mazières, "Kademlia", 2002, §2.1). */
import { type Bytes, fromHex, toHex } from '../base/bytes.ts';
import type { Crypto } from '../base/ports.ts';
import { hexText, type Schema } from '../base/schema.ts';

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

export const keySchema: Schema<Key> = hexText(KEY_BYTES, keyOf);

/** The XOR distance of two keys, as a key-shaped text whose text order is the order of distance. */
export function distance(a: Key, b: Key): string {
  const codes = new Array<number>(a.length);
  for (let i = 0; i < a.length; i++) codes[i] = DIGITS.charCodeAt(digitAt(a, i) ^ digitAt(b, i));
  return String.fromCharCode.apply(null, codes);
}

/** Negative when `a` is nearer to `target` than `b`. */
export function compareDistance(target: Key, a: Key, b: Key): number {
  const i = firstDifference(a, b);
  if (i === a.length) return 0;
  const t = digitAt(target, i);
  return (digitAt(a, i) ^ t) - (digitAt(b, i) ^ t);
}

/** How many leading bits two keys share: 0 to 160. The k-bucket of `b` in `a`'s routing table. */
export function commonPrefix(a: Key, b: Key): number {
  const i = firstDifference(a, b);
  // Math.clz32 counts in 32 bits, of which a digit has the last four.
  return i === a.length ? KEY_BITS : 4 * i + Math.clz32(digitAt(a, i) ^ digitAt(b, i)) - 28;
}

const DIGITS = '0123456789abcdef';

/** What the digit is worth: 0 to 9 are 48 to 57, a to f are 97 to 102. */
function digitAt(key: Key, index: number): number {
  const code = key.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}

/** Nearly always the first or the second digit: of two keys seldom more is looked at. */
function firstDifference(a: Key, b: Key): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
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
