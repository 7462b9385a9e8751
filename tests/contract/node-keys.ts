/** The owner of fresh node keys, for the contracts of Signer and Sealer. */
import { createSigner } from '../../src/browser/crypto.ts';
import { generateNodeKeys } from '../../src/browser/node-keys.ts';
import { createSealer } from '../../src/browser/seal.ts';
import type { SealerOwner } from './sealer.ts';

export async function createOwner(): Promise<SealerOwner> {
  const keys = await generateNodeKeys();
  return { publicKey: (await createSigner(keys.signing)).publicKey, sealer: createSealer(keys.sealing) };
}
