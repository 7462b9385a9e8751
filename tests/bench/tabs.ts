/** What a person feels, in real tabs: publishing, the first picture in another tab, and bytes from tab to tab beside a bare channel. */
import { statSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { linkBare } from '../browser/harness/bare-channel.ts';
import { launch } from '../browser/harness/chromium.ts';
import { startSite } from '../browser/harness/site.ts';
import { openTab, type Published, type Tab } from '../browser/harness/tab.ts';
import { fixture } from '../fixtures/make.ts';
import type { Bench, BenchRow } from './bench-row.ts';

const RUNS = 5;
/** Bytes of one measurement of the bare channel. */
const BARE_VOLUME = 50e6;

const bench: Bench = async () => {
  const site = await startSite();
  const browser = await launch();
  try {
    const publisher = await openTab(browser, site.url);
    const path = await fixture('heavy.mp4');
    const times: Record<'publish' | 'frame' | 'ours' | 'bare', number[]> = { publish: [], frame: [], ours: [], bare: [] };
    const start = performance.now();
    const video = await publisher.publish(path, 'Heavy');
    times.publish.push(performance.now() - start);
    // The first round warms the caches and the code up; it does not count.
    for (let round = 0; round <= RUNS; round++) {
      const counts = round > 0;
      const frame = await firstFrame(browser, video);
      if (counts) times.frame.push(frame);
      const { ours, bare } = await transfer(browser, { publisher, video, siteUrl: site.url });
      if (counts) times.ours.push(ours);
      if (counts) times.bare.push(bare);
    }
    const size = (statSync(path).size / 1e6).toFixed(0);
    const ratios = times.ours.map((ours, i) => ours / (times.bare[i] as number));
    return [
      row(`publish ${size} MB, copied: file given → link works`, 'ms', times.publish),
      row('link opened in a fresh tab → first picture', 'ms', times.frame),
      row(`tab → tab, ${size} MB of segments, checked and kept in IndexedDB`, 'MB/s', times.ours, `bare ${median(times.bare).toFixed(1)}`),
      row('the same against a bare RTCDataChannel of the same two pages', 'ratio', ratios),
    ];
  } finally {
    await browser.close();
    await site.close();
  }
};
export default bench;

/** Milliseconds from the start of the navigation, in a tab with an empty disk, to the first picture on the screen. */
async function firstFrame(browser: Browser, video: Published): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    const look = (): void => {
      const element = document.querySelector('video');
      if (!element) return void requestAnimationFrame(look);
      element.requestVideoFrameCallback((now) => Object.assign(window, { firstPicture: now }));
    };
    look();
  });
  await page.goto(video.watchUrl);
  const at = await page.waitForFunction(() => (window as Window & { firstPicture?: number }).firstPicture);
  const value = (await at.jsonValue()) as number;
  await context.close();
  return value;
}

/** MB/s of all the video's segments into a fresh tab, and of a bare channel between the same two pages just after. */
async function transfer(
  browser: Browser,
  from: { publisher: Tab; video: Published; siteUrl: string },
): Promise<{ ours: number; bare: number }> {
  const viewer = await openTab(browser, from.siteUrl);
  await viewer.untilLinked(from.publisher.id);
  await viewer.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const ours = await fetchAll(viewer.page, from.video.videoId);
  const link = await linkBare(from.publisher.page, viewer.page);
  const bare = await link.measure(BARE_VOLUME);
  await link.close();
  await viewer.close();
  return { ours, bare };
}

/** Asks the service worker for every segment of the first video rendition, two at a time as a player does at most. */
function fetchAll(page: Page, videoId: string): Promise<number> {
  return page.evaluate(async (id) => {
    const playlist = await (await fetch(`/hls/${id}/0/index.m3u8`)).text();
    const names = playlist.split('\n').filter((line) => line.endsWith('.m4s'));
    const start = performance.now();
    let bytes = 0;
    const worker = async (): Promise<void> => {
      for (let name = names.shift(); name; name = names.shift()) {
        const response = await fetch(`/hls/${id}/0/${name}`);
        if (!response.ok) throw new Error(await response.text());
        bytes += (await response.arrayBuffer()).byteLength;
      }
    };
    await Promise.all([worker(), worker()]);
    return bytes / 1000 / (performance.now() - start);
  }, videoId);
}

function row(what: string, unit: string, values: readonly number[], beside: string | null = null): BenchRow {
  return {
    what,
    value: median(values),
    unit,
    bar: null,
    ok: null,
    n: values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    beside,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}
