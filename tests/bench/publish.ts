/** From a person's file to segments: each way beside native ffmpeg, or beside itself without what is measured, in turn on the same machine. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { ladderFor } from '../../src/media/ladder.ts';
import { launch } from '../browser/harness/chromium.ts';
import { startSite } from '../browser/harness/site.ts';
import { openTab, type Tab } from '../browser/harness/tab.ts';
import { openTranscoderTab, type TranscoderTab } from '../browser/transcoder/start.ts';
import { fixture } from '../fixtures/make.ts';
import type { Bench, BenchRow } from './bench-row.ts';

const RUNS = 5;
/** Of the clip, and of the segments that its qualities are cut in (µs). */
const MINUTE = 60e6;
const SEGMENT = 4e6;

/** `--only copy,webcodecs,threads`: the parts that are measured; all without it. */
const bench: Bench = async ({ args }) => {
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '').split(',') : ['copy', 'webcodecs', 'threads'];
  const rows: BenchRow[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-bench-'));
  const site = await startSite();
  const browser = await launch();
  const media = await openTranscoderTab(folder);
  try {
    const tab = await openTab(browser, site.url);
    if (only.includes('copy')) rows.push(...(await copying(tab, folder)));
    if (only.includes('webcodecs')) rows.push(await byWebCodecs(media, folder));
    if (only.includes('threads')) rows.push(await byThreads(media));
    return rows;
  } finally {
    await media.close();
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
};
export default bench;

/** The clip as it is: until all is kept, beside native ffmpeg, and until its link works. */
async function copying(tab: Tab, folder: string): Promise<BenchRow[]> {
  const clip = await fixture('minute720.mp4');
  const [kept, native, live]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run <= RUNS; run++) {
    const times = await publish(tab.page, clip);
    const beside = await ffmpeg(
      ['-i', clip, '-c', 'copy', '-f', 'hls', '-hls_time', '4', '-hls_segment_type', 'fmp4'],
      folder,
      'copy.m3u8',
    );
    // The first round loads the code: both sides have it after that.
    if (run === 0) continue;
    kept.push(times.kept);
    live.push(times.live);
    native.push(beside);
  }
  const ratios = kept.map((time, i) => time / (native[i] as number));
  return [
    row('copy, file given → all segments hashed and kept, against native ffmpeg -c copy', '×', ratios, {
      bar: '≤ 4',
      beside: `${seconds(kept)} s, native ${seconds(native)} s`,
    }),
    row(
      'copy, file given → link works',
      's',
      live.map((time) => time / 1000),
      { bar: '≤ 2' },
    ),
  ];
}

/** 720p to 360p by the browser's own encoder, beside x264 at `veryfast` in one thread. */
async function byWebCodecs({ page }: TranscoderTab, folder: string): Promise<BenchRow> {
  const clip = await fixture('minute720.mp4');
  const rung = ladderFor({ width: 1280, height: 720, frameRate: 30, bitrate: null, copied: true }).find(({ name }) => name === '360p');
  if (!rung) throw new Error('The ladder has no 360p.');
  const { width, height, bitrate } = rung;
  const starts = Array.from({ length: MINUTE / SEGMENT }, (_, n) => n * SEGMENT);
  await page.getByLabel('File').setInputFiles(clip);
  const [ours, native]: [number[], number[]] = [[], []];
  for (let run = 0; run <= RUNS; run++) {
    const answer = await page.evaluate((quality) => window.transcoder.measureEncode(quality), { width, height, bitrate, starts });
    if ('failed' in answer) throw new Error(answer.failed.message);
    const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1', '-g', '120', '-bf', '0'];
    const beside = await ffmpeg(
      ['-threads', '1', '-i', clip, '-an', '-vf', 'scale=640:360', '-filter_threads', '1', ...x264],
      folder,
      'x264.mp4',
    );
    if (run === 0) continue;
    ours.push(answer.ok.elapsed);
    native.push(beside);
  }
  const ratios = native.map((time, i) => time / (ours[i] as number));
  return row('a minute of 720p → 360p by WebCodecs, against native x264 veryfast in one thread', '×', ratios, {
    bar: '≥ 1',
    beside: `${seconds(ours)} s, native ${seconds(native)} s`,
  });
}

/** What no browser decodes, by ffmpeg.wasm: with threads, beside the same without. */
async function byThreads({ page }: TranscoderTab): Promise<BenchRow> {
  await page.getByLabel('File').setInputFiles(await fixture('minute720.avi'));
  const [threaded, single]: [number[], number[]] = [[], []];
  for (let run = 0; run < 3; run++) {
    threaded.push(await convert(page, null));
    single.push(await convert(page, 1));
  }
  const ratios = single.map((time, i) => time / (threaded[i] as number));
  return row('a minute of 720p MPEG-4 → H.264 by ffmpeg.wasm with threads, against without', '×', ratios, {
    bar: '≥ 1.5',
    beside: `${seconds(threaded)} s, without ${seconds(single)} s`,
  });
}

/** Milliseconds; `processors`: how many the page believes to have, null as it is. */
async function convert(page: Page, processors: number | null): Promise<number> {
  const answer = await page.evaluate(async (count) => {
    if (count !== null) Object.defineProperty(navigator, 'hardwareConcurrency', { value: count, configurable: true });
    try {
      return await window.transcoder.measure();
    } finally {
      // What the prototype says is then seen again.
      Reflect.deleteProperty(navigator, 'hardwareConcurrency');
    }
  }, processors);
  if ('failed' in answer) throw new Error(answer.failed.message);
  return answer.ok.elapsed;
}

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

/** Milliseconds that native ffmpeg takes. */
async function ffmpeg(args: readonly string[], folder: string, output: string): Promise<number> {
  const path = join(folder, 'native');
  await rm(path, { recursive: true, force: true });
  await mkdir(path);
  const start = performance.now();
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, join(path, output)]);
  return performance.now() - start;
}

function row(
  what: string,
  unit: string,
  values: readonly number[],
  { bar, beside = null }: { bar: string; beside?: string | null },
): BenchRow {
  const value = median(values);
  const [sign, limit] = bar.split(' ');
  const ok = sign === '≤' ? value <= Number(limit) : value >= Number(limit);
  return { what, value, unit, bar, ok, n: values.length, min: Math.min(...values), max: Math.max(...values), beside };
}

function seconds(times: readonly number[]): string {
  return (median(times) / 1000).toFixed(2);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}
