/** A computer sleeps while a video plays, long enough for all others to take it for dead, and wakes up. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/node/settings.ts';
import { fixture } from '../fixtures/make.ts';
import { launchSleeper, type Sleeper } from './harness/chromium.ts';
import { usePlace } from './harness/place.ts';
import { openTab } from './harness/tab.ts';

const KEEPERS = 2;
/** The others have noticed before (ms): the silence that a link bears, and some. */
const ASLEEP = 3 * DEFAULT_SETTINGS.silence;
/** For links to be mended by itself (ms). One that is as good as dead is asked for 2 s; a new one takes one. */
const MENDED = 15_000;
/** Played beyond what the player had when it fell asleep (s), and how fast: about as much again lies on its disk. */
const PLAYED_ON = 30;
const SPEED = 2;

const place = usePlace();
let sleeper: Sleeper;
beforeAll(async () => {
  sleeper = await launchSleeper();
});
afterAll(() => sleeper.close());

test('a tab whose computer slept links up again by itself, and its video goes on beyond what was loaded', {
  timeout: 150_000,
}, async () => {
  const publisher = await openTab(place.browser, place.site.url);
  for (let count = 0; count < KEEPERS; count++) await openTab(place.browser, place.site.url);
  const video = await publisher.publish(await fixture('three-minutes.mp4'), 'Sleep');
  await video.copies();

  const watcher = await openTab(sleeper.browser, place.site.url);
  const { page } = watcher;
  await watcher.watch(video.watchUrl);
  await watcher.untilMoving();
  const before = await page.evaluate((speed) => {
    const element = document.querySelector('video') as HTMLVideoElement;
    element.playbackRate = speed;
    return { loaded: element.buffered.end(element.buffered.length - 1), linked: window.kadreel?.node.stats().links.tabs ?? 0 };
  }, SPEED);
  expect(before.linked).toBeGreaterThan(0);

  sleeper.sleep();
  // What a sleeping computer does not do can only be waited for by the clock.
  await Promise.all([pause(ASLEEP), publisher.untilUnlinked(watcher.id)]);
  const start = performance.now();
  sleeper.wake();

  const linked = await page.waitForFunction(
    () => {
      const stats = window.kadreel?.node.stats();
      return stats && stats.links.openNodes > 0 && stats.links.tabs > 0 && Date.now();
    },
    null,
    { timeout: MENDED, polling: 50 },
  );
  await linked.dispose();
  await publisher.untilLinked(watcher.id);
  const mended = Math.round(performance.now() - start);
  const until = before.loaded + PLAYED_ON;
  await page.waitForFunction((to) => (document.querySelector('video')?.currentTime ?? 0) >= to, until, { timeout: 90_000, polling: 100 });
  console.info(
    `asleep for ${ASLEEP / 1000} s: linked again after ${mended} ms, played on from ${before.loaded.toFixed(1)} to ${until.toFixed(1)} s`,
  );
  expect(mended).toBeLessThan(MENDED);
  expect((await watcher.player()).error).toBeNull();
  // A segment that was asked for while everybody had gone is answered with 504, and the player asks again.
  expect(watcher.errors.filter((error) => !error.includes('status of 504'))).toEqual([]);
});
