/** A video that is long in the making: another tab watches it from its beginning on while the rest is converted (docs/protocol.md, M22). */
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { openTab, type Tab } from './harness/tab.ts';

/** Smaller pictures are not what is looked at here. */
const OTHERS = ['480p', '360p', '240p'];
/** Seconds of the clip. */
const LENGTH = 60;
/** The clip is converted at about the speed that it plays at, on a busy machine at a fifth of it (ms). */
const CONVERTING = 360_000;

const place = usePlace();

interface Watched {
  readonly time: number;
  readonly duration: number;
  readonly ended: boolean;
  readonly error: string | null;
  /** Times that it jumped, by whomever, and that it had nothing to show. */
  readonly moves: number;
  readonly stops: number;
}

/** Plays at twice the speed, so that it comes to the end of what there is, and notes what happens. */
async function follow({ page }: Tab): Promise<() => Promise<Watched>> {
  await page.evaluate(() => {
    const video = document.querySelector('video') as HTMLVideoElement;
    const seen = { moves: 0, stops: 0 };
    let last = video.currentTime;
    video.addEventListener('timeupdate', () => {
      last = video.currentTime;
    });
    // hls.js gives a player that stands still at the end of what there is a nudge of a tenth of a second.
    video.addEventListener('seeking', () => {
      if (Math.abs(video.currentTime - last) > 0.5) seen.moves++;
    });
    video.addEventListener('waiting', () => seen.stops++);
    video.playbackRate = 2;
    Object.assign(window, { seen });
  });
  return () =>
    page.evaluate(() => {
      const video = document.querySelector('video') as HTMLVideoElement;
      const { seen } = window as unknown as { seen: { moves: number; stops: number } };
      const { currentTime: time, duration, ended, error } = video;
      return { time, duration, ended, error: error?.message ?? null, ...seen };
    });
}

test('what must be converted is watched before it is converted, and to its end', { timeout: CONVERTING + 120_000 }, async () => {
  const publisher = await openTab(place.browser, place.site.url);
  const since = Date.now();
  const { watchUrl, copies } = await publisher.publish(await fixture('minute720.avi'), 'Growing', { without: OTHERS });
  const live = (Date.now() - since) / 1000;
  const viewer = await openTab(place.browser, watchUrl);
  await viewer.page.getByText(/Still being made: 0:\d\d of about 1:00 can be watched/).waitFor();
  await viewer.untilMoving();
  const first = await viewer.player();
  expect(first.currentTime).toBeLessThan(8);
  expect(first.duration).toBeLessThan(LENGTH);
  console.info(
    `the link worked after ${live.toFixed(1)} s, and it played ${((Date.now() - since) / 1000).toFixed(1)} s after it was chosen, ${first.duration.toFixed(0)} s of it`,
  );

  const watched = await follow(viewer);
  await expect.poll(async () => (await watched()).ended, { timeout: CONVERTING, interval: 1_000 }).toBe(true);
  const { time, duration, error, moves, stops } = await watched();
  console.info(`it ended after ${((Date.now() - since) / 1000).toFixed(1)} s, having waited ${stops} times for more`);
  expect(error).toBeNull();
  expect(moves).toBe(0);
  expect(Math.abs(duration - LENGTH)).toBeLessThan(0.2);
  expect(Math.abs(time - LENGTH)).toBeLessThan(0.2);
  await expect.poll(() => viewer.page.getByText('Still being made').count()).toBe(0);
  // Nothing was begun anew.
  const masters = await viewer.page.evaluate(
    () => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('master.m3u8')).length,
  );
  expect(masters).toBe(1);
  expect((await copies()).stored).toBe(1);
  expect(viewer.errors).toEqual([]);
  await publisher.close();
  // Who comes later finds a video like any other.
  const later = await openTab(place.browser, watchUrl);
  await later.untilMoving();
  await expect.poll(async () => Math.abs((await later.player()).duration - LENGTH)).toBeLessThan(0.2);
  expect(later.errors).toEqual([]);
});
