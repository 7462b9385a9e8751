/** Where converted pictures and sound are cut, so that a conversion can go on at any segment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/base/errors.ts';
import { conversionArgs, type FileConversion } from '../../../src/browser/conversion-args.ts';
import { cellAt, cutOnGrid, packetAt, SOUND_PACKET, SOUND_RATE, soundPacketOf } from '../../../src/browser/grid-cutter.ts';
import { type CutSegment, cutAudio, MAX_GOP_BYTES } from '../../../src/browser/segment-cutter.ts';
import { all, type Packet, packet, stream } from './packets.ts';

/** Pictures at these times, each the first of its two seconds a key frame. */
function pictures(times: readonly number[], origin = 0, byteLength = 1000): Packet[] {
  return times.map((timestamp, n) => {
    const half = (time: number | undefined): number => (time === undefined ? -1 : Math.floor((time - origin + 0.001) / 2));
    const type = half(timestamp) > half(times[n - 1]) ? 'key' : 'delta';
    return packet(n, { timestamp, duration: (times[n + 1] ?? timestamp + 0.04) - timestamp, byteLength, type });
  });
}

describe('cutOnGrid', () => {
  test('begins a segment with the first picture of each four seconds, to the tick, without a hole', async () => {
    const origin = 0.5;
    const times = Array.from({ length: 400 }, (_, n) => origin + (n * 1001) / 30_000);
    const segments = await all(cutOnGrid(stream(pictures(times, origin)), origin));
    expect(segments.map(({ start }) => start.toFixed(4))).toEqual(['0.0000', '4.0040', '8.0080', '12.0120']);
    segments.forEach((segment, n) => {
      expect(segment.packets[0]?.type).toBe('key');
      if (n > 0) expect(segment.start).toBe(segments[n - 1]?.end);
      const last = segment.packets.at(-1);
      expect((last?.timestamp ?? 0) + (last?.duration ?? 0)).toBeCloseTo(segment.end, 9);
    });
  });

  test('a picture that a container rounded to just before its time still begins a segment', async () => {
    const times = [0, 1, 2, 3, 3.9995, 5];
    expect((await all(cutOnGrid(stream(pictures(times)), 0))).map(({ start }) => start)).toEqual([0, 3.9995]);
  });

  test('times without pictures have no segment: the one before lasts', async () => {
    const times = [0, 1, 2, 13, 14, 15, 16.5];
    const segments = await all(cutOnGrid(stream(pictures(times)), 0));
    expect(segments.map(({ start, end }) => [start, Number(end.toFixed(2))])).toEqual([
      [0, 13],
      [13, 16.5],
      [16.5, 16.54],
    ]);
  });

  test('from any segment on it cuts what it would have cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0.02, max: 6, noNaN: true }), { minLength: 5, maxLength: 60 }), async (gaps) => {
        let at = 0;
        const times = [0, ...gaps.map((gap) => (at += gap))];
        const packets = pictures(times);
        const whole = await all(cutOnGrid(stream(packets), 0));
        const cells = [...new Set(times.map(cellAt))];
        expect(whole).toHaveLength(cells.length);
        for (const [n, cell] of cells.entries()) {
          const rest = packets.filter(({ timestamp }) => cellAt(timestamp) >= cell);
          const ids = (segments: readonly CutSegment<Packet>[]) => segments.map((one) => one.packets.map(({ id }) => id));
          expect(ids(await all(cutOnGrid(stream(rest), 0)))).toEqual(ids(whole.slice(n)));
        }
      }),
    );
  });

  test('refuses a segment that fits in no group', async () => {
    const huge = pictures([0, 1], 0, MAX_GOP_BYTES);
    await expect(all(cutOnGrid(stream(huge), 0))).rejects.toSatisfy((error) => hasCode(error, 'unsupported'));
  });
});

test('the first packet of a segment of sound is where cutting all of it puts it', async () => {
  for (const first of [0, 1, 93, 94, 140, 5000]) {
    const packets = Array.from({ length: 2000 }, (_, n) =>
      packet(n, {
        timestamp: ((first + n) * SOUND_PACKET) / SOUND_RATE,
        duration: SOUND_PACKET / SOUND_RATE,
        byteLength: 300,
        type: 'key',
      }),
    );
    const segments = await all(cutAudio(stream(packets), { origin: 0, codec: 'aac', sampleRate: SOUND_RATE }));
    expect(segments.length).toBeGreaterThan(9);
    segments.forEach((segment, n) => {
      expect(first + (segment.packets[0]?.id ?? Number.NaN), `segment ${n} of sound from ${first} on`).toBe(soundPacketOf(n, first));
    });
  }
});

describe('what ffmpeg is told', () => {
  const ALL: FileConversion = { origin: 0.2, duration: 20, picture: { cell: 0 }, sound: { begin: 0 }, seeks: true };
  const told = (what: FileConversion): string => {
    const { inputArgs, args } = conversionArgs(what, 2);
    return [...inputArgs, '-i', 'FILE', ...args].join(' ');
  };

  test('from the beginning the file is read once, and nothing is left out', () => {
    expect(told(ALL)).not.toMatch(/-ss|trim=start=[^_]|\/source/);
    expect(told(ALL)).toMatch(/-force_key_frames 0\.199000,2\.199000,4\.199000,/);
    expect(told(ALL)).toContain('atrim=start_pts=9600');
  });

  test('behind some segments pictures are looked up in the index, and sound is read from the beginning, so that its samples lie the same', () => {
    const rest = told({ ...ALL, picture: { cell: 3 }, sound: { begin: 559 } });
    expect(rest).toContain('-ss 11 -i FILE');
    expect(rest).toMatch(/-i \/source .*trim=start=12\.199000,.*-force_key_frames 12\.199000,14\.199000/);
    expect(rest).toMatch(/-map 1:a:0 .*atrim=start_pts=582016,asetpts=PTS-582016/);
  });

  test('sound begins with the first packet that is full of it, however times are rounded, and never before the origin', () => {
    expect([2.477, 116 / 46.875, 116 / 46.875 + 1e-6, 116 / 46.875 - 1e-6].map((start) => packetAt(start, 0))).toEqual([
      117, 116, 116, 116,
    ]);
    expect(packetAt(0.2, 0.2)).toBeCloseTo(0);
    expect(packetAt(0, 0.1)).toBeLessThan(0);
  });

  test('without an index all is read from the beginning', () => {
    const rest = told({ ...ALL, seeks: false, picture: { cell: 3 }, sound: { begin: 559 } });
    expect(rest).not.toMatch(/-ss|-copyts|\/source/);
    expect(rest).toContain('trim=start=12.199000');
    expect(rest).toContain('-map 0:a:0');
  });

  test('a file that does not say how long it lasts has key frames for half a day', () => {
    expect(told({ ...ALL, duration: 0 })).toContain(',43196.199000,43198.199000 ');
  });
});
