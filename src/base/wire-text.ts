/** Text inside messages: most of it is short ASCII. */
import { toUtf8 } from './bytes.ts';

/** Texts up to this length are tried as ASCII first: calling the platform's coders costs more than the text itself. */
export const SHORT_TEXT = 64;

/** The text in UTF-8 bytes of a message, or null when they are not valid. */
export function textOf(bytes: Uint8Array, start: number, length: number): string | null {
  return (length <= SHORT_TEXT ? asciiText(bytes, start, length) : null) ?? toUtf8(bytes.subarray(start, start + length));
}

/** The text, or null when it is not ASCII. */
function asciiText(bytes: Uint8Array, start: number, length: number): string | null {
  const codes = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const code = bytes[start + i] as number;
    if (code >= 0x80) return null;
    codes[i] = code;
  }
  return String.fromCharCode.apply(null, codes);
}

/** True when each character is one byte of UTF-8. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
