/** A person looks at what publishing takes, chooses qualities, a picture and captions; somebody else sees them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { saveHls } from './harness/save-hls.ts';
import { adopt, openTab, type Tab } from './harness/tab.ts';

const run = promisify(execFile);
/** One quality of a minute is made, on a machine that does other things. */
const MAKING = 120_000;
/** Pictures of the pages are left here when it is named. */
const SHOTS = process.env.KADREEL_SCREENSHOTS;

const ENGLISH = `1
00:00:02,000 --> 00:00:06,000
<i>Hello</i> there <img src=x onerror="window.broken=1">

2
00:00:10,000 --> 00:00:09,000
never

3
00:00:15,000 --> 00:00:25,000
the middle
`;
/** In Windows-1252, with a dash and an umlaut. */
const GERMAN = Buffer.from('1\r\n00:00:02,000 --> 00:00:06,000\r\nGr\xfc\xdfe \x96 alle\r\n', 'latin1');
const FRENCH = 'WEBVTT\n\n00:02.000 --> 00:06.000\nBonjour\n';

const place = usePlace();
let folder = '';
let keeper: Tab;
let publisher: Tab;
let page: Page;
let watchUrl: string;

async function shot(of: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  await of.screenshot({ path: join(SHOTS, `${name}.png`) });
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      await of.emulateMedia({ colorScheme });
      await of.setViewportSize({ width, height: 800 });
      await of.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kadreel-additions-'));
  await writeFile(join(folder, 'film.en.srt'), ENGLISH);
  await writeFile(join(folder, 'film.de.srt'), GERMAN);
  await writeFile(join(folder, 'film.vtt'), FRENCH);
  await writeFile(join(folder, 'notes.srt'), 'no captions at all');
  keeper = await openTab(place.browser, place.site.url);
  page = await (await place.browser.newContext()).newPage();
  await page.goto(`${place.site.url}/publish`);
  publisher = await adopt(page);
  await publisher.untilLinked(keeper.id);
});

afterAll(async () => {
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

describe('the card before publishing', () => {
  test('says what the file is, what will be made, how long it takes and how much room', async () => {
    await page.getByLabel('Video file').setInputFiles(await fixture('plain720.mp4'));
    const facts = page.locator('.file-facts li');
    await facts.nth(3).waitFor();
    expect(await facts.allInnerTexts()).toEqual(expect.arrayContaining(['0:30', '1280 × 720', 'H.264', '30 frames/s', 'AAC, mono']));
    const made = page.locator('.plan-rung');
    await made.nth(3).waitFor();
    expect(await made.locator('.plan-name').allInnerTexts()).toEqual(['As it is', '480p', '360p', '240p']);
    expect(await made.nth(1).textContent()).toMatch(/854 × 480.*bit\/s.*[MG]B.* (s|min)/s);
    expect(await page.locator('.plan-sum').textContent()).toMatch(/of the .* on your disk.*A guess: nothing was measured/);
  });

  test('unticking a quality makes the sum smaller', async () => {
    const sum = page.locator('.plan-sum strong');
    const before = await sum.textContent();
    await page.getByRole('checkbox', { name: /480p/ }).uncheck();
    await page.getByRole('checkbox', { name: /360p/ }).uncheck();
    expect(await sum.textContent()).not.toBe(before);
  });

  test('proposes three pictures, and takes the one that is chosen', async () => {
    const pictures = page.locator('.plan-picture img');
    await expect.poll(() => pictures.count(), { timeout: 20_000 }).toBe(3);
    await pictures.nth(1).click();
    expect(await page.getByRole('radio', { name: 'Picture 2 of 3 from the video' }).isChecked()).toBe(true);
  });

  test('takes the person’s own picture instead', async () => {
    const own = join(folder, 'own.png');
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:s=1000x1000', '-frames:v', '1', own]);
    await page.getByLabel('Your own picture').and(page.locator('input[type=file]')).setInputFiles(own);
    await page.getByRole('radio', { name: 'Your own picture' }).waitFor({ state: 'attached' });
    expect(await page.getByRole('radio', { name: 'Your own picture' }).isChecked()).toBe(true);
  });

  test('captions: what is left out is told with its line, and what is none with what to do', async () => {
    const input = page.getByLabel('Add captions (.srt, .vtt)');
    await input.setInputFiles([join(folder, 'film.en.srt'), join(folder, 'film.de.srt'), join(folder, 'film.vtt')]);
    const rows = page.locator('.plan-captions > li');
    await expect.poll(() => rows.count()).toBe(3);
    const english = rows.filter({ hasText: 'film.en.srt' });
    expect(await english.textContent()).toMatch(/2 texts.*1 text left out:.*Line 6: it ends before it begins\./s);
    expect(await page.getByLabel('Language of film.en.srt').inputValue()).toBe('en');
    expect(await rows.filter({ hasText: 'film.de.srt' }).textContent()).toContain('Western (Windows-1252)');
    await input.setInputFiles(join(folder, 'notes.srt'));
    await page.getByText(/“notes.srt” has no captions that can be read\. In line 1/).waitFor();
    await shot(page, 'card');

    // One language is not known yet.
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByText('Say which language each of the captions is in.').waitFor();
    await page.getByLabel('Language of film.vtt').selectOption('fr');
  });

  test('then it is published, and only what was wanted is made', async () => {
    await page.getByRole('button', { name: 'Publish' }).click();
    watchUrl = await page.getByLabel('Watch link').inputValue();
    const list = page.getByRole('list', { name: 'Smaller pictures' }).getByRole('listitem');
    await list.first().waitFor();
    expect(await list.locator('> span:first-child').allInnerTexts()).toEqual(['240p']);
    await page.getByText('Safe to close').waitFor({ timeout: MAKING });
    // The card of the published video shows the own picture: red.
    const colour = await page.locator('.done .card-picture img').evaluate((image: HTMLImageElement) => {
      const pen = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
      pen.drawImage(image, 0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data];
    });
    expect(colour[0]).toBeGreaterThan(200);
    expect(colour[1]).toBeLessThan(60);
  }, 150_000);

  test('the next estimate is reckoned from this one', async () => {
    await page.getByRole('button', { name: 'Another video' }).click();
    await page.getByLabel('Video file').setInputFiles(await fixture('plain720.mp4'));
    await page.getByText('Reckoned from how fast this device was before.').waitFor();
    await page.close({ runBeforeUnload: true });
  });
});

describe('somebody who watches', () => {
  let viewer: Tab;
  const cue = () =>
    viewer.page.evaluate(() => {
      const showing = [...(document.querySelector('video')?.textTracks ?? [])].find(({ mode }) => mode === 'showing');
      return [...(showing?.activeCues ?? [])].map((one) => (one as VTTCue).getCueAsHTML().textContent).join('|');
    });

  beforeAll(async () => {
    viewer = await openTab(place.browser, watchUrl);
    await viewer.untilMoving();
  });

  test('[M17] reads captions at their time, changes their language, and nothing in them runs', async () => {
    await viewer.page.keyboard.press('c');
    await viewer.page.evaluate(() => document.querySelector('video')?.pause());
    await viewer.seek(3);
    await expect.poll(cue, { timeout: 15_000 }).not.toBe('');
    const first = await cue();
    expect(['Hello there', 'Grüße – alle', 'Bonjour']).toContain(first.trim());
    await viewer.page.mouse.move(300, 300); // The buttons come back.
    await viewer.page.getByRole('button', { name: 'Captions' }).click();
    await viewer.page.getByLabel('English').check();
    await expect.poll(cue, { timeout: 15_000 }).toMatch(/^Hello there ?$/);
    await viewer.page.getByLabel('Deutsch').check();
    await expect.poll(cue, { timeout: 15_000 }).toBe('Grüße – alle');
    await viewer.page.getByLabel('français').check();
    await expect.poll(cue, { timeout: 15_000 }).toBe('Bonjour');
    await viewer.page.getByLabel('English').check();
    await viewer.seek(18);
    await expect.poll(cue, { timeout: 15_000 }).toBe('the middle');
    await shot(viewer.page, 'captions');
    await viewer.seek(27);
    await expect.poll(cue, { timeout: 15_000 }).toBe('');
    expect(await viewer.page.evaluate(() => 'broken' in window)).toBe(false);
    expect(await viewer.page.locator('.player img[src="x"]').count()).toBe(0);
    await viewer.page.keyboard.press('Escape');
  });

  test('[M18] sees the picture of the moment over the seek bar: pointed at, by a finger, and by keys', async () => {
    const tile = viewer.page.locator('.seek-tile');
    const placeOf = (): Promise<string> => tile.evaluate((element) => getComputedStyle(element).backgroundPosition);
    await viewer.page.mouse.move(200, 200);
    const bar = await viewer.page.locator('.seek').boundingBox();
    if (!bar) throw new Error('there is no seek bar');
    const point = { x: bar.x + bar.width * 0.71, y: bar.y + bar.height / 2 };
    await viewer.page.mouse.move(point.x, point.y);
    await tile.waitFor();
    // 21.3 s, a tile every 2 s, ten in a row: the first of the second row.
    expect(await placeOf()).toBe('0px -90px');
    expect(await viewer.page.locator('.seek-time').textContent()).toBe('0:21');
    await shot(viewer.page, 'tiles');
    await viewer.page.mouse.move(bar.x + bar.width / 2, bar.y - 120);
    await expect.poll(() => tile.count()).toBe(0);

    await viewer.page.locator('.seek').evaluate((element, x) => {
      element.dispatchEvent(new PointerEvent('pointermove', { clientX: x, pointerType: 'touch', bubbles: true }));
    }, point.x);
    await tile.waitFor();
    await viewer.page.locator('.seek').evaluate((element) => {
      element.dispatchEvent(new PointerEvent('pointerup', { pointerType: 'touch', bubbles: true }));
    });
    await expect.poll(() => tile.count()).toBe(0);

    await viewer.page.getByLabel('Seek').focus();
    await viewer.page.keyboard.press('ArrowLeft');
    await tile.waitFor();
    await expect.poll(() => tile.count(), { timeout: 5_000 }).toBe(0);
  });

  test('the playlists, captions included, are read without a complaint by ffprobe', async () => {
    const master = `/hls/${new URL(watchUrl).pathname.split('/').at(-1)}/master.m3u8`;
    await saveHls(viewer, folder, master);
    const { stderr } = await run('ffprobe', ['-v', 'error', join(folder, master)]);
    expect(stderr).toBe('');
    // ffmpeg's HLS reader leaves subtitles out; its WebVTT reader gets each segment.
    const text = await readFile(join(folder, master), 'utf8');
    const lists = [...text.matchAll(/TYPE=SUBTITLES.*LANGUAGE="([^"]+)".*URI="([^"]+)"/g)];
    expect(lists.map(([, language]) => language)).toEqual(['de', 'en', 'fr']);
    const said: string[] = [];
    for (const [, , uri = ''] of lists) {
      const path = join(folder, dirname(master), dirname(uri), '0.vtt');
      const { stdout, stderr: complaints } = await run('ffmpeg', ['-v', 'error', '-i', path, '-f', 'srt', '-']);
      expect(complaints).toBe('');
      said.push(stdout.replaceAll('\r', ''));
    }
    expect(said[1]).toContain('00:00:15,000 --> 00:00:25,000\nthe middle');
    expect(said[0]).toContain('Grüße – alle');
    expect(said[2]).toContain('Bonjour');
  });

  test('every byte came from tabs, and nothing went wrong unseen', async () => {
    expect((await viewer.stats()).received.openNodes).toBe(0);
    expect([...publisher.errors, ...keeper.errors, ...viewer.errors]).toEqual([]);
  });
});
