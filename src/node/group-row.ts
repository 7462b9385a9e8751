/** What the disk says of a group: its descriptor, which of its segments are here, and why. Pure. */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, decode, encode, refine, type Schema, struct, time, uint } from '../base/schema.ts';
import { type GroupDescriptor, groupDescriptorSchema } from '../media/manifest.ts';

/** Why a group is here. `own`: the person published it, never evicted · `kept`: a duty of the overlay · `seen`: watched. */
export type GroupRole = 'own' | 'kept' | 'seen';

export interface GroupRow {
  readonly role: GroupRole;
  /** When it was last read or written, ms. */
  readonly used: number;
  /** Other disks that held it when we last looked. */
  readonly holders: number;
  /** Bit i: segment i is here. Two words: a group has at most 64 segments. */
  readonly low: number;
  readonly high: number;
  readonly encoded: Bytes;
}

/** The strongest reason first: it is the one that stays. */
const ROLES: readonly GroupRole[] = ['own', 'kept', 'seen'];

const rowSchema: Schema<GroupRow> = struct<GroupRow>({
  role: refine<number, GroupRole>(uint(2), { parse: (n) => ROLES[n] ?? null, format: (role) => ROLES.indexOf(role) }),
  used: time,
  holders: uint(1_000_000),
  low: uint(0xffff_ffff),
  high: uint(0xffff_ffff),
  encoded: binary(LIMITS.value),
});

/** The row in bytes of the disk, or null. */
export function readRow(bytes: Bytes | null): GroupRow | null {
  return bytes && decode(rowSchema, bytes);
}

/** The row as the disk keeps it. */
export function writeRow(row: GroupRow): Bytes {
  return encode(rowSchema, row);
}

/** A group of which nothing is here yet. */
export function emptyRow(group: { role: GroupRole; encoded: Bytes; now: number }): GroupRow {
  return { role: group.role, used: group.now, holders: 0, low: 0, high: 0, encoded: group.encoded };
}

/** The row with one segment more. */
export function withSegment(row: GroupRow, index: number, by: { role: GroupRole; now: number }): GroupRow {
  const bit = 1 << (index % 32);
  return {
    ...row,
    role: ROLES.indexOf(by.role) < ROLES.indexOf(row.role) ? by.role : row.role,
    used: by.now,
    low: index < 32 ? (row.low | bit) >>> 0 : row.low,
    high: index < 32 ? row.high : (row.high | bit) >>> 0,
  };
}

/** True when the segment with this number is here. */
export function hasSegment(row: GroupRow, index: number): boolean {
  return (((index < 32 ? row.low : row.high) >>> (index % 32)) & 1) === 1;
}

/** What the row's bits and descriptor come to: `bytes` are those of the segments that are here. */
export function summarize(row: GroupRow): { descriptor: GroupDescriptor; complete: boolean; bytes: number } {
  const descriptor = decode(groupDescriptorSchema, row.encoded) ?? { segments: [] };
  let complete = descriptor.segments.length > 0;
  let bytes = 0;
  for (const [index, segment] of descriptor.segments.entries()) {
    if (hasSegment(row, index)) bytes += segment.size;
    else complete = false;
  }
  return { descriptor, complete, bytes };
}
