/** What a person does: publish in one tab, watch in another, and go away. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { BARCODE_RATE, readPicture } from './harness/barcode.ts';
import { launch } from './harness/chromium.ts';
import { saveHls } from './harness/save-hls.ts';
import { type Site, startSite } from './harness/site.ts';
import { openTab, type Published, type Tab } from './harness/tab.ts';

const SECONDS = 40; // of barcode.mp4
const run = promisify(execFile);

describe('a video published in one tab', () => {
  let site: Site;
  let browser: Browser;
  let publisher: Tab;
  let viewer: Tab;
  let video: Published;

  beforeAll(async () => {
    site = await startSite();
    browser = await launch();
    publisher = await openTab(browser, site.url);
    video = await publisher.publish(await fixture('barcode.mp4'), 'Numbers');
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test('plays in another with sound and the right pictures, to the end and after seeks; every byte comes from a tab', async () => {
    viewer = await openTab(browser, video.watchUrl);
    const started = Date.now();
    await viewer.untilMoving();
    console.info(`first moving picture ${Date.now() - started} ms after the tab had joined`);
    for (const at of [null, 21.3, 5.7, 33.1, SECONDS - 1.5]) {
      if (at !== null) await viewer.seek(at);
      const { number, mediaTime } = await readPicture(viewer.page);
      expect(Math.abs(number - mediaTime * BARCODE_RATE), `picture at ${at} s`).toBeLessThan(0.6);
    }
    await viewer.page.waitForFunction(() => document.querySelector('video')?.ended);
    const player = await viewer.player();
    expect(player.error).toBeNull();
    expect(player.soundBytes).toBeGreaterThan(10_000);
    expect(Math.abs(player.duration - SECONDS)).toBeLessThan(0.05);
    const { received } = await viewer.stats();
    expect(received.tabs + received.store).toBeGreaterThan(0);
    expect(received.openNodes).toBe(0);
    expect(site.openNode.status().counters.served).toBe(0);
    expect([...publisher.errors, ...viewer.errors]).toEqual([]);
  });

  test('is listed on the home page of others, with its picture', async () => {
    await viewer.page.goto(site.url);
    const card = viewer.page.getByRole('link', { name: /Numbers/ }).first();
    await card.waitFor();
    expect(await card.getAttribute('href')).toContain(video.videoId);
  });

  test('is read without a complaint by ffprobe and ffmpeg, from what the service worker gives', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kadreel-hls-'));
    try {
      await viewer.watch(video.watchUrl);
      await viewer.untilMoving();
      const master = `/hls/${video.videoId}/master.m3u8`;
      await saveHls(viewer, folder, master);
      const path = join(folder, master);
      const probe = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration:stream=codec_type', '-of', 'json', path]);
      expect(probe.stderr).toBe('');
      const facts = JSON.parse(probe.stdout) as { format: { duration: string }; streams: { codec_type: string }[] };
      expect(Math.abs(Number(facts.format.duration) - SECONDS)).toBeLessThan(0.05);
      expect(facts.streams.map((stream) => stream.codec_type).sort()).toEqual(['audio', 'video']);
      const decoded = await run('ffmpeg', ['-v', 'error', '-i', path, '-map', '0', '-f', 'null', '-']);
      expect(decoded.stderr).toBe('');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('still plays for a newcomer when the publisher has closed its tab', async () => {
    await publisher.close();
    const newcomer = await openTab(browser, video.watchUrl);
    await newcomer.untilMoving();
    await newcomer.seek(30);
    const { number, mediaTime } = await readPicture(newcomer.page);
    expect(Math.abs(number - mediaTime * BARCODE_RATE)).toBeLessThan(0.6);
    const { received } = await newcomer.stats();
    expect(received.openNodes).toBe(0);
    expect(received.tabs + received.store).toBeGreaterThan(0);
  });
});
