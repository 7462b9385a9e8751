/** Randomness in Node. */
import { randomFillSync, randomInt } from 'node:crypto';
import type { Random } from '../src/base/ports.ts';

/** As large as randomInt takes: below 2^48. */
const RANGE = 2 ** 47;

/** The operating system's cryptographic generator. */
export const nodeRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  float: () => randomInt(RANGE) / RANGE,
};
