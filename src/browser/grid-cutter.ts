/**
 * Where what is converted is cut: at fixed moments, whatever comes before. So it is known without the segments before it where one begins, and a
 * conversion can go on there. Pure.
 */
import { fail } from '../base/errors.ts';
import { type CutPacket, type CutSegment, endsSegment, MAX_GOP_BYTES, SEGMENT_SECONDS } from './segment-cutter.ts';

/** Samples a second of converted sound. */
export const SOUND_RATE = 48_000;
/** Samples in each of its packets (AAC, ISO 14496-3). */
export const SOUND_PACKET = 1024;

/** Seconds before a cell's start at which a picture may be its first: containers round times. Below half a frame of the fastest video. */
export const CELL_ROUNDING = 0.001;

/** The part of a packet by which sound may seem to start late: times are told in microseconds. */
const PACKET_ROUNDING = 0.01;
/** Half a tick of a converted picture's times, seconds. */
const HALF_TICK = 6e-6;

/** Which stretch of `SEGMENT_SECONDS` a moment (seconds) lies in. Its first picture begins a segment; one without pictures has none. */
export function cellAt(time: number): number {
  return Math.floor((time + CELL_ROUNDING + HALF_TICK) / SEGMENT_SECONDS);
}

/**
 * One segment for each cell with pictures, of packets that are shown in the order in which they are decoded, with a key frame first in each cell. A
 * picture lasts until the next one. Rejects with `unsupported` where a segment fits in no group. `origin`: the second of the packets that is 0.
 */
export async function* cutOnGrid<P extends CutPacket<P>>(packets: AsyncIterable<P>, origin: number): AsyncGenerator<CutSegment<P>> {
  let held: P[] = [];
  let cell = 0;
  for await (const packet of packets) {
    const timestamp = packet.timestamp - origin;
    const here = cellAt(timestamp);
    if (packet.type === 'key' && held.length > 0 && here > cell) {
      yield close(held, timestamp);
      held = [];
    }
    // Before the first key frame nothing can be decoded.
    if (packet.type !== 'key' && held.length === 0) continue;
    if (held.length === 0) cell = here;
    held.push(packet.clone({ timestamp, duration: packet.duration }));
  }
  const last = held.at(-1);
  if (last) yield close(held, last.timestamp + last.duration);
}

function close<P extends CutPacket<P>>(packets: readonly P[], end: number): CutSegment<P> {
  const [first] = packets;
  if (packets.reduce((sum, packet) => sum + packet.byteLength, 0) > MAX_GOP_BYTES)
    throw fail('unsupported', `The video can't be cut: the segment at ${(first?.timestamp ?? 0).toFixed(3)} s came out too large.`);
  return {
    packets: packets.map((packet, n) => {
      const { timestamp } = packet;
      return packet.clone({ timestamp, duration: Math.max((packets[n + 1]?.timestamp ?? end) - timestamp, 0) });
    }),
    start: first?.timestamp ?? 0,
    end,
  };
}

/** The first packet of converted sound, counted from the origin, that is full of a sound that starts at `start`. Seconds; negative before the origin. */
export function packetAt(start: number, origin: number): number {
  return Math.ceil(((start - origin) * SOUND_RATE) / SOUND_PACKET - PACKET_ROUNDING);
}

/** The packet of converted sound, counted from the origin, that a segment begins with. `first`: the packet of segment 0. */
export function soundPacketOf(segment: number, first: number): number {
  let packet = first;
  for (let n = 0; n < segment; n++) {
    const start = secondsOf(packet);
    // A segment is nearly this long; the last few packets are tried.
    packet += Math.max(Math.floor((SEGMENT_SECONDS * SOUND_RATE) / SOUND_PACKET / 2), 1);
    while (!endsSegment(start, secondsOf(packet), SOUND_PACKET / SOUND_RATE)) packet++;
  }
  return packet;
}

function secondsOf(packet: number): number {
  return (packet * SOUND_PACKET) / SOUND_RATE;
}
