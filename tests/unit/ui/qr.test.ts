import jsQR from 'jsqr';
import { describe, expect, test } from 'vitest';
import { qrOf } from '../../../src/ui/qr.ts';

/** Pixels of a module on the picture that is judged. */
const SCALE = 4;

/** What the outside judge reads on a picture with these rectangles on white. */
function readBack({ size, path }: { size: number; path: string }): string | null {
  const side = size * SCALE;
  const pixels = new Uint8ClampedArray(4 * side * side).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row++) {
      const from = row * side + Number(x) * SCALE;
      for (let at = from; at < from + Number(width) * SCALE; at++) pixels.fill(0, 4 * at, 4 * at + 3);
    }
  }
  return jsQR(pixels, side, side)?.data ?? null;
}

describe('a QR code', () => {
  // An invitation with two candidates (140 characters) and with three (166); a reply with as many.
  test.each([
    ['https://video.example/join#', 140, 8],
    ['https://video.example/join#', 166, 9],
    ['http://localhost:8080/join#', 140, 8],
    ['', 146, 7],
    ['', 171, 8],
  ])('of %s and %i characters has version %i, and another program reads it', (before, length, version) => {
    const text = before + 'ED-pwE5bfSGIasD_7hI0VniQq83voKGio6SlpqeoqaqrrK2ur7'.repeat(4).slice(0, length);
    const code = qrOf(text);
    expect(code.version).toBe(version);
    expect(code.size).toBe(17 + 4 * version + 2 * 4);
    expect(readBack(code)).toBe(text);
  });
});
