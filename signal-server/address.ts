/** Who is asking. */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/** 16-bit groups of an IPv6 address that name one customer's network: a /64. */
const NETWORK_GROUPS = 4;

/**
 * What to count a request under: the IPv4 address, or the IPv6 /64. Behind a reverse proxy on this machine, or any proxy when `trustProxy`
 * is set, the last address of `X-Forwarded-For`, which the proxy itself has written. Null for a program on this machine: it is not limited.
 */
export function remoteAddress(request: IncomingMessage, trustProxy: boolean): string | null {
  const direct = plain(request.socket.remoteAddress ?? '');
  const local = isLoopback(direct);
  if (local || trustProxy) {
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .at(-1)
      ?.trim();
    if (forwarded) return networkOf(plain(forwarded));
  }
  return local ? null : networkOf(direct);
}

/** An IPv4 address that came in IPv6 clothes is written as IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** What an address is counted under: itself, or its IPv6 /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address.slice(0, 64); // whatever a proxy wrote there, bounded
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
