import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCatalogue, encodeCatalogue } from '../../../src/media/catalogue.ts';
import { sampleCatalogue, sampleGroup } from '../../browser/harness/sample-catalogue.ts';

test('a catalogue comes back as it went', () => {
  expect(decodeCatalogue(encodeCatalogue(sampleCatalogue()))).toEqual(sampleCatalogue());
});

test('a day of video in small groups fits', () => {
  const { manifest } = sampleCatalogue();
  const many = Array.from({ length: 20_000 }, (_, n) => ({ key: sampleGroup(0, n), durations: [4000] }));
  const renditions = manifest.renditions.map((rendition) => ({
    ...rendition,
    groups: { type: 'pages', pages: [sampleGroup(1, 1)] } as const,
  }));
  const long = { manifest: { ...manifest, duration: 80_000_000, renditions }, groups: [many, many.slice(0, 1)] };
  expect(decodeCatalogue(encodeCatalogue(long))).toEqual(long);
});

test('bytes that are none give null', () => {
  const good = encodeCatalogue(sampleCatalogue());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decodeCatalogue(bytes)).toBeNull();
    }),
  );
  expect(decodeCatalogue(good.subarray(0, -1))).toBeNull();
  const fewer = { ...sampleCatalogue(), groups: sampleCatalogue().groups.slice(1) };
  expect(decodeCatalogue(encodeCatalogue(fewer))).toBeNull();
});
