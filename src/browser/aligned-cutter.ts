/** Cuts a quality where another one of the same video is cut, so that a player can go from one to the other at any segment. Pure. */
import { fail } from '../base/errors.ts';
import { type CutPacket, type CutSegment, MAX_GOP_BYTES } from './segment-cutter.ts';

/** Seconds by which containers and decoders may round the time of a picture: Matroska counts in milliseconds. */
const ROUNDING = 0.001;

/** The part of a segment's greatest size that its usual bits may take: encoders stray from the bitrate that they are asked for. */
const HEADROOM = 0.7;

/** Bits a second with which the longest segment still fits in a group. `starts` and `end` in seconds. */
export function mostBitrate(starts: readonly number[], end: number): number {
  const longest = starts.reduce((most, start, n) => Math.max(most, (starts[n + 1] ?? end) - start), 1);
  return Math.floor((HEADROOM * 8 * MAX_GOP_BYTES) / longest);
}

/** Says in which segment a picture lies. Asked in the order of showing. `starts`: seconds, ascending. */
export function createSegmentFinder(starts: readonly number[]): (time: number) => number {
  let segment = 0;
  return (time) => {
    while (segment + 1 < starts.length && time >= (starts[segment + 1] as number) - ROUNDING) segment++;
    return segment;
  };
}

/**
 * One segment for each start (seconds), of packets that are shown in the order in which they are decoded. A segment begins at its start to the
 * tick, only the first may begin later, and each picture lasts until the next one, the last until `end`. Rejects with `unsupported` where a
 * start has no key frame, or a segment fits in no group. `from`: the segment that the packets begin with, when it is not the first. `end` is
 * read when the last packet has come.
 */
export async function* cutAligned<P extends CutPacket<P>>(
  packets: AsyncIterable<P>,
  options: { readonly starts: readonly number[]; readonly end: number; readonly from?: number },
): AsyncGenerator<CutSegment<P>> {
  const { starts, from = 0 } = options;
  const segmentAt = createSegmentFinder(starts);
  let held: P[] = [];
  let current = from;
  for await (const packet of packets) {
    const segment = segmentAt(packet.timestamp);
    if (segment > current + 1 || (segment > current && held.length === 0)) throw noPicture(starts[current]);
    if (segment > current) {
      yield close(held, starts[current] as number, starts[segment] as number);
      held = [];
      current = segment;
    }
    if (held.length === 0 && packet.type !== 'key') throw noPicture(starts[current]);
    const isFirst = held.length === 0 && segment > 0;
    held.push(packet.clone({ timestamp: isFirst ? (starts[segment] as number) : packet.timestamp, duration: packet.duration }));
  }
  if (held.length === 0 || current + 1 < starts.length) throw noPicture(starts[current + 1] ?? starts[current]);
  yield close(held, starts[current] as number, Math.max(options.end, held.at(-1)?.timestamp ?? 0));
}

function close<P extends CutPacket<P>>(packets: readonly P[], start: number, end: number): CutSegment<P> {
  if (packets.reduce((sum, packet) => sum + packet.byteLength, 0) > MAX_GOP_BYTES)
    throw fail('unsupported', `This quality can't be made: the segment at ${start.toFixed(3)} s came out too large.`);
  return {
    packets: packets.map((packet, n) => {
      const { timestamp } = packet;
      return packet.clone({ timestamp, duration: Math.max((packets[n + 1]?.timestamp ?? end) - timestamp, 0) });
    }),
    start,
    end,
  };
}

function noPicture(start = 0): Error {
  return fail('unsupported', `This quality can't be made: no picture could be made the first of the segment at ${start.toFixed(3)} s.`);
}
