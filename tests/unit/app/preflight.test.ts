/** What is said of a publication before it begins, and what a device remembers of the ones before. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { bytesOf, planPublication, timeOf } from '../../../src/app/preflight.ts';
import { createSpeedBook, NO_SPEEDS } from '../../../src/app/speeds.ts';
import type { MediaProbe } from '../../../src/base/ports.ts';
import { createFakeTranscoder, fakeFile } from './fake-transcoder.ts';
import { createTestClock } from './test-clock.ts';

const HD: MediaProbe = {
  duration: 600,
  container: 'MP4',
  video: { codec: 'avc', width: 1920, height: 1080, rotation: 0, frameRate: 30, variable: false, bitrate: 5_000_000, copied: true },
  audio: { codec: 'aac', channels: 2, sampleRate: 48_000, bitrate: 128_000, copied: true },
  plan: 'copy',
};
const SIZE = 385_000_000;
const SIGNAL = new AbortController().signal;

describe('planPublication', () => {
  test('a copy takes the file’s own size; smaller pictures come besides', () => {
    const plan = planPublication({ size: SIZE, probe: HD, speeds: NO_SPEEDS, room: 1e9 });
    expect(plan).toMatchObject({ first: { width: 1920, height: 1080 }, bytes: SIZE, room: 1e9, measured: false });
    expect(plan.rungs.map(({ name }) => name)).toEqual(['720p', '480p', '360p', '240p']);
    for (const { bytes, bitrate } of plan.rungs) expect(bytes).toBe((600 * bitrate) / 8);
    expect(bytesOf(plan, [])).toBe(SIZE);
    expect(bytesOf(plan, ['240p', '360p'])).toBe(SIZE + (plan.rungs[2]?.bytes ?? 0) + (plan.rungs[3]?.bytes ?? 0));
    expect(timeOf(plan, ['240p']).to).toBeCloseTo(plan.time.to + (plan.rungs[3]?.time.to ?? 0));
  });

  test('[M22] the link works with the first segments of what takes long, and with all of what does not', () => {
    const probe: MediaProbe = { ...HD, plan: 'transcode', video: HD.video && { ...HD.video, codec: 'hevc', copied: false } };
    const planOf = (duration: number) => planPublication({ size: SIZE, probe: { ...probe, duration }, speeds: NO_SPEEDS, room: null });
    const long = planOf(3_600);
    expect(long.time.to).toBeGreaterThan(3_600);
    expect(long.link.to).toBeCloseTo(3 + long.time.to / 300);
    expect(planOf(6).link).toEqual(planOf(6).time);
    const quick = planPublication({ size: 40e6, probe: HD, speeds: NO_SPEEDS, room: null });
    expect(quick.link).toEqual(quick.time);
  });

  test('what is converted is 1080p at most, and takes what that takes, not what the file does', () => {
    const picture = (width: number, height: number): MediaProbe => ({
      ...HD,
      plan: 'transcode',
      video: HD.video && { ...HD.video, codec: 'hevc', copied: false, width, height },
    });
    const planOf = (width: number, height: number) =>
      planPublication({ size: 4 * SIZE, probe: picture(width, height), speeds: NO_SPEEDS, room: null });
    const plan = planOf(3840, 2160);
    expect(plan.first).toEqual({ width: 1920, height: 1080 });
    expect(plan.rungs.map(({ name }) => name)).toEqual(['720p', '480p', '360p', '240p']);
    expect(plan.bytes).toBeGreaterThan(50e6);
    expect(plan.bytes).toBeLessThan(4 * SIZE);
    expect(plan.time.to).toBeGreaterThan(60);
    expect(planOf(1920, 1080).first).toEqual({ width: 1920, height: 1080 });
    expect(planOf(1080, 1920).first).toEqual({ width: 1080, height: 1920 });
    expect(planOf(2160, 3840).first).toEqual({ width: 1080, height: 1920 });
    expect(planOf(3000, 1000).first).toEqual({ width: 1920, height: 640 });
    expect(planOf(640, 359).first).toEqual({ width: 640, height: 358 });
  });

  test('what only some browsers play is offered in H.264 of its size, too', () => {
    const probe: MediaProbe = { ...HD, video: HD.video && { ...HD.video, codec: 'vp9' } };
    const plan = planPublication({ size: SIZE, probe, speeds: NO_SPEEDS, room: null });
    expect(plan).toMatchObject({ first: { width: 1920, height: 1080 }, bytes: SIZE });
    expect(plan.rungs.map(({ name }) => name)).toEqual(['1080p', '720p', '480p', '360p', '240p']);
  });

  test('a picture that is copied with sound that is converted is a copy', () => {
    const probe: MediaProbe = { ...HD, plan: 'transcode', audio: HD.audio && { ...HD.audio, codec: 'ac3', copied: false } };
    const plan = planPublication({ size: SIZE, probe, speeds: NO_SPEEDS, room: null });
    expect(plan.first).toEqual({ width: 1920, height: 1080 });
    expect(plan.bytes / SIZE).toBeCloseTo(1, 1);
  });

  test('sound alone has no qualities', () => {
    const plan = planPublication({ size: 5e6, probe: { ...HD, video: null }, speeds: NO_SPEEDS, room: null });
    expect(plan).toMatchObject({ first: null, bytes: 5e6, rungs: [] });
  });

  test('with measured speeds the range is narrow and around what was measured', () => {
    const plan = planPublication({ size: SIZE, probe: HD, speeds: { copy: SIZE / 10, convert: null, encode: 1e8 }, room: null });
    expect(plan.measured).toBe(true);
    expect(plan.time.from).toBeLessThan(10);
    expect(plan.time.to).toBeGreaterThan(10);
    expect(plan.time.to / plan.time.from).toBeLessThan(3);
    const guess = planPublication({ size: SIZE, probe: HD, speeds: NO_SPEEDS, room: null });
    expect(guess.time.to / guess.time.from).toBeGreaterThan(5);
  });
});

describe('a device’s speed', () => {
  test('is noted when work is done to its end, and the next one counts as much as what is known', async () => {
    const clock = createTestClock();
    const store = createMemoryStore(1e6);
    let took = 2_000;
    const slow = createFakeTranscoder({ before: (event) => clock.advance(event === 'done' ? took : 0) });
    const book = createSpeedBook({ transcoder: slow, store, clock });
    expect(await book.read()).toEqual(NO_SPEEDS);
    const cut = async (): Promise<void> => {
      const file = { ...fakeFile(1), size: 8_000 };
      await book.transcoder.probe(file, SIGNAL);
      for await (const event of book.transcoder.cut(file, SIGNAL)) expect(event).toBeDefined();
    };
    await cut();
    expect((await book.read()).copy).toBe(4_000);
    took = 1_000;
    await cut();
    expect((await book.read()).copy).toBe(6_000);
    took = 10; // says nothing of the device
    await cut();
    expect((await book.read()).copy).toBe(6_000);
  });

  test('of encoding counts the pixels that are read and written', async () => {
    const clock = createTestClock();
    const transcoder = createFakeTranscoder({ height: 360, segments: 5, before: (event) => clock.advance(event === 'done' ? 1_000 : 0) });
    const book = createSpeedBook({ transcoder, store: createMemoryStore(1e6), clock });
    const file = fakeFile(1);
    await book.transcoder.probe(file, SIGNAL);
    const quality = { width: 426, height: 240, bitrate: 1_000, starts: [0] };
    for await (const event of book.transcoder.encode(file, quality, SIGNAL)) expect(event).toBeDefined();
    expect((await book.read()).encode).toBe((640 * 360 + 426 * 240) * 30 * 20);
  });

  test('is not noted of what was broken off', async () => {
    const clock = createTestClock();
    const store = createMemoryStore(1e6);
    const book = createSpeedBook({ transcoder: createFakeTranscoder({ before: () => void clock.advance(500) }), store, clock });
    const file = fakeFile(1);
    await book.transcoder.probe(file, SIGNAL);
    for await (const event of book.transcoder.cut(file, SIGNAL)) if (event.type === 'segment') break;
    expect(await book.read()).toEqual(NO_SPEEDS);
  });
});
