/** The clip as it is: until all is kept, beside native ffmpeg, and until its link works. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launch } from '../../browser/harness/chromium.ts';
import { startSite } from '../../browser/harness/site.ts';
import { openTab } from '../../browser/harness/tab.ts';
import { fixture } from '../../fixtures/make.ts';
import type { Bench } from '../bench-row.ts';
import { ffmpegTime } from './native.ts';
import { rowOf, secondsOf } from './rows.ts';

const RUNS = 5;

export const copying: Bench = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-bench-'));
  const site = await startSite();
  const browser = await launch();
  try {
    const { page } = await openTab(browser, site.url);
    const clip = await fixture('minute720.mp4');
    const [kept, native, live]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run <= RUNS; run++) {
      const times = await publish(page, clip);
      const args = ['-i', clip, '-c', 'copy', '-f', 'hls', '-hls_time', '4', '-hls_segment_type', 'fmp4'];
      const beside = await ffmpegTime(args, folder, 'copy.m3u8');
      // The first round loads the code: both sides have it after that.
      if (run === 0) continue;
      kept.push(times.kept);
      live.push(times.live);
      native.push(beside);
    }
    return [
      rowOf(
        'copy, file given → all segments hashed and kept, against native ffmpeg -c copy',
        kept.map((time, i) => time / (native[i] as number)),
        { unit: '×', bar: '≤ 4', beside: `${secondsOf(kept)} s, native ${secondsOf(native)} s` },
      ),
      rowOf(
        'copy, file given → link works',
        live.map((time) => time / 1000),
        { unit: 's', bar: '≤ 2' },
      ),
    ];
  } finally {
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Milliseconds from handing over the file until every segment is on the disk, and until the link works. */
async function publish(page: Page, path: string): Promise<{ kept: number; live: number }> {
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(path);
  return page.evaluate(async (element) => {
    const file = element.files?.[0];
    if (!file || !window.kadreel) throw new Error('There is no file, or no node to publish it.');
    const abort = new AbortController();
    const start = performance.now();
    let kept = 0;
    let cutTo = 0;
    const publication = await window.kadreel.publish(file, {
      title: 'Bench',
      signal: abort.signal,
      onProgress({ stage, fraction }) {
        if (stage === 'cut') cutTo = Math.max(cutTo, fraction);
        if (kept === 0 && stage === 'cut' && fraction >= 0.85) kept = performance.now() - start;
      },
    });
    const live = performance.now() - start;
    // The smaller qualities would work on while the next figure is measured.
    abort.abort();
    await publication.done.catch(() => undefined);
    if (kept === 0) throw new Error(`Cutting ended unseen, at ${cutTo}.`);
    return { kept, live };
  }, input);
}
