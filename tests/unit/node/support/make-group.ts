import { createHash } from 'node:crypto';
import type { Bytes } from '../../../../src/base/bytes.ts';
import { encode } from '../../../../src/base/schema.ts';
import { type Key, keyOf } from '../../../../src/kademlia/key.ts';
import { type GroupDescriptor, groupDescriptorSchema } from '../../../../src/media/manifest.ts';

export interface TestGroup {
  readonly key: Key;
  readonly encoded: Bytes;
  readonly descriptor: GroupDescriptor;
  readonly segments: readonly Bytes[];
}

/** A group whose segments have these sizes (bytes); `fill` makes it another one. */
export function makeGroup(fill: number, sizes: readonly number[], duration = 4_000): TestGroup {
  const segments = sizes.map((size, index) => new Uint8Array(size).fill(fill + index));
  const sha256 = (bytes: Bytes): Bytes => new Uint8Array(createHash('sha256').update(bytes).digest());
  const descriptor = { segments: segments.map((bytes) => ({ digest: sha256(bytes), size: bytes.length, duration })) };
  const encoded = encode(groupDescriptorSchema, descriptor);
  return { key: keyOf(sha256(encoded).subarray(0, 20)), encoded, descriptor, segments };
}
