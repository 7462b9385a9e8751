import type { Candidate, Endpoint } from '../../../src/base/ports.ts';

const address = (length: number, from: number): Candidate['address'] => Uint8Array.from({ length }, (_, index) => from + index);

/** A host that hides its address, and where its router is seen: what a tab at home has. */
export const HOME: readonly Candidate[] = [
  { kind: 'host', protocol: 'udp', family: 'mdns', address: address(16, 1), port: 52163 },
  { kind: 'srflx', protocol: 'udp', family: 'ipv4', address: Uint8Array.of(203, 0, 113, 7), port: 61000 },
];

/** One end of a connection, as Chromium describes it: 4 and 24 characters of ICE. */
export function makeEndpoint(change: Partial<Endpoint> = {}): Endpoint {
  return { user: 'vNE+', password: 'uHY4lFTBekuTaGoVBg3ndNO/', fingerprint: address(32, 0xa0), candidates: HOME, ...change };
}
