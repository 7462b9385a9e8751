/** From Ed25519 to X25519: one key to sign and to be written to (RFC 7748 §4.1, as libsodium and age do it). */
import type { Bytes } from '../base/bytes.ts';

const P = 2n ** 255n - 19n;
const KEY_BYTES = 32;

/** The u-coordinate of the point whose Edwards encoding these 32 bytes are: u = (1 + y) / (1 − y). Null for what is no key. */
export function toMontgomery(publicKey: Uint8Array): Bytes | null {
  if (publicKey.length !== KEY_BYTES) return null;
  const y = readLittleEndian(publicKey) & (2n ** 255n - 1n); // the top bit is the sign of x
  if (y >= P || y === 1n) return null;
  return writeLittleEndian(modulo((1n + y) * inverse(modulo(1n - y))));
}

function modulo(n: bigint): bigint {
  return ((n % P) + P) % P;
}

/** By Fermat: n^(P − 2). */
function inverse(n: bigint): bigint {
  let [result, base] = [1n, n];
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

function readLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n);
}

function writeLittleEndian(n: bigint): Bytes {
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number((n >> BigInt(8 * i)) & 0xffn));
}
