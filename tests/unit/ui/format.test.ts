import { describe, expect, it } from 'vitest';
import {
  codecName,
  containerName,
  formatAge,
  formatBytes,
  formatLeft,
  formatTime,
  healthLine,
  plural,
  servedBy,
  speakTime,
} from '../../../src/ui/format.ts';
import { HEALTH } from '../app/states.ts';

describe('format', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_000, '1 kB'],
    [1_540, '1.5 kB'],
    [9_960, '10 kB'],
    [999_400, '999 kB'],
    [999_600, '1 MB'],
    [38_400_000, '38 MB'],
    [1_230_000_000, '1.2 GB'],
    [5e15, '5000 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0:00', '0 seconds'],
    [9.9, '0:09', '9 seconds'],
    [61, '1:01', '1 minute 1 second'],
    [3_600, '1:00:00', '1 hour'],
    [10_923, '3:02:03', '3 hours 2 minutes 3 seconds'],
    [Number.NaN, '0:00', '0 seconds'],
    [Number.POSITIVE_INFINITY, '0:00', '0 seconds'],
    [-5, '0:00', '0 seconds'],
  ])('%d s are %s', (seconds, written, spoken) => {
    expect(formatTime(seconds)).toBe(written);
    expect(speakTime(seconds)).toBe(spoken);
  });

  it.each([
    [-5_000, 'just now'],
    [59_999, 'just now'],
    [60_000, '1 minute ago'],
    [3_600_000, '1 hour ago'],
    [25 * 3_600_000, '1 day ago'],
    [40 * 86_400_000, '1 month ago'],
    [800 * 86_400_000, '2 years ago'],
  ])('%d ms ago is %s', (ago, text) => {
    expect(formatAge(1e12 - ago, 1e12)).toBe(text);
  });

  it.each([
    [null, 'working out how long'],
    [2, 'a few seconds left'],
    [11, 'about 15 s left'],
    [55, 'about 1 min left'],
    [61, 'about 2 min left'],
    [5_400, 'about 1.5 h left'],
  ])('%s s to go is %s', (seconds, text) => {
    expect(formatLeft(seconds)).toBe(text);
  });

  it('counts in singular and plural', () => {
    expect([plural(0, 'tab'), plural(1, 'tab'), plural(2, 'tab')]).toEqual(['0 tabs', '1 tab', '2 tabs']);
  });

  it('has a line for each phase of the node', () => {
    expect(healthLine({ ...HEALTH, links: { tabs: 4, openNodes: 1 }, kept: { bytes: 38e6, quota: 2e9 } })).toEqual({
      word: 'Online',
      figures: ['4 tabs', '1 open node', '38 MB kept'],
    });
    expect(healthLine({ ...HEALTH, phase: 'peers-only' }).figures[0], 'the one that narrow screens show').toBe('no open node');
    const words = (['starting', 'joining', 'peers-only', 'alone', 'failed'] as const).map((phase) => healthLine({ ...HEALTH, phase }).word);
    expect(words).toEqual(['Starting', 'Joining', 'Online', 'Alone', 'Not running']);
  });

  it.each([
    [{ store: 0, tabs: 0, openNodes: 0 }, 'Where the bytes come from'],
    [{ store: 0, tabs: 9, openNodes: 0 }, 'Served by other tabs'],
    [{ store: 9, tabs: 0, openNodes: 0 }, 'Served by this disk'],
    [{ store: 1, tabs: 1, openNodes: 0 }, 'Served by other tabs and this disk'],
    [{ store: 1, tabs: 1, openNodes: 1 }, 'Served by other tabs, an open node and this disk'],
  ])('names only who served bytes: %j', (sources, text) => {
    expect(servedBy(sources)).toBe(text);
  });

  it.each([
    ['mp4', 'MP4'],
    ['AVI (Audio Video Interleaved)', 'AVI'],
    ['Matroska', 'Matroska'],
    ['MPEG-PS (MPEG-2 Program Stream)', 'MPEG-PS'],
  ])('the container %s is called %s', (container, name) => {
    expect(containerName(container)).toBe(name);
  });

  it.each([
    ['avc1.64001f', 'H.264'],
    ['mp4a.40.2', 'AAC'],
    ['vp09.00.10.08', 'VP9'],
    ['av01.0.04M.08', 'AV1'],
    ['mpeg2video', 'MPEG-2'],
    ['something', 'something'],
  ])('the codec %s is called %s', (codec, name) => {
    expect(codecName(codec)).toBe(name);
  });
});
