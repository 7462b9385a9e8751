/** Ten minutes with awkward rates, published whole: what rounding adds up to, by native ffprobe, in every quality. */
import { launch } from '../../browser/harness/chromium.ts';
import { startSite } from '../../browser/harness/site.ts';
import { openTab } from '../../browser/harness/tab.ts';
import { timelineOf } from '../../browser/harness/timeline.ts';
import { publishWhole, withSaved } from '../../browser/harness/whole-publication.ts';
import { fixture } from '../../fixtures/make.ts';
import type { Bench, BenchRow } from '../bench-row.ts';
import { rowOf } from './rows.ts';

/** Milliseconds: ten minutes are encoded once, on a machine that may do other things. */
const MAKING = 600_000;

export const timeline: Bench = async () => {
  const site = await startSite();
  const browser = await launch();
  try {
    const rows: BenchRow[] = [];
    for (const [what, clip] of [
      ['MP4, 29.97 a second, 44.1 kHz', 'drifting.mp4'],
      ['MKV, variable rate, 44.1 kHz', 'drifting.mkv'],
    ] as const) {
      const source = await fixture(clip);
      const tab = await openTab(browser, site.url);
      const watchUrl = await publishWhole(tab, { path: source, title: clip, timeout: MAKING });
      const found = await withSaved(tab, watchUrl, (directory) => timelineOf(directory, source));
      await tab.close();
      if (found.complaints !== '') throw new Error(`ffmpeg complains about ${clip}: ${found.complaints}`);
      const { renditions } = found;
      const worst = (figure: 'gap' | 'shift' | 'late'): number => 1000 * Math.max(...renditions.map((rendition) => rendition[figure]));
      const sizes = renditions.map(({ height, segments }) => `${height === null ? 'sound' : `${height}p`} ${segments}`).join(', ');
      const missing = renditions.map((rendition) => rendition.missing);
      rows.push(
        rowOf(`ten minutes (${what}): pictures and packets missing or too many`, [Math.max(...missing)], {
          unit: '',
          bar: '≤ 0',
          beside: sizes,
        }),
        rowOf(`ten minutes (${what}): hole or overlap between segments`, [worst('gap')], { unit: 'ms', bar: '≤ 1', beside: sizes }),
        rowOf(`ten minutes (${what}): picture and sound apart at a boundary`, [1000 * Math.max(found.apart, found.unlike)], {
          ...{ unit: 'ms', bar: '≤ 50' },
          beside: `packets ${worst('shift').toFixed(2)} ms from the file's, playlist ${worst('late').toFixed(2)} ms`,
        }),
      );
    }
    return rows;
  } finally {
    await browser.close();
    await site.close();
  }
};
