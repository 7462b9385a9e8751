/** A viewer whose line is too slow for what there is: another tab makes a smaller picture of it, and keeps it for the next (docs/protocol.md, J9 to J14). */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { saveHls } from './harness/save-hls.ts';
import { openTab, type Tab } from './harness/tab.ts';

const run = promisify(execFile);
const ALL = ['480p', '360p', '240p'];
/** Of plain720.mp4: 30 s at 30 pictures a second. */
const PICTURES = 900;
/** ffmpeg.wasm makes 8 s of 360p in some seconds; on a busy machine it takes several times as long (ms). */
const MAKING = 150_000;

const place = usePlace();

const jobs = (tab: Tab): Promise<number> => tab.page.evaluate(() => window.kadreel?.help.view().jobs ?? -1);
const height = (tab: Tab): Promise<number> => tab.page.evaluate(() => document.querySelector('video')?.videoHeight ?? 0);

/** Whether a tab has a made group on its disk: its last piece alone begins as initialisation segments do. */
function keepsMade(tab: Tab): Promise<boolean> {
  return tab.page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settled(indexedDB.open('kadreel'));
    try {
      const pieces: unknown[] = await settled(database.transaction('segments').objectStore('segments').getAll());
      return pieces.some((piece) => piece instanceof Uint8Array && String.fromCharCode(...piece.subarray(4, 8)) === 'ftyp');
    } finally {
      database.close();
    }
  });
}

/** Chooses a quality in the player, as a person does. */
async function choose(tab: Tab, name: string): Promise<void> {
  await tab.page.locator('.player').hover();
  await tab.page.getByRole('button', { name: 'Speed and quality' }).click();
  await tab.page.getByRole('radio', { name }).click();
  await tab.page.keyboard.press('Escape');
}

/** The address of the playlist that is played. */
const playlist = (tab: Tab): Promise<string> =>
  tab.page.evaluate(() => {
    const asked = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
    return asked.filter((path) => path.endsWith('master.m3u8')).at(-1) ?? '';
  });

test('[J9] [J13] [J14] a helper makes 360p of what was published in 720p alone; it plays, and the next viewer gets the same without its being made again', {
  timeout: 420_000,
}, async () => {
  const publisher = await openTab(place.browser, place.site.url);
  const { watchUrl } = await publisher.publish(await fixture('plain720.mp4'), 'Only large', { without: ALL });
  const viewer = await openTab(place.browser, watchUrl);
  await viewer.untilMoving();
  expect(await height(viewer)).toBe(720);

  // Nobody helps: it says so, and plays on.
  await choose(viewer, '360p, made on demand');
  await viewer.page.getByText('360p can’t be made now').waitFor({ timeout: 30_000 });
  await viewer.page.getByText(/No one linked helps with transcoding right now/).waitFor();
  await viewer.untilMoving();

  const helper = await openTab(place.browser, `${place.site.url}/network`);
  await helper.page.getByRole('checkbox', { name: 'Help with transcoding' }).check();
  await viewer.untilLinked(helper.id);
  await viewer.seek(1);
  const since = Date.now();
  await viewer.page.getByRole('button', { name: 'Ask again' }).click();
  await viewer.page.getByText('Playing 360p, made on demand').waitFor({ timeout: MAKING });
  await expect.poll(() => height(viewer), { timeout: 30_000 }).toBe(360);
  const pace = await viewer.page.getByText(/linked tab makes it/).textContent();
  console.info(`360p played ${((Date.now() - since) / 1000).toFixed(1)} s after it was asked for: ${pace}`);
  // On a busy machine all of the clip was over before.
  await viewer.seek(2);
  await viewer.page.evaluate(() => document.querySelector('video')?.play());
  await viewer.untilMoving();

  const folder = await mkdtemp(join(tmpdir(), 'kadreel-lower-'));
  try {
    const master = await playlist(viewer);
    expect(master).not.toBe(new URL(watchUrl).pathname.replace('/watch/', '/hls/').concat('/master.m3u8'));
    await saveHls(viewer, folder, master);
    const show = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=height:packet=stream_index,pts_time', '-of', 'json'];
    const { stdout, stderr } = await run('ffprobe', [...show, join(folder, master)], { maxBuffer: 64e6 });
    expect(stderr).toBe('');
    const facts = JSON.parse(stdout) as { streams: { height: number }[]; packets: { stream_index: number; pts_time: string }[] };
    expect(facts.streams.map(({ height }) => height).sort()).toEqual([360, 720]);
    const tracks = new Map<number, typeof facts.packets>();
    for (const packet of facts.packets) tracks.set(packet.stream_index, [...(tracks.get(packet.stream_index) ?? []), packet]);
    const times = [...tracks.values()].map((packets) => packets.map(({ pts_time }) => Number(pts_time)).sort((a, b) => a - b));
    for (const one of times) {
      expect(one).toHaveLength(PICTURES);
      one.forEach((time, n) => {
        expect(Math.abs(time - n / 30), `picture ${n}`).toBeLessThan(0.002);
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  // For whoever comes next.
  await expect.poll(() => keepsMade(helper), { timeout: 60_000 }).toBe(true);
  const made = await jobs(helper);
  expect(made).toBeGreaterThan(0);
  await viewer.seek(2);
  await viewer.page.evaluate(() => document.querySelector('video')?.play());
  await viewer.page.getByRole('button', { name: 'Back to what was published' }).click();
  await expect.poll(() => height(viewer), { timeout: 30_000 }).toBe(720);
  await viewer.untilMoving();
  await viewer.close();

  const next = await openTab(place.browser, watchUrl);
  await next.untilMoving();
  await choose(next, '360p, made on demand');
  await next.page.getByText('Playing 360p, made on demand').waitFor({ timeout: 60_000 });
  await next.page.getByText(/Somebody asked for it before/).waitFor();
  await expect.poll(() => height(next), { timeout: 30_000 }).toBe(360);
  await next.seek(20);
  await next.untilMoving();
  expect(await height(next)).toBe(360);
  expect(await jobs(helper)).toBe(made);
  // What was asked for of a quality that was left, or did not come, is answered with 504.
  const errors = [...publisher.errors, ...helper.errors, ...viewer.errors, ...next.errors];
  expect(errors.filter((error) => !error.includes('status of 504'))).toEqual([]);
});
