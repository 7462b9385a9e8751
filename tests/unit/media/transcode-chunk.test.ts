/** Jobs and what comes back of them (docs/protocol.md, rules J). */
import { describe, expect, test } from 'vitest';
import { type Bytes, concat } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import { claimedChunk, pictureOf, readSource, segmentOf, segmentProblem } from '../../../src/media/transcode-chunk.ts';
import { argumentsFor, jobProblem, mostBytes, type TranscodeJob, transcodeJobSchema } from '../../../src/media/transcode-job.ts';
import {
  doJob,
  picture,
  syntheticInit,
  syntheticOutput,
  syntheticSegment,
  syntheticSource,
  TIMESCALE,
  withNumber,
} from './synthetic-video.ts';

const { segments, sources } = syntheticSource(12);
const [, source] = segments as readonly [Bytes, Bytes];
const job = { ...sources[1], width: 854, height: 480, bitrate: 1_300_000, rate: 30_000 } as TranscodeJob;
const chunk = readSource(job, source);
const made = doJob(job, source);

describe('[J10] for who has not got the source', () => {
  test('a piece says itself when its pictures are shown, and all else must follow from that', () => {
    const claimed = claimedChunk(job, made.bytes);
    expect(claimed).toEqual(chunk);
    expect(claimed && segmentProblem(job, claimed, made)).toBeNull();
  });

  test('what starts at another time, ends late, or is nothing, is no piece of this job', () => {
    const elsewhere = (path: readonly string[], at: number, value: number) => withNumber(made.bytes, path, { at, value });
    expect(claimedChunk(job, elsewhere(['moof', 'traf', 'tfdt'], 8, 77))).toBeNull();
    expect(claimedChunk(job, new Uint8Array(100))).toBeNull();
    expect(
      claimedChunk(job, doJob({ ...sources[0], ...{ width: 854, height: 480 } } as TranscodeJob, segments[0] as Bytes).bytes),
    ).toBeNull();
    expect(claimedChunk({ ...job, end: job.start + 2_000_000 }, made.bytes)).toBeNull();
    // The last picture lasts longer than the job: found where the boxes are compared.
    const short = claimedChunk({ ...job, end: job.end - 1_000 }, made.bytes);
    expect(short && segmentProblem(job, short, made)).toMatch(/times/);
  });

  test('the first piece of a video may begin later', () => {
    const late = { ...job, start: 0 };
    expect(claimedChunk(late, made.bytes)?.times[0]).toBe(chunk.times[0]);
  });
});

describe('a job', () => {
  test('[J3] is refused when it asks for more than it may', () => {
    expect(jobProblem(job)).toBeNull();
    const wrong: readonly [Partial<TranscodeJob>, RegExp][] = [
      [{ size: 0 }, /empty/],
      [{ end: job.start }, /no time/],
      [{ end: job.start + 30_000_001 }, /more than 30 s/],
      [{ width: 853 }, /even/],
      [{ height: 8 }, /even/],
      [{ width: 1922, height: 1090 }, /too large/],
      [{ bitrate: 0 }, /bitrate/],
      [{ rate: 0 }, /frame rate/],
    ];
    for (const [change, problem] of wrong) expect(jobProblem({ ...job, ...change })).toMatch(problem);
    expect(mostBytes(job)).toBeGreaterThan(made.bytes.length);
    expect(mostBytes({ ...job, end: job.start + 30_000_000, bitrate: 20_000_000 })).toBe(16 * 1024 * 1024);
  });

  test('is written and read as the same', () => {
    expect(decode(transcodeJobSchema, encode(transcodeJobSchema, job))).toEqual(job);
    expect(() => encode(transcodeJobSchema, { ...job, init: new Uint8Array(4097) })).toThrow();
  });

  test('names demuxer and decoder, so that a source can’t choose them', () => {
    const { inputArgs, args } = argumentsFor(job, TIMESCALE);
    expect(inputArgs.join(' ')).toContain('-f mov -c:v h264');
    expect(args.join(' ')).toContain('-video_track_timescale 57600');
  });
});

describe('a source', () => {
  test('says when its pictures are shown', () => {
    expect(chunk).toMatchObject({ timescale: TIMESCALE, end: 8 * TIMESCALE });
    expect(chunk.times).toHaveLength(120);
    expect(chunk.times.slice(0, 2)).toEqual([4 * TIMESCALE, 4 * TIMESCALE + 1920]);
  });

  test('may begin late where the video begins, and nowhere else', () => {
    const late = syntheticSegment({ at: 5_000, pictures: [picture(0, Uint8Array.of(1))], lasts: 10 });
    expect(readSource({ ...job, start: 0, end: 4_000_000 }, late).times).toEqual([5_000]);
    expect(() => readSource({ ...job, start: 4_000, end: 4_000_000 }, late)).toThrow(/does not start/);
  });

  test('[J4] that is none, or more than a job may be, is refused', () => {
    const many = Array.from({ length: 3_601 }, (_, n) => picture(n, Uint8Array.of(1)));
    expect(() => readSource(job, new Uint8Array(1000))).toThrow(/no segment/);
    expect(() => readSource(job, source.slice(0, 900))).toThrow(/no segment/);
    expect(() => readSource(job, syntheticSegment({ at: 4 * TIMESCALE, pictures: many, lasts: 10 }))).toThrow(/no segment/);
    expect(() => readSource({ ...job, end: job.start + 1_000_000 }, source)).toThrow(/one after the other/);
    expect(() => readSource({ ...job, init: syntheticInit(8192, 4320) }, source)).toThrow(/too large/);
    expect(() => readSource({ ...job, init: syntheticInit(640, 360, { entry: 'hvc1' }) }, source)).toThrow(/H.264/);
    expect(() => readSource({ ...job, init: syntheticInit(640, 360, { timescale: 0 }) }, source)).toThrow(/H.264/);
    // A count of samples that the box does not hold.
    expect(() => readSource(job, withNumber(source, ['moof', 'traf', 'trun'], { at: 4, value: 3_000 }))).toThrow(/no segment/);
  });

  test('says how it lies', () => {
    expect(pictureOf(syntheticInit(640, 360, { turned: true }))).toEqual({ width: 640, height: 360, turned: true, codecs: 'avc1.4d401f' });
    expect(pictureOf(syntheticInit(640, 360))).toMatchObject({ turned: false });
  });
});

describe('what comes back', () => {
  test('[J5] is taken when it has the pictures and times of its source', () => {
    expect(segmentProblem(job, chunk, made)).toBeNull();
    expect(() => segmentOf(chunk, syntheticOutput(job, segments[0]?.slice(0, 10) as Bytes))).toThrow();
    const fewer = syntheticSegment({ at: 0, pictures: [picture(0, Uint8Array.of(1))], lasts: 1 });
    expect(() => segmentOf(chunk, concat(made.init, fewer))).toThrow(/1 pictures out of 120/);
  });

  test('[J5] is not, when it is rubbish, shorter, late, of another size, or not made of pictures', () => {
    const another = doJob({ ...job, start: 0, end: 4_000_000 }, segments[0] as Bytes);
    const short = { ...chunk, times: chunk.times.slice(0, 60) };
    const half = Array.from({ length: 60 }, (_, n) => picture(n, Uint8Array.of(1)));
    const pictures = Array.from({ length: 120 }, (_, n) => picture(n, Uint8Array.of(1)));
    const withFirst = (first: Bytes): Bytes =>
      segmentOf(chunk, concat(made.init, syntheticSegment({ at: 0, pictures: [first, ...pictures.slice(1)], lasts: 1 }))).bytes;
    const wrong: readonly [Partial<typeof made>, RegExp][] = [
      [{ bytes: new Uint8Array(5000).fill(7) }, /no segment/],
      [{ bytes: new Uint8Array(0) }, /no segment/],
      [{ bytes: new Uint8Array(mostBytes(job) + 1) }, /larger/],
      [{ bytes: segmentOf(short, concat(made.init, syntheticSegment({ at: 0, pictures: half, lasts: 1 }))).bytes }, /60 pictures/],
      [{ bytes: another.bytes }, /does not start/],
      [{ bytes: withNumber(made.bytes, ['moof', 'traf', 'trun'], { at: 12, value: 1 }) }, /its times/],
      [{ bytes: concat(made.bytes, made.bytes) }, /boxes/],
      [{ bytes: withFirst(picture(1, Uint8Array.of(1))) }, /another kind/],
      [{ bytes: withFirst(Uint8Array.of(0, 0, 0, 9, 0x65, 1)) }, /damaged/],
      [{ bytes: withFirst(Uint8Array.of(0, 0, 0, 2, 0x06, 1)) }, /empty/],
      [{ init: syntheticInit(640, 360) }, /640 × 360/],
      [{ init: syntheticInit(854, 480, { timescale: 90_000 }) }, /ticks/],
      [{ init: syntheticInit(854, 480, { entry: 'hvc1' }) }, /H.264/],
      [{ init: concat(made.init, made.init) }, /header/],
      [{ init: new Uint8Array(20) }, /header/],
    ];
    for (const [change, problem] of wrong) expect(segmentProblem(job, chunk, { ...made, ...change }), String(problem)).toMatch(problem);
  });
});
