/** When each of an owner's devices last wrote a record: tells whether one version was made in knowledge of another. */
import { type Bytes, fromHex, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { fixed, list, refine, type Schema, struct, uint } from '../base/schema.ts';

/** Enough that two devices of one owner never have the same. */
export const DEVICE_BYTES = 8;

/** One device of an owner: 8 random bytes, written as 16 lowercase hexadecimal digits. */
export type Device = string & { readonly brand: 'Device' };

export interface ClockEntry {
  readonly device: Device;
  /** Rises with each write of the device; from 1. */
  readonly counter: number;
}

/** Sorted by device, each device once. */
export type VectorClock = readonly ClockEntry[];

/** How one clock stands to another. */
export type ClockOrder = 'equal' | 'before' | 'after' | 'concurrent';

/** Before the first write. */
export const EMPTY_CLOCK: VectorClock = [];

/** The device whose bytes these 8 are. */
export function deviceOf(bytes: Uint8Array): Device {
  return toHex(bytes) as Device;
}

/** The device, or null when the text is not 16 hexadecimal digits. */
export function parseDevice(text: string): Device | null {
  return /^[0-9a-f]{16}$/.test(text) ? (text as Device) : null;
}

const deviceSchema: Schema<Device> = refine(fixed(DEVICE_BYTES), {
  parse: deviceOf,
  format: (device) => fromHex(device) as Bytes,
});

const entrySchema = struct<ClockEntry>({ device: deviceSchema, counter: uint(Number.MAX_SAFE_INTEGER) });

/** Refused when not sorted, when a device comes twice or when a counter is zero. */
export const clockSchema: Schema<VectorClock> = refine(list(entrySchema, LIMITS.clockDevices), {
  parse: (clock) => (isClock(clock) ? clock : null),
  format: (clock) => clock,
});

function isClock(clock: VectorClock): boolean {
  return clock.every((entry, i) => entry.counter > 0 && (i === 0 || (clock[i - 1] as ClockEntry).device < entry.device));
}

/**
 * The clock after one more write by `device`, made at `time` (ms). Its counter becomes that time, or one more than before if that is more: so a device
 * that gave up its own version for somebody else's, whose clock does not know of it, never counts the same number twice. When the clock is
 * full the device with the least counter makes room for a new one; the new clock is then concurrent to the old one, and the
 * order by time, which every write keeps, decides. Throws `invalid` when the counter would not fit a number.
 */
export function increment(clock: VectorClock, device: Device, time: number): VectorClock {
  const before = clock.find((entry) => entry.device === device)?.counter ?? 0;
  const counter = Math.max(before + 1, time);
  if (!Number.isSafeInteger(counter)) throw fail('invalid', 'The clock of this record is at its end: it can not be written again.');
  let others = clock.filter((entry) => entry.device !== device);
  if (others.length >= LIMITS.clockDevices) {
    const least = others.reduce((a, b) => (b.counter < a.counter ? b : a));
    others = others.filter((entry) => entry !== least);
  }
  return sorted([...others, { device, counter }]);
}

/** How `a` stands to `b`: before it, after it, the same, or written without knowledge of each other. */
export function compareClocks(a: VectorClock, b: VectorClock): ClockOrder {
  let ahead = false;
  let behind = false;
  for (const { mine, theirs } of pairs(a, b)) {
    if (mine > theirs) ahead = true;
    if (mine < theirs) behind = true;
  }
  if (ahead) return behind ? 'concurrent' : 'after';
  return behind ? 'before' : 'equal';
}

/** The least clock that is not before either. May have more devices than fit on the wire. */
export function mergeClocks(a: VectorClock, b: VectorClock): VectorClock {
  return sorted(pairs(a, b).map(({ device, mine, theirs }) => ({ device, counter: Math.max(mine, theirs) })));
}

/** Both counters of each device that is in either; 0 for one that is missing. */
function pairs(a: VectorClock, b: VectorClock): readonly { device: Device; mine: number; theirs: number }[] {
  const mine = new Map(a.map((entry) => [entry.device, entry.counter]));
  const theirs = new Map(b.map((entry) => [entry.device, entry.counter]));
  const devices = new Set([...mine.keys(), ...theirs.keys()]);
  return [...devices].map((device) => ({ device, mine: mine.get(device) ?? 0, theirs: theirs.get(device) ?? 0 }));
}

function sorted(entries: ClockEntry[]): VectorClock {
  return entries.sort((a, b) => (a.device < b.device ? -1 : 1));
}
