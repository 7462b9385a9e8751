/** A tab that publishes is killed at random moments; opened again, it goes on, and what comes out is whole. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { seededRandom } from '../sim/random.ts';
import { launchPersistent } from './harness/chromium.ts';
import { publishKilled } from './harness/killed-publisher.ts';
import { usePlace } from './harness/place.ts';
import { saveHls } from './harness/save-hls.ts';
import { openTab, type Tab } from './harness/tab.ts';

const run = promisify(execFile);
const place = usePlace();
const SEED = Number(process.env.KADREEL_SEED ?? Math.floor(Math.random() * 2 ** 32));

interface Frames {
  readonly height: number | null;
  readonly frames: number;
  /** Seconds. */
  readonly start: number;
}

/** What native ffprobe counts when it decodes all of it. */
async function judged(viewer: Tab, watchUrl: string): Promise<{ duration: number; streams: readonly Frames[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-interrupted-'));
  try {
    const master = `/hls/${new URL(watchUrl).pathname.split('/').at(-1)}/master.m3u8`;
    await saveHls(viewer, folder, master);
    const { stdout, stderr } = await run('ffprobe', [
      ...['-v', 'error', '-count_frames', '-of', 'json', '-show_entries', 'stream=height,nb_read_frames,start_time:format=duration'],
      join(folder, master),
    ]);
    expect(stderr).toBe('');
    const { format, streams } = JSON.parse(stdout);
    return {
      duration: Number(format.duration),
      streams: streams.map((stream: { height?: number; nb_read_frames: string; start_time: string }) => ({
        height: stream.height ?? null,
        frames: Number(stream.nb_read_frames),
        start: Number(stream.start_time),
      })),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test(`a tab that is killed at random moments ends with the whole video (seed ${SEED})`, { timeout: 420_000 }, async () => {
  const keeper = await openTab(place.browser, place.site.url);
  const browser = await launchPersistent();
  try {
    const random = seededRandom(SEED);
    const killed = await publishKilled({
      ...{ browser, siteUrl: place.site.url, path: await fixture('minute720.mp4'), title: 'Interrupted' },
      ...{ kills: 6, random: () => random.float() },
    });
    console.info(`seed ${SEED}: made again after each kill ${killed.again}, made in each life ${killed.made}`);
    expect(killed.kills).toBe(6);
    expect(Math.max(...killed.again)).toBeLessThanOrEqual(1);

    const viewer = await openTab(place.browser, killed.watchUrl);
    await viewer.untilMoving();
    const { duration, streams } = await judged(viewer, killed.watchUrl);
    expect(Math.abs(duration - 60)).toBeLessThan(0.05);
    expect(new Set(streams.map(({ height }) => height))).toEqual(new Set([720, 480, 360, 240, null]));
    for (const { height, frames, start } of streams) {
      if (height) expect(frames, `${height}p`).toBe(1800);
      expect(Math.abs(start - (streams[0]?.start ?? 0))).toBeLessThan(0.05);
    }
    // hls.js, over the place where segments of two lives meet.
    for (const second of [58, 41, 3, 20]) await viewer.seek(second);
    // The judge may have taken longer than the video lasts: a player that has ended stays where it is put.
    await viewer.page.evaluate(() => document.querySelector('video')?.play());
    await viewer.untilMoving();
    expect((await viewer.player()).error).toBeNull();
    expect([...keeper.errors, ...viewer.errors]).toEqual([]);
  } finally {
    await browser.close();
  }
});
