/** Two tabs: one publishes, the other one lends its processor. */
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
/** Of bframes.mp4: 12 s at 30 pictures a second, in three segments. */
const PICTURES = 360;
/** ffmpeg.wasm makes 4 s of 360p in some seconds; on a busy machine it takes several times as long (ms). */
const MAKING = 150_000;

const place = usePlace();

test('[J1] [J4] a tab that is switched on makes pieces of what another one publishes, which plays without a gap', {
  timeout: 240_000,
}, async () => {
  const helper = await openTab(place.browser, `${place.site.url}/network`);
  const box = helper.page.getByRole('checkbox', { name: 'Help with transcoding' });
  expect(await box.isChecked()).toBe(false);
  await box.check();
  await helper.page.getByText('On: ready for whoever asks.').waitFor();
  const checks = helper.page.getByLabel('Checks of what others make for you');
  expect(await checks.locator('option:checked').textContent()).toBe('5%');
  await checks.selectOption('25%');
  await expect.poll(() => helper.page.evaluate(() => window.kadreel?.help.view().checkShare)).toBe(0.25);
  await helper.page.reload();
  await helper.page.waitForFunction(() => window.kadreel?.help.view().on);
  await expect.poll(() => checks.locator('option:checked').textContent()).toBe('25%');

  // A browser without an encoder for H.264: this tab's own converter and the helper's share all the work.
  const context = await place.browser.newContext();
  await context.route('**/cut.worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\ndelete self.VideoEncoder;` });
  });
  const page = await context.newPage();
  await page.goto(`${place.site.url}/publish`);
  const publisher = await adopt(page);
  await publisher.untilLinked(helper.id);
  await page.getByLabel('Video file').setInputFiles(await fixture('bframes.mp4'));
  await page.getByLabel('Title').fill('Shared');
  await page.getByRole('button', { name: 'Publish' }).click();
  const watchUrl = await page.getByLabel('Watch link').inputValue();
  await page.locator('.qualities li[data-phase="made"]').waitFor({ timeout: MAKING });
  const rows = page.getByRole('region', { name: 'Who makes them' }).getByRole('listitem');
  await expect.poll(() => rows.count()).toBe(2);
  expect(await rows.allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining(`Tab ${helper.id.slice(0, 6)}`)]));
  const { jobs } = await helper.page.evaluate(() => (window.kadreel as NonNullable<Window['kadreel']>).help.view());
  expect(jobs).toBeGreaterThanOrEqual(1);
  await helper.page.getByText(/Made so far: \d piece/).waitFor();

  const viewer = await openTab(place.browser, watchUrl);
  await viewer.untilMoving();
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-helpers-'));
  try {
    const master = `/hls/${new URL(watchUrl).pathname.split('/').at(-1)}/master.m3u8`;
    await saveHls(viewer, folder, master);
    const show = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=height:packet=stream_index,pts_time', '-of', 'json'];
    const { stdout, stderr } = await run('ffprobe', [...show, join(folder, master)], { maxBuffer: 64e6 });
    expect(stderr).toBe('');
    const facts = JSON.parse(stdout) as { streams: { height: number }[]; packets: { stream_index: number; pts_time: string }[] };
    expect(facts.streams.map(({ height }) => height).sort()).toEqual([240, 360]);
    const tracks = new Map<number, typeof facts.packets>();
    for (const packet of facts.packets) tracks.set(packet.stream_index, [...(tracks.get(packet.stream_index) ?? []), packet]);
    expect(tracks.size).toBe(2);
    for (const packets of tracks.values()) {
      const times = packets.map(({ pts_time }) => Number(pts_time)).sort((a, b) => a - b);
      expect(times).toHaveLength(PICTURES);
      for (const [n, time] of times.entries()) expect(Math.abs(time - (times[0] as number) - n / 30)).toBeLessThan(0.001);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  // Playing something itself, it rests.
  await helper.watch(watchUrl);
  await helper.untilMoving();
  await expect.poll(() => helper.page.evaluate(() => window.kadreel?.help.view().rest)).toBe('playing');
  expect([...publisher.errors, ...helper.errors, ...viewer.errors]).toEqual([]);
});
