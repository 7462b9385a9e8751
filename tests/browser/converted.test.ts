/** What is converted comes out as it is made, goes on where it was left, and is as whole as if it had been made at once. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { unwrap } from './transcoder/answer.ts';
import { beepsOf, complaintsAbout, flashesOf, packetsOf, writePlaylists } from './transcoder/judge.ts';
import type { Outcome } from './transcoder/page.ts';
import { spansOf } from './transcoder/spans.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

const run = promisify(execFile);
/** Seconds by which sound and picture may lie beside where they were. */
const TOLERANCE = 0.05;
/** Ticks of a track are rounded to microseconds on their way. */
const TICK = 0.00002;
const SOUND_RATE = 48_000;
/** Of 32,767: what an encoder that begins elsewhere makes otherwise. A click is thousands. */
const OTHER_NOISE = 300;

let tab: TranscoderTab;
let output: string;

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-converted-'));
  tab = await openTranscoderTab(output);
  // Threads take as long to start as these clips to be converted.
  await tab.page.evaluate(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1, configurable: true }));
});

afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

async function cut(name: FixtureName, directory: string, kept: readonly number[] = []): Promise<Outcome> {
  await tab.page.getByLabel('File').setInputFiles(await fixture(name));
  return unwrap(await tab.page.evaluate(([to, kept]) => window.transcoder.cut(to, kept), [directory, kept] as const));
}

/** Seconds at which the pictures of a file are shown, from the first one on. */
async function picturesOf(path: string): Promise<number[]> {
  const { stdout } = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', path],
  ]);
  const times = stdout
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter((time) => Number.isFinite(time));
  return times.map((time) => time - (times[0] as number));
}

async function samplesOf(path: string): Promise<Int16Array> {
  const args = ['-v', 'error', '-i', path, '-map', '0:a:0', '-ac', '1', '-ar', String(SOUND_RATE), '-f', 's16le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
  return new Int16Array(new Uint8Array(stdout).buffer);
}

/** The header and segments as one file: the first `kept` from one directory, the others from another. */
async function splice(
  index: number,
  parts: readonly (readonly [directory: string, from: number, to: number])[],
  to: string,
): Promise<string> {
  const [first] = parts;
  const bytes = [await readFile(join(output, first?.[0] ?? '', `${index}/init.mp4`))];
  for (const [directory, from, until] of parts)
    for (let n = from; n < until; n++) bytes.push(await readFile(join(output, directory, `${index}/${n}.m4s`)));
  const path = join(output, to);
  await writeFile(path, Buffer.concat(bytes));
  return path;
}

/** Nothing between two segments, and nothing twice. */
async function judgeJoints(directory: string, outcome: Outcome): Promise<void> {
  for (const [index, { durations }] of outcome.renditions.entries()) {
    const spans = await spansOf(join(output, directory), index, durations.length);
    let elapsed = 0;
    for (const [n, span] of spans.entries()) {
      if (n > 0)
        expect(Math.abs(span.start - (spans[n - 1]?.end ?? 0)), `${index}/${n} begins where the one before ends`).toBeLessThan(TICK);
      if (n > 0) expect(Math.abs(span.start - elapsed), `${index}/${n} begins where the list says`).toBeLessThan(0.001);
      elapsed += (durations[n] as number) / 1e6;
    }
  }
}

const wholes = new Map<FixtureName, Promise<Outcome>>();
/** A clip that was converted at once, for all tests. */
function whole(name: FixtureName): Promise<Outcome> {
  const known = wholes.get(name) ?? cut(name, name);
  wholes.set(name, known);
  return known;
}

describe('in one go', () => {
  test.each<FixtureName>([
    'small-hevc.mp4',
    'small-mpeg2.ts',
    'small-tone.mkv',
    'small-gap.mkv',
    'small-short-sound.avi',
    'small-silent.avi',
  ])('%s: every picture at its time, sound and picture in step, no hole', async (name) => {
    const outcome = await whole(name);
    await judgeJoints(name, outcome);
    const master = await writePlaylists(join(output, name), outcome);
    expect(await complaintsAbout(master, { variable: true })).toBe('');
    const source = await fixture(name);
    const path = await splice(0, [[name, 0, outcome.renditions[0]?.durations.length ?? 0]], `${name}-picture.mp4`);
    const [before, after] = [await picturesOf(source), await picturesOf(path)];
    expect(after).toHaveLength(before.length);
    for (const [n, time] of after.entries()) expect(Math.abs(time - (before[n] as number))).toBeLessThan(0.002);
    if (name === 'small-hevc.mp4' || name === 'small-gap.mkv') {
      for (const find of [beepsOf, flashesOf]) {
        const [there, here] = [await find(source), await find(master)];
        expect(here).toHaveLength(there.length);
        for (const [n, time] of here.entries()) expect(Math.abs(time - (there[n] as number))).toBeLessThanOrEqual(TOLERANCE);
      }
    }
    expect(outcome.progress.at(-1)).toBe(1);
    expect(outcome.poster?.size).toBeGreaterThan(0);
  });
});

test('the first segment comes while the converter is at work', async () => {
  await tab.page.getByLabel('File').setInputFiles(await fixture('mpeg4.avi'));
  const { first, running, elapsed } = unwrap(await tab.page.evaluate(() => window.transcoder.measure()));
  expect(running, 'the one that cuts, and ffmpeg').toBe(2);
  console.info(`12 s: the first segment after ${Math.round(first)} ms of ${Math.round(elapsed)}`);
});

describe('going on from the middle', () => {
  /** Segments that are kept of picture and sound: they need not be alike. */
  test.each<[FixtureName, readonly number[]]>([
    ['small-hevc.mp4', [1, 2]],
    ['small-hevc.mp4', [2, 1]],
    ['small-hevc.mp4', [99, 1]],
    ['small-mpeg2.ts', [2, 2]],
    ['small-tone.mkv', [1, 1]],
    ['small-gap.mkv', [1, 3]],
    ['small-silent.avi', [1]],
    ['small-h264.avi', [1, 1]],
    ['small-h264.avi', [3, 2]],
  ])('%s behind %j: the rest is as it would have been', async (name, kept) => {
    const before = await whole(name);
    const directory = `${name}-behind-${kept.join('-')}`;
    const after = await cut(name, directory, kept);
    for (const [index, { durations }] of before.renditions.entries()) {
      const end = durations.length;
      const from = Math.min(kept[index] ?? 0, end);
      const made = after.renditions[index];
      expect(made?.durations ?? []).toEqual(durations.slice(from));
      if (!made) continue;
      expect(made.from).toBe(from);
      const [one, other] = await Promise.all([name, directory].map((place) => readFile(join(output, place, `${index}/init.mp4`))));
      expect(one?.equals(other as Buffer), 'the same header').toBe(true);
      const reference = await splice(index, [[name, 0, end]], `${directory}-${index}-whole.mp4`);
      const parts = [[name, 0, from] as const, [directory, from, end] as const];
      const joint = await splice(index, parts, `${directory}-${index}.mp4`);
      expect(await complaintsAbout(joint, { variable: true })).toBe('');
      const times = async (path: string) => (await packetsOf(path, made.kind)).map(({ time, duration }) => [time, duration]);
      expect(await times(joint)).toEqual(await times(reference));
      if (made.kind === 'audio') await judgeSound(joint, reference, name);
    }
  });
});

/** The same sound to the sample, but for what an encoder makes otherwise that was begun elsewhere. */
async function judgeSound(joint: string, reference: string, name: string): Promise<void> {
  const [a, b] = [await samplesOf(joint), await samplesOf(reference)];
  expect(a.length).toBe(b.length);
  let [most, at] = [0, 0];
  a.forEach((sample, n) => {
    const difference = Math.abs(sample - (b[n] ?? 0));
    if (difference > most) [most, at] = [difference, n];
  });
  expect(most, `${name}: the sound at sample ${at}`).toBeLessThan(OTHER_NOISE);
}
