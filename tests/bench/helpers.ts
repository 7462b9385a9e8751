/** What helpers are worth: four simulated ones in virtual time with the real scheduler and jobs, and two real tabs against one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openTranscoderTab } from '../browser/transcoder/start.ts';
import { fixture } from '../fixtures/make.ts';
import { createSharingBench } from '../unit/app/simulated-helpers.ts';
import type { Bench, BenchRow } from './bench-row.ts';

const HELPERS = 4;
const LEAST_SIMULATED = 3.5;
const MOST_FIRST = 10; // seconds
const LEAST_REAL = 1.6;
/** Of the first segments: an even number. */
const JOBS = 4;
const ROUNDS = 3;
const SEEDS = [1, 2, 3, 4, 5];

const bench: Bench = async () => [...(await simulated()), await real()];
export default bench;

/** A minute of 720p to 480p, 3 s a job, sources over 20 Mbit/s, 5% made twice; this tab only compares. */
async function simulated(): Promise<readonly BenchRow[]> {
  const ratios: number[] = [];
  const firsts: number[] = [];
  for (const seed of SEEDS) {
    const [one, four] = [await timesWith(1, seed), await timesWith(HELPERS, seed)];
    ratios.push((one.at(-1) as number) / (four.at(-1) as number));
    firsts.push((four[0] as number) / 1000);
  }
  return [
    row(`${HELPERS} simulated helpers of equal speed against one`, 'times', ratios, {
      bar: `≥ ${LEAST_SIMULATED}`,
      isOk: (value) => value >= LEAST_SIMULATED,
    }),
    row(`${HELPERS} simulated helpers: to the first segment`, 's', firsts, {
      bar: `≤ ${MOST_FIRST}`,
      isOk: (value) => value <= MOST_FIRST,
    }),
  ];
}

/** When each segment was there, ms. */
async function timesWith(helpers: number, seed: number): Promise<readonly number[]> {
  const world = await createSharingBench({ seed });
  for (let n = 0; n < helpers; n++) world.helper();
  return (await world.make()).times;
}

/** The same jobs on a minute of 720p by one tab, and by two at once that have half of them each. */
async function real(): Promise<BenchRow> {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-bench-'));
  const one = await openTranscoderTab(folder);
  try {
    const two = await (await one.browser.newContext()).newPage();
    await two.goto(one.page.url());
    const file = await fixture('minute720.mp4');
    for (const page of [one.page, two]) await page.getByLabel('File').setInputFiles(file);
    const run = async (page: Page, from: number, to: number): Promise<void> => {
      const answer = await page.evaluate(([first, last]) => window.transcoder.jobsFrom(first, last), [from, to] as const);
      if ('failed' in answer) throw new Error(answer.failed.message);
    };
    // The first runs compile the converter, and find out which of its code is worth more; they do not count.
    for (const page of [one.page, two]) await run(page, 0, JOBS);
    const ratios: number[] = [];
    const seconds: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const alone = await timed(() => run(round % 2 === 0 ? one.page : two, 0, JOBS));
      const both = await timed(() => Promise.all([run(one.page, 0, JOBS / 2), run(two, JOBS / 2, JOBS)]));
      ratios.push(alone / both);
      seconds.push(`${alone.toFixed(1)} and ${both.toFixed(1)} s`);
    }
    return row(`two real tabs, one thread each, against one: ${JOBS} jobs of 4 s of 720p to 360p`, 'times', ratios, {
      bar: `≥ ${LEAST_REAL}`,
      isOk: (value) => value >= LEAST_REAL,
      beside: seconds.join(', '),
    });
  } finally {
    await one.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function row(
  what: string,
  unit: string,
  values: readonly number[],
  { bar, isOk, beside = null }: { bar: string; isOk: (value: number) => boolean; beside?: string | null },
): BenchRow {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[sorted.length >> 1] as number;
  return { what, value, unit, bar, ok: isOk(value), n: values.length, min: sorted[0] as number, max: sorted.at(-1) as number, beside };
}
