import { createOwner } from './node-keys.ts';
import { sealerContract } from './sealer.ts';

sealerContract('HPKE in Node', createOwner);
