/**
 * From a person's file to segments, qualities and copies, each way beside native ffmpeg, or beside itself without what is measured, in turn on the same
 * machine. `npm run bench -- publish [--only copy,ssim,…] [--kills 20] [--seed S] [--json]`
 */
import type { Bench, BenchRow } from './bench-row.ts';
import { big } from './publish/big.ts';
import { copying } from './publish/copying.ts';
import { helping } from './publish/helping.ts';
import { likeness } from './publish/likeness.ts';
import { resuming } from './publish/resuming.ts';
import { threads } from './publish/threads.ts';
import { timeline } from './publish/timeline.ts';
import { webCodecs } from './publish/web-codecs.ts';

const PARTS: Readonly<Record<string, Bench>> = {
  copy: copying,
  webcodecs: webCodecs,
  threads,
  helpers: helping,
  resume: resuming,
  ssim: likeness,
  timeline,
  big,
};

const bench: Bench = async (options) => {
  const { args } = options;
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '').split(',') : Object.keys(PARTS);
  const unknown = only.find((name) => !(name in PARTS));
  if (unknown !== undefined) throw new Error(`This bench has no part “${unknown}”, only ${Object.keys(PARTS).join(', ')}.`);
  const rows: BenchRow[] = [];
  for (const name of only) rows.push(...((await PARTS[name]?.(options)) ?? []));
  return rows;
};
export default bench;
