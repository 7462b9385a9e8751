import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/base/errors.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey } from '../../../src/kademlia/key.ts';
import { createGroupPacker, decodeGroup, groupSize } from '../../../src/media/group.ts';
import { groupDescriptorSchema } from '../../../src/media/manifest.ts';
import { crypto, digestOf, packAll } from './video.ts';

describe('createGroupPacker', () => {
  test('closes a group before it lasts longer than groupSeconds', () => {
    const groups = packAll(Array.from({ length: 21 }, () => ({ size: 1000, duration: 4_000_000 })));
    expect(groups.map((group) => group.descriptor.segments.length)).toEqual([10, 10, 1]);
    expect(groups.map((group) => group.firstSegment)).toEqual([0, 10, 20]);
  });

  test('closes a group before it takes more bytes than group', () => {
    const third = Math.floor(LIMITS.group / 3);
    const groups = packAll(Array.from({ length: 5 }, () => ({ size: third, duration: 1_000_000 })));
    expect(groups.map((group) => group.descriptor.segments.length)).toEqual([3, 2]);
  });

  test('closes a group before it has more segments than groupSegments', () => {
    const groups = packAll(Array.from({ length: 130 }, () => ({ size: 10, duration: 100_000 })));
    expect(groups.map((group) => group.descriptor.segments.length)).toEqual([64, 64, 2]);
  });

  test('puts a segment longer than groupSeconds alone in a group', () => {
    const groups = packAll([1, 50, 1].map((seconds) => ({ size: 10, duration: seconds * 1_000_000 })));
    expect(groups.map((group) => group.descriptor.segments.length)).toEqual([1, 1, 1]);
  });

  test('takes a segment of exactly the size of a group, and refuses one byte more', () => {
    const packer = createGroupPacker(crypto);
    expect(packer.add({ digest: digestOf(0), size: LIMITS.group, duration: 1 })).toBeNull();
    const refused = (size: number): unknown => {
      try {
        return packer.add({ digest: digestOf(1), size, duration: 1 });
      } catch (error) {
        return error;
      }
    };
    expect(hasCode(refused(LIMITS.group + 1), 'too-large')).toBe(true);
    expect(hasCode(refused(0), 'invalid')).toBe(true);
  });

  test('has nothing to finish when nothing was added, and nothing twice', () => {
    const packer = createGroupPacker(crypto);
    expect(packer.finish()).toBeNull();
    packer.add({ digest: digestOf(0), size: 1, duration: 1 });
    expect(packer.finish()?.descriptor.segments).toHaveLength(1);
    expect(packer.finish()).toBeNull();
  });

  test('keeps every segment, in order, within the limits, with the key of its descriptor and times that do not drift', () => {
    const segment = fc.record({ size: fc.integer({ min: 1, max: LIMITS.group }), duration: fc.integer({ min: 0, max: 60_000_000 }) });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 300 }), (segments) => {
        const groups = packAll(segments);
        const packed = groups.flatMap((group) => group.descriptor.segments);
        expect(packed.map((one) => one.size)).toEqual(segments.map((one) => one.size));
        expect(packed.map((one) => one.digest)).toEqual(segments.map((_, n) => digestOf(n)));
        let exact = 0;
        let rounded = 0;
        packed.forEach((one, n) => {
          exact += segments[n]?.duration ?? 0;
          rounded += one.duration;
          expect(Math.abs(rounded - exact / 1000)).toBeLessThanOrEqual(0.5);
        });
        for (const group of groups) {
          const count = group.descriptor.segments.length;
          const duration = group.reference.durations.reduce((a, b) => a + b, 0);
          expect(count).toBeLessThanOrEqual(LIMITS.groupSegments);
          expect(group.size).toBeLessThanOrEqual(LIMITS.group);
          expect(group.size).toBe(groupSize(group.descriptor));
          if (count > 1) expect(duration).toBeLessThanOrEqual(LIMITS.groupSeconds * 1000);
          expect(group.key).toBe(hashKey(crypto, group.encoded));
          expect(group.encoded.length).toBeLessThanOrEqual(LIMITS.value);
          expect(decodeGroup(group.encoded)).toEqual(group.descriptor);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('decodeGroup', () => {
  const encoded = (segments: { size: number }[]) =>
    encode(groupDescriptorSchema, { segments: segments.map(({ size }, n) => ({ digest: digestOf(n), size, duration: 4000 })) });

  test('refuses an empty group, an empty segment and a group that is too large', () => {
    expect(decodeGroup(encoded([]))).toBeNull();
    expect(decodeGroup(encoded([{ size: 0 }]))).toBeNull();
    expect(decodeGroup(encoded([{ size: LIMITS.group }, { size: 1 }]))).toBeNull();
    expect(decodeGroup(encoded([{ size: LIMITS.group }]))).not.toBeNull();
  });

  test('never throws on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void decodeGroup(bytes)));
  });

  test('gives bytes of its own', () => {
    const bytes = encoded([{ size: 5 }]);
    const group = decodeGroup(bytes);
    bytes.fill(0);
    expect(group?.segments[0]?.digest).toEqual(digestOf(0));
  });
});
