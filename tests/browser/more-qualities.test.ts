/** A person publishes a large picture: the link works at once, smaller ones follow, and players choose among them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { saveHls } from './harness/save-hls.ts';
import { adopt, openTab } from './harness/tab.ts';

const run = promisify(execFile);
const SECONDS = 60; // of minute720.mp4
/** A minute is encoded three times, on a machine that does other things. */
const MAKING = 120_000;

const place = usePlace();

test('480p, 360p and 240p join a 720p video whose link works, and it is safe to close with all of them copied', {
  timeout: 240_000,
}, async () => {
  const keeper = await openTab(place.browser, place.site.url);
  const page = await (await place.browser.newContext({ colorScheme: 'dark' })).newPage();
  await page.goto(`${place.site.url}/publish`);
  const publisher = await adopt(page);
  await publisher.untilLinked(keeper.id);
  await page.getByLabel('Video file').setInputFiles(await fixture('minute720.mp4'));
  await page.getByLabel('Title').fill('Large');
  const pressed = Date.now();
  await page.getByRole('button', { name: 'Publish' }).click();
  const watchUrl = await page.getByLabel('Watch link').inputValue();
  console.info(`the link worked ${Date.now() - pressed} ms after the press`);
  const list = page.getByRole('list', { name: 'Smaller pictures' }).getByRole('listitem');
  await list.first().waitFor();
  expect(await list.locator('span:first-child').allInnerTexts()).toEqual(expect.arrayContaining(['480p', '360p', '240p']));

  // It plays while they are made.
  const early = await openTab(place.browser, watchUrl);
  await early.untilMoving();
  const made = page.locator('.qualities li[data-phase="made"]');
  await expect.poll(() => made.count(), { timeout: MAKING }).toBe(3);
  console.info(`all qualities were there ${Date.now() - pressed} ms after the press`);
  await page.getByText('Safe to close').waitFor({ timeout: MAKING });
  await page.close({ runBeforeUnload: true });

  const late = await openTab(place.browser, watchUrl);
  await late.untilMoving();
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-qualities-'));
  try {
    const master = `/hls/${new URL(watchUrl).pathname.split('/').at(-1)}/master.m3u8`;
    await saveHls(late, folder, master);
    const show = [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_type,height,nb_read_frames:format=duration',
      '-count_frames',
      '-of',
      'json',
    ];
    const { stdout, stderr } = await run('ffprobe', [...show, join(folder, master)]);
    expect(stderr).toBe('');
    const facts = JSON.parse(stdout) as { format: { duration: string }; streams: { height?: number; nb_read_frames: string }[] };
    expect(Math.abs(Number(facts.format.duration) - SECONDS)).toBeLessThan(0.05);
    const pictures = facts.streams.filter(({ height }) => height);
    expect(new Set(pictures.map(({ height }) => height))).toEqual(new Set([720, 480, 360, 240]));
    for (const { height, nb_read_frames } of pictures) expect(Number(nb_read_frames), `${height}p`).toBe(SECONDS * 30);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { received } = await late.stats();
  expect(received.openNodes).toBe(0);
  expect([...publisher.errors, ...keeper.errors, ...late.errors]).toEqual([]);
});
