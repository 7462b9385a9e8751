/**
 * Where a node is, in milliseconds: network coordinates with a height (Dabek et al., "Vivaldi", 2004), from which the round trip to a node
 * that we never spoke to can be told.
 */
import type { Bytes } from '../base/bytes.ts';
import { fixedAs, type Schema } from '../base/schema.ts';

/** Milliseconds of round trip. `height` is the way to the nearest place where paths part: the line at home. */
export interface Coordinate {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** Bytes of a coordinate on the wire: two signed and one unsigned number of 16 bits, in tenths of a millisecond. */
export const COORDINATE_BYTES = 6;
/** Tenths of a millisecond. */
const SCALE = 10;

export const coordinateSchema: Schema<Coordinate> = fixedAs(COORDINATE_BYTES, { parse, format });

/** Milliseconds of round trip between two places, as far as their coordinates tell. */
export function estimateRoundTrip(a: Coordinate, b: Coordinate): number {
  return Math.hypot(a.x - b.x, a.y - b.y) + a.height + b.height;
}

function parse(bytes: Uint8Array): Coordinate {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { x: view.getInt16(0) / SCALE, y: view.getInt16(2) / SCALE, height: view.getUint16(4) / SCALE };
}

function format({ x, y, height }: Coordinate): Bytes {
  // By hand: a DataView of six bytes costs ten times as much as they do, and each contact in each reply has them.
  const bytes = new Uint8Array(COORDINATE_BYTES);
  const words = [clamp(x, -0x8000, 0x7fff), clamp(y, -0x8000, 0x7fff), clamp(height, 0, 0xffff)];
  for (let i = 0; i < words.length; i++) {
    const value = words[i] as number;
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value;
  }
  return bytes;
}

function clamp(ms: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(ms * SCALE)));
}
