/**
 * What two sides of a WebRTC connection tell each other through others, and its checks: it comes from strangers. The fields that matter go, not the text
 * of the browser's description: 100 bytes instead of 700.
 */
import { fromBase64url, toBase64url } from '../base/base64url.ts';
import { type Bytes, compare, concat, copy, fromHex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { Candidate, Endpoint } from '../base/ports.ts';
import { binary, decode, encode, fixed, list, oneOf, type Schema, string, struct, uint, union } from '../base/schema.ts';
import { isOneAddress } from '../wire/pairing-code.ts';

/** What one side tells the other while a connection opens. */
export type PunchSignal =
  | { readonly type: 'offer'; readonly endpoint: Endpoint }
  | { readonly type: 'answer'; readonly endpoint: Endpoint }
  /** A way found later. `index`: how many this side has told before. */
  | { readonly type: 'candidate'; readonly index: number; readonly candidate: Candidate };

const FINGERPRINT_BYTES = 32;
/** Longer than any browser's (RFC 8839 §5.4 allows 256). */
const MAX_ICE_TEXT = 64;
/** Ways that one side may tell: a computer with many networks has dozens, and the first few are those that work. */
export const MAX_CANDIDATES = 8;
const MAX_PORT = 65_535;
/** The longest address. */
const IPV6_BYTES = 16;
/** ICE's own characters: what else there is could end a line of the description and begin another. */
const ICE_TEXT = /^[A-Za-z0-9+/]+$/;

const candidateSchema: Schema<Candidate> = struct<Candidate>({
  kind: oneOf(['host', 'srflx', 'relay']),
  protocol: oneOf(['udp', 'tcp']),
  family: oneOf(['ipv4', 'ipv6', 'mdns']),
  address: binary(IPV6_BYTES),
  port: uint(MAX_PORT),
});
const endpointSchema: Schema<Endpoint> = struct<Endpoint>({
  user: string(MAX_ICE_TEXT),
  password: string(MAX_ICE_TEXT),
  fingerprint: fixed(FINGERPRINT_BYTES),
  candidates: list(candidateSchema, MAX_CANDIDATES),
});
const signalSchema: Schema<PunchSignal> = union<PunchSignal>({
  offer: [0, struct<{ endpoint: Endpoint }>({ endpoint: endpointSchema })],
  answer: [1, struct<{ endpoint: Endpoint }>({ endpoint: endpointSchema })],
  candidate: [2, struct<{ index: number; candidate: Candidate }>({ index: uint(MAX_CANDIDATES - 1), candidate: candidateSchema })],
});

/** As it travels. */
export function formatPunchSignal(signal: PunchSignal): string {
  return toBase64url(encode(signalSchema, signal));
}

/** The signal, or null for anything else: also for one that would make this browser send to a whole network, or to none. */
export function parsePunchSignal(text: string): PunchSignal | null {
  const bytes = text.length > LIMITS.signal ? null : fromBase64url(text);
  const signal = bytes && decode(signalSchema, bytes);
  if (!signal) return null;
  if (signal.type === 'candidate') return isOneAddress(signal.candidate) ? signal : null;
  const { user, password, fingerprint: print, candidates } = signal.endpoint;
  if (!ICE_TEXT.test(user) || !ICE_TEXT.test(password) || !candidates.every(isOneAddress)) return null;
  return { type: signal.type, endpoint: { user, password, fingerprint: copy(print), candidates } };
}

/**
 * The SHA-256 of the certificate that an SDP promises (RFC 8122), or null. Several that differ are refused, as then what we sign
 * need not be what the browser checks.
 */
export function fingerprint(sdp: string): Bytes | null {
  const lines = sdp.match(/^a=fingerprint:.*$/gm) ?? [];
  const first = /^a=fingerprint:sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})\s*$/i.exec(lines[0] ?? '')?.[1];
  if (!first || lines.some((line) => line.trim() !== lines[0]?.trim())) return null;
  return fromHex(first.replaceAll(':', ''));
}

/** The same bytes on both sides: both fingerprints, the lesser first. */
export function bindingOf(one: Bytes, other: Bytes): Bytes {
  return compare(one, other) < 0 ? concat(one, other) : concat(other, one);
}
