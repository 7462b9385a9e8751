/**
 * Edit lists of MP4 and QuickTime files (ISO 14496-12 §8.6.6). A phone that trims a video without encoding it anew keeps what was cut away
 * and hides it by such a list. mediabunny follows a simple one at the start and no other, so a copy could show what somebody cut off.
 */

/** Seconds at the end that a list may hide all the same: encoders round, and pad their last packets. */
const ROUNDING = 0.2;
/** Bytes of an index that is still read: that of days of video. */
const MAX_INDEX = 256 * 1024 * 1024;
const HEADER = 8; // size and type
const LONG_HEADER = 16;
const CONTAINERS = ['trak', 'mdia', 'edts'];

/**
 * The seconds that are shown of a file in which a track hides its end, repeats, or is put together from pieces. Null for every other file,
 * of this format or not. Never rejects.
 */
export async function readComplexEdits(file: Blob): Promise<number | null> {
  try {
    const index = await readIndex(file);
    if (!index) return null;
    const boxes = boxesIn(index, 0, index.byteLength);
    const header = boxes.find(({ type }) => type === 'mvhd');
    if (!header) return null;
    const movie = readTimes(index, header.body).timescale;
    const tracks = boxes.filter(({ type }) => type === 'trak').map(({ body, end }) => boxesIn(index, body, end));
    if (!tracks.some((track) => isComplex(index, track, movie))) return null;
    return Math.max(...tracks.map((track) => shownSeconds(index, track, movie)));
  } catch {
    return null; // Not a file of this kind after all.
  }
}

/** The body of the `moov` box; null when there is none at the top. */
async function readIndex(file: Blob): Promise<DataView | null> {
  for (let at = 0; at + HEADER <= file.size; ) {
    const view = new DataView(await file.slice(at, at + LONG_HEADER).arrayBuffer());
    const short = view.getUint32(0);
    const size = short === 1 ? Number(view.getBigUint64(HEADER)) : short === 0 ? file.size - at : short;
    if (size < HEADER) return null;
    if (typeAt(view, 4) === 'moov') return size > MAX_INDEX ? null : new DataView(await file.slice(at + HEADER, at + size).arrayBuffer());
    at += size;
  }
  return null;
}

interface Box {
  readonly type: string;
  readonly body: number;
  readonly end: number;
}

/** All boxes between two places, with those inside the ones that matter. */
function boxesIn(view: DataView, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + HEADER <= to; ) {
    const size = Math.max(view.getUint32(at), HEADER);
    const box = { type: typeAt(view, at + 4), body: at + HEADER, end: Math.min(at + size, to) };
    boxes.push(box);
    if (box.type !== 'trak' && CONTAINERS.includes(box.type)) boxes.push(...boxesIn(view, box.body, box.end));
    at += size;
  }
  return boxes;
}

function isComplex(view: DataView, track: readonly Box[], movieTimescale: number): boolean {
  const edits = track.find(({ type }) => type === 'elst');
  const header = track.find(({ type }) => type === 'mdhd');
  if (!edits || !header) return false;
  const media = readTimes(view, header.body);
  const shown = readEdits(view, edits.body).filter(({ mediaTime }) => mediaTime !== -1);
  const [edit] = shown;
  if (!edit) return false;
  if (shown.length > 1 || edit.rate !== 1) return true;
  // A fragmented file says 0: it lasts as long as its fragments.
  if (edit.duration === 0 || media.duration === 0) return false;
  const hidden = (media.duration - edit.mediaTime) / media.timescale - edit.duration / movieTimescale;
  return hidden > ROUNDING;
}

function shownSeconds(view: DataView, track: readonly Box[], movieTimescale: number): number {
  const edits = track.find(({ type }) => type === 'elst');
  return edits ? readEdits(view, edits.body).reduce((sum, { duration }) => sum + duration, 0) / movieTimescale : 0;
}

function readEdits(view: DataView, body: number): { duration: number; mediaTime: number; rate: number }[] {
  const long = view.getUint8(body) === 1;
  const entry = long ? 20 : 12;
  return Array.from({ length: view.getUint32(body + 4) }, (_, n) => {
    const at = body + 8 + n * entry;
    return {
      duration: long ? Number(view.getBigUint64(at)) : view.getUint32(at),
      mediaTime: long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4),
      rate: view.getInt32(at + entry - 4) / 0x1_0000,
    };
  });
}

/** Of `mvhd` and `mdhd`, which begin alike. */
function readTimes(view: DataView, body: number): { timescale: number; duration: number } {
  const long = view.getUint8(body) === 1;
  const at = body + (long ? 20 : 12);
  return { timescale: view.getUint32(at), duration: long ? Number(view.getBigUint64(at + 4)) : view.getUint32(at + 4) };
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}
