import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/base/errors.ts';
import {
  type CutSegment,
  cutAudio,
  cutVideo,
  findJoint,
  MAX_GOP_BYTES,
  measureGops,
  SEGMENT_SECONDS,
  timelineOrigin,
} from '../../../src/browser/segment-cutter.ts';
import { all, type Packet, packet, stream } from './packets.ts';

/** GOPs of `frames` pictures each, 25 a second, in the order I P B P B …, starting at `from` seconds. */
function pictures(gops: readonly number[], options: { from?: number; bytes?: number } = {}): Packet[] {
  const { from = 0, bytes = 1000 } = options;
  const packets: Packet[] = [];
  let first = 0;
  for (const frames of gops) {
    const shown = Array.from({ length: frames }, (_, n) => n);
    // Each pair after the key frame is decoded the wrong way round.
    for (let n = 1; n + 1 < frames; n += 2) [shown[n], shown[n + 1]] = [n + 1, n];
    for (const [n, place] of shown.entries()) {
      const timestamp = from + (first + place) / 25;
      packets.push(packet(packets.length, { type: n === 0 ? 'key' : 'delta', timestamp, duration: 0.04, byteLength: bytes }));
    }
    first += frames;
  }
  return packets;
}

const gopList = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 });

describe('timelineOrigin', () => {
  test.each<[string, { video: number | null; audio: number | null }, number]>([
    ['the picture, when sound has priming before 0', { video: 0, audio: -0.021 }, 0],
    ['the picture, when sound is a packet ahead of it', { video: 0.021, audio: 0 }, 0.021],
    ['the sound, when the picture comes much later', { video: 0.5, audio: 0 }, 0],
    ['the picture, when the sound comes later', { video: 10, audio: 10.5 }, 10],
    ['the picture, when a frame of it is before 0', { video: -0.02, audio: 0 }, -0.02],
    ['0, for sound alone that has priming', { video: null, audio: -0.021 }, 0],
    ['where sound alone starts', { video: null, audio: 3 }, 3],
    ['where pictures alone start', { video: 7, audio: null }, 7],
  ])('is %s', (_, starts, origin) => {
    expect(timelineOrigin(starts)).toBe(origin);
  });
});

describe('cutVideo', () => {
  test('keeps every picture in order, begins each segment with a key frame, and leaves no hole', async () => {
    await fc.assert(
      fc.asyncProperty(gopList, fc.integer({ min: 0, max: 100 }), async (gops, from) => {
        const packets = pictures(gops, { from });
        const segments = await all(cutVideo(stream(packets), from));
        expect(segments.flatMap((segment) => segment.packets.map(({ id }) => id))).toEqual(packets.map(({ id }) => id));
        let end = 0;
        for (const segment of segments) {
          expect(segment.packets[0]?.type).toBe('key');
          expect(segment.start).toBeCloseTo(end, 6);
          const times = segment.packets.map(({ timestamp }) => timestamp);
          expect(Math.min(...times)).toBeCloseTo(segment.start, 6);
          // What the last in decode order lasts reaches to the next segment, counted from the picture shown last.
          expect(Math.max(...times) + (segment.packets.at(-1)?.duration ?? 0)).toBeCloseTo(segment.end, 6);
          end = segment.end;
        }
        expect(end).toBeCloseTo(packets.length / 25, 6);
      }),
      { numRuns: 50 },
    );
  });

  test.each<[string, number[], number[]]>([
    ['joins short GOPs up to the wanted length', [25, 25, 25, 25, 25, 25, 25, 25], [4, 4]],
    ['stops below it when that is nearer', [75, 75, 75], [3, 3, 3]],
    ['goes beyond it when that is nearer', [63, 62, 63, 62], [5, 5]],
    ['leaves a long GOP alone', [250, 25, 250], [10, 1, 10]],
  ])('%s', async (_, gops, lengths) => {
    const segments = await all(cutVideo(stream(pictures(gops)), 0));
    expect(segments.map(({ start, end }) => Math.round(end - start))).toEqual(lengths);
  });

  test('closes a segment before it becomes larger than a group holds', async () => {
    const segments = await all(cutVideo(stream(pictures([25, 25, 25, 25], { bytes: Math.floor(MAX_GOP_BYTES / 50) })), 0));
    expect(segments.map(({ start, end }) => Math.round(end - start))).toEqual([2, 2]);
  });

  test('refuses a GOP that fits in no segment', async () => {
    const error = await all(cutVideo(stream(pictures([25], { bytes: MAX_GOP_BYTES / 20 })), 0)).catch((reason: unknown) => reason);
    expect(hasCode(error, 'unsupported')).toBe(true);
  });

  test('drops what comes before the first key frame', async () => {
    const packets = pictures([10, 10]).slice(3);
    const segments = await all(cutVideo(stream(packets), 0));
    expect(segments.flatMap((segment) => segment.packets)).toHaveLength(10);
  });
});

describe('measureGops', () => {
  test('gives the longest, the largest, and how far pictures are decoded ahead', async () => {
    const measure = await measureGops(stream(pictures([25, 50, 25])), Number.POSITIVE_INFINITY);
    expect(measure.seconds).toBeCloseTo(2, 6);
    expect(measure.bytes).toBe(50_000);
    expect(measure.reorder).toBeCloseTo(0.04, 6);
  });

  test('stops after as many packets as it is told', async () => {
    expect((await measureGops(stream(pictures([100])), 25)).seconds).toBeCloseTo(1, 1);
  });
});

describe('cutAudio', () => {
  const AAC = 1024 / 48_000;
  const options = { origin: 0, codec: 'aac', sampleRate: 48_000 };

  /** `count` packets of AAC whose times a container has rounded to `unit` seconds. */
  function sounds(count: number, unit: number, from = 0): Packet[] {
    const rounded = (time: number): number => (unit > 0 ? Math.round(time / unit) * unit : time);
    return Array.from({ length: count }, (_, n) => {
      const timestamp = rounded(from + n * AAC);
      return packet(n, { type: 'key', timestamp, duration: rounded(from + (n + 1) * AAC) - timestamp, byteLength: 300 });
    });
  }

  test('puts packets back on the grid of samples that Matroska rounds to milliseconds, without drift', async () => {
    const segments = await all(cutAudio(stream(sounds(20_000, 0.001)), options));
    const packets = segments.flatMap((segment) => segment.packets);
    packets.forEach(({ timestamp, duration }, n) => {
      expect(Math.abs(timestamp - n * AAC)).toBeLessThan(1e-6);
      expect(duration).toBe(AAC);
    });
    segments.forEach(({ end }, n) => {
      if (n + 1 < segments.length) expect(Math.abs(end - (n + 1) * SEGMENT_SECONDS)).toBeLessThanOrEqual(AAC / 2 + 1e-9);
    });
  });

  test('keeps a gap that is in the source', async () => {
    const early = sounds(10, 0);
    const late = sounds(10, 0, 2).map((one) => packet(one.id + 10, one));
    const packets = (await all(cutAudio(stream([...early, ...late]), options))).flatMap((segment) => segment.packets);
    expect(packets).toHaveLength(20);
    expect(packets[10]?.timestamp).toBeCloseTo(2, 4);
  });

  test('never goes back in time, whatever the source says', async () => {
    const times = fc.array(fc.double({ min: -1, max: 30, noNaN: true }), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(times, async (starts) => {
        const packets = starts.map((timestamp, n) => packet(n, { type: 'key', timestamp, duration: AAC, byteLength: 300 }));
        const cut = (await all(cutAudio(stream(packets), options))).flatMap((segment) => segment.packets);
        let end = 0;
        for (const { timestamp, duration } of cut) {
          expect(timestamp).toBeGreaterThanOrEqual(end - 1e-9);
          end = timestamp + duration;
        }
      }),
      { numRuns: 50 },
    );
  });

  test('drops the priming that is before the origin', async () => {
    const segments = await all(cutAudio(stream(sounds(5, 0, -AAC)), options));
    expect(segments.flatMap((segment) => segment.packets.map(({ id }) => id))).toEqual([1, 2, 3, 4]);
  });
});

describe('findJoint', () => {
  const behind = (packets: readonly Packet[], from: Packet): Packet[] => packets.slice(packets.findIndex(({ id }) => id === from.id));

  test('what is cut from there on is what was cut there before: pictures', async () => {
    await fc.assert(
      fc.asyncProperty(gopList, fc.double({ min: 0, max: 20, noNaN: true }), fc.nat(30), async (gops, from, number) => {
        const packets = pictures(gops, { from });
        const whole = await all(cutVideo(stream(packets), from));
        const joint = await findJoint(number, stream(packets), (traced) => cutVideo(traced, from));
        expect(joint === null).toBe(number >= whole.length);
        if (!joint) return;
        expect(joint.at).toBe(number === 0 ? 0 : whole[number - 1]?.end);
        const rest = await all(cutVideo(stream(behind(packets, joint.from)), from));
        expect(rest.map(shape)).toEqual(whole.slice(number).map(shape));
      }),
      { numRuns: 25 },
    );
  });

  test('the same of sound, off its grid and with gaps', async () => {
    const gap = fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.double({ min: 0, max: 9, noNaN: true }) });
    const jitter = fc.double({ min: -0.004, max: 0.004, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(gap, jitter), { minLength: 1, maxLength: 900 }), fc.nat(8), async (steps, number) => {
        let time = 0;
        const packets = steps.map(([wait, off], id) => {
          time += wait + 1024 / 48_000;
          return packet(id, { type: 'key', timestamp: time + off, duration: 1024 / 48_000, byteLength: 100 });
        });
        const grid = { origin: 0.5, codec: 'aac', sampleRate: 48_000 };
        const whole = await all(cutAudio(stream(packets), grid));
        const joint = await findJoint(number, stream(packets), (traced) => cutAudio(traced, grid));
        expect(joint === null).toBe(number >= whole.length);
        if (!joint) return;
        const options = number === 0 ? grid : { ...grid, at: joint.at };
        const rest = await all(cutAudio(stream(behind(packets, joint.from)), options));
        expect(rest.map(shape)).toEqual(whole.slice(number).map(shape));
      }),
      { numRuns: 25 },
    );
  });
});

function shape({ packets, start, end }: CutSegment<Packet>): unknown {
  return { start, end, packets: packets.map(({ id, timestamp, duration }) => ({ id, timestamp, duration })) };
}
