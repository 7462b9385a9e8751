/** Text inside messages. Most of it is short ASCII, and much of it was read before. */
import { toUtf8 } from './bytes.ts';

/** Texts up to this length are tried as ASCII first: calling the platform's coders costs more than the text itself. */
export const SHORT_TEXT = 64;

/** Texts that a memo holds: about what the addresses of all open nodes that one hears of in a minute need. */
const MEMO_SLOTS = 256;

/**
 * Texts that were read and found good lately. A contact's addresses come again in nearly every message; to know one by its bytes
 * costs half of making the string and checking it anew.
 */
export class TextMemo {
  private readonly texts = new Array<string>(MEMO_SLOTS).fill('');

  constructor(private readonly check: (text: string) => boolean) {}

  /** The text in these bytes of a message, or null when it is not valid UTF-8 or not a good one. */
  read(bytes: Uint8Array, start: number, length: number): string | null {
    let hash = length;
    for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const slot = (hash ^ (hash >>> 8)) & (MEMO_SLOTS - 1);
    const known = this.texts[slot] as string;
    if (known.length === length && length > 0) {
      let same = 0;
      while (same < length && known.charCodeAt(same) === bytes[start + same]) same++;
      if (same === length) return known;
    }
    const text = textOf(bytes, start, length);
    if (text === null || !this.check(text)) return null;
    if (text.length === length) this.texts[slot] = text; // ASCII: its codes are its bytes
    return text;
  }
}

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

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
