import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaProbe } from '../../src/base/ports.ts';
import { SEGMENTS_AHEAD } from '../../src/browser/media-protocol.ts';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { unwrap } from './transcoder/answer.ts';
import {
  beepsOf,
  complaintsAbout,
  durationOf,
  flashesOf,
  joined,
  packetsOf,
  pointsOf,
  spanOf,
  writePlaylists,
} from './transcoder/judge.ts';
import type { Answer, Outcome } from './transcoder/page.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

/** Seconds by which duration and the place of sound and picture may differ from the source's. */
const TOLERANCE = 0.05;

/** Of 255: the clips do not say which matrix their colours are in, and Chromium and ffmpeg guess differently. */
const OTHER_COLOURS = 15;

/** Seconds: of a Matroska file that breaks off, what stands in its last cluster may be lost. */
const BROKEN_CLUSTER = 5;

/** Seconds: less than any sound packet lasts. */
const LEAST_SOUND = 0.005;

let tab: TranscoderTab;
let output: string;

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-transcoder-'));
  tab = await openTranscoderTab(output);
});

afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

async function choose(name: FixtureName): Promise<string> {
  const path = await fixture(name);
  await tab.page.getByLabel('File').setInputFiles(path);
  return path;
}

async function probe(name: FixtureName): Promise<Answer<MediaProbe>> {
  await choose(name);
  return tab.page.evaluate(() => window.transcoder.probe());
}

interface Cut {
  readonly source: string;
  readonly outcome: Outcome;
  readonly master: string;
  readonly directory: string;
  readonly probed: MediaProbe;
}

const cuts = new Map<FixtureName, Promise<Cut>>();

/** Cuts a clip, once for all tests, and lets the judge look at everything that holds for every one. */
function cut(name: FixtureName, options: JudgeOptions = {}): Promise<Cut> {
  const known = cuts.get(name) ?? cutAndJudge(name, options);
  cuts.set(name, known);
  return known;
}

interface JudgeOptions {
  /** Seconds that the duration may be off. */
  readonly tolerance?: number;
  /** False: what is long is read by ffmpeg, not decoded. */
  readonly decode?: boolean;
}

async function cutAndJudge(name: FixtureName, { tolerance = TOLERANCE, decode = true }: JudgeOptions): Promise<Cut> {
  const source = await choose(name);
  const probed = unwrap(await tab.page.evaluate(() => window.transcoder.probe()));
  const outcome = unwrap(await tab.page.evaluate((directory) => window.transcoder.cut(directory), name as string));
  const directory = join(output, name);
  const master = await writePlaylists(directory, outcome);

  expect(await complaintsAbout(master, { decode })).toBe('');
  const span = await spanOf(source);
  expect(Math.abs((await durationOf(master)) - span)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(probed.duration - span)).toBeLessThanOrEqual(tolerance);
  expect(outcome.renditions.map((rendition) => rendition.kind)).toEqual([
    ...(probed.video ? ['video'] : []),
    ...(probed.audio ? ['audio'] : []),
  ]);
  expect(outcome.progress.at(-1)).toBe(1);
  expect(outcome.progress).toEqual([...outcome.progress].sort((a, b) => a - b));
  for (const [index, rendition] of outcome.renditions.entries()) await judgeSegments(directory, index, rendition);
  if (probed.video) {
    expect(outcome.renditions[0]).toMatchObject({ width: probed.video.width, height: probed.video.height });
    expect(outcome.poster?.size).toBeLessThanOrEqual(11 * 1024);
    expect(await complaintsAbout(join(directory, 'poster'))).toBe('');
  }
  return { source, outcome, master, directory, probed };
}

/** Each segment begins with a key frame, where the playlist says that it begins, and the next follows without a hole. */
async function judgeSegments(directory: string, index: number, rendition: Outcome['renditions'][number]): Promise<void> {
  const { path, starts } = await joined(directory, index, rendition.durations.length);
  const packets = await packetsOf(path, rendition.kind);
  expect(rendition.sizes.every((size) => size <= 16 * 1024 * 1024)).toBe(true);
  let elapsed = 0;
  for (const [n, start] of starts.entries()) {
    const until = starts[n + 1] ?? Number.POSITIVE_INFINITY;
    const inside = packets.filter((packet) => packet.position >= start && packet.position < until);
    const first = Math.min(...inside.map((packet) => packet.time));
    expect(inside[0]?.key).toBe(true);
    // The first may begin later than its place: a picture that comes after the sound.
    if (n > 0) expect(Math.abs(first - elapsed)).toBeLessThanOrEqual(0.001);
    expect(first).toBeGreaterThanOrEqual(0);
    elapsed += (rendition.durations[n] as number) / 1e6;
  }
}

/** Picture and sound are where they were in the source. */
async function judgeSync(source: string, master: string): Promise<void> {
  const before = { beeps: await beepsOf(source), flashes: await flashesOf(source) };
  const after = { beeps: await beepsOf(master), flashes: await flashesOf(master) };
  expect(before.beeps.length).toBeGreaterThan(4);
  expect(after.beeps).toHaveLength(before.beeps.length);
  expect(after.flashes).toHaveLength(before.flashes.length);
  for (const what of ['beeps', 'flashes'] as const) {
    after[what].forEach((time, n) => {
      expect(Math.abs(time - (before[what][n] ?? Number.NaN)), `${what} ${n}`).toBeLessThanOrEqual(TOLERANCE);
    });
  }
}

/** The very packets of the source that are shown: none lost, none twice, none changed. */
async function judgeCopy(source: string, directory: string, kinds: readonly ('video' | 'audio')[]): Promise<void> {
  // What an encoder puts before its first sample, and what comes just before the picture, is left out.
  const starts = await Promise.all(kinds.map(async (kind) => Math.min(...(await packetsOf(source, kind)).map((packet) => packet.time))));
  const [picture = 0, sound = 0] = kinds.includes('video') ? starts : [0, starts[0]];
  const pictureStart = picture - Math.max(sound, 0) <= TOLERANCE ? picture : 0;
  for (const [index, kind] of kinds.entries()) {
    const from = (await packetsOf(source, kind)).filter((packet) => kind === 'video' || packet.time > pictureStart - LEAST_SOUND);
    const to = await packetsOf(join(directory, `${index}.mp4`), kind);
    expect(to.map((packet) => packet.hash)).toEqual(from.map((packet) => packet.hash));
  }
}

describe('copying what browsers play', () => {
  test.each<FixtureName>([
    'bframes.mp4',
    'front.mp4',
    'plain.mov',
    'plain.mkv',
    'late.mkv',
    'vp9.webm',
    'av1.mp4',
    'variable.mp4',
    'fragmented.mp4',
  ])('%s', async (name) => {
    const { source, directory, master, probed, outcome } = await cut(name);
    expect(probed.plan).toBe('copy');
    expect(outcome.renditions[0]?.frameRate).toBe(name === 'variable.mp4' ? 0 : 30);
    await judgeCopy(source, directory, ['video', 'audio']);
    await judgeSync(source, master);
  });

  test("starts pictures at 0 though the encoder reordered them (ffmpeg's own HLS shifts them by two frames)", async () => {
    const { directory } = await cut('bframes.mp4');
    const times = (await packetsOf(join(directory, '0.mp4'), 'video')).map((packet) => packet.time).sort((a, b) => a - b);
    expect(times[0]).toBe(0);
    times.forEach((time, n) => {
      expect(Math.abs(time - n / 30)).toBeLessThan(0.0001);
    });
  });

  test('MPEG-TS', async () => {
    const { source, master, probed } = await cut('transport.ts');
    expect(probed.plan).toBe('copy');
    await judgeSync(source, master);
  });

  test('a video without sound', async () => {
    const { source, directory, probed } = await cut('silent.mp4');
    expect(probed).toMatchObject({ plan: 'copy', audio: null });
    await judgeCopy(source, directory, ['video']);
  });

  test('sound without a picture', async () => {
    const { source, directory, probed, outcome } = await cut('sound.m4a');
    expect(probed).toMatchObject({ plan: 'copy', video: null });
    expect(outcome.poster).toBeNull();
    await judgeCopy(source, directory, ['audio']);
  });

  test('what is there of a Matroska file that breaks off', async () => {
    const { outcome, probed } = await cut('truncated.mkv', { tolerance: BROKEN_CLUSTER });
    expect(probed.plan).toBe('copy');
    expect(outcome.renditions[0]?.durations.length).toBeGreaterThan(1);
  });

  test('three hours, all of them', async () => {
    const { outcome, source, directory } = await cut('three-hours.mp4', { decode: false });
    expect(outcome.renditions[0]?.durations.length).toBeGreaterThanOrEqual(2700);
    await judgeCopy(source, directory, ['video']);
    console.info(`three hours cut in ${(outcome.elapsed / 1000).toFixed(1)} s, written by the page included`);
  }, 400_000);
});

describe('playing in hls.js', () => {
  test.each<FixtureName>(['bframes.mp4', 'vp9.webm', 'rotated.mp4', 'silent.mp4', 'sound.m4a'])('%s', async (name) => {
    const { source, master, probed } = await cut(name);
    const seen = unwrap(
      await tab.page.evaluate(([directory, time]) => window.transcoder.play(directory, time), [name as string, 6.55] as const),
    );
    expect(seen.buffered).toHaveLength(1);
    expect(seen.buffered[0]?.[0]).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(seen.duration - (await durationOf(master)))).toBeLessThanOrEqual(TOLERANCE);
    if (!probed.video) return;
    // Upright, when a phone lay on its side: the size and the picture are what a player of the source shows.
    expect(seen).toMatchObject({ width: probed.video.width, height: probed.video.height });
    const wanted = await pointsOf(source, 6.55);
    const difference = (order: (n: number) => number): number =>
      seen.points.reduce((sum, point, n) => sum + Math.abs(point - (wanted[order(n)] ?? 0)), 0) / seen.points.length;
    expect(difference((n) => n)).toBeLessThan(OTHER_COLOURS);
    const upsideDown = difference((n) => seen.points.length - 1 - n);
    expect(upsideDown).toBeGreaterThan(4 * OTHER_COLOURS);
  });
});

describe('converting the rest', () => {
  test.each<FixtureName>(['mpeg4.avi', 'mpeg2.mpg', 'trimmed.mp4', 'tail-trimmed.mp4'])('%s', async (name) => {
    const { source, master, probed, outcome } = await cut(name);
    expect(probed.plan).toBe('transcode');
    expect(outcome.renditions.map((rendition) => rendition.codecs)).toEqual([expect.stringMatching(/^avc1\./), 'mp4a.40.2']);
    await judgeSync(source, master);
  });

  test('is done by threads where the page has them, and by one where those never start', { timeout: 150_000 }, async () => {
    const { page } = tab;
    let threads = 0;
    page.on('worker', (worker) => {
      if (worker.url().includes('ffmpeg-core.worker')) threads++;
    });
    await page.evaluate(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2, configurable: true }));
    await choose('mpeg4.avi');
    const threaded = unwrap(await page.evaluate(() => window.transcoder.measure()));
    expect(threads).toBeGreaterThan(1);
    tab.muteThreads = true;
    const warned = page.waitForEvent('console', { predicate: (message) => message.text().includes('goes on with one'), timeout: 120_000 });
    const alone = unwrap(await page.evaluate(() => window.transcoder.measure()));
    await warned;
    tab.muteThreads = false;
    await page.evaluate(() => Reflect.deleteProperty(navigator, 'hardwareConcurrency'));
    expect(Math.abs(alone.bytes - threaded.bytes)).toBeLessThan(0.01 * threaded.bytes);
    console.info(`12 s by threads in ${Math.round(threaded.elapsed)} ms; given up, and by one, in ${Math.round(alone.elapsed)} ms`);
  });

  test.each<FixtureName>(['mp3-sound.mkv', 'ac3-sound.mp4'])('only the sound of %s', async (name) => {
    const { source, master, directory, probed } = await cut(name);
    expect(probed.plan).toBe('transcode');
    await judgeCopy(source, directory, ['video']);
    await judgeSync(source, master);
  });

  test.each<FixtureName>(['sound.mp3', 'sound.wav'])('%s, sound alone', async (name) => {
    const { source, master } = await cut(name);
    const [before, after] = [await beepsOf(source), await beepsOf(master)];
    expect(after).toHaveLength(before.length);
    after.forEach((time, n) => {
      expect(Math.abs(time - (before[n] ?? Number.NaN))).toBeLessThanOrEqual(TOLERANCE);
    });
  });

  test('a video whose key frames are too far apart', async () => {
    const { outcome, probed } = await cut('long-gop.mp4');
    expect(probed.plan).toBe('transcode');
    expect(Math.max(...(outcome.renditions[0]?.durations ?? []))).toBeLessThanOrEqual(4.1e6);
  });
});

describe('what is no video', () => {
  test.each<[FixtureName, RegExp]>([
    ['empty.mp4', /empty/],
    ['text.mp4', /not a video/],
    ['truncated.mp4', /damaged or incomplete: .*index/],
    ['truncated-front.mp4', /damaged or incomplete: .*end/],
  ])('%s is refused, with what happened and what to do', async (name, message) => {
    const answers = [await probe(name), await tab.page.evaluate(() => window.transcoder.cut('refused'))];
    for (const answer of answers) {
      expect(answer).toMatchObject({ failed: { code: 'unsupported', message: expect.stringMatching(message) } });
      expect(answer).toMatchObject({ failed: { message: expect.stringMatching(/(Choose|Try|copy it) [^.]+\.$/) } });
    }
  });
});

describe('holding back and stopping', () => {
  test('a reader that does not read holds the worker back', async () => {
    await choose('three-minutes.mp4');
    const { sent, all } = unwrap(await tab.page.evaluate(() => window.transcoder.holdBack()));
    expect(all).toBeGreaterThan(4 * SEGMENTS_AHEAD);
    expect(sent).toBe(SEGMENTS_AHEAD);
  });

  test.each<FixtureName>(['three-minutes.mp4', 'mpeg4.avi'])('cutting %s ends with aborted, and its workers with it', async (name) => {
    await choose(name);
    const answer = await tab.page.evaluate(() => window.transcoder.cutAndAbort(0.1));
    expect(answer).toMatchObject({ failed: { code: 'aborted' } });
    expect(await tab.page.evaluate(() => window.transcoder.workers())).toBe(0);
  });

  test('breaking out of the loop ends the worker', async () => {
    await choose('three-minutes.mp4');
    expect(unwrap(await tab.page.evaluate(() => window.transcoder.breakOut()))).toBe(0);
  });
});

test('nothing needed eval, a blob: worker or another origin', async () => {
  expect((await stat(output)).isDirectory()).toBe(true);
  expect(tab.complaints).toEqual([]);
});

describe('going on from the middle', () => {
  /** Segments that are kept of picture and sound: they need not be alike. */
  test.each<[FixtureName, readonly (readonly number[])[]]>([
    [
      'bframes.mp4',
      [
        [1, 1],
        [2, 1],
        [1, 0],
        [0, 2],
        [99, 1],
      ],
    ],
    [
      'plain.mkv',
      [
        [1, 2],
        [2, 0],
      ],
    ],
    ['vp9.webm', [[2, 1]]],
    [
      'late.mkv',
      [
        [1, 1],
        [1, 2],
      ],
    ],
    ['variable.mp4', [[1, 1]]],
    ['sound.m4a', [[2]]],
  ])('%s: the rest comes out as the same bytes', async (name, all) => {
    const whole = await cut(name);
    await choose(name);
    for (const [n, kept] of all.entries()) {
      const directory = `${name}-on-${n}`;
      const { renditions } = unwrap(await tab.page.evaluate(([to, kept]) => window.transcoder.cut(to, kept), [directory, kept] as const));
      for (const [index, before] of whole.outcome.renditions.entries()) {
        const from = Math.min(kept[index] ?? 0, before.durations.length);
        const rendition = renditions[index];
        expect(rendition?.durations ?? [], `${kept}`).toEqual(before.durations.slice(from));
        if (!rendition) continue;
        expect(rendition.from).toBe(from);
        const parts = ['init.mp4', ...before.durations.flatMap((_, n) => (n < from ? [] : [`${n}.m4s`]))];
        for (const part of parts) {
          const bytes = await readFile(join(output, directory, `${index}/${part}`));
          expect(bytes.equals(await readFile(join(whole.directory, `${index}/${part}`))), `${kept} ${index}/${part}`).toBe(true);
        }
      }
    }
  });
});
