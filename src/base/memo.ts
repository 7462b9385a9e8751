/**
 * Remembers what was made of short runs of bytes that come again in nearly every message: addresses and node ids. To know a run by its bytes
 * costs a third of making a text of it and checking that anew.
 */
export class Memo<T> {
  private readonly runs: (Uint8Array | null)[];
  private readonly values: (T | null)[];

  /** `make` answers null for bytes that are refused; those are not remembered. `slots` is a power of two. */
  constructor(
    private readonly make: (bytes: Uint8Array) => T | null,
    private readonly slots: number,
  ) {
    this.runs = new Array<Uint8Array | null>(slots).fill(null);
    this.values = new Array<T | null>(slots).fill(null);
  }

  /** What `make` answers for these bytes of a message. */
  read(message: Uint8Array, start: number, length: number): T | null {
    let hash = length;
    for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + (message[i] as number)) | 0;
    const slot = (hash ^ (hash >>> 12)) & (this.slots - 1);
    const run = this.runs[slot] as Uint8Array | null;
    if (run !== null && run.length === length) {
      let same = 0;
      while (same < length && run[same] === message[start + same]) same++;
      if (same === length) return this.values[slot] as T;
    }
    const bytes = new Uint8Array(message.subarray(start, start + length));
    const value = this.make(bytes);
    if (value !== null) {
      this.runs[slot] = bytes;
      this.values[slot] = value;
    }
    return value;
  }
}
