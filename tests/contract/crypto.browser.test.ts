import { createCrypto, createSigner, generateKeyPair } from '../../src/browser/crypto.ts';
import { cryptoContract } from './crypto.ts';

cryptoContract('WebCrypto in a browser', { create: createCrypto, createSigner: async () => createSigner(await generateKeyPair(false)) });
