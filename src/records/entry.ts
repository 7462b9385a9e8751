/** A set entry: one writer's signed bytes under a topic, with an end. Many writers share a topic. */
import { type Bytes, concat, copy, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto, Signer } from '../base/ports.ts';
import { binary, decode, encode, fixed, type Schema, string, struct, time as timeSchema } from '../base/schema.ts';
import { hashKey, type Key, keySchema } from '../kademlia/key.ts';
import { isEntryLife, MAX_ENTRY_LIFE } from './expiry.ts';
import { checkName, MAX_NAME_BYTES } from './record.ts';
import { type Signed, sign, verify } from './signed.ts';

export interface EntryBody {
  /** The key under which the set is stored. */
  readonly topic: Key;
  /** The Ed25519 public key that signs, 32 bytes. */
  readonly writer: Bytes;
  /** At most 64 bytes of UTF-8. A writer's entries with the same name replace each other: the later time wins. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds since 1970: at most 7 days after `time`. */
  readonly expires: number;
  readonly value: Bytes;
}

/** What travels, and what it says. Whoever makes one from foreign bytes verifies it before believing it. */
export interface SignedEntry {
  readonly signed: Signed;
  readonly body: EntryBody;
}

const WRITER_BYTES = 32;

export const entryBodySchema: Schema<EntryBody> = struct<EntryBody>({
  topic: keySchema,
  writer: fixed(WRITER_BYTES),
  name: string(MAX_NAME_BYTES),
  time: timeSchema,
  expires: timeSchema,
  value: binary(LIMITS.entryValue),
});

const TOPIC_DOMAIN = fromUtf8('kadreel/topic/1\0');

/** The key of a named topic, for example `newest`. */
export function topicKey(crypto: Crypto, topic: string): Key {
  return hashKey(crypto, concat(TOPIC_DOMAIN, fromUtf8(topic)));
}

/** Throws `too-large`, or `invalid` for a life that is not above 0 and at most 7 days. */
export async function writeEntry(options: {
  signer: Signer;
  topic: Key;
  name: string;
  value: Bytes;
  time: number;
  expires: number;
}): Promise<SignedEntry> {
  const { signer, topic, name, value, time, expires } = options;
  checkName(name);
  if (value.length > LIMITS.entryValue)
    throw fail('too-large', `A set entry holds at most ${LIMITS.entryValue} bytes, not ${value.length}.`);
  if (!isEntryLife(time, expires))
    throw fail('invalid', `A set entry lives more than 0 and at most ${MAX_ENTRY_LIFE} ms, not ${expires - time}.`);
  const body = encode(entryBodySchema, { topic, writer: signer.publicKey, name, time, expires, value });
  const entry = openEntry(await sign(signer, 'kadreel/entry/1', body));
  if (!entry) throw fail('internal', 'A set entry that was just written can not be read.');
  return entry;
}

/** The entry in signed bytes, which are copied; null when they do not hold one. Does not verify. */
export function openEntry(signed: Signed): SignedEntry | null {
  const own: Signed = { body: copy(signed.body), signature: copy(signed.signature) };
  const body = decode(entryBodySchema, own.body);
  return body && { signed: own, body };
}

/** True when the writer that the entry names signed it. */
export function verifyEntry(crypto: Crypto, entry: SignedEntry): Promise<boolean> {
  return verify(crypto, 'kadreel/entry/1', { publicKey: entry.body.writer, signed: entry.signed });
}
