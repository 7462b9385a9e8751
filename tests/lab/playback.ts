/** How evenly the video of a page plays: its time is looked at many times a second. */
import type { Page } from 'playwright-core';

/** What was seen since `followPlayback`. */
export interface Playback {
  /** Seconds of the video that passed. */
  readonly played: number;
  /** The longest time in which the picture did not move on (ms). */
  readonly longestStall: number;
}

type FollowedWindow = Window & { kadreelPlayback?: () => Playback };

/** How often it is looked at (ms). */
const LOOK_INTERVAL = 25;

/** Begins to watch the page's video, which must be playing; what was seen before is forgotten. A video that ends begins again. */
export async function followPlayback(page: Page): Promise<void> {
  await page.evaluate((interval) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('This page shows no video.');
    video.loop = true;
    let [at, moved, played, longest] = [video.currentTime, performance.now(), 0, 0];
    const look = (): void => {
      const now = performance.now();
      if (video.currentTime !== at) {
        played += Math.max(0, video.currentTime - at);
        [at, moved] = [video.currentTime, now];
      }
      longest = Math.max(longest, now - moved);
    };
    const timer = setInterval(look, interval);
    const before = (window as FollowedWindow).kadreelPlayback;
    before?.();
    (window as FollowedWindow).kadreelPlayback = () => {
      clearInterval(timer);
      return { played, longestStall: longest };
    };
  }, LOOK_INTERVAL);
}

/** Waits until the video is at a time of its own (s), and gives what was seen until then. */
export async function finishPlayback(page: Page, options: { until: number; timeout: number }): Promise<Playback> {
  await page.waitForFunction((to) => (document.querySelector('video')?.currentTime ?? 0) >= to, options.until, {
    timeout: options.timeout,
    polling: 100,
  });
  return page.evaluate(() => (window as FollowedWindow).kadreelPlayback?.() ?? { played: 0, longestStall: Number.POSITIVE_INFINITY });
}

/** Seconds to which the video is loaded without a gap from where it plays. */
export function loadedTo(page: Page): Promise<number> {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    if (!video) return 0;
    for (let i = 0; i < video.buffered.length; i++)
      if (video.buffered.start(i) <= video.currentTime + 0.1 && video.buffered.end(i) > video.currentTime) return video.buffered.end(i);
    return video.currentTime;
  });
}

/** Follows a link of the site within the page, as a click does: the node lives on, where a new page would have to join again. */
export async function openInPage(page: Page, url: string): Promise<void> {
  await page.evaluate((href) => {
    const link = Object.assign(document.createElement('a'), { href });
    document.body.append(link);
    link.click();
    link.remove();
  }, url);
}
