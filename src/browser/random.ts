/** Randomness in a tab. */
import type { Random } from '../base/ports.ts';

/** Bytes that one call of getRandomValues gives at most (W3C Web Cryptography, §10.1.1). */
const MOST_AT_ONCE = 65_536;
const TWO_POW_26 = 0x400_0000;
const TWO_POW_53 = 0x20_0000_0000_0000;

/** The platform's cryptographic generator. */
export const browserRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += MOST_AT_ONCE) crypto.getRandomValues(bytes.subarray(at, at + MOST_AT_ONCE));
    return bytes;
  },
  float() {
    const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
    return ((high >>> 5) * TWO_POW_26 + (low >>> 6)) / TWO_POW_53;
  },
};
