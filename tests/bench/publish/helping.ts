/** What helpers are worth: four simulated ones in virtual time with the real scheduler and jobs, and two real tabs against one. */
import type { Page } from 'playwright-core';
import { fixture } from '../../fixtures/make.ts';
import { createSharingBench } from '../../unit/app/simulated-helpers.ts';
import type { Bench, BenchRow } from '../bench-row.ts';
import { answerOf, withMedia } from './media.ts';
import { rowOf } from './rows.ts';

const HELPERS = 4;
/** Of the first segments: an even number. */
const JOBS = 4;
const ROUNDS = 3;
const SEEDS = [1, 2, 3, 4, 5];

export const helping: Bench = async () => [...(await simulated()), await real()];

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
    rowOf(`${HELPERS} simulated helpers of equal speed against one`, ratios, { unit: '×', bar: '≥ 3.5' }),
    rowOf(`${HELPERS} simulated helpers: to the first segment`, firsts, { unit: 's', bar: '≤ 10' }),
  ];
}

/** When each segment was there, ms. */
async function timesWith(helpers: number, seed: number): Promise<readonly number[]> {
  const world = await createSharingBench({ seed });
  for (let n = 0; n < helpers; n++) world.helper();
  return (await world.make()).times;
}

/** The same jobs on a minute of 720p by one tab, and by two at once that have half of them each. */
function real(): Promise<BenchRow> {
  return withMedia(async (one) => {
    const two = await (await one.browser.newContext()).newPage();
    await two.goto(one.page.url());
    const file = await fixture('minute720.mp4');
    for (const page of [one.page, two]) await page.getByLabel('File').setInputFiles(file);
    const run = async (page: Page, from: number, to: number): Promise<void> =>
      answerOf(await page.evaluate(([first, last]) => window.transcoder.jobsFrom(first, last), [from, to] as const));
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
    return rowOf(`two real tabs, one thread each, against one: ${JOBS} jobs of 4 s of 720p to 360p`, ratios, {
      ...{ unit: '×', bar: '≥ 1.6' },
      beside: seconds.join(', '),
    });
  });
}

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
