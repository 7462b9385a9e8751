/** What every Crypto and Signer must do (ports.ts), with published vectors and @noble/curves as the outside judge. */
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, EMPTY, equal, fromHex, fromUtf8, toHex } from '../../src/base/bytes.ts';
import type { Crypto, Signer } from '../../src/base/ports.ts';

export function cryptoContract(name: string, options: { create: () => Crypto; createSigner: () => Promise<Signer> }): void {
  const crypto = options.create();

  describe(`Crypto: ${name}`, () => {
    test.each([
      ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
    ])('SHA-256 of “%s” is as in FIPS 180-4', async (text, digest) => {
      expect(toHex(crypto.hash(fromUtf8(text)))).toBe(digest);
      expect(toHex(await crypto.digest(fromUtf8(text)))).toBe(digest);
    });

    test('hash and digest agree, also on views', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.nat(50), async (bytes, start) => {
          const view = new Uint8Array(bytes).subarray(Math.min(start, bytes.length));
          expect(equal(crypto.hash(view), await crypto.digest(view))).toBe(true);
        }),
      );
    });

    test('the vectors of RFC 8032 §7.1 verify', async () => {
      for (const vector of RFC_8032) {
        const [key, message, signature] = [hex(vector.publicKey), hex(vector.message), hex(vector.signature)];
        expect(await crypto.verify(key, message, signature)).toBe(true);
        expect(await crypto.verify(key, fromUtf8('another'), signature)).toBe(false);
      }
    });

    test('a changed bit anywhere is a bad signature', async () => {
      const secret = ed25519.utils.randomSecretKey();
      const publicKey = ed25519.getPublicKey(secret);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(7), async (message, at, bit) => {
          const signature = ed25519.sign(message, secret);
          expect(await crypto.verify(publicKey, message, signature)).toBe(true);
          expect(await crypto.verify(publicKey, flipped(message, at, bit), signature)).toBe(false);
          expect(await crypto.verify(publicKey, message, flipped(signature, at, bit))).toBe(false);
          expect(await crypto.verify(flipped(publicKey, at, bit), message, signature)).toBe(false);
        }),
        { numRuns: 50 },
      );
    });

    test('wrong lengths and keys that are none give false, never an error', async () => {
      const good = RFC_8032[1] as (typeof RFC_8032)[number];
      const [key, message, signature] = [hex(good.publicKey), hex(good.message), hex(good.signature)];
      for (const length of [0, 31, 33, 64]) expect(await crypto.verify(new Uint8Array(length), message, signature)).toBe(false);
      for (const length of [0, 63, 65]) expect(await crypto.verify(key, message, new Uint8Array(length))).toBe(false);
      expect(await crypto.verify(new Uint8Array(32).fill(0xff), message, signature)).toBe(false);
      expect(await crypto.verify(key, EMPTY, signature)).toBe(false);
    });

    test('more keys than any cache holds still verify', async () => {
      for (let i = 0; i < 600; i += 1) {
        const secret = new Uint8Array(32).fill(i & 0xff);
        secret[0] = i >> 8;
        if (i % 60 !== 0) {
          await crypto.verify(secret, EMPTY, new Uint8Array(64));
          continue;
        }
        expect(await crypto.verify(ed25519.getPublicKey(secret), EMPTY, ed25519.sign(EMPTY, secret))).toBe(true);
      }
    });

    test('a signer signs what its public key verifies, here and elsewhere', async () => {
      const signer = await options.createSigner();
      expect(signer.publicKey).toHaveLength(32);
      const message = fromUtf8('xa messagex').subarray(1, -1);
      const signature = await signer.sign(message);
      expect(signature).toHaveLength(64);
      expect(await crypto.verify(signer.publicKey, message, signature)).toBe(true);
      expect(ed25519.verify(signature, message, signer.publicKey)).toBe(true);
      const other = await options.createSigner();
      expect(await crypto.verify(other.publicKey, message, signature)).toBe(false);
    });

    test('what the caller changes after the call does not matter', async () => {
      const signer = await options.createSigner();
      const message = fromUtf8('first');
      const signing = signer.sign(message);
      message.fill(0);
      const signature = await signing;
      const again = fromUtf8('first');
      const verifying = crypto.verify(signer.publicKey, again, signature);
      again.fill(0);
      expect(await verifying).toBe(true);
    });
  });
}

const RFC_8032 = [
  {
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
] as const;

function hex(text: string): Bytes {
  return fromHex(text) as Bytes;
}

function flipped(bytes: Uint8Array, at: number, bit: number): Bytes {
  const changed = new Uint8Array(bytes);
  const index = at % bytes.length;
  changed[index] = (changed[index] as number) ^ (1 << bit);
  return changed;
}
