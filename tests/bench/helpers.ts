/** What helpers are worth: four simulated ones in virtual time with the real scheduler and jobs, and two real tabs against one. */
import type { Browser } from 'playwright-core';
import { launch } from '../browser/harness/chromium.ts';
import { startSite } from '../browser/harness/site.ts';
import { openTab, type Tab } from '../browser/harness/tab.ts';
import { fixture } from '../fixtures/make.ts';
import { createSharingBench } from '../unit/app/simulated-helpers.ts';
import type { Bench, BenchRow } from './bench-row.ts';

const HELPERS = 4;
const LEAST_SIMULATED = 3.5;
const MOST_FIRST = 10; // seconds
const LEAST_REAL = 1.6;
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

/** All qualities of a minute of 720p, by a tab without an encoder of its own, alone and with a helper beside it. */
async function real(): Promise<BenchRow> {
  const site = await startSite();
  const browser = await launch();
  try {
    const keeper = await openTab(browser, site.url);
    const alone = await publishAll(browser, site.url, [keeper]);
    const helper = await openTab(browser, site.url);
    await helper.page.evaluate(() => window.kadreel?.help.set(true));
    const both = await publishAll(browser, site.url, [keeper, helper]);
    return row('two real tabs, one thread each, against one: all qualities of a minute of 720p', 'times', [alone / both], {
      bar: `≥ ${LEAST_REAL}`,
      isOk: (value) => value >= LEAST_REAL,
      beside: `${alone.toFixed(1)} s and ${both.toFixed(1)} s`,
    });
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Seconds from the first piece of work on a quality until the last is there. */
async function publishAll(browser: Browser, url: string, linked: readonly Tab[]): Promise<number> {
  const context = await browser.newContext();
  await context.route('**/cut.worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\ndelete self.VideoEncoder;` });
  });
  const tab = await openTab(context, url);
  await tab.untilLinked(...linked.map(({ id }) => id));
  const input = await tab.page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(await fixture('minute720.mp4'));
  const ms = await tab.page.evaluate(
    (element) =>
      new Promise<number>((resolve, reject) => {
        const file = element.files?.[0];
        if (!file || !window.kadreel) return reject(new Error('There is no file, or no node.'));
        let began = 0;
        window.kadreel
          .publish(file, {
            title: 'Bench',
            onQualities(states) {
              if (began === 0 && states.some(({ phase }) => phase === 'making')) began = performance.now();
              const failed = states.find(({ phase }) => phase === 'failed');
              if (failed) reject(new Error(`${failed.name}: ${failed.problem}`));
              if (states.every(({ phase }) => phase === 'made')) resolve(performance.now() - began);
            },
          })
          .catch(reject);
      }),
    input,
  );
  await tab.close();
  await context.close();
  return ms / 1000;
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
