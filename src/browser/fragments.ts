/** Fragmented MP4 as it comes, byte by byte: each fragment that is whole, as a small file of its own. Pure. */
import { type Bytes, concat } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';

/** What an MP4 box begins with: its size and its type (ISO 14496-12 §4.2). */
const HEADER = 8;

export interface FragmentSplitter {
  /** Takes the next bytes; gives the fragments that are whole now, each with the header of the file in front. Throws `internal`. */
  push(bytes: Bytes): readonly Bytes[];
}

export function createFragmentSplitter(): FragmentSplitter {
  let waiting: Bytes = new Uint8Array();
  let header: Bytes = new Uint8Array();
  let open: Bytes | null = null;

  /** The next box that is wholly there. */
  const take = (): { readonly type: string; readonly bytes: Bytes } | null => {
    if (waiting.length < HEADER) return null;
    const size = new DataView(waiting.buffer, waiting.byteOffset).getUint32(0);
    if (size < HEADER) throw fail('internal', 'A box of a form that is not known here came out.');
    if (waiting.length < size) return null;
    const bytes = waiting.slice(0, size);
    waiting = waiting.subarray(size);
    return { type: String.fromCharCode(...bytes.subarray(4, HEADER)), bytes };
  };

  return {
    push(bytes) {
      waiting = waiting.length === 0 ? bytes : concat(waiting, bytes);
      const whole: Bytes[] = [];
      for (let box = take(); box; box = take()) {
        if (box.type === 'ftyp' || box.type === 'moov') header = concat(header, box.bytes);
        else if (box.type === 'moof') open = box.bytes;
        else if (box.type === 'mdat' && open) {
          whole.push(concat(header, open, box.bytes));
          open = null;
        }
      }
      return whole;
    },
  };
}
