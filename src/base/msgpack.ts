/**
 * The subset of MessagePack that Kadreel speaks, read and written by position: nil, booleans, integers of up to 53 bits,
 * float64, UTF-8 strings, binary and arrays. The reader is driven by a schema (`schema.ts`), so it never builds what nobody asked
 * for: no depth and no length in a message can make it allocate more than the message itself.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { type Bytes, fromUtf8, putHex } from './bytes.ts';
import { fail } from './errors.ts';
import type { Memo } from './memo.ts';
import { isAscii, SHORT_TEXT, textOf } from './wire-text.ts';

/** Thrown inside a `Reader` and caught by `decode`: one shared object, as building a stack for each hostile packet is a gift to its sender. */
export const MALFORMED = { malformed: true } as const;

/** Reads one message from its beginning. Each method takes what it is named after, or throws `MALFORMED`. */
export class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** True when every byte has been read. */
  get ended(): boolean {
    return this.at === this.bytes.length;
  }

  /** Reads a nil if one is next. */
  nil(): boolean {
    if (this.bytes[this.at] !== 0xc0) return false;
    this.at++;
    return true;
  }

  boolean(): boolean {
    const tag = this.byte();
    if (tag === 0xc2) return false;
    if (tag === 0xc3) return true;
    throw MALFORMED;
  }

  /** A non-negative integer of at most `max` (itself at most 2^53 − 1). Any width that holds it is taken. */
  uint(max: number): number {
    const tag = this.byte();
    let value = tag;
    if (tag >= 0xcc && tag <= 0xcf) value = this.bigEndian(1 << (tag - 0xcc));
    else if (tag >= 0x80) throw MALFORMED;
    if (value > max) throw MALFORMED;
    return value;
  }

  /** A finite float64. */
  float(): number {
    if (this.byte() !== 0xcb) throw MALFORMED;
    const start = this.skip(8);
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + start, 8).getFloat64(0);
    if (!Number.isFinite(value)) throw MALFORMED;
    return value;
  }

  /**
   * Binary of `min` to `max` bytes. Long ones are a view on the message, and a plain Uint8Array even where the message is a subclass of it. Short ones
   * are copies: that costs half of a view, and a tenth where the message is short too and the engine must first move it to where views reach it.
   */
  binary(min: number, max: number): Bytes {
    const length = this.binaryLength(min, max);
    const start = this.skip(length);
    if (length <= SHORT_BINARY) {
      const copy = new Uint8Array(length);
      for (let i = 0; i < length; i++) copy[i] = this.bytes[start + i] as number;
      return copy;
    }
    return new Uint8Array(this.bytes.buffer as ArrayBuffer, this.bytes.byteOffset + start, length);
  }

  /** Binary of exactly `length` bytes, as what `memo` makes of it. */
  fixedBy<T>(memo: Memo<T>, length: number): T {
    this.binaryLength(length, length);
    return taken(memo.read(this.bytes, this.skip(length), length));
  }

  /** Valid UTF-8 of at most `max` bytes. */
  string(max: number): string {
    const length = this.stringLength(max);
    return taken(textOf(this.bytes, this.skip(length), length));
  }

  /** A string of at most `max` bytes, as what `memo` makes of them. */
  stringBy<T>(memo: Memo<T>, max: number): T {
    const length = this.stringLength(max);
    return taken(memo.read(this.bytes, this.skip(length), length));
  }

  /** The header of an array of `min` to `max` items; the items follow. An array that can't fit in the rest of the message is refused here. */
  array(min: number, max: number): number {
    const tag = this.byte();
    let length: number;
    if (tag >= 0x90 && tag < 0xa0) length = tag & 0x0f;
    else if (tag === 0xdc || tag === 0xdd) length = this.bigEndian(2 << (tag - 0xdc));
    else throw MALFORMED;
    if (length < min || length > max || length > this.bytes.length - this.at) throw MALFORMED;
    return length;
  }

  private binaryLength(min: number, max: number): number {
    const tag = this.byte();
    if (tag < 0xc4 || tag > 0xc6) throw MALFORMED;
    const length = this.bigEndian(1 << (tag - 0xc4));
    if (length < min || length > max) throw MALFORMED;
    return length;
  }

  private stringLength(max: number): number {
    const tag = this.byte();
    let length: number;
    if (tag >= 0xa0 && tag < 0xc0) length = tag & 0x1f;
    else if (tag >= 0xd9 && tag <= 0xdb) length = this.bigEndian(1 << (tag - 0xd9));
    else throw MALFORMED;
    if (length > max) throw MALFORMED;
    return length;
  }

  /** An integer of `width` bytes. Above 2^53 − 1 it may be rounded, but stays above. */
  private bigEndian(width: number): number {
    const start = this.skip(width);
    let value = 0;
    for (let i = start; i < start + width; i++) value = value * 256 + (this.bytes[i] as number);
    return value;
  }

  private byte(): number {
    const at = this.at;
    if (at >= this.bytes.length) throw MALFORMED;
    this.at = at + 1;
    return this.bytes[at] as number;
  }

  private skip(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw MALFORMED;
    this.at = start + length;
    return start;
  }
}

function taken<T>(value: T | null): T {
  if (value === null) throw MALFORMED;
  return value;
}

/** Bytes up to which a copy is cheaper than a view: V8 keeps such arrays in its own heap. */
const SHORT_BINARY = 64;

const FIRST_CAPACITY = 256;

/** Writes the shortest form of everything. Throws `invalid` for a number that it can not write as it is. */
export class Writer {
  private bytes: Bytes = new Uint8Array(FIRST_CAPACITY);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  /** What was written, as bytes of its own; the writer is empty afterwards. */
  take(): Bytes {
    const taken = this.bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }

  nil(): void {
    this.tag(0xc0);
  }

  boolean(value: boolean): void {
    this.tag(value ? 0xc3 : 0xc2);
  }

  /** 0 to 2^53 − 1. */
  uint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw fail('invalid', `${value} is not an integer from 0 to 2^53 − 1.`);
    if (value < 0x80) this.tag(value);
    else if (value <= 0xff) this.sized(0xcc, { width: 1, value });
    else if (value <= 0xffff) this.sized(0xcd, { width: 2, value });
    else if (value <= 0xffff_ffff) this.sized(0xce, { width: 4, value });
    else this.sized(0xcf, { width: 8, value });
  }

  /** Finite. */
  float(value: number): void {
    if (!Number.isFinite(value)) throw fail('invalid', `${value} is not a finite number.`);
    this.tag(0xcb);
    const start = this.reserve(8);
    this.view.setFloat64(start, value);
  }

  binary(value: Uint8Array): void {
    const { length } = value;
    if (length <= 0xff) this.sized(0xc4, { width: 1, value: length });
    else if (length <= 0xffff) this.sized(0xc5, { width: 2, value: length });
    else this.sized(0xc6, { width: 4, value: length });
    this.raw(value);
  }

  /** The bytes that `text` names, an even run of at most 510 hexadecimal digits. */
  binaryOfHex(text: string): void {
    const length = text.length / 2;
    this.sized(0xc4, { width: 1, value: length });
    const start = this.reserve(length);
    if (!putHex(text, this.bytes, start)) throw fail('invalid', `“${text}” is not hexadecimal.`);
  }

  /** Half of a surrogate pair is written as U+FFFD, as everywhere in the web platform. Answers the length in bytes. */
  string(value: string): number {
    if (value.length <= SHORT_TEXT && isAscii(value)) {
      this.stringHeader(value.length);
      const start = this.reserve(value.length);
      for (let i = 0; i < value.length; i++) this.bytes[start + i] = value.charCodeAt(i);
      return value.length;
    }
    const utf8 = fromUtf8(value);
    this.stringHeader(utf8.length);
    this.raw(utf8);
    return utf8.length;
  }

  array(length: number): void {
    if (length < 16) this.tag(0x90 + length);
    else if (length <= 0xffff) this.sized(0xdc, { width: 2, value: length });
    else this.sized(0xdd, { width: 4, value: length });
  }

  private stringHeader(length: number): void {
    if (length < 32) this.tag(0xa0 + length);
    else if (length <= 0xff) this.sized(0xd9, { width: 1, value: length });
    else if (length <= 0xffff) this.sized(0xda, { width: 2, value: length });
    else this.sized(0xdb, { width: 4, value: length });
  }

  private tag(byte: number): void {
    const start = this.reserve(1);
    this.bytes[start] = byte;
  }

  private sized(tag: number, { width, value }: { width: 1 | 2 | 4 | 8; value: number }): void {
    const start = this.reserve(1 + width);
    this.bytes[start] = tag;
    let rest = value;
    for (let i = start + width; i > start; i--) {
      this.bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }

  private raw(bytes: Uint8Array): void {
    const start = this.reserve(bytes.length);
    this.bytes.set(bytes, start);
  }

  /** Makes room; `bytes` and `view` may be other ones afterwards, so call it before naming them. */
  private reserve(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return start;
  }
}
