/** What every Sealer must do (ports.ts), for the owners of real keys. */
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, EMPTY, equal, fromUtf8 } from '../../src/base/bytes.ts';
import { hasCode } from '../../src/base/errors.ts';
import type { Sealer } from '../../src/base/ports.ts';

export interface SealerOwner {
  /** Ed25519. */
  readonly publicKey: Bytes;
  readonly sealer: Sealer;
}

export function sealerContract(name: string, create: () => Promise<SealerOwner>): void {
  describe(`Sealer: ${name}`, () => {
    test('opens for its owner alone, and adds 48 bytes', async () => {
      const [alice, bob, eve] = [await create(), await create(), await create()];
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (message) => {
          const sealed = await alice.sealer.seal(bob.publicKey, message);
          expect(sealed.length).toBe(message.length + 48);
          expect(await bob.sealer.unseal(sealed)).toEqual(new Uint8Array(message));
          expect(await eve.sealer.unseal(sealed)).toBeNull();
          expect(await alice.sealer.unseal(sealed)).toBeNull();
        }),
        { numRuns: 20 },
      );
    });

    test('never gives the same bytes twice, and none of the message', async () => {
      const owner = await create();
      const message = fromUtf8('a message that is long enough to be found again');
      const [one, two] = [await owner.sealer.seal(owner.publicKey, message), await owner.sealer.seal(owner.publicKey, message)];
      expect(equal(one, two)).toBe(false);
      expect(Array.from(one).join()).not.toContain(Array.from(message.subarray(0, 8)).join());
    });

    test('what was changed, cut or made up gives null, never an error', async () => {
      const owner = await create();
      const sealed = await owner.sealer.seal(owner.publicKey, fromUtf8('hello'));
      for (let i = 0; i < sealed.length; i++) {
        const changed = new Uint8Array(sealed);
        changed[i] = (changed[i] as number) ^ (i === 31 ? 1 : 0x80); // X25519 does not look at the top bit of its last byte
        expect(await owner.sealer.unseal(changed), `byte ${i}`).toBeNull();
      }
      for (const length of [0, 1, 31, 32, 47, sealed.length - 1]) expect(await owner.sealer.unseal(sealed.subarray(0, length))).toBeNull();
      expect(await owner.sealer.unseal(new Uint8Array(60))).toBeNull();
    });

    test('does not seal to what is no key', async () => {
      const { sealer } = await create();
      for (const key of [EMPTY, new Uint8Array(31), new Uint8Array(32).fill(0xff), Uint8Array.of(1, ...new Uint8Array(31))]) {
        const error: unknown = await sealer.seal(key, EMPTY).catch((problem: unknown) => problem);
        expect(hasCode(error, 'invalid')).toBe(true);
      }
    });

    test('goes by the X25519 key that an Ed25519 key stands for, to another library as well', async () => {
      const { importSealingKey } = await import('../../src/browser/seal.ts');
      for (let i = 0; i < 20; i++) {
        const publicKey = ed25519.getPublicKey(ed25519.utils.randomSecretKey());
        const key = await importSealingKey(publicKey);
        expect(new Uint8Array(await crypto.subtle.exportKey('raw', key))).toEqual(ed25519.utils.toMontgomery(publicKey));
      }
    });
  });
}
