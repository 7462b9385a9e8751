/** What a file is, before anything is done with it: its facts, and pictures out of it. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaProbe, VideoProbe } from '../../src/base/ports.ts';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { unwrap } from './transcoder/answer.ts';
import { packetsOf } from './transcoder/judge.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

let tab: TranscoderTab;
let output: string;

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-facts-'));
  tab = await openTranscoderTab(output);
});

afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

async function choose(name: FixtureName): Promise<void> {
  await tab.page.getByLabel('File').setInputFiles(await fixture(name));
}

async function probe(name: FixtureName): Promise<MediaProbe> {
  await choose(name);
  return unwrap(await tab.page.evaluate(() => window.transcoder.probe()));
}

/** The picture at an address as pixels, red, green, blue and so on, scaled to this size. */
function pixels(address: string, size: { width: number; height: number }): Promise<readonly number[]> {
  return tab.page.evaluate(
    async ([source, { width, height }]) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = new OffscreenCanvas(width, height);
      const pen = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
      pen.drawImage(image, 0, 0, width, height);
      return [...pen.getImageData(0, 0, width, height).data].filter((_, n) => n % 4 !== 3);
    },
    [address, size] as const,
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('what a file is', () => {
  const of = (facts: Partial<VideoProbe>): Partial<VideoProbe> => facts;
  test.each<[FixtureName, MediaProbe['plan'], Partial<VideoProbe>]>([
    ['bframes.mp4', 'copy', of({ width: 640, height: 360, rotation: 0, frameRate: 30, variable: false, copied: true })],
    ['rotated.mp4', 'copy', of({ width: 360, height: 640, frameRate: 30, copied: true })],
    ['variable.mp4', 'copy', of({ variable: true, copied: true })],
    ['silent.mp4', 'copy', of({ frameRate: 30 })],
    ['odd.webm', 'copy', of({ width: 426, height: 240, frameRate: 25 })],
    ['mp3-sound.mkv', 'transcode', of({ copied: true })],
    ['hevc.mp4', 'transcode', of({ width: 640, height: 360, frameRate: 30, copied: false })],
    ['turned.mp4', 'transcode', of({ width: 360, height: 640, copied: false })],
    ['mpeg4.avi', 'transcode', of({ width: 640, height: 360, frameRate: 30, variable: false, copied: false })],
    ['tiny.mp4', 'copy', of({ width: 16, height: 16 })],
  ])('%s: %s', async (name, plan, video) => {
    const found = await probe(name);
    expect(found.plan).toBe(plan);
    expect(found.video).toMatchObject(video);
  });

  test('turned pictures say by how much', async () => {
    expect((await probe('rotated.mp4')).video?.rotation).not.toBe(0);
    expect((await probe('bframes.mp4')).video?.rotation).toBe(0);
  });

  test('a variable frame rate is told by its average: 20 a second for six seconds, then 30', async () => {
    expect((await probe('variable.mp4')).video?.frameRate).toBeCloseTo(25, 0);
  });

  test('picture and sound have bitrates that add up to the file', async () => {
    const { size } = await stat(await fixture('minute720.mp4'));
    const { video, audio, duration } = await probe('minute720.mp4');
    const bytes = (duration * ((video?.bitrate ?? 0) + (audio?.bitrate ?? 0))) / 8;
    expect(bytes / size).toBeGreaterThan(0.97);
    expect(bytes / size).toBeLessThanOrEqual(1.01);
    expect(audio?.bitrate).toBeLessThan(130_000);
  });

  test('of three hours, too, without reading them', async () => {
    const { size } = await stat(await fixture('three-hours.mp4'));
    const { video, audio, duration } = await probe('three-hours.mp4');
    expect((duration * ((video?.bitrate ?? 0) + (audio?.bitrate ?? 0))) / 8 / size).toBeCloseTo(1, 1);
  });

  test('sound without a picture, and a picture without sound', async () => {
    expect(await probe('sound.m4a')).toMatchObject({ video: null, audio: { copied: true, channels: 2 } });
    expect((await probe('silent.mp4')).audio).toBeNull();
  });
});

describe('proposed pictures', () => {
  test('are three, small, different, and not black though the video begins so', async () => {
    await choose('dark-start.mp4');
    const pictures = unwrap(await tab.page.evaluate(() => window.transcoder.pictures()));
    expect(pictures).toHaveLength(3);
    expect(new Set(pictures.map(({ address }) => address)).size).toBe(3);
    for (const { size, address } of pictures) {
      expect(size).toBeLessThanOrEqual(12 * 1024);
      expect(mean(await pixels(address, { width: 32, height: 18 }))).toBeGreaterThan(24);
    }
  });

  test('are none of sound', async () => {
    await choose('sound.m4a');
    expect(unwrap(await tab.page.evaluate(() => window.transcoder.pictures()))).toEqual([]);
  });

  test('are key frames of a video that this browser can’t decode', async () => {
    await choose('hevc.mp4'); // 12 s with two of them
    const pictures = unwrap(await tab.page.evaluate(() => window.transcoder.pictures()));
    expect(pictures).toHaveLength(2);
    expect(new Set(pictures.map(({ address }) => address)).size).toBe(2);
    for (const { size, address } of pictures) {
      expect(size).toBeLessThanOrEqual(12 * 1024);
      expect(mean(await pixels(address, { width: 32, height: 18 }))).toBeGreaterThan(24);
    }
  });

  test('stand upright when a telephone was held so', async () => {
    await choose('rotated.mp4');
    const [first] = unwrap(await tab.page.evaluate(() => window.transcoder.pictures()));
    const shape = await tab.page.evaluate(async (source) => {
      const image = new Image();
      image.src = source ?? '';
      await image.decode();
      return image.naturalHeight > image.naturalWidth;
    }, first?.address);
    expect(shape).toBe(true);
  });
});

describe('tiles for the seek bar', () => {
  // The second one is in a codec that no browser decodes.
  test.each<FixtureName>(['barcode.mp4', 'barcode.mkv'])('[M18] each shows the key frame of its time: %s', async (name) => {
    await choose(name); // 40 s, a key frame every 2 s, each picture shows its number
    const made = unwrap(await tab.page.evaluate(() => window.transcoder.sheets()));
    if (!made) throw new Error('there are none');
    expect(made).toMatchObject({ interval: 2000, count: 20, columns: 10, width: 160, height: 90 });
    const path = await fixture(name);
    const keys = (await packetsOf(path, 'video')).filter(({ key }) => key).map(({ time }) => Math.round(time * 25));
    const middles = Array.from({ length: made.count }, (_, n) => [(n % 10) * 160, Math.floor(n / 10) * 90 + 45] as const);
    const seen = await tab.page.evaluate(
      async ([source, tiles]) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const pen = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
        pen.drawImage(image, 0, 0);
        const isWhite = (x: number, y: number): boolean => (pen.getImageData(x, y, 1, 1).data[0] ?? 0) > 127;
        return tiles.map(([left, y]) =>
          Array.from({ length: 16 }, (_, n) => (isWhite(left + n * 10 + 5, y) ? 2 ** n : 0)).reduce((a, b) => a + b),
        );
      },
      [made.addresses[0] ?? '', middles] as const,
    );
    // A tile stands for 2 s, and shows the last key frame up to their middle.
    expect(seen).toEqual(middles.map((_, n) => Math.max(...keys.filter((key) => key <= (2 * n + 1) * 25))));
  });

  test('of three hours are on three sheets and stay small', async () => {
    await choose('three-hours.mp4');
    const made = unwrap(await tab.page.evaluate(() => window.transcoder.sheets()));
    expect(made?.count).toBe(300);
    expect(made?.interval).toBeCloseTo(36_000, -2);
    expect(made?.sizes).toHaveLength(3);
    expect(Math.max(...(made?.sizes ?? []))).toBeLessThan(500_000);
    console.info(`300 tiles of three hours in ${((made?.elapsed ?? 0) / 1000).toFixed(1)} s, ${made?.sizes.reduce((a, b) => a + b)} bytes`);
  });

  test('are none of sound', async () => {
    await choose('sound.m4a');
    expect(unwrap(await tab.page.evaluate(() => window.transcoder.sheets()))).toBeNull();
  });

  // The second one's end is hidden by an edit list.
  test.each<[FixtureName, number]>([
    ['hevc.mp4', 6],
    ['tail-trimmed.mp4', 3],
  ])('of %s, which browsers don’t decode rightly, are made of what is shown', async (name, count) => {
    await choose(name);
    expect(unwrap(await tab.page.evaluate(() => window.transcoder.sheets()))?.count).toBe(count);
  });
});

describe('a picture of one’s own', () => {
  test('is cut to the shape of the video, its middle kept', async () => {
    const still = { type: 'image/png', width: 1200, height: 300, aspect: 1 };
    const { size, address } = unwrap(await tab.page.evaluate((picture) => window.transcoder.still(picture), still));
    expect(size).toBeLessThanOrEqual(12 * 1024);
    // Of three bars across 1,200 the middle 300 are the middle bar alone.
    const seen = await pixels(address, { width: 9, height: 9 });
    for (let n = 0; n < seen.length; n += 3)
      expect([(seen[n] ?? 0) < 60, (seen[n + 1] ?? 0) > 190, (seen[n + 2] ?? 0) < 60]).toEqual([true, true, true]);
  });

  test('that is none is refused with what to do', async () => {
    const none = { type: 'text/plain', width: 1, height: 1, aspect: 1 };
    expect(await tab.page.evaluate((picture) => window.transcoder.still(picture), none)).toMatchObject({
      failed: { code: 'unsupported', message: expect.stringContaining('Choose a JPEG') },
    });
  });
});
