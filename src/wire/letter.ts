/** What SIGNAL carries: signed by its sender and sealed to its target, so that carriers can neither read nor change it (docs/protocol.md, rules L). */
import { type Bytes, concat } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, boolean, fixed, list, type Schema, string, struct, uint } from '../base/schema.ts';
import { SIGNATURE_BYTES } from '../records/signed.ts';

/** Random bytes that name an attempt to connect. */
export const SESSION_BYTES = 8;

/** What one side of an attempt to connect tells the other. */
export interface Letter {
  /** Names the attempt, chosen by who offers. */
  readonly session: Bytes;
  /** Counts letters from 0 in each direction, as carriers may reorder them. */
  readonly sequence: number;
  /** The link is wanted for a transfer, not for a routing table. */
  readonly transfer: boolean;
  /** The puncher's own texts, in order: an offer or answer, candidates. */
  readonly signals: readonly string[];
}

/** What is sealed. */
export interface SignedLetter {
  readonly body: Bytes;
  /** Ed25519 of the sender over the domain, a zero byte, the target's public key and `body`. */
  readonly signature: Bytes;
}

/** What sealing adds (RFC 9180): an X25519 key and an AES-GCM tag. */
export const SEAL_BYTES = 48;
/** Around the body: the signature, and the headers of both. */
const SIGNED_OVERHEAD = SIGNATURE_BYTES + 8;

/** As Letter. */
export const letterSchema: Schema<Letter> = struct<Letter>({
  session: fixed(SESSION_BYTES),
  sequence: uint(255),
  transfer: boolean,
  signals: list(string(LIMITS.signal), LIMITS.signals),
});

/** As SignedLetter. */
export const signedLetterSchema: Schema<SignedLetter> = struct<SignedLetter>({
  body: binary(LIMITS.letter - SEAL_BYTES - SIGNED_OVERHEAD),
  signature: fixed(SIGNATURE_BYTES),
});

/** What the signature is over, behind its domain: a letter to one node says nothing to another. */
export function letterBody(target: Uint8Array, body: Uint8Array): Bytes {
  return concat(target, body);
}
