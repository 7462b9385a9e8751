/** A record: one signed value that its owner may replace. The key is the hash of the owner's key and a name. */
import { type Bytes, concat, copy, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, Signer } from '../base/ports.ts';
import { binary, decode, encode, fixed, type Schema, string, struct, time as timeSchema } from '../base/schema.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type Signed, sign, verify } from './signed.ts';
import { clockSchema, type Device, EMPTY_CLOCK, increment, type VectorClock } from './vector-clock.ts';

export interface RecordBody {
  /** The Ed25519 public key of the account that signs, 32 bytes. */
  readonly owner: Bytes;
  /** At most 64 bytes of UTF-8. */
  readonly name: string;
  readonly clock: VectorClock;
  /** Milliseconds since 1970; later than that of every version its writer had seen. */
  readonly time: number;
  readonly value: Bytes;
}

/** What travels, and what it says. Whoever makes one from foreign bytes verifies it before believing it. */
export interface SignedRecord {
  readonly signed: Signed;
  readonly body: RecordBody;
}

/** Bytes of a record's or an entry's name. */
export const MAX_NAME_BYTES = 64;

const OWNER_BYTES = 32;

export const recordBodySchema: Schema<RecordBody> = struct<RecordBody>({
  owner: fixed(OWNER_BYTES),
  name: string(MAX_NAME_BYTES),
  clock: clockSchema,
  time: timeSchema,
  value: binary(LIMITS.recordValue),
});

const KEY_DOMAIN = fromUtf8('kadreel/record-key/1\0');

/** Where the record is stored: the hash of a prefix, the owner's 32 bytes and the name. */
export function recordKey(crypto: Crypto, owner: Uint8Array, name: string): Key {
  return hashKey(crypto, concat(KEY_DOMAIN, owner, fromUtf8(name)));
}

/**
 * The next version of a record. Its time is later than that of `previous` whatever the clock on the wall says, so that the order by
 * time never contradicts the vector clocks. Throws `too-large` or `invalid`.
 */
export async function writeRecord(options: {
  signer: Signer;
  device: Device;
  name: string;
  value: Bytes;
  now: number;
  previous: SignedRecord | null;
}): Promise<SignedRecord> {
  const { signer, device, name, value, now, previous } = options;
  checkName(name);
  if (value.length > LIMITS.recordValue)
    throw fail('too-large', `A record holds at most ${LIMITS.recordValue} bytes, not ${value.length}.`);
  if (previous && previous.body.name !== name) throw fail('invalid', `“${previous.body.name}” is not an earlier version of “${name}”.`);
  const time = Math.max(Math.floor(now), (previous?.body.time ?? -1) + 1);
  const clock = increment(previous?.body.clock ?? EMPTY_CLOCK, device, time);
  const body = encode(recordBodySchema, { owner: signer.publicKey, name, clock, time, value });
  const record = openRecord(await sign(signer, 'kadreel/record/1', body));
  if (!record) throw fail('internal', 'A record that was just written can not be read.');
  return record;
}

/** The record in signed bytes, which are copied; null when they do not hold one. Does not verify. */
export function openRecord(signed: Signed): SignedRecord | null {
  const own: Signed = { body: copy(signed.body), signature: copy(signed.signature) };
  const body = decode(recordBodySchema, own.body);
  return body && { signed: own, body };
}

/** True when the owner that the record names signed it. */
export function verifyRecord(crypto: Crypto, record: SignedRecord): Promise<boolean> {
  return verify(crypto, 'kadreel/record/1', { publicKey: record.body.owner, signed: record.signed });
}

/** Throws `too-large` for a name above 64 bytes. */
export function checkName(name: string): void {
  if (fromUtf8(name).length > MAX_NAME_BYTES) throw fail('too-large', `A name has at most ${MAX_NAME_BYTES} bytes.`);
}
