/** Byte strings: compared, joined, and written as text. Pure. */

/** Bytes backed by an ordinary (never shared) buffer, as every port takes and gives them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** No bytes. */
export const EMPTY: Bytes = new Uint8Array(0);

/** One byte string out of several, copied. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** True for the same length and content. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive, as `Array.prototype.sort` wants it. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A copy that owns its buffer: what a decoder hands out is a view on the message it came in. */
export function copy(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** The character codes of 0 to 9 and a to f. */
const DIGITS: readonly number[] = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** What the hexadecimal digit with this character code is worth; 255 for what is no digit. */
const WORTH = new Uint8Array(128).fill(255);
for (const [worth, code] of DIGITS.entries()) WORTH[code] = WORTH[String.fromCharCode(code).toUpperCase().charCodeAt(0)] = worth;
/** Bytes made into text at once: more arguments than some thousands overflow the stack of some engines. */
const HEX_CHUNK = 1024;

/** Two lowercase digits a byte. Made of codes at once, as a key is: a text joined out of pieces costs twice, and again when it is compared. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_CHUNK) return toHexInChunks(bytes);
  const codes = new Array<number>(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    codes[2 * i] = DIGITS[byte >> 4] as number;
    codes[2 * i + 1] = DIGITS[byte & 15] as number;
  }
  return String.fromCharCode.apply(null, codes);
}

function toHexInChunks(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += HEX_CHUNK) text += toHex(bytes.subarray(at, at + HEX_CHUNK));
  return text;
}

/** The bytes that `text` names, or null when it is not an even run of hexadecimal digits. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0) return null;
  const bytes = new Uint8Array(text.length / 2);
  return putHex(text, bytes, 0) ? bytes : null;
}

/** Writes the bytes that an even run of hexadecimal digits names. False when it is none. */
export function putHex(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i += 2) {
    const high = WORTH[text.charCodeAt(i)] ?? 255;
    const low = WORTH[text.charCodeAt(i + 1)] ?? 255;
    if (high > 15 || low > 15) return false;
    bytes[start + (i >> 1)] = (high << 4) | low;
  }
  return true;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text in UTF-8; half of a surrogate pair becomes U+FFFD. */
export function fromUtf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text, or null when the bytes are not valid UTF-8. */
export function toUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
