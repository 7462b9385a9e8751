import { describe, expect, it } from 'vitest';
import { formatBitrate, formatFrameRate, formatRange } from '../../../src/ui/estimate.ts';
import { languageChoices } from '../../../src/ui/languages.ts';
import { tileAt } from '../../../src/ui/seek-preview.tsx';

describe('estimates', () => {
  it.each([
    [0.01, 0.4, 'a second or two'],
    [1, 20, '1 to 20 s'],
    [0.1, 20, 'up to 20 s'],
    [38, 42, 'about 40 s'],
    [70, 400, '1 to 7 min'],
    [2_000, 6_400, '0.5 to 2 h'],
  ])('from %f to %f seconds: %s', (from, to, words) => expect(formatRange({ from, to })).toBe(words));

  it('bitrates and frame rates are told as people do', () => {
    expect([500, 460_000, 2_400_000, 12_345_678].map(formatBitrate)).toEqual(['1 kbit/s', '460 kbit/s', '2.4 Mbit/s', '12 Mbit/s']);
    expect(formatFrameRate({ frameRate: 30_000 / 1001, variable: false })).toBe('29.97 frames/s');
    expect(formatFrameRate({ frameRate: 23.6, variable: true })).toBe('about 24 frames/s, varying');
    expect(formatFrameRate({ frameRate: 0, variable: false })).toBe('unknown frame rate');
  });
});

describe('languages', () => {
  it('have the names that their speakers use, and what a file says is among them', () => {
    const choices = languageChoices('fy');
    expect(choices).toContainEqual({ tag: 'de', name: 'Deutsch' });
    expect(choices).toContainEqual({ tag: 'fr', name: 'Français' });
    expect(choices.some(({ tag }) => tag === 'fy')).toBe(true);
    expect(languageChoices('und').some(({ tag }) => tag === 'und')).toBe(false);
    expect(new Set(choices.map(({ name }) => name)).size).toBe(choices.length);
  });
});

describe('[M18] the tile of a moment', () => {
  const preview = { interval: 2, count: 105, columns: 10, rows: 10, width: 160, height: 90, sheets: ['/a.jpg', '/b.jpg'] };
  it.each([
    [-1, '/a.jpg', 0, 0],
    [0, '/a.jpg', 0, 0],
    [3.9, '/a.jpg', 160, 0],
    [20, '/a.jpg', 0, 90],
    [199.9, '/a.jpg', 1440, 810],
    [200, '/b.jpg', 0, 0],
    [9_999, '/b.jpg', 640, 0],
  ])('at %f s', (seconds, sheet, left, top) => expect(tileAt(preview, seconds)).toEqual({ sheet, left, top }));

  it('is none when its sheet is not named', () => {
    expect(tileAt({ ...preview, sheets: ['/a.jpg'] }, 300)).toBeNull();
  });
});
