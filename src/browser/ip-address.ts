/** Addresses of ICE candidates, as text and as bytes. Pure. */
import { type Bytes, fromHex, toHex } from '../base/bytes.ts';
import type { Candidate } from '../base/ports.ts';

/** What a candidate says of where it is. */
export type IpAddress = Pick<Candidate, 'family' | 'address'>;

/** IPv4, IPv6 or `<UUID>.local`; null for any other name. */
export function parseAddress(text: string): IpAddress | null {
  if (text.endsWith('.local')) return addressIn('mdns', parseUuid(text.slice(0, -'.local'.length)));
  return text.includes(':') ? addressIn('ipv6', parseIpv6(text)) : addressIn('ipv4', parseIpv4(text));
}

/** `parseAddress` of it gives the address back. IPv6 is written in full: it is for a browser. */
export function formatAddress({ family, address }: IpAddress): string {
  if (family === 'ipv4') return address.join('.');
  const hex = toHex(address);
  if (family === 'ipv6') return (hex.match(/.{4}/g) ?? []).join(':');
  return `${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}.local`;
}

function addressIn(family: Candidate['family'], address: Bytes | null): IpAddress | null {
  return address && { family, address };
}

function parseUuid(text: string): Bytes | null {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? fromHex(text.replaceAll('-', '')) : null;
}

function parseIpv4(text: string): Bytes | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return Uint8Array.from(parts, Number);
}

/** RFC 4291 §2.2, without an IPv4 tail and without a zone: browsers write neither. */
function parseIpv6(text: string): Bytes | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groupsOf = (half: string | undefined): readonly string[] => (half ? half.split(':') : []);
  const [head, tail] = [groupsOf(halves[0]), groupsOf(halves[1])];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return fromHex(groups.map((group) => group.padStart(4, '0')).join(''));
}
