/** The keys of a node: one Ed25519 key that it signs with, and the same key as X25519, to open what is sealed to it. */
import { type Bytes, concat, fromHex } from '../base/bytes.ts';
import { generateKeyPair, SIGNING_USES } from './crypto.ts';
import { importSealingKey } from './seal.ts';

/** The private halves can't be read, by us or by anybody; a browser can keep them on disk. */
export interface NodeKeys {
  /** Ed25519. */
  readonly signing: CryptoKeyPair;
  /** X25519. */
  readonly sealing: CryptoKeyPair;
}

/** What stands before 32 private bytes in PKCS #8 (RFC 8410). */
const ED25519_PREFIX = fromHex('302e020100300506032b657004220420') as Bytes;
const X25519_PREFIX = fromHex('302e020100300506032b656e04220420') as Bytes;
const SEED_BYTES = 32;

/** New ones. Rejects with `missing-feature` where the browser lacks one of the two curves. */
export async function generateNodeKeys(): Promise<NodeKeys> {
  const { subtle } = crypto;
  // By way of one that can be read, as both must come of the same secret bytes.
  const readable = await generateKeyPair(true);
  const secret = new Uint8Array(await subtle.exportKey('pkcs8', readable.privateKey)).slice(-SEED_BYTES);
  const scalar = new Uint8Array(await subtle.digest('SHA-512', secret)).subarray(0, SEED_BYTES); // RFC 8032 §5.1.5
  const [signing, opening, sealing] = await Promise.all([
    subtle.importKey('pkcs8', concat(ED25519_PREFIX, secret), 'Ed25519', false, SIGNING_USES),
    subtle.importKey('pkcs8', concat(X25519_PREFIX, scalar), 'X25519', false, ['deriveBits']),
    importSealingKey(new Uint8Array(await subtle.exportKey('raw', readable.publicKey))),
  ]);
  return {
    signing: { privateKey: signing, publicKey: readable.publicKey },
    sealing: { privateKey: opening, publicKey: sealing },
  };
}

/** What was kept on disk, if it is that. */
export function asNodeKeys(row: unknown): NodeKeys | null {
  const { signing, sealing } = (row ?? {}) as Partial<NodeKeys>;
  return isPair(signing) && isPair(sealing) ? { signing, sealing } : null;
}

function isPair(value: unknown): value is CryptoKeyPair {
  const { privateKey, publicKey } = (value ?? {}) as Partial<CryptoKeyPair>;
  return privateKey instanceof CryptoKey && publicKey instanceof CryptoKey;
}
