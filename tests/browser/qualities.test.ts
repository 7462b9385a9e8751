/** Qualities made beside a copied picture: cut where it is cut, frame for frame, by WebCodecs and by ffmpeg. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoQuality } from '../../src/base/ports.ts';
import { SEGMENTS_AHEAD } from '../../src/browser/media-protocol.ts';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { unwrap } from './transcoder/answer.ts';
import { complaintsAbout, type JudgedPacket, joined, packetsOf, pointsOf, streamOf, writePlaylists } from './transcoder/judge.ts';
import type { Outcome } from './transcoder/page.ts';
import { spansOf } from './transcoder/spans.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

/** Seconds: a tick of either time scale, and what microseconds round away. */
const TICK = 0.00004;
/** Seconds that two copies of a time may differ by, in containers that count in milliseconds. */
const ROUNDING = 0.0011;
/** Of 255. */
const OTHER_COLOURS = 15;

/** Their picture is converted before it is cut. */
const CONVERTED: readonly FixtureName[] = ['mpeg4.avi', 'tail-trimmed.mp4', 'trimmed.mp4', 'turned.mp4'];

let tab: TranscoderTab;
let output: string;

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-qualities-'));
  tab = await openTranscoderTab(output);
});

afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

type By = 'webcodecs' | 'ffmpeg';

interface Cut {
  readonly source: string;
  readonly outcome: Outcome;
  /** Microseconds at which segments of the picture begin. */
  readonly starts: readonly number[];
  /** Microseconds at which the last one ends. */
  readonly end: number;
  /** Of the picture, in the order of showing. */
  readonly packets: readonly JudgedPacket[];
}

const cuts = new Map<FixtureName, Promise<Cut>>();

function cut(name: FixtureName): Promise<Cut> {
  const known = cuts.get(name) ?? cutNow(name);
  cuts.set(name, known);
  return known;
}

async function cutNow(name: FixtureName): Promise<Cut> {
  const source = await fixture(name);
  await tab.page.getByLabel('File').setInputFiles(source);
  const outcome = unwrap(await tab.page.evaluate((directory) => window.transcoder.cut(directory), name as string));
  const durations = outcome.renditions[0]?.durations ?? [];
  const { path } = await joined(join(output, name), 0, durations.length);
  const packets = [...(await packetsOf(path, 'video'))].sort((a, b) => a.time - b.time);
  const end = durations.reduce((sum, duration) => sum + duration, 0);
  return { source, outcome, starts: startsOf(durations), end, packets };
}

function startsOf(durations: readonly number[]): number[] {
  let start = 0;
  return durations.map((duration) => {
    start += duration;
    return start - duration;
  });
}

async function encode(name: FixtureName, options: { by: By; size: readonly [number, number] }): Promise<Quality> {
  const { starts, end, source } = await cut(name);
  const [width, height] = options.size;
  await tab.page.getByLabel('File').setInputFiles(source);
  tab.hideEncoder = options.by === 'ffmpeg';
  const directory = `${name}-${options.by}-${height}`;
  // Without it a source that is copied ends at the same place.
  const isLeftOut = options.by === 'webcodecs' && !CONVERTED.includes(name);
  const quality: VideoQuality = { width, height, bitrate: 400_000, starts, ...(!isLeftOut && { end }) };
  const outcome = unwrap(await tab.page.evaluate(([to, what]) => window.transcoder.encode(to, what), [directory, quality] as const));
  return { directory, rendition: await judge(directory, { name, outcome, size: options.size }) };
}

interface Quality {
  readonly directory: string;
  readonly rendition: Outcome['renditions'][number];
}

/** Everything that holds for every quality. */
async function judge(
  directory: string,
  made: { name: FixtureName; outcome: Outcome; size: readonly [number, number] },
): Promise<Quality['rendition']> {
  const { name, outcome, size } = made;
  const original = await cut(name);
  const [rendition] = outcome.renditions;
  if (!rendition) throw new Error('There is no rendition.');
  expect(outcome.renditions).toHaveLength(1);
  expect(rendition).toMatchObject({ kind: 'video', width: size[0], height: size[1], codecs: expect.stringMatching(/^avc1\.4[2d]/i) });
  expect(rendition.durations).toEqual(original.outcome.renditions[0]?.durations);
  expect(outcome.progress.at(-1)).toBe(1);
  expect(outcome.progress).toEqual([...outcome.progress].sort((a, b) => a - b));

  const { path, starts } = await joined(join(output, directory), 0, rendition.durations.length);
  expect(await complaintsAbout(path)).toBe('');
  const stream = await streamOf(path);
  const copied = await streamOf(join(output, name, '0.mp4'));
  const rotationOf = (from: typeof stream): number => from.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  // As the copied picture lies, so that nothing turns when a player changes from one to the other.
  expect(rotationOf(stream)).toBe(rotationOf(copied));
  const [width, height] = rotationOf(stream) % 180 === 0 ? size : [size[1], size[0]];
  expect(stream).toMatchObject({ codec_name: 'h264', has_b_frames: 0, width, height });
  expect([undefined, '1:1', 'N/A', '0:1']).toContain(stream.sample_aspect_ratio);

  const packets = await packetsOf(path, 'video');
  // A conversion may show a picture twice where the file leaves one out.
  const isCopy = original.packets.length === packets.length;
  const shown = isCopy ? original.packets : await packetsOf(original.source, 'video');
  expect(packets).toHaveLength(shown.length);
  if (isCopy) {
    packets.forEach((packet, n) => {
      expect(Math.abs(packet.time - (shown[n]?.time ?? Number.NaN)), `picture ${n}`).toBeLessThanOrEqual(ROUNDING);
    });
  }
  const spans = await spansOf(join(output, directory), 0, starts.length);
  expect(spans.reduce((sum, span) => sum + span.samples, 0)).toBe(packets.length);
  spans.forEach((span, n) => {
    const next = (original.starts[n + 1] ?? original.end) / 1e6;
    if (n > 0) expect(Math.abs(span.start - (original.starts[n] as number) / 1e6), `start of segment ${n}`).toBeLessThanOrEqual(TICK);
    expect(Math.abs(span.end - (spans[n + 1]?.start ?? next)), `end of segment ${n}`).toBeLessThanOrEqual(TICK);
    expect(Math.abs(span.end - next), `end of segment ${n}`).toBeLessThanOrEqual(TICK);
  });
  const firsts = starts.map((start) => packets.find((packet) => packet.position >= start));
  firsts.forEach((first, n) => {
    if (n > 0)
      expect(Math.abs((first?.time ?? Number.NaN) - (original.starts[n] as number) / 1e6), `segment ${n}`).toBeLessThanOrEqual(TICK);
    expect(first?.key, `segment ${n}`).toBe(true);
  });
  await judgePicture(original.source, path);
  return rendition;
}

/** Seconds: in every clip, between two white flashes. */
const MOMENT = 2.75;

/** The same picture at the same time, and the right way up. */
async function judgePicture(source: string, path: string): Promise<void> {
  const [wanted, seen] = [await pointsOf(source, MOMENT), await pointsOf(path, MOMENT)];
  const difference = (order: (n: number) => number): number =>
    seen.reduce((sum, point, n) => sum + Math.abs(point - (wanted[order(n)] ?? 0)), 0) / seen.length;
  expect(difference((n) => n)).toBeLessThan(OTHER_COLOURS);
  expect(difference((n) => seen.length - 1 - n)).toBeGreaterThan(OTHER_COLOURS);
}

const SOURCES: readonly [FixtureName, readonly [number, number]][] = [
  ['bframes.mp4', [426, 240]],
  ['plain.mkv', [426, 240]],
  ['variable.mp4', [320, 180]],
  ['vp9.webm', [426, 240]],
  ['portrait.mp4', [240, 426]],
  ['rotated.mp4', [240, 426]],
  ['odd.webm', [212, 120]],
  ['late.mkv', [426, 240]],
];

describe.each<By>(['webcodecs', 'ffmpeg'])('a quality made by %s', (by) => {
  test.each(SOURCES)('of %s', async (name, size) => {
    await encode(name, { by, size });
  });
});

describe.each<By>(['webcodecs', 'ffmpeg'])('a quality that %s goes on with from the middle', (by) => {
  test.each(SOURCES)('of %s joins what was made before', async (name, size) => {
    const before = await encode(name, { by, size });
    const { source, starts, end } = await cut(name);
    const [width, height] = size;
    const quality: VideoQuality = { width, height, bitrate: 400_000, starts, end };
    await tab.page.getByLabel('File').setInputFiles(source);
    tab.hideEncoder = by === 'ffmpeg';
    for (const from of new Set([1, starts.length - 1])) {
      const directory = `${before.directory}-from-${from}`;
      await cp(join(output, before.directory), join(output, directory), { recursive: true });
      await rm(join(output, directory, `0/${from}.m4s`));
      const outcome = unwrap(
        await tab.page.evaluate(([to, what]) => window.transcoder.encode(to, what), [directory, { ...quality, from }] as const),
      );
      const [rest] = outcome.renditions;
      expect(rest?.from).toBe(from);
      const init = (of: string) => readFile(join(output, of, '0/init.mp4'));
      expect((await init(directory)).equals(await init(before.directory))).toBe(true);
      const durations = [...before.rendition.durations.slice(0, from), ...(rest?.durations ?? [])];
      await judge(directory, { name, outcome: { ...outcome, renditions: [{ ...before.rendition, durations }] }, size });
    }
  });

  test('of which all is there makes nothing', async () => {
    const { source, starts, end } = await cut('bframes.mp4');
    await tab.page.getByLabel('File').setInputFiles(source);
    tab.hideEncoder = by === 'ffmpeg';
    const quality = { width: 426, height: 240, bitrate: 400_000, starts, end, from: starts.length };
    expect(unwrap(await tab.page.evaluate((what) => window.transcoder.encode('nothing', what), quality)).renditions).toEqual([]);
  });
});

describe("what WebCodecs can't do right is left to ffmpeg", () => {
  test.each(CONVERTED)('%s', async (name) => {
    await encode(name, { by: 'webcodecs', size: name === 'turned.mp4' ? [240, 426] : [426, 240] });
  });
});

describe('a player that changes quality at every segment', () => {
  /** Every change that there is among three levels. */
  const ORDER = [0, 1, 2, 0, 2, 1];
  /** Plays at most, until each change was on the screen. */
  const ROUNDS = 4;

  test.each<[FixtureName, By, readonly (readonly [number, number])[]]>([
    [
      'barcode.mp4',
      'webcodecs',
      [
        [256, 144],
        [160, 90],
      ],
    ],
    [
      'barcode.mp4',
      'ffmpeg',
      [
        [256, 144],
        [160, 90],
      ],
    ],
    [
      'rotated.mp4',
      'webcodecs',
      [
        [240, 426],
        [180, 320],
      ],
    ],
  ])('of %s by %s sees no hole and no fault', async (name, by, sizes) => {
    const { directory, segments, size } = await compose(name, { by, sizes });
    const end = (await cut(name)).end / 1e6;
    const changes = (levels: readonly number[]): string[] => levels.slice(1).map((level, n) => `${levels[n]} to ${level}`);
    const loaded = Array.from({ length: segments }, (_, n) => ORDER[n % ORDER.length] as number);
    const missing = new Set(changes(loaded.slice(0, ORDER.length + 1)));
    // hls.js may load a segment once more from another level and show that one: what was not on the screen then must be the next time.
    for (let round = 0; missing.size > 0 && round < ROUNDS; round++) {
      const seen = unwrap(
        await tab.page.evaluate(([where, order]) => window.transcoder.playSwitching(where, order), [directory, ORDER] as const),
      );
      expect(seen.complaints).toEqual([]);
      expect(seen.levels).toEqual(loaded);
      expect([...seen.sizes].sort()).toEqual([size, ...sizes].map(([width, height]) => `${width}×${height}`).sort());
      seen.buffered.forEach(([start], n) => {
        expect(start - (seen.buffered[n - 1]?.[1] ?? 0)).toBeLessThanOrEqual(0.05);
      });
      expect(seen.buffered.at(-1)?.[1]).toBeGreaterThan(end - 0.05);
      expect(seen.played).toBeGreaterThan(end - 0.05);
      console.info(`${name} by ${by}: levels on the screen ${seen.shown.join(' ')}`);
      for (const change of changes(seen.shown)) missing.delete(change);
    }
    expect([...missing]).toEqual([]);
  });

  /** One video of what was copied and what was made of it: pictures first, the best first, then the sound, as a manifest has them. */
  async function compose(name: FixtureName, made: { by: By; sizes: readonly (readonly [number, number])[] }) {
    const { outcome } = await cut(name);
    const [picture, sound] = outcome.renditions;
    if (!picture || !sound) throw new Error('The clip has no sound.');
    const directory = `${name}-${made.by}-all`;
    const renditions = [picture];
    await cp(join(output, name, '0'), join(output, directory, '0'), { recursive: true });
    for (const size of made.sizes) {
      const quality = await encode(name, { by: made.by, size });
      await cp(join(output, quality.directory, '0'), join(output, directory, String(renditions.length)), { recursive: true });
      renditions.push(quality.rendition);
    }
    await cp(join(output, name, '1'), join(output, directory, String(renditions.length)), { recursive: true });
    await writePlaylists(join(output, directory), { ...outcome, renditions: [...renditions, sound] });
    return { directory, segments: picture.durations.length, size: [picture.width, picture.height] as const };
  }
});

describe('holding back and stopping', () => {
  const QUALITY: Omit<VideoQuality, 'starts'> = { width: 160, height: 90, bitrate: 100_000 };

  async function choose(name: FixtureName): Promise<VideoQuality> {
    const { source, starts } = await cut(name);
    await tab.page.getByLabel('File').setInputFiles(source);
    return { ...QUALITY, starts };
  }

  test('a reader that does not read holds the encoder back', async () => {
    const quality = await choose('three-minutes.mp4');
    tab.hideEncoder = false;
    const { sent, all } = unwrap(await tab.page.evaluate((what) => window.transcoder.encodeAndHoldBack(what), quality));
    expect(all).toBe(quality.starts.length);
    expect(sent).toBe(SEGMENTS_AHEAD);
  });

  test.each<By>(['webcodecs', 'ffmpeg'])('aborting %s ends with aborted, and its workers with it', async (by) => {
    const quality = await choose('three-minutes.mp4');
    tab.hideEncoder = by === 'ffmpeg';
    const answer = await tab.page.evaluate((what) => window.transcoder.encodeAndAbort(0.2, what), quality);
    expect(answer).toMatchObject({ failed: { code: 'aborted' } });
    expect(await tab.page.evaluate(() => window.transcoder.workers())).toBe(0);
  });

  test('breaking out of the loop ends the worker', async () => {
    const quality = await choose('three-minutes.mp4');
    tab.hideEncoder = false;
    expect(unwrap(await tab.page.evaluate((what) => window.transcoder.encodeAndBreakOut(what), quality))).toBe(0);
  });
});

describe('what is refused', () => {
  test.each<[string, Partial<VideoQuality>]>([
    ['odd sizes', { width: 321 }],
    ['no bits', { bitrate: 0 }],
    ['no segments', { starts: [] }],
    ['segments that do not begin at 0', { starts: [1] }],
    ['an end before the last segment', { end: 1 }],
    ['segments out of order', { starts: [0, 4_000_000, 4_000_000] }],
  ])('%s', async (_, changes) => {
    const { source, starts } = await cut('bframes.mp4');
    await tab.page.getByLabel('File').setInputFiles(source);
    const quality = { width: 320, height: 180, bitrate: 200_000, starts, ...changes };
    const answer = await tab.page.evaluate((what) => window.transcoder.encode('refused', what), quality);
    expect(answer).toMatchObject({ failed: { code: 'invalid' } });
  });

  test('sound without a picture', async () => {
    await tab.page.getByLabel('File').setInputFiles(await fixture('sound.m4a'));
    const quality = { width: 320, height: 180, bitrate: 200_000, starts: [0] };
    const answer = await tab.page.evaluate((what) => window.transcoder.encode('refused', what), quality);
    expect(answer).toMatchObject({ failed: { code: 'unsupported' } });
  });
});

test('nothing needed eval, a blob: worker or another origin', () => {
  expect(tab.complaints).toEqual([]);
});
