/** Binding requests and their answers as bytes (STUN, RFC 8489). Pure. */
import { isIPv6 } from 'node:net';
import { crc32 } from 'node:zlib';
import type { Bytes } from '../src/base/bytes.ts';

/** A request that may be answered. */
export interface BindingRequest {
  /** Magic cookie and transaction id, 16 bytes: the answer repeats them. */
  readonly transaction: Bytes;
  /** It ended with a valid FINGERPRINT, so the answer does, too (§7.3). */
  readonly fingerprint: boolean;
  /** Attributes that it wants understood and that are unknown here. */
  readonly unknown: readonly number[];
}

/** Where a datagram came from. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

/** Longer ones can be no binding request of an honest client: RFC 8489 §6.1 wants them within 548 bytes. */
const MAX_REQUEST_BYTES = 548;
const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;
const FINGERPRINT = 0x8028;
/** What the CRC-32 of a fingerprint is mixed with (§14.7). */
const FINGERPRINT_MIX = 0x5354554e;
/** USERNAME, REALM, NONCE and the like: understood as “not asked for here”, as binding needs no authentication (§12). */
const IGNORED: ReadonlySet<number> = new Set([0x0001, 0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e]);
/** Below it an attribute must be understood (§14). */
const OPTIONAL_FROM = 0x8000;
/** Unknown attributes told in an answer (items), so that it stays about as small as any other. */
const MAX_UNKNOWN = 4;

/** The request in a datagram, or null for anything else. Old clients without the magic cookie (RFC 3489) are not answered. */
export function readBindingRequest(bytes: Uint8Array): BindingRequest | null {
  const { length } = bytes;
  if (length < HEADER_BYTES || length > MAX_REQUEST_BYTES || length % 4 !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (view.getUint16(0) !== BINDING_REQUEST || view.getUint16(2) !== length - HEADER_BYTES || view.getUint32(4) !== COOKIE) return null;
  const unknown: number[] = [];
  let fingerprint = false;
  for (let at = HEADER_BYTES; at < length; ) {
    if (fingerprint) return null; // it must be the last
    const type = view.getUint16(at);
    const size = view.getUint16(at + 2);
    const next = at + 4 + ((size + 3) & ~3);
    if (next > length) return null;
    if (type === FINGERPRINT) {
      if (size !== 4 || view.getUint32(at + 4) !== fingerprintOf(bytes.subarray(0, at))) return null;
      fingerprint = true;
    } else if (type < OPTIONAL_FROM && !IGNORED.has(type)) unknown.push(type);
    at = next;
  }
  return { transaction: new Uint8Array(bytes.subarray(4, HEADER_BYTES)), fingerprint, unknown: unknown.slice(0, MAX_UNKNOWN) };
}

/**
 * The answer: where the request came from (32 bytes for IPv4, 44 for IPv6, and 8 for a fingerprint), or error 420 when it wants something
 * understood that is not known here.
 */
export function answerBinding(request: BindingRequest, from: Sender): Bytes {
  const { unknown } = request;
  if (unknown.length === 0) return message(BINDING_SUCCESS, request, attribute(XOR_MAPPED_ADDRESS, xorAddress(from, request.transaction)));
  return message(BINDING_ERROR, request, [
    ...attribute(ERROR_CODE, [0, 0, 4, 20]),
    ...attribute(UNKNOWN_ATTRIBUTES, unknown.flatMap(uint16)),
  ]);
}

/** Error 403, in 28 bytes and 8 for a fingerprint: the request is understood, and this server does not want it (the code is RFC 8656's). */
export function refuseBinding(request: BindingRequest): Bytes {
  return message(BINDING_ERROR, request, attribute(ERROR_CODE, [0, 0, 4, 3]));
}

function message(type: number, { transaction, fingerprint }: BindingRequest, body: readonly number[]): Bytes {
  const length = body.length + (fingerprint ? 8 : 0);
  const bytes = [...uint16(type), ...uint16(length), ...transaction, ...body];
  if (fingerprint) bytes.push(...attribute(FINGERPRINT, uint32(fingerprintOf(Uint8Array.from(bytes)))));
  return Uint8Array.from(bytes);
}

function fingerprintOf(before: Uint8Array): number {
  return (crc32(before) ^ FINGERPRINT_MIX) >>> 0;
}

function attribute(type: number, value: readonly number[]): number[] {
  const padding = (4 - (value.length % 4)) % 4;
  return [...uint16(type), ...uint16(value.length), ...value, ...new Array<number>(padding).fill(0)];
}

/** Mixed with cookie and transaction, so that a NAT that rewrites addresses in what passes leaves it alone (§14.2). */
function xorAddress({ address, port }: Sender, transaction: Uint8Array): number[] {
  const bytes = addressBytes(address);
  const family = bytes.length === 4 ? 1 : 2;
  return [0, family, ...uint16(port ^ (COOKIE >>> 16)), ...bytes.map((byte, i) => byte ^ (transaction[i] as number))];
}

function addressBytes(address: string): number[] {
  const [plain = ''] = address.split('%', 1); // a link-local one names its interface
  if (!isIPv6(plain)) return plain.split('.').map(Number);
  const { hostname } = new URL(`http://[${plain}]`); // as groups of digits, with no dotted IPv4 at the end
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = new Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].flatMap((group) => uint16(Number.parseInt(group, 16)));
}

function uint16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function uint32(value: number): number[] {
  return [...uint16(value >>> 16), ...uint16(value & 0xffff)];
}
