/** An invitation, and the reply to it, as the short texts that people send each other (docs/protocol.md, rules I). Pure. */
import { fromBase64url, toBase64url } from '../base/base64url.ts';
import { type Bytes, concat, copy, equal } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Candidate, Crypto, Endpoint } from '../base/ports.ts';
import { KEY_BYTES, keyBytes, keyOf, type NodeId } from '../kademlia/key.ts';

/** What a code says. */
export interface PairingCode {
  readonly kind: 'invitation' | 'reply';
  /** Whose end it is: the key that it must prove when the link opens. */
  readonly node: NodeId;
  readonly endpoint: Endpoint;
  /** Of a reply: the session of the invitation that it answers; null for an invitation. */
  readonly to: Bytes | null;
}

/** What reading a code ended with. `session` names this very code. */
export type ReadPairingCode =
  | { readonly outcome: 'read'; readonly code: PairingCode; readonly session: Bytes }
  /** Truncated, mistyped, or no code at all. */
  | { readonly outcome: 'damaged' }
  /** Of another version of the protocol. */
  | { readonly outcome: 'foreign' };

type Hash = Pick<Crypto, 'hash'>;

const VERSION = 1;
const CODE_KINDS = ['invitation', 'reply'] as const;
const CANDIDATE_KINDS = ['host', 'srflx', 'relay'] as const;
const FAMILIES = ['ipv4', 'ipv6', 'mdns'] as const;
const PROTOCOLS = ['udp', 'tcp'] as const;
/** Bytes of an address, by family. */
const ADDRESS_BYTES = [4, 16, 16] as const;
const FINGERPRINT_BYTES = 32;
/** Of the SHA-256 of all before: one damaged code in 2^32 is taken for a good one, and two codes for one another. */
const SESSION_BYTES = 4;
/** ICE's characters, six bits each (RFC 8839 §5.4). */
const ICE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Least lengths of user name fragment and password (RFC 8839); 15 characters more at most. Chromium has 4 and 24, Firefox 8 and 32. */
const LEAST_USER = 4;
const LEAST_PASSWORD = 22;
const MOST_MORE = 15;
/** Candidates in a code: more make it longer, not better. */
export const MAX_CANDIDATES = 8;
/** Characters of the longest code; what is longer is not even looked at. */
const MAX_CODE = 400;

/** The text of a code, and its session. Throws `invalid` for an endpoint that a reader would refuse. */
export function writePairingCode(crypto: Hash, { kind, node, endpoint, to }: PairingCode): { text: string; session: Bytes } {
  if (!isSound(endpoint)) throw fail('invalid', 'This browser describes its end of a connection in a way that a code has no room for.');
  const { user, password, fingerprint, candidates } = endpoint;
  const body = concat(
    Uint8Array.of((VERSION << 4) | CODE_KINDS.indexOf(kind)),
    to ?? new Uint8Array(0),
    keyBytes(node),
    fingerprint,
    Uint8Array.of(((user.length - LEAST_USER) << 4) | (password.length - LEAST_PASSWORD)),
    packIce(user + password),
    ...candidates.map(packCandidate),
  );
  const session = sessionOf(crypto, body);
  return { text: toBase64url(concat(body, session)), session };
}

/** Reads a code as it came out of a messenger: spaces and line breaks in it do not matter. */
export function readPairingCode(crypto: Hash, text: string): ReadPairingCode {
  const bytes = text.length > 2 * MAX_CODE ? null : fromBase64url(text.replace(/\s/g, ''));
  if (!bytes || bytes.length < 1 + SESSION_BYTES || bytes.length > MAX_CODE) return { outcome: 'damaged' };
  const body = bytes.subarray(0, -SESSION_BYTES);
  const session = copy(bytes.subarray(-SESSION_BYTES));
  if (!equal(sessionOf(crypto, body), session)) return { outcome: 'damaged' };
  if ((body[0] as number) >> 4 !== VERSION) return { outcome: 'foreign' };
  const code = parseBody(body);
  // One code, one text: what `writePairingCode` would write otherwise is not read.
  if (!code || !isSound(code.endpoint) || !equal(fromBase64url(writePairingCode(crypto, code).text) ?? body, bytes)) {
    return { outcome: 'damaged' };
  }
  return { outcome: 'read', code, session };
}

function sessionOf(crypto: Hash, body: Bytes): Bytes {
  return copy(crypto.hash(body).subarray(0, SESSION_BYTES));
}

function parseBody(body: Bytes): PairingCode | null {
  let at = 1;
  const take = (length: number): Bytes => {
    at += length;
    return copy(body.subarray(at - length, at));
  };
  const kind = CODE_KINDS[(body[0] as number) & 15];
  if (!kind) return null;
  const to = kind === 'reply' ? take(SESSION_BYTES) : null;
  const node = take(KEY_BYTES);
  const fingerprint = take(FINGERPRINT_BYTES);
  const lengths = body[at++];
  if (lengths === undefined) return null;
  const [userLength, passwordLength] = [LEAST_USER + (lengths >> 4), LEAST_PASSWORD + (lengths & 15)];
  const ice = unpackIce(take(Math.ceil(((userLength + passwordLength) * 6) / 8)), userLength + passwordLength);
  const candidates: Candidate[] = [];
  while (at < body.length) {
    const head = body[at++] as number;
    const [kindOf, family, protocol] = [CANDIDATE_KINDS[head & 3], FAMILIES[(head >> 2) & 3], PROTOCOLS[head >> 4]];
    if (!kindOf || !family || !protocol || candidates.length === MAX_CANDIDATES) return null;
    const address = take(ADDRESS_BYTES[FAMILIES.indexOf(family)] as number);
    const [high = 0, low = 0] = take(2);
    candidates.push({ kind: kindOf, family, protocol, address, port: (high << 8) | low });
  }
  // Whatever was cut off has moved the end beyond the last byte.
  if (at !== body.length || ice === null) return null;
  return {
    kind,
    to,
    node: keyOf(node),
    endpoint: { user: ice.slice(0, userLength), password: ice.slice(userLength), fingerprint, candidates },
  };
}

/** Whether a browser can have said so. It comes from outside: a stranger's code must not make this tab send anything to a whole network. */
function isSound({ user, password, fingerprint, candidates }: Endpoint): boolean {
  const fits = (text: string, least: number): boolean =>
    text.length >= least && text.length <= least + MOST_MORE && [...text].every((character) => ICE_ALPHABET.includes(character));
  return (
    fits(user, LEAST_USER) &&
    fits(password, LEAST_PASSWORD) &&
    fingerprint.length === FINGERPRINT_BYTES &&
    candidates.length > 0 &&
    candidates.length <= MAX_CANDIDATES &&
    candidates.every(isOneAddress)
  );
}

/** Not the unspecified address, not one of many listeners (multicast, broadcast), and a port that exists. */
export function isOneAddress({ family, address, port }: Candidate): boolean {
  if (port < 1 || port > 0xffff || address.length !== ADDRESS_BYTES[FAMILIES.indexOf(family)]) return false;
  const first = address[0] as number;
  if (family === 'ipv4') return first > 0 && first < 224;
  return family === 'mdns' || (first !== 0xff && address.some((byte) => byte !== 0));
}

function packCandidate({ kind, family, protocol, address, port }: Candidate): Bytes {
  const head = CANDIDATE_KINDS.indexOf(kind) | (FAMILIES.indexOf(family) << 2) | (PROTOCOLS.indexOf(protocol) << 4);
  return concat(Uint8Array.of(head), address, Uint8Array.of(port >> 8, port & 0xff));
}

function packIce(text: string): Bytes {
  const bytes = new Uint8Array(Math.ceil((text.length * 6) / 8));
  for (let i = 0; i < text.length; i++) {
    const worth = ICE_ALPHABET.indexOf(text.charAt(i)) << (10 - ((6 * i) % 8));
    const at = (6 * i) >> 3;
    bytes[at] = (bytes[at] as number) | (worth >> 8);
    if (at + 1 < bytes.length) bytes[at + 1] = (bytes[at + 1] as number) | (worth & 0xff);
  }
  return bytes;
}

/** Null when bytes are missing. */
function unpackIce(bytes: Bytes, length: number): string | null {
  if (bytes.length * 8 < length * 6) return null;
  let text = '';
  for (let i = 0; i < length; i++) {
    const at = (6 * i) >> 3;
    const pair = ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
    text += ICE_ALPHABET[(pair >> (10 - ((6 * i) % 8))) & 63];
  }
  return text;
}
