import fc from 'fast-check';
import { expect, it } from 'vitest';
import { COVER_PALETTES, drawCover, sectorPath } from '../../../src/ui/cover.ts';

const ids = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 });

it('a cover is the same for the same id, and stays within its frame', () => {
  fc.assert(
    fc.property(ids, (id) => {
      const drawing = drawCover(id);
      expect(drawCover(id)).toEqual(drawing);
      expect(drawing.palette).toBeGreaterThanOrEqual(0);
      expect(drawing.palette).toBeLessThan(COVER_PALETTES);
      for (const value of [...drawing.centre, ...drawing.radii, ...drawing.nodes.flat()]) expect(Number.isFinite(value)).toBe(true);
      for (const [from, to] of drawing.lines) expect(drawing.nodes[from] && drawing.nodes[to]).toBeDefined();
    }),
  );
});

it('covers of different ids use every palette', () => {
  const palettes = new Set(Array.from({ length: 200 }, (_, n) => drawCover(n.toString(16).padStart(40, '0')).palette));
  expect(palettes.size).toBe(COVER_PALETTES);
});

it('draws a sector clockwise from the right', () => {
  expect(sectorPath([10, 10], 5, { from: 0, sweep: 90 })).toBe('M10 10L15 10A5 5 0 0 1 10 15Z');
  expect(sectorPath([10, 10], 5, { from: 0, sweep: 270 })).toBe('M10 10L15 10A5 5 0 1 1 10 5Z');
});
