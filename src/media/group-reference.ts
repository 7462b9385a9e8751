/** How a list names a group and what is in it. */
import { LIMITS } from '../base/limits.ts';
import { list, type Schema, struct, uint } from '../base/schema.ts';
import { type Key, keySchema } from '../kademlia/key.ts';

export interface GroupReference {
  /** The hash of the group's descriptor. */
  readonly key: Key;
  /** Milliseconds of each segment. They add up without drift: each is the difference of two rounded times. */
  readonly durations: readonly number[];
}

/** Milliseconds: 49 days. */
export const MAX_DURATION = 0xffff_ffff;

export const groupReferenceSchema: Schema<GroupReference> = struct<GroupReference>({
  key: keySchema,
  durations: list(uint(MAX_DURATION), LIMITS.groupSegments),
});
