/** Finds out from a connection's own addresses what NAT stands before this computer. Pure: what the browser says of them is read elsewhere. */
import type { Nat } from '../base/nat.ts';

/** An address of this computer that a connection could use (RFC 8445 §5.1.1), over UDP. */
export interface OwnCandidate {
  /** `srflx`: as a STUN server sees us · `prflx`: as another tab sees us, where that is yet another. */
  readonly type: 'host' | 'srflx' | 'prflx';
  /** Null where the browser hides it, as it does with those of the own network. */
  readonly address: string | null;
  readonly port: number;
}

/** What one connection has shown. */
export interface Shown {
  readonly own: readonly OwnCandidate[];
  /** The other end of the path that it took, once it is open. */
  readonly remote: string | null;
  /** STUN servers that answered. */
  readonly servers: number;
}

/**
 * Null when it shows nothing: without a STUN server and without a connection out of the own network nobody has seen us from outside. Several outside
 * ports at one outside address for one inside address mean that each who looks sees another: symmetric. Only IPv4 is looked at, as NATs of IPv6 are rare.
 */
export function judgeNat({ own, remote, servers }: Shown): Nat | null {
  const outside = own.filter(({ type, address }) => type !== 'host' && address !== null && isIPv4(address));
  const inside = own.filter(({ type, address }) => type === 'host' && address !== null && isIPv4(address));
  const isOutside = remote !== null && isIPv4(remote) && !isPrivate(remote);
  if (outside.length === 0) return isOutside && inside.some(({ address }) => address !== null && !isPrivate(address)) ? 'open' : null;
  const ports = new Map<string, Set<number>>();
  for (const { address, port } of outside) ports.set(address ?? '', (ports.get(address ?? '') ?? new Set()).add(port));
  // A computer with two ways out to one router has two ports there. Hidden addresses are one: a browser that hides them uses its usual way alone.
  const ways = Math.max(1, inside.length);
  if ([...ports.values()].some((seen) => seen.size > ways)) return 'symmetric';
  // One look from outside says nothing about the next.
  return servers > 1 || isOutside ? 'mapped' : null;
}

function isIPv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address);
}

/** Addresses of homes, companies, links and this computer (RFC 1918, 3927, 6598, 1122). */
function isPrivate(address: string): boolean {
  const [a = 0, b = 0] = address.split('.').map(Number);
  return (
    a === 10 ||
    a === 127 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  );
}
