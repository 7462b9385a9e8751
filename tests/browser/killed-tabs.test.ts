/** Four tabs of twelve are killed at once: what was published still plays, and what plays does not stop. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { JSHandle } from 'playwright-core';
import { expect, test } from 'vitest';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { openTab, type Published, type Tab } from './harness/tab.ts';

const TABS = 12;
const OPENED_AT_ONCE = 3; // more only wait for each other on two cores
const LONGEST_STALL = 2000; // ms
const PLAYED_ON = 15_000; // ms, at least
const ON_DISK = 20; // s: what is fetched ahead of the player lies there, besides what it has in its buffer
const SPEED = 2; // drains the buffer while the dead are still being noticed
const WIDTH = 64; // of the pictures that are compared, pixels
const HEIGHT = 36;

interface Clip {
  readonly name: FixtureName;
  /** Pictures a second. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
}

/** The first one is playing when the tabs are killed: it is longer than what a player buffers. */
const CLIPS: readonly Clip[] = [
  { name: 'three-minutes.mp4', rate: 2, duration: 180 },
  { name: 'bframes.mp4', rate: 30, duration: 12 },
  { name: 'barcode.mp4', rate: 25, duration: 40 },
];

const place = usePlace();

test('4 tabs of 12 are killed at once: the video that plays goes on, and all three videos play elsewhere', {
  timeout: 120_000,
}, async () => {
  const start = performance.now();
  const tabs: Tab[] = [];
  while (tabs.length < TABS) {
    tabs.push(...(await Promise.all(Array.from({ length: OPENED_AT_ONCE }, () => openTab(place.browser, place.site.url)))));
  }
  console.info(`${TABS} tabs were nodes after ${Math.round(performance.now() - start)} ms`);
  const publishers = tabs.slice(0, CLIPS.length);
  const videos = await Promise.all(publishers.map((publisher, index) => publishWithCopies(publisher, CLIPS[index] as Clip)));

  // Who keeps least has most to fetch.
  const [player, ...others] = await sortByStats(tabs.slice(CLIPS.length), (stats) => stats.kept.bytes);
  if (!player) throw new Error('There is no tab left to play.');
  const servedBefore = new Map(await Promise.all(others.map(async (one) => [one.id, (await one.stats()).served] as const)));
  await player.watch((videos[0] as Published).watchUrl);
  await player.untilMoving();
  const progress = await followProgress(player);

  // With the publishers dies who has sent the player most.
  const survivors = await sortByStats(others, (stats, id) => stats.served - (servedBefore.get(id) ?? 0));
  const killed = [...publishers, survivors.pop() as Tab];
  const before = await player.stats();
  const atKill = await progress.evaluate((now) => now.mark());
  await Promise.all(killed.map(kill));

  const newcomer = await openTab(place.browser, place.site.url);
  for (const [index, clip] of CLIPS.entries()) {
    const watchers = [survivors[index] as Tab, newcomer];
    await Promise.all(watchers.map((watcher) => watcher.watch((videos[index] as Published).watchUrl)));
    await Promise.all(watchers.map((watcher) => expectRightPictures(watcher, clip)));
  }

  const enough = Math.max(atKill.bufferedTo + ON_DISK, atKill.currentTime + (PLAYED_ON / 1000) * SPEED) + 1;
  await player.page.waitForFunction((to) => (document.querySelector('video')?.currentTime ?? 0) > to, enough, { timeout: 60_000 });
  const since = await progress.evaluate((now) => now.mark());
  const [played, took] = [since.currentTime - atKill.currentTime, since.at - atKill.at];
  const fetched = (await player.stats()).received.tabs - before.received.tabs;
  console.info(
    `killed at ${atKill.currentTime.toFixed(1)} s, buffered to ${atKill.bufferedTo.toFixed(1)} s: played ${played.toFixed(1)} s in ` +
      `${(took / 1000).toFixed(1)} s, longest stall ${Math.round(since.longestStall)} ms, ${fetched} bytes fetched from tabs since`,
  );
  expect(since.longestStall).toBeLessThan(LONGEST_STALL);
  expect(took - (played / SPEED) * 1000, 'stood still in all').toBeLessThan(LONGEST_STALL);
  expect(took).toBeGreaterThan(PLAYED_ON);
  expect(fetched).toBeGreaterThan(0);
  expect((await player.player()).error).toBeNull();
  expect((await player.stats()).received.openNodes).toBe(0);
  expect(place.site.openNode.status().counters.served).toBe(0);
});

async function publishWithCopies(publisher: Tab, clip: Clip): Promise<Published> {
  const start = performance.now();
  const video = await publisher.publish(await fixture(clip.name), clip.name);
  const linked = performance.now();
  const { stored, wanted } = await video.copies();
  const [link, copies] = [linked - start, performance.now() - start].map(Math.round);
  console.info(`${clip.name}: link after ${link} ms, ${stored} of ${wanted} copies kept after ${copies} ms`);
  expect(stored).toBe(wanted);
  return video;
}

/** Ends the page's process, which has no time for a goodbye. */
async function kill(tab: Tab): Promise<void> {
  const devtools = await tab.page.context().newCDPSession(tab.page);
  const crashed = tab.page.waitForEvent('crash');
  devtools.send('Page.crash').catch(() => undefined); // never answers
  await crashed;
}

/** Tabs with the smallest figure first. */
async function sortByStats(
  tabs: readonly Tab[],
  figure: (stats: Awaited<ReturnType<Tab['stats']>>, id: Tab['id']) => number,
): Promise<Tab[]> {
  const rows = await Promise.all(tabs.map(async (tab) => ({ tab, by: figure(await tab.stats(), tab.id) })));
  return rows.sort((one, two) => one.by - two.by).map(({ tab }) => tab);
}

interface Progress {
  /** Where the player is, and the longest time (ms) for which it did not move since it was last asked. */
  mark(): { readonly at: number; readonly currentTime: number; readonly bufferedTo: number; readonly longestStall: number };
}

/** Plays at `SPEED` and looks at the player many times a second from now on. */
function followProgress(tab: Tab): Promise<JSHandle<Progress>> {
  return tab.page.evaluateHandle((speed) => {
    const video = document.querySelector('video') as HTMLVideoElement;
    video.playbackRate = speed;
    let moved = { at: performance.now(), currentTime: video.currentTime };
    let longestStall = 0;
    const look = (): void => {
      const now = { at: performance.now(), currentTime: video.currentTime };
      if (now.currentTime === moved.currentTime) longestStall = Math.max(longestStall, now.at - moved.at);
      else moved = now;
    };
    setInterval(look, 50);
    return {
      mark() {
        look();
        const { buffered, currentTime } = video;
        const bufferedTo = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
        const mark = { at: performance.now(), currentTime, bufferedTo, longestStall };
        longestStall = 0;
        return mark;
      },
    };
  }, SPEED);
}

/** It plays, and after seeks the picture shown is the one that the clip has there; every byte comes from a disk of a tab. */
async function expectRightPictures(watcher: Tab, clip: Clip): Promise<void> {
  const start = performance.now();
  await watcher.untilMoving();
  const moving = Math.round(performance.now() - start);
  // Not at full seconds, when two of the clips are all white.
  for (const at of [1.6, Math.floor(clip.duration * 0.6) + 0.6]) {
    const { pixels, mediaTime } = await pictureAt(watcher, { at, within: 1.1 / clip.rate });
    const number = nearestPicture(await pictures(clip), Buffer.from(pixels));
    expect(Math.abs(number - mediaTime * clip.rate), `picture of ${clip.name} at ${mediaTime} s`).toBeLessThan(0.6);
  }
  const { duration, error } = await watcher.player();
  expect(error).toBeNull();
  expect(Math.abs(duration - clip.duration)).toBeLessThan(0.1);
  expect((await watcher.stats()).received.openNodes).toBe(0);
  console.info(`${clip.name}: moves ${moving} ms after the tab was a node`);
}

/** The picture that the player shows at a time (seconds), small, as RGB. The player is paused: playing on, it may show the next one already. */
function pictureAt(tab: Tab, where: { at: number; within: number }): Promise<{ pixels: number[]; mediaTime: number }> {
  return tab.page.evaluate(
    ({ at, within, width, height }) =>
      new Promise<{ pixels: number[]; mediaTime: number }>((resolve) => {
        const video = document.querySelector('video') as HTMLVideoElement;
        const read = (mediaTime: number): void => {
          if (Math.abs(mediaTime - at) > within) return next(); // from before the seek
          const canvas = Object.assign(document.createElement('canvas'), { width, height });
          const context = canvas.getContext('2d') as CanvasRenderingContext2D;
          context.imageSmoothingQuality = 'high';
          context.drawImage(video, 0, 0, width, height);
          const { data } = context.getImageData(0, 0, width, height);
          resolve({ pixels: [...data].filter((_, index) => index % 4 !== 3), mediaTime });
        };
        const next = (): void => void video.requestVideoFrameCallback((_, { mediaTime }) => read(mediaTime));
        next();
        video.pause();
        video.currentTime = at;
      }),
    { ...where, width: WIDTH, height: HEIGHT },
  );
}

/** All pictures of a clip, as ffmpeg reads them, in the form of `pictureAt`. */
async function pictures(clip: Clip): Promise<readonly Buffer[]> {
  const scale = ['-vf', `scale=${WIDTH}:${HEIGHT}:flags=area`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'];
  const { stdout } = await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-i', await fixture(clip.name), ...scale], {
    encoding: 'buffer',
    maxBuffer: 2 ** 26,
  });
  const size = WIDTH * HEIGHT * 3;
  return Array.from({ length: stdout.length / size }, (_, index) => stdout.subarray(index * size, (index + 1) * size));
}

/** The number of the picture that differs least. */
function nearestPicture(all: readonly Buffer[], shown: Buffer): number {
  let [best, least] = [-1, Number.POSITIVE_INFINITY];
  for (const [number, picture] of all.entries()) {
    let difference = 0;
    for (let at = 0; at < picture.length; at++) difference += Math.abs((picture[at] ?? 0) - (shown[at] ?? 0));
    if (difference < least) [best, least] = [number, difference];
  }
  return best;
}
