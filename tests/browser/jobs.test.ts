/** Jobs in a real browser: the same bytes in two tabs and from run to run, with the pictures and times of their source (docs/protocol.md, J2). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { unwrap } from './transcoder/answer.ts';
import { joined, packetsOf, streamOf } from './transcoder/judge.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

let tab: TranscoderTab;
let output: string;
beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-jobs-'));
  tab = await openTranscoderTab(output);
});
afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

const SIZES: Partial<Record<FixtureName, { width: number; height: number }>> = {
  'bframes.mp4': { width: 320, height: 180 },
  'variable.mp4': { width: 320, height: 180 },
  'rotated.mp4': { width: 180, height: 320 },
};

test.each(Object.keys(SIZES) as FixtureName[])('[J2] %s: every picture at its time, one header, and it decodes', async (name) => {
  const size = SIZES[name] as { width: number; height: number };
  await tab.page.getByLabel('File').setInputFiles(await fixture(name));
  const jobs = unwrap(await tab.page.evaluate(([directory, pixels]) => window.transcoder.jobs(directory, pixels), [name, size] as const));
  expect(jobs).toHaveLength(3);
  for (const { problem, decodes } of jobs) {
    expect(problem).toBeNull();
    expect(decodes).toEqual([true, false]);
  }
  expect(new Set(jobs.map(({ init }) => init)).size).toBe(1);
  const made = await joined(join(output, name), 0, jobs.length);
  const source = await joined(join(output, `${name}-source`), 0, jobs.length);
  const [packets, wanted] = await Promise.all([made, source].map(({ path }) => packetsOf(path, 'video')));
  const times = (list: typeof packets) => [...(list ?? [])].map(({ time }) => time).sort((a, b) => a - b);
  expect(times(packets)).toEqual(times(wanted));
  const [stream, before] = await Promise.all([made, source].map(({ path }) => streamOf(path)));
  const turnOf = (one: typeof stream) => one?.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation;
  expect(turnOf(stream)).toBe(turnOf(before));
});

test('[J2] the same bytes from run to run, and in another tab', async () => {
  await tab.page.getByLabel('File').setInputFiles(await fixture('bframes.mp4'));
  const size = { width: 320, height: 180 };
  const other = await (await tab.browser.newContext()).newPage();
  await other.goto(tab.page.url());
  await other.getByLabel('File').setInputFiles(await fixture('bframes.mp4'));
  const run = async (page: typeof other, directory: string): Promise<readonly string[]> =>
    unwrap(await page.evaluate(([to, pixels]) => window.transcoder.jobs(to, pixels), [directory, size] as const)).map(
      ({ digest }) => digest,
    );
  const first = await run(tab.page, 'first');
  expect(await run(tab.page, 'second')).toEqual(first);
  expect(await run(other, 'third')).toEqual(first);
});

test('[J8] a job that is cancelled ends its worker at once', async () => {
  await tab.page.getByLabel('File').setInputFiles(await fixture('bframes.mp4'));
  const { outcome, after, workers } = unwrap(await tab.page.evaluate(() => window.transcoder.abortJob(500)));
  expect({ outcome, workers }).toEqual({ outcome: 'ended', workers: 0 });
  expect(after).toBeLessThan(500);
});
