/** Packs the segments of one rendition into groups, which are found, checked and kept as a whole. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type GroupDescriptor, type GroupReference, groupDescriptorSchema, type SegmentDescriptor } from './manifest.ts';

/** A SHA-256. */
export const DIGEST_BYTES = 32;
const MICROSECONDS = 1000; // in a millisecond

/** A group that is closed. */
export interface PackedGroup {
  /** The hash of `encoded`. */
  readonly key: Key;
  readonly descriptor: GroupDescriptor;
  readonly encoded: Bytes;
  /** Its entry in the rendition's list. */
  readonly reference: GroupReference;
  /** Where its first segment is in the rendition, counted from 0. */
  readonly firstSegment: number;
  /** Bytes of all its segments. */
  readonly size: number;
}

export interface NewSegment {
  /** SHA-256 of its bytes. */
  readonly digest: Bytes;
  /** Bytes. */
  readonly size: number;
  /** Microseconds, as a cut event gives it. */
  readonly duration: number;
}

export interface GroupPacker {
  /**
   * Takes the next segment; gives the group before it when that is full. Throws `too-large` for a segment that fits in no group
   * and `invalid` for one that is empty.
   */
  add(segment: NewSegment): PackedGroup | null;
  /** The last group, or null when no segment is left. */
  finish(): PackedGroup | null;
}

/**
 * A group closes when one segment more would pass any of the limits; a segment longer than a group may last is alone in one. `behind` says how
 * many segments are in closed groups already, and how long they last (microseconds).
 */
export function createGroupPacker(crypto: Crypto, behind = { segments: 0, elapsed: 0 }): GroupPacker {
  let open: SegmentDescriptor[] = [];
  let size = 0;
  let duration = 0; // ms, of the open group
  let firstSegment = behind.segments;
  let elapsed = behind.elapsed; // µs, of the whole rendition

  function close(): PackedGroup | null {
    if (open.length === 0) return null;
    const group = packGroup(crypto, open, firstSegment);
    firstSegment += open.length;
    open = [];
    size = 0;
    duration = 0;
    return group;
  }

  return {
    add(segment) {
      if (segment.size > LIMITS.group) {
        throw fail('too-large', `A segment of ${segment.size} bytes fits in no group; a group holds at most ${LIMITS.group}.`);
      }
      if (segment.size <= 0 || segment.duration < 0 || segment.digest.length !== DIGEST_BYTES) {
        throw fail('invalid', 'A segment needs bytes, a duration and a SHA-256 digest.');
      }
      // Differences of rounded sums, so that the roundings of thousands of segments do not add up.
      const before = Math.round(elapsed / MICROSECONDS);
      elapsed += segment.duration;
      const milliseconds = Math.round(elapsed / MICROSECONDS) - before;
      const full =
        open.length >= LIMITS.groupSegments || size + segment.size > LIMITS.group || duration + milliseconds > LIMITS.groupSeconds * 1000;
      const closed = full ? close() : null;
      open.push({ digest: segment.digest, size: segment.size, duration: milliseconds });
      size += segment.size;
      duration += milliseconds;
      return closed;
    },
    finish: close,
  };
}

/** A group that was closed earlier, from its encoded descriptor; null for what `decodeGroup` does not take. */
export function reopenGroup(crypto: Crypto, encoded: Bytes, firstSegment: number): PackedGroup | null {
  const descriptor = decodeGroup(encoded);
  return descriptor && packGroup(crypto, descriptor.segments, firstSegment);
}

function packGroup(crypto: Crypto, segments: readonly SegmentDescriptor[], firstSegment: number): PackedGroup {
  const descriptor: GroupDescriptor = { segments };
  const encoded = encode(groupDescriptorSchema, descriptor);
  const key = hashKey(crypto, encoded);
  const reference = { key, durations: segments.map((segment) => segment.duration) };
  return { key, descriptor, encoded, reference, firstSegment, size: groupSize(descriptor) };
}

/** Bytes of all segments of a group. */
export function groupSize(descriptor: GroupDescriptor): number {
  return descriptor.segments.reduce((sum, segment) => sum + segment.size, 0);
}

/**
 * The descriptor whose bytes these are, copied, or null when it is none that a group may have: empty, an empty segment, or larger than a
 * group may be. Whether its key is right is the caller's to check.
 */
export function decodeGroup(bytes: Uint8Array): GroupDescriptor | null {
  const descriptor = decode(groupDescriptorSchema, new Uint8Array(bytes));
  if (!descriptor || descriptor.segments.length === 0) return null;
  if (descriptor.segments.some((segment) => segment.size === 0) || groupSize(descriptor) > LIMITS.group) return null;
  return descriptor;
}
