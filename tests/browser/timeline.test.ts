/** Rounding does not add up: every quality of a video with awkward rates stays where the file has it, picture and sound together. The bench has ten minutes of it. */
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { openTab } from './harness/tab.ts';
import { timelineOf } from './harness/timeline.ts';
import { publishWhole, withSaved } from './harness/whole-publication.ts';

const MAKING = 100_000;
/** Seconds: a tick of either time scale. */
const TICK = 0.00004;
/** Playlists count milliseconds, groups carry on what is left over. */
const MILLISECOND = 0.0011;
/** Seconds by which sound may be away from its picture. */
const APART = 0.05;

const place = usePlace();

test('29.97 pictures a second beside 44.1 kHz: no hole, no overlap, and the sound with its picture at every boundary', async () => {
  const source = await fixture('drifting-short.mp4');
  const tab = await openTab(place.browser, place.site.url);
  const watchUrl = await publishWhole(tab, { path: source, title: 'Drifting', timeout: MAKING });
  const { renditions, apart, unlike, complaints } = await withSaved(tab, watchUrl, (directory) => timelineOf(directory, source));
  console.info({ renditions, apart, unlike });
  expect(complaints).toBe('');
  expect(new Set(renditions.map(({ height }) => height))).toEqual(new Set([270, 240, null]));
  for (const { height, segments, missing, gap, shift, late } of renditions) {
    const which = height === null ? 'sound' : `${height}p`;
    expect(segments, which).toBeGreaterThan(20);
    expect(missing, which).toBe(0);
    expect(gap, which).toBeLessThanOrEqual(TICK);
    expect(shift, which).toBeLessThanOrEqual(TICK);
    expect(late, which).toBeLessThanOrEqual(MILLISECOND);
  }
  expect(apart).toBeLessThanOrEqual(APART);
  expect(unlike).toBeLessThanOrEqual(APART);
  expect(tab.errors).toEqual([]);
});
