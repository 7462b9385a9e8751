import { fromHex } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { type Key, parseKey } from '../../../src/kademlia/key.ts';

/** A contact with the id that these digits begin; its public key is not the one that has this hash. */
export function makeContact(digits: string, open: string | null = null): Contact {
  const id = parseKey(digits.padEnd(40, '0')) as Key;
  return { id, publicKey: fromHex(id.padEnd(64, '0')) as Contact['publicKey'], open, via: [], coordinate: null, nat: null, stun: null };
}
