/** SHA-256 and Ed25519 in a tab: small hashes at once by @noble/hashes, everything else by WebCrypto. */
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, Signer } from '../base/ports.ts';

const ED25519 = 'Ed25519';
/** What a private key may be used for. */
export const SIGNING_USES: KeyUsage[] = ['sign'];
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Imported public keys kept ready (items): a few times the links of a tab and the writers of a topic. */
const MAX_KEYS = 512;

/** The Crypto port. Throws `missing-feature` where there is no WebCrypto. */
export function createCrypto(): Crypto {
  const subtle = webCrypto();
  const imported = new Map<string, Promise<CryptoKey | null>>();

  /** The key, or null when these 32 bytes are none. */
  const importKey = (publicKey: Uint8Array): Promise<CryptoKey | null> => {
    const name = toHex(publicKey);
    const known = imported.get(name);
    if (known) {
      imported.delete(name); // to the young end: the map's order is the order of use
      imported.set(name, known);
      return known;
    }
    const key = subtle.importKey('raw', new Uint8Array(publicKey), ED25519, false, ['verify']).catch(() => null);
    imported.set(name, key);
    if (imported.size > MAX_KEYS) imported.delete(imported.keys().next().value as string);
    return key;
  };

  return {
    hash: (bytes) => sha256(bytes) as Bytes,
    digest: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes)),
    async verify(publicKey, message, signature) {
      if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      // Copied before the first wait: the caller may reuse the buffers that these are views on.
      const held = { message: new Uint8Array(message), signature: new Uint8Array(signature) };
      const key = await importKey(publicKey);
      if (!key) return false;
      return subtle.verify(ED25519, key, held.signature, held.message).catch(() => false);
    },
  };
}

/** Signs with a WebCrypto key pair, whose private half need not be extractable. */
export async function createSigner(pair: CryptoKeyPair): Promise<Signer> {
  const subtle = webCrypto();
  const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  return {
    publicKey,
    sign: async (message) => new Uint8Array(await subtle.sign(ED25519, pair.privateKey, new Uint8Array(message))),
  };
}

/** A new Ed25519 key pair. Throws `missing-feature` where the browser has no Ed25519. */
export async function generateKeyPair(extractable: boolean): Promise<CryptoKeyPair> {
  const subtle = webCrypto();
  try {
    return (await subtle.generateKey(ED25519, extractable, ['sign', 'verify'])) as CryptoKeyPair;
  } catch (error) {
    throw fail(
      'missing-feature',
      'This browser can’t make Ed25519 signatures, by which nodes know each other. Update it, or use a current Chrome, Edge, Firefox or Safari.',
      error,
    );
  }
}

function webCrypto(): SubtleCrypto {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return subtle;
  throw fail(
    'missing-feature',
    'This page has no access to the browser’s cryptography, because its address is not secure. Open it by https:// or on localhost.',
  );
}
