/** Seals small messages to a node's key: HPKE (RFC 9180), base mode, with X25519, HKDF-SHA256 and AES-128-GCM. */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { type Bytes, concat, copy, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Sealer } from '../base/ports.ts';
import { toMontgomery } from './montgomery.ts';

/** What is sealed here is good for nothing else. */
const INFO = fromUtf8('kadreel/seal/1').buffer;
const ENCAPSULATED_BYTES = 32;
const TAG_BYTES = 16;
const X25519 = 'X25519';

/** The Sealer of whoever owns this X25519 key pair, which must belong to its Ed25519 key. */
export function createSealer(own: CryptoKeyPair): Sealer {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  return {
    async seal(publicKey, message) {
      const held = copy(message).buffer; // the caller may change it meanwhile
      const recipientPublicKey = await importSealingKey(publicKey);
      const { enc, ct } = await suite.seal({ recipientPublicKey, info: INFO }, held);
      return concat(new Uint8Array(enc), new Uint8Array(ct));
    },
    async unseal(sealed): Promise<Bytes | null> {
      if (sealed.length < ENCAPSULATED_BYTES + TAG_BYTES) return null;
      const enc = copy(sealed.subarray(0, ENCAPSULATED_BYTES)).buffer;
      const ct = copy(sealed.subarray(ENCAPSULATED_BYTES)).buffer;
      try {
        return new Uint8Array(await suite.open({ recipientKey: own, enc, info: INFO }, ct));
      } catch {
        return null; // not for us, or not whole: the library tells them apart, nobody else needs to
      }
    },
  };
}

/** The X25519 key that goes with an Ed25519 key. Rejects with `invalid`. */
export async function importSealingKey(publicKey: Uint8Array): Promise<CryptoKey> {
  const point = toMontgomery(publicKey);
  if (!point) throw fail('invalid', 'These bytes are no Ed25519 key.');
  return crypto.subtle.importKey('raw', point, X25519, true, []);
}
