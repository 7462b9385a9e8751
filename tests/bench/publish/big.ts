/** A file of more than 4 GB: what the tab takes of the memory while it is cut, kept, copied to another disk, and encoded. Linux only. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { launch, launchPersistent } from '../../browser/harness/chromium.ts';
import { startSite } from '../../browser/harness/site.ts';
import { openTab } from '../../browser/harness/tab.ts';
import { fixture } from '../../fixtures/make.ts';
import type { Bench } from '../bench-row.ts';
import { memoryOf } from './processes.ts';
import { rowOf } from './rows.ts';

/** Times that a clip of 20 s at 20 Mbit/s is played once more: 29 min, 4.4 GB. */
const LOOPS = 86;
const MEGABYTE = 1e6;
const BAR = 600; // MB
/** Of copying to another disk and encoding, after the link works (ms): nothing is new to either later on. */
const AFTERWARDS = 60_000;
/** For 4 GB to be written on a busy disk (ms). */
const PATIENCE = 900_000;
const SAMPLE = 250; // ms

export const big: Bench = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-big-'));
  try {
    const path = join(folder, 'big.mp4');
    const clip = await fixture('noise1080.mp4');
    await promisify(execFile)('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-stream_loop', String(LOOPS), '-i', clip, '-c', 'copy', '-movflags', '+faststart', path],
    ]);
    const { size } = await stat(path);
    const { idle, cutting, after, seconds, worst } = await measure(path, join(folder, 'profile'));
    const gigabytes = (size / 1e9).toFixed(2);
    const beside = `${idle.toFixed(0)} MB idle before; cut and kept in ${seconds.toFixed(0)} s; the browser's other processes ${worst.toFixed(0)} MB at most`;
    return [
      rowOf(`${gigabytes} GB published by copying: memory of the tab at most, until its link works`, [cutting], {
        ...{ unit: 'MB', bar: `≤ ${BAR}` },
        beside,
      }),
      rowOf(`${gigabytes} GB: memory of the tab at most, in a minute of copies and qualities`, [after], { unit: 'MB', bar: `≤ ${BAR}` }),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};

async function measure(path: string, profile: string) {
  const site = await startSite();
  const others = await launch();
  const browser = await launchPersistent(profile);
  let worst = 0;
  const sample = (): number => {
    const { pages, others: rest } = memoryOf(profile);
    worst = Math.max(worst, rest / MEGABYTE);
    return pages / MEGABYTE;
  };
  try {
    await openTab(others, site.url); // It keeps what its quota allows.
    const { page } = await openTab(browser.context, `${site.url}/network`);
    const idle = sample();
    const began = performance.now();
    await begin(page, path);
    let cutting = 0;
    while (!(await isLive(page))) {
      if (performance.now() - began > PATIENCE) throw new Error('The link did not work in time.');
      cutting = Math.max(cutting, sample());
      await pause(SAMPLE);
    }
    const live = performance.now();
    let after = 0;
    while (performance.now() - live < AFTERWARDS) {
      after = Math.max(after, sample());
      await pause(SAMPLE);
    }
    return { idle, cutting, after, worst, seconds: (live - began) / 1000 };
  } finally {
    await browser.close();
    await others.close();
    await site.close();
  }
}

declare global {
  interface Window {
    /** What became of the publication that the bench began. */
    begun?: { live: boolean; problem: string | null };
  }
}

async function begin(page: Page, path: string): Promise<void> {
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(path);
  await page.evaluate((element) => {
    const file = element.files?.[0];
    if (!file || !window.kadreel) throw new Error('There is no file, or no node to publish it.');
    const begun = { live: false, problem: null as string | null };
    window.begun = begun;
    window.kadreel.publish(file, { title: 'Big' }).then(
      () => {
        begun.live = true;
      },
      (error: unknown) => {
        begun.problem = String(error);
      },
    );
  }, input);
}

async function isLive(page: Page): Promise<boolean> {
  const begun = await page.evaluate(() => window.begun);
  if (begun?.problem) throw new Error(begun.problem);
  return begun?.live === true;
}

/** Between two samples; nothing is waited for by it. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
