import type { Bytes } from './bytes.ts';

/**
 * Remembers what was made of short runs of bytes that come again in nearly every message: addresses, keys and contacts. To know a run by its
 * bytes costs a third of making a text of it and checking that anew, and what is the same is one object, however often it was named.
 */
export class Memo<T> {
  private runs: (Bytes | null)[];
  private values: (T | null)[];
  private used = 0;

  /** `make` answers null for bytes that are refused; those are not remembered. `most`: runs that are remembered, a power of two. */
  constructor(
    private readonly make: (bytes: Bytes) => T | null,
    private readonly most: number,
  ) {
    this.runs = new Array<Bytes | null>(Math.min(FIRST_SLOTS, most)).fill(null);
    this.values = new Array<T | null>(this.runs.length).fill(null);
  }

  /** What `make` answers for these bytes of a message. It is given a copy, which it may keep. */
  read(message: Uint8Array, start: number, length: number): T | null {
    const hash = hashOf(message, start, length);
    const slot = this.slotOf(hash);
    for (let i = slot; i < slot + WAYS; i++) {
      const run = this.runs[i] as Bytes | null;
      if (run !== null && isSame(run, message, start, length)) return this.values[i] as T;
    }
    const bytes = new Uint8Array(message.subarray(start, start + length));
    const value = this.make(bytes);
    if (value !== null) this.keep(bytes, value, hash);
    return value;
  }

  /** The newest takes the place of the oldest among those that fall on the same slots. */
  private keep(bytes: Bytes, value: T, hash: number): void {
    let slot = this.slotOf(hash);
    if (this.runs[slot + WAYS - 1] !== null && 2 * this.used >= this.runs.length && this.runs.length < this.most) {
      this.grow();
      slot = this.slotOf(hash);
    }
    if (this.runs[slot + WAYS - 1] === null) this.used++;
    for (let i = slot + WAYS - 1; i > slot; i--) {
      this.runs[i] = this.runs[i - 1] as Bytes | null;
      this.values[i] = this.values[i - 1] as T | null;
    }
    this.runs[slot] = bytes;
    this.values[slot] = value;
  }

  private grow(): void {
    const { runs, values } = this;
    this.runs = new Array<Bytes | null>(4 * runs.length).fill(null);
    this.values = new Array<T | null>(4 * runs.length).fill(null);
    this.used = 0;
    for (const [i, run] of runs.entries()) if (run !== null) this.keep(run, values[i] as T, hashOf(run, 0, run.length));
  }

  private slotOf(hash: number): number {
    return ((hash ^ (hash >>> 15)) & (this.runs.length / WAYS - 1)) * WAYS;
  }
}

/** Slots at first: nothing for a page that has just been opened. */
const FIRST_SLOTS = 64;
/** Slots in a row that a run may lie in: with four, a memo that is a third full misses one in twenty-five of those that it should know. */
const WAYS = 4;

function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = length;
  for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return Math.imul(hash, 0x9e37_79b1); // the golden ratio: the upper bits, which `slotOf` mixes in, are then as good as any
}

function isSame(run: Uint8Array, message: Uint8Array, start: number, length: number): boolean {
  if (run.length !== length) return false;
  for (let i = 0; i < length; i++) if (run[i] !== message[start + i]) return false;
  return true;
}
