/** What two sides of a WebRTC connection tell each other through others, and its checks: it comes from strangers. */
import { type Bytes, compare, concat, fromHex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';

/** What the two sides tell each other while a connection opens. */
export type PunchSignal =
  | { readonly type: 'offer' | 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: IceCandidate };

/** As in RTCIceCandidateInit. */
export interface IceCandidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}

/** The signal, or null for anything else: also for an SDP with more than one data section, or without exactly one fingerprint. */
export function parsePunchSignal(text: string): PunchSignal | null {
  if (text.length > LIMITS.signal) return null;
  const value = parseObject(text);
  if (!value) return null;
  if (value.type === 'offer' || value.type === 'answer') {
    return typeof value.sdp === 'string' && isDataOnly(value.sdp) && fingerprint(value.sdp) ? { type: value.type, sdp: value.sdp } : null;
  }
  if (value.type !== 'candidate' || typeof value.candidate !== 'object' || value.candidate === null) return null;
  const { candidate, sdpMid, sdpMLineIndex } = value.candidate as Record<string, unknown>;
  if (typeof candidate !== 'string' || !isNullOr(sdpMid, 'string') || !isNullOr(sdpMLineIndex, 'number')) return null;
  return { type: 'candidate', candidate: { candidate, sdpMid, sdpMLineIndex } };
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

function isDataOnly(sdp: string): boolean {
  const sections = sdp.match(/^m=.*$/gm) ?? [];
  return sections.length === 1 && (sections[0] as string).startsWith('m=application ');
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isNullOr<T extends 'string' | 'number'>(value: unknown, type: T): value is (T extends 'string' ? string : number) | null {
  return value === null || typeof value === type;
}
