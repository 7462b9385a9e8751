/** When segments begin and end, as their own boxes say (ISO 14496-12 §8.8): ffprobe does not show the duration of every fragment's samples. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Span {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly samples: number;
}

const CONTAINERS = ['moov', 'trak', 'mdia', 'moof', 'traf'];

/** Of each segment of a rendition with one track and one fragment a segment, by `tfdt` and `trun`. */
export async function spansOf(directory: string, index: number, segments: number): Promise<Span[]> {
  const header = boxes(await readFile(join(directory, `${index}/init.mp4`))).get('mdhd');
  if (!header) throw new Error('The initialisation segment has no track.');
  const timescale = header.readUInt32BE(header[0] === 1 ? 20 : 12);
  const spans: Span[] = [];
  for (let n = 0; n < segments; n++) {
    const found = boxes(await readFile(join(directory, `${index}/${n}.m4s`)));
    const [tfhd, tfdt, trun] = ['tfhd', 'tfdt', 'trun'].map((type) => found.get(type));
    if (!tfhd || !tfdt || !trun) throw new Error(`Segment ${n} has no fragment.`);
    const start = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    const { samples, ticks } = lengthOf(trun, defaultDuration(tfhd));
    spans.push({ start: start / timescale, end: (start + ticks) / timescale, samples });
  }
  return spans;
}

/** The bodies of all boxes, the first of each type. */
function boxes(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + bytes.readUInt32BE(at));
    const inside = CONTAINERS.includes(type) ? boxes(body) : new Map([[type, body]]);
    for (const [name, one] of inside) if (!found.has(name)) found.set(name, one);
    at += Math.max(bytes.readUInt32BE(at), 8);
  }
  return found;
}

function defaultDuration(tfhd: Buffer): number {
  const flags = tfhd.readUInt32BE(0);
  const before = (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  return flags & 8 ? tfhd.readUInt32BE(8 + before) : 0;
}

function lengthOf(trun: Buffer, usual: number): { samples: number; ticks: number } {
  const flags = trun.readUInt32BE(0);
  const samples = trun.readUInt32BE(4);
  const first = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  const each = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  let ticks = 0;
  for (let n = 0; n < samples; n++) ticks += flags & 0x100 ? trun.readUInt32BE(first + n * each) : usual;
  return { samples, ticks };
}
