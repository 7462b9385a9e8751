/**
 * The subset of MessagePack that Kadreel speaks, read and written by position: nil, booleans, integers of up to 53 bits,
 * float64, UTF-8 strings, binary and arrays. The reader is driven by a schema (`schema.ts`), so it never builds what nobody asked
 * for: no depth and no length in a message can make it allocate more than the message itself.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { type Bytes, concat, fromUtf8, toUtf8 } from './bytes.ts';

/** Thrown inside a `Reader` and caught by `decode`: one shared object, as building a stack for each hostile packet is a gift to its sender. */
export const MALFORMED = { malformed: true } as const;

const MAX_SAFE_HIGH = 0x1f_ffff; // upper 32 bits of Number.MAX_SAFE_INTEGER

export class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

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
    const tag = this.bytes[this.at++];
    if (tag === 0xc2) return false;
    if (tag === 0xc3) return true;
    throw MALFORMED;
  }

  /** A non-negative integer of at most `max` (itself at most 2^53 − 1). Any width that holds it is taken. */
  uint(max: number): number {
    const tag = this.byte();
    let value: number;
    if (tag < 0x80) value = tag;
    else if (tag === 0xcc) value = this.byte();
    else if (tag === 0xcd) value = this.view.getUint16(this.skip(2));
    else if (tag === 0xce) value = this.view.getUint32(this.skip(4));
    else if (tag === 0xcf) {
      const start = this.skip(8);
      const high = this.view.getUint32(start);
      if (high > MAX_SAFE_HIGH) throw MALFORMED;
      value = high * 0x1_0000_0000 + this.view.getUint32(start + 4);
    } else throw MALFORMED;
    if (value > max) throw MALFORMED;
    return value;
  }

  /** A finite float64. */
  float(): number {
    if (this.byte() !== 0xcb) throw MALFORMED;
    const value = this.view.getFloat64(this.skip(8));
    if (!Number.isFinite(value)) throw MALFORMED;
    return value;
  }

  /** Binary of `min` to `max` bytes: a view on the message. */
  binary(min: number, max: number): Bytes {
    const tag = this.byte();
    let length: number;
    if (tag === 0xc4) length = this.byte();
    else if (tag === 0xc5) length = this.view.getUint16(this.skip(2));
    else if (tag === 0xc6) length = this.view.getUint32(this.skip(4));
    else throw MALFORMED;
    if (length < min || length > max) throw MALFORMED;
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length) as Bytes;
  }

  /** Valid UTF-8 of at most `max` bytes. */
  string(max: number): string {
    const tag = this.byte();
    let length: number;
    if (tag >= 0xa0 && tag < 0xc0) length = tag & 0x1f;
    else if (tag === 0xd9) length = this.byte();
    else if (tag === 0xda) length = this.view.getUint16(this.skip(2));
    else if (tag === 0xdb) length = this.view.getUint32(this.skip(4));
    else throw MALFORMED;
    if (length > max) throw MALFORMED;
    const start = this.skip(length);
    const text = toUtf8(this.bytes.subarray(start, start + length));
    if (text === null) throw MALFORMED;
    return text;
  }

  /** The header of an array of `min` to `max` items; the items follow. An array that can't fit in the rest of the message is refused here. */
  array(min: number, max: number): number {
    const tag = this.byte();
    let length: number;
    if (tag >= 0x90 && tag < 0xa0) length = tag & 0x0f;
    else if (tag === 0xdc) length = this.view.getUint16(this.skip(2));
    else if (tag === 0xdd) length = this.view.getUint32(this.skip(4));
    else throw MALFORMED;
    if (length < min || length > max || length > this.bytes.length - this.at) throw MALFORMED;
    return length;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw MALFORMED;
    return byte;
  }

  private skip(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw MALFORMED;
    this.at = start + length;
    return start;
  }
}

const FIRST_CAPACITY = 256;

/** Writes the shortest form of everything. */
export class Writer {
  private bytes = new Uint8Array(FIRST_CAPACITY);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  /** What was written, as bytes of its own; the writer is empty afterwards. */
  take(): Bytes {
    const taken = this.bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }

  nil(): void {
    this.bytes[this.reserve(1)] = 0xc0;
  }

  boolean(value: boolean): void {
    this.bytes[this.reserve(1)] = value ? 0xc3 : 0xc2;
  }

  uint(value: number): void {
    if (value < 0x80) this.bytes[this.reserve(1)] = value;
    else if (value <= 0xff) {
      const start = this.reserve(2);
      this.bytes[start] = 0xcc;
      this.bytes[start + 1] = value;
    } else if (value <= 0xffff) {
      const start = this.reserve(3);
      this.bytes[start] = 0xcd;
      this.view.setUint16(start + 1, value);
    } else if (value <= 0xffff_ffff) {
      const start = this.reserve(5);
      this.bytes[start] = 0xce;
      this.view.setUint32(start + 1, value);
    } else {
      const start = this.reserve(9);
      this.bytes[start] = 0xcf;
      this.view.setUint32(start + 1, Math.floor(value / 0x1_0000_0000));
      this.view.setUint32(start + 5, value % 0x1_0000_0000);
    }
  }

  float(value: number): void {
    const start = this.reserve(9);
    this.bytes[start] = 0xcb;
    this.view.setFloat64(start + 1, value);
  }

  binary(value: Uint8Array): void {
    this.header(value.length, { small: null, tags: [0xc4, 0xc5, 0xc6] });
    this.bytes.set(value, this.reserve(value.length));
  }

  string(value: string): void {
    const utf8 = fromUtf8(value);
    this.header(utf8.length, { small: { base: 0xa0, below: 32 }, tags: [0xd9, 0xda, 0xdb] });
    this.bytes.set(utf8, this.reserve(utf8.length));
  }

  array(length: number): void {
    this.header(length, { small: { base: 0x90, below: 16 }, tags: [null, 0xdc, 0xdd] });
  }

  private header(
    length: number,
    form: { small: { base: number; below: number } | null; tags: readonly [number | null, number, number] },
  ): void {
    if (form.small && length < form.small.below) this.bytes[this.reserve(1)] = form.small.base + length;
    else if (form.tags[0] !== null && length <= 0xff) {
      const start = this.reserve(2);
      this.bytes[start] = form.tags[0];
      this.bytes[start + 1] = length;
    } else if (length <= 0xffff) {
      const start = this.reserve(3);
      this.bytes[start] = form.tags[1];
      this.view.setUint16(start + 1, length);
    } else {
      const start = this.reserve(5);
      this.bytes[start] = form.tags[2];
      this.view.setUint32(start + 1, length);
    }
  }

  private reserve(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) {
      this.bytes = concat(this.bytes, new Uint8Array(Math.max(this.bytes.length, length)));
      this.view = new DataView(this.bytes.buffer);
    }
    return start;
  }
}
