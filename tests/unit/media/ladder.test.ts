import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LadderSource, ladderFor, playsEverywhere } from '../../../src/media/ladder.ts';

function source(width: number, height: number, changes: Partial<LadderSource> = {}): LadderSource {
  return { width, height, frameRate: 30, bitrate: null, copied: true, ...changes };
}

function sizes(of: LadderSource): string[] {
  return ladderFor(of).map(({ name, width, height }) => `${name} ${width}×${height}`);
}

describe('the rungs of a source', () => {
  test('are those below it when it is copied', () => {
    expect(sizes(source(1920, 1080))).toEqual(['720p 1280×720', '480p 854×480', '360p 640×360', '240p 426×240']);
  });

  test('begin with its own size when it is not', () => {
    expect(sizes(source(1280, 720, { copied: false }))).toEqual(['720p 1280×720', '480p 854×480', '360p 640×360', '240p 426×240']);
  });

  test('count the shorter side of a portrait video', () => {
    expect(sizes(source(1080, 1920))).toEqual(['720p 720×1280', '480p 480×854', '360p 360×640', '240p 240×426']);
  });

  test.each([
    [800, '720p', false],
    [801, '720p', true],
    [533, '480p', false],
    [534, '480p', true],
  ])('of %d lines that is copied: %s %s', (lines, name, there) => {
    expect(ladderFor(source(2 * lines, lines)).some((rung) => rung.name === name)).toBe(there);
  });

  test.each([
    [0, 0],
    [426, 238],
    [Number.NaN, 720],
    [Number.POSITIVE_INFINITY, 720],
  ])('of %d × %d are none', (width, height) => {
    expect(ladderFor(source(width, height, { copied: false }))).toEqual([]);
  });

  test('take the bits of the table for a usual source, more for more frames, and no more than the source has', () => {
    const bits = (changes: Partial<LadderSource>): number | undefined => ladderFor(source(1280, 720, changes))[1]?.bitrate;
    expect(bits({})).toBe(850_000);
    expect(bits({ frameRate: 0 })).toBe(850_000);
    expect(bits({ frameRate: 60 })).toBe(Math.floor(850_000 * Math.SQRT2));
    expect(bits({ bitrate: 1_000_000 })).toBe(500_000);
  });
});

const anySource: fc.Arbitrary<LadderSource> = fc.record({
  width: fc.integer({ min: 1, max: 8192 }),
  height: fc.integer({ min: 1, max: 8192 }),
  frameRate: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 240, noNaN: true })),
  bitrate: fc.option(fc.integer({ min: 10_000, max: 100_000_000 })),
  copied: fc.boolean(),
});

describe('whatever the source, its rungs', () => {
  test('are even, of its shape, and never above it', () => {
    fc.assert(
      fc.property(anySource, (from) => {
        for (const { width, height, bitrate } of ladderFor(from)) {
          expect([width % 2, height % 2]).toEqual([0, 0]);
          expect(width).toBeLessThanOrEqual(from.width);
          expect(height).toBeLessThanOrEqual(from.height);
          const [across, down] = from.width >= from.height ? [width, height] : [height, width];
          const [longer, shorter] = from.width >= from.height ? [from.width, from.height] : [from.height, from.width];
          // Less than a pixel and a half off: rounded to even, or down where the source has no room.
          expect(Math.abs(across - (down * longer) / shorter)).toBeLessThan(1.5);
          expect(bitrate).toBeGreaterThan(0);
          expect(Number.isInteger(bitrate)).toBe(true);
          expect(bitrate).toBeLessThanOrEqual(from.bitrate ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  test('go down in pixels and in bits, and the first is less than a source that is copied', () => {
    fc.assert(
      fc.property(anySource, (from) => {
        const rungs = ladderFor(from);
        rungs.forEach((rung, n) => {
          const before = rungs[n - 1];
          if (!before) return;
          expect(rung.width * rung.height).toBeLessThan(before.width * before.height);
          expect(rung.bitrate).toBeLessThan(before.bitrate);
        });
        const [best] = rungs;
        if (!best || !from.copied) return;
        expect(Math.min(best.width, best.height)).toBeLessThan(0.9 * Math.min(from.width, from.height));
        if (from.bitrate !== null) expect(best.bitrate).toBeLessThan(from.bitrate);
      }),
    );
  });

  test('are named as many lines as they have', () => {
    fc.assert(
      fc.property(anySource, (from) => {
        for (const rung of ladderFor(from)) expect(rung.name).toBe(`${Math.min(rung.width, rung.height)}p`);
      }),
    );
  });
});

test.each<[string, boolean]>([
  ['avc1.64001f', true],
  ['avc1.42c01e', true],
  ['avc', true],
  ['avc1.6e001f', false], // High 10
  ['vp09.00.10.08', false],
  ['av01.0.05M.08', false],
  ['hvc1.1.6.L93.B0', false],
])('%s plays everywhere: %s', (codec, everywhere) => {
  expect(playsEverywhere(codec)).toBe(everywhere);
});
