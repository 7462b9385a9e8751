import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '../../../src/base/ports.ts';

/** PKCS #8 around the 32 secret bytes of an Ed25519 key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A real Ed25519 signer, the same for the same seed byte. */
export function makeSigner(seed: number): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: new Uint8Array(Buffer.from(x as string, 'base64url')),
    sign: async (message) => new Uint8Array(sign(null, message, key)),
  };
}
