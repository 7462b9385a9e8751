/** What no browser decodes, by ffmpeg.wasm: with threads, beside the same without. */
import type { Page } from 'playwright-core';
import { fixture } from '../../fixtures/make.ts';
import type { Bench } from '../bench-row.ts';
import { answerOf, withMedia } from './media.ts';
import { rowOf, secondsOf } from './rows.ts';

const RUNS = 3;

export const threads: Bench = () =>
  withMedia(async ({ page }) => {
    await page.getByLabel('File').setInputFiles(await fixture('minute720.avi'));
    const [threaded, single]: [number[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      threaded.push(await convert(page, null));
      single.push(await convert(page, 1));
    }
    return [
      rowOf(
        'a minute of 720p MPEG-4 → H.264 by ffmpeg.wasm with threads, against without',
        single.map((time, i) => time / (threaded[i] as number)),
        { unit: '×', bar: '≥ 1.5', beside: `${secondsOf(threaded)} s, without ${secondsOf(single)} s` },
      ),
    ];
  });

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
  return answerOf(answer).elapsed;
}
