/** Packets without bytes, each known by its number, for tests of how they are cut. */
import type { CutPacket, CutSegment } from '../../../src/browser/segment-cutter.ts';

export interface Packet extends CutPacket<Packet> {
  readonly id: number;
}

export function packet(id: number, fields: Omit<Packet, 'id' | 'clone'>): Packet {
  return { id, ...fields, clone: (changes) => packet(id, { ...fields, ...changes }) };
}

/** As a file gives them. */
export async function* stream(packets: readonly Packet[]): AsyncGenerator<Packet> {
  yield* packets;
}

/** What comes out, to its end. */
export async function all(segments: AsyncIterable<CutSegment<Packet>>): Promise<CutSegment<Packet>[]> {
  const found: CutSegment<Packet>[] = [];
  for await (const segment of segments) found.push(segment);
  return found;
}
