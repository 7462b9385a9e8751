/** Bytes with a signature over them exactly as they are: what was signed is never encoded again. */
import { type Bytes, concat, fromUtf8 } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, Signer } from '../base/ports.ts';
import { binary, fixed, type Schema, struct } from '../base/schema.ts';

/** An Ed25519 signature (RFC 8032). */
export const SIGNATURE_BYTES = 64;
/** Around a record's value: owner, name, time and a full vector clock. */
const BODY_OVERHEAD = 1024;

export interface Signed {
  /** The encoded body. */
  readonly body: Bytes;
  /** Ed25519 over the domain, a zero byte and `body`. */
  readonly signature: Bytes;
}

export const signedSchema: Schema<Signed> = struct<Signed>({
  body: binary(LIMITS.recordValue + BODY_OVERHEAD),
  signature: fixed(SIGNATURE_BYTES),
});

/** What a signature is for, so that one made for a record is worthless on a set entry. */
export type SignatureDomain = 'kadreel/record/1' | 'kadreel/entry/1' | 'kadreel/hello/1' | 'kadreel/signal/1';

/** The bytes that are really signed. */
export function signedMessage(domain: SignatureDomain, body: Uint8Array): Bytes {
  return concat(fromUtf8(domain), ZERO, body);
}

const ZERO = new Uint8Array(1);

/** The body with the signer's signature over it, for this purpose and no other. */
export async function sign(signer: Signer, domain: SignatureDomain, body: Bytes): Promise<Signed> {
  return { body, signature: await signer.sign(signedMessage(domain, body)) };
}

/** True when the holder of `by.publicKey` signed it for this purpose. Never rejects. */
export function verify(crypto: Crypto, domain: SignatureDomain, by: { publicKey: Uint8Array; signed: Signed }): Promise<boolean> {
  return crypto.verify(by.publicKey, signedMessage(domain, by.signed.body), by.signed.signature);
}
