/** SHA-256 and Ed25519 by node:crypto. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify, webcrypto } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bytes } from '../src/base/bytes.ts';
import { fail } from '../src/base/errors.ts';
import type { Crypto, Signer } from '../src/base/ports.ts';

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Public keys kept ready (items). Making one out of its 32 bytes costs a tenth of a verification. */
const MAX_KEYS = 4096;
const KEY_FILE = 'node-key.pem';
/** For the owner of the process only. */
const PRIVATE_MODE = 0o600;

/** The Crypto port. Verification runs on the thread pool, off the thread that serves links. */
export function createNodeCrypto(): Crypto {
  const imported = new Map<string, KeyObject | null>();

  const importKey = (publicKey: Uint8Array): KeyObject | null => {
    const name = Buffer.from(publicKey).toString('base64url');
    let key = imported.get(name);
    if (key === undefined) key = keyOrNull(name);
    else imported.delete(name);
    imported.set(name, key); // at the young end: the map's order is the order of use
    if (imported.size > MAX_KEYS) imported.delete(imported.keys().next().value as string);
    return key;
  };

  return {
    hash: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    digest: async (bytes) => new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes)),
    verify(publicKey, message, signature) {
      if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return Promise.resolve(false);
      const key = importKey(publicKey);
      if (!key) return Promise.resolve(false);
      // Copied: the caller may reuse the buffers that these are views on.
      const held = { message: new Uint8Array(message), signature: new Uint8Array(signature) };
      return new Promise((resolve) => {
        verify(null, held.message, key, held.signature, (error, valid) => resolve(error === null && valid));
      });
    },
  };
}

/** The key, or null when these 32 bytes (base64url) are none. */
function keyOrNull(x: string): KeyObject | null {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return null;
  }
}

/**
 * The node's own key: the one kept in `dataDir`, made there when there is none yet, or a new one that nobody keeps when `dataDir`
 * is null. Throws `invalid` when what is kept can't be read: a node must not change its identity unasked.
 */
export function openSigner(dataDir: string | null): Signer {
  const privateKey = dataDir === null ? generateKeyPairSync('ed25519').privateKey : keptKey(dataDir);
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    publicKey: new Uint8Array(Buffer.from(x as string, 'base64url')),
    sign: async (message): Promise<Bytes> => new Uint8Array(sign(null, message, privateKey)),
  };
}

function keptKey(dataDir: string): KeyObject {
  const path = join(dataDir, KEY_FILE);
  try {
    mkdirSync(dataDir, { recursive: true });
    if (!existsSync(path)) return newKey(path);
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw unreadable(path);
}

function newKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = openSync(path, 'wx', PRIVATE_MODE);
  try {
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return privateKey;
}

function unreadable(path: string, cause?: unknown): Error {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return fail(
    'invalid',
    `The node's key in ${path} can't be used${why}. Restore it, or move it away: then the node starts as a new one.`,
    cause,
  );
}
