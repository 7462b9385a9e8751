import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/base/errors.ts';
import { createSegmentFinder, cutAligned, mostBitrate } from '../../../src/browser/aligned-cutter.ts';
import { type CutPacket, type CutSegment, MAX_GOP_BYTES } from '../../../src/browser/segment-cutter.ts';

interface Packet extends CutPacket<Packet> {
  readonly id: number;
}

function packet(id: number, fields: Omit<Packet, 'id' | 'clone'>): Packet {
  return { id, ...fields, clone: (changes) => packet(id, { ...fields, ...changes }) };
}

async function* pictures(times: readonly number[], keys: (time: number) => boolean): AsyncGenerator<Packet> {
  for (const [id, timestamp] of times.entries()) {
    yield packet(id, { type: keys(timestamp) ? 'key' : 'delta', timestamp, duration: 0, byteLength: 100 });
  }
}

/** As an encoder makes them: a key frame where a segment begins, and nowhere else. */
function encoded(times: readonly number[], starts: readonly number[]): AsyncGenerator<Packet> {
  const segmentAt = createSegmentFinder(starts);
  let segment = -1;
  return pictures(times, (time) => {
    const isFirst = segmentAt(time) > segment;
    segment = segmentAt(time);
    return isFirst;
  });
}

async function all(segments: AsyncIterable<CutSegment<Packet>>): Promise<CutSegment<Packet>[]> {
  const found: CutSegment<Packet>[] = [];
  for await (const segment of segments) found.push(segment);
  return found;
}

describe('cutting at given times', () => {
  test('puts a time that was rounded back on its start', async () => {
    const starts = [0, 4.004];
    const segments = await all(cutAligned(encoded([0, 2, 4.0037, 6], starts), { starts, end: 8 }));
    expect(segments.map(({ packets }) => packets.map(({ timestamp, duration }) => [timestamp, duration]))).toEqual([
      [
        [0, 2],
        [2, expect.closeTo(2.004, 9)],
      ],
      [
        [4.004, expect.closeTo(1.996, 9)],
        [6, 2],
      ],
    ]);
  });

  test('leaves a first picture that is late where it is', async () => {
    const [segment] = await all(cutAligned(encoded([0.5, 1], [0]), { starts: [0], end: 2 }));
    expect(segment?.packets[0]).toMatchObject({ timestamp: 0.5, duration: 0.5 });
  });

  test.each<[string, number[], number[]]>([
    ['a start behind the last picture', [0, 1, 2], [0, 4]],
    ['two starts between two pictures', [0, 6], [0, 2, 4]],
    ['no picture at all', [], [0]],
    ['nothing before the second start', [5], [0, 4]],
  ])('refuses %s', async (_, times, starts) => {
    const error = await all(cutAligned(encoded(times, starts), { starts, end: 8 })).catch((reason: unknown) => reason);
    expect(hasCode(error, 'unsupported')).toBe(true);
  });

  test('refuses a start without a key frame', async () => {
    const cut = cutAligned(
      pictures([0, 2, 4], (time) => time === 0),
      { starts: [0, 4], end: 6 },
    );
    expect(hasCode(await all(cut).catch((reason: unknown) => reason), 'unsupported')).toBe(true);
  });

  test('refuses a segment that fits in no group, and says with how many bits none will be', async () => {
    const large = (async function* () {
      yield packet(0, { type: 'key', timestamp: 0, duration: 0, byteLength: MAX_GOP_BYTES + 1 });
    })();
    const error = await all(cutAligned(large, { starts: [0], end: 8 })).catch((reason: unknown) => reason);
    expect(hasCode(error, 'unsupported')).toBe(true);
    expect((20 * mostBitrate([0, 4, 24], 28)) / 8).toBeLessThan(MAX_GOP_BYTES);
    expect((20 * mostBitrate([0, 4, 8], 28)) / 8).toBeLessThan(MAX_GOP_BYTES);
  });

  test('loses no picture, and leaves no hole, whatever the frame rate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 2, max: 500 }), { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 8, maxLength: 8 }),
        async (runs, jitter) => {
          let time = 0;
          const starts: number[] = [];
          const times: number[] = [];
          for (const [n, run] of runs.entries()) {
            starts.push(time / 1000);
            for (const [at, lasts] of run.entries()) {
              // Containers round: by less than a millisecond.
              times.push(time / 1000 + (at === 0 && n > 0 ? (jitter[n] as number) / 1e6 : 0));
              time += lasts;
            }
          }
          const end = time / 1000;
          const segments = await all(cutAligned(encoded(times, starts), { starts, end }));
          expect(segments.map(({ start }) => start)).toEqual(starts);
          expect(segments.flatMap(({ packets }) => packets.map(({ id }) => id))).toEqual(times.map((_, id) => id));
          const packets = segments.flatMap((segment) => segment.packets);
          packets.forEach(({ timestamp, duration }, n) => {
            expect(duration).toBeGreaterThan(0);
            expect(timestamp + duration).toBeCloseTo(packets[n + 1]?.timestamp ?? end, 9);
          });
          segments.forEach(({ packets: [first] }, n) => {
            expect(first).toMatchObject({ type: 'key', timestamp: starts[n] });
          });
        },
      ),
    );
  });
});
