/**
 * Hashes as outside; signatures that only the simulated owner of a key can make, at a hash's price: verifying asks a registry
 * for the secret that goes with a public key.
 */
import { hash as hashOnce } from 'node:crypto';
import { type Bytes, concat, copy, equal, toHex } from '../../src/base/bytes.ts';
import type { Crypto, Random, Sealer, Signer } from '../../src/base/ports.ts';

export interface SimCrypto extends Crypto {
  signer(random: Random): Signer;
  /** Hides nothing, but opens only for the owner of the key, and is as long as a real one. */
  sealer(publicKey: Uint8Array): Sealer;
}

/** Of AES-GCM. */
const TAG = new Uint8Array(16);

export function createSimCrypto(): SimCrypto {
  const secrets = new Map<string, Bytes>();
  // In one call: half the price of `createHash`, `update` and `digest`.
  const hash = (bytes: Uint8Array): Bytes => new Uint8Array(hashOnce('sha256', bytes, 'buffer'));
  const signature = (secret: Bytes, message: Uint8Array): Bytes => {
    const half = hash(concat(secret, message));
    return concat(half, half);
  };
  return {
    hash,
    digest: async (bytes) => hash(bytes),
    async verify(publicKey, message, signed) {
      const secret = secrets.get(toHex(publicKey));
      return secret !== undefined && equal(signature(secret, message), signed);
    },
    signer(random) {
      const secret = random.bytes(32);
      const publicKey = hash(secret);
      secrets.set(toHex(publicKey), secret);
      return { publicKey, sign: async (message) => signature(secret, message) };
    },
    sealer: (publicKey) => ({
      seal: async (target, message) => concat(target, message, TAG),
      unseal: async (sealed) =>
        equal(sealed.subarray(0, publicKey.length), publicKey) ? copy(sealed.subarray(publicKey.length, sealed.length - TAG.length)) : null,
    }),
  };
}
