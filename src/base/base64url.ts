/** Bytes as text that an address, a QR code and a messenger leave as it is (RFC 4648 §5, without padding). Pure. */
import type { Bytes } from './bytes.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** `fromBase64url` of it gives the bytes back. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let digit = 0; digit <= Math.min(3, bytes.length - at); digit++) text += ALPHABET[(three >> (18 - 6 * digit)) & 63];
  }
  return text;
}

/** The bytes, or null when the text is not what `toBase64url` would write for any. */
export function fromBase64url(text: string): Bytes | null {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const worth = ALPHABET.indexOf(character);
    if (worth < 0) return null;
    held = ((held << 6) | worth) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
  }
  // A digit too many, or bits that no byte has.
  return bits < 6 && (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
