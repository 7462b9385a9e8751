import { createCrypto, createSigner, generateKeyPair } from '../../src/browser/crypto.ts';
import { cryptoContract } from './crypto.ts';

cryptoContract('WebCrypto in Node', { create: createCrypto, createSigner: async () => createSigner(await generateKeyPair(false)) });
