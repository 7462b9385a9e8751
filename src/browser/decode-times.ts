/**
 * Decode times of a CMAF segment whose pictures are reordered. mediabunny makes them the sorted presentation times, so that some pictures
 * are shown before they are decoded (a negative composition offset). Browsers take that as it is meant; FFmpeg and what is built on it
 * shift the whole track instead, and picture and sound part by two or more frames. So decoding is moved ahead of showing; the
 * presentation times stay as they are, without an edit list.
 */
import { type Bytes, concat } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { type BoxSpan, box, FULL, findBox, HEADER, readFragment, type Sample, TFHD, TRUN, timescaleOf, u32, u64 } from '../base/mp4.ts';

/**
 * The segment with its pictures decoded `delay` seconds earlier, or as early as the time 0 allows: a track can't start before 0, so its
 * first pictures are decoded one tick after another. Its index (`sidx`) is left out. `init` is the track's initialisation segment.
 */
export function decodeAhead(segment: Bytes, options: { readonly init: Bytes; readonly delay: number }): Bytes {
  const ticks = Math.ceil(options.delay * (timescaleOf(options.init) ?? 0));
  const mdat = find(segment, ['mdat']);
  const samples = readSamples(segment);
  const times = aheadOf(samples, ticks);
  const trunSize = HEADER + FULL + 8 + 16 * samples.length;
  const tfhd = find(segment, ['moof', 'traf', 'tfhd']);
  const track = segment.subarray(tfhd.body + FULL, tfhd.body + FULL + 4);
  const sequence = find(segment, ['moof', 'mfhd']);
  const moofSize = HEADER + (HEADER + FULL + 4) + HEADER + (HEADER + FULL + 4) + (HEADER + FULL + 8) + trunSize;
  const header = box(
    'moof',
    segment.subarray(sequence.body - HEADER, sequence.end),
    box(
      'traf',
      box('tfhd', u32(TFHD.baseIsMoof), track),
      box('tfdt', u32(0x0100_0000), u64(times[0]?.decoded ?? 0)),
      box(
        'trun',
        u32(0x0100_0000 | TRUN.offset | TRUN.duration | TRUN.size | TRUN.flags | TRUN.composition),
        u32(samples.length, moofSize + HEADER),
        ...samples.map(({ size, flags }, n) => u32(times[n]?.lasts ?? 0, size, flags, times[n]?.composition ?? 0)),
      ),
    ),
  );
  const styp = find(segment, ['styp']);
  return concat(segment.subarray(0, styp.end), header, segment.subarray(mdat.body - HEADER, mdat.end));
}

/** When each sample is decoded now, how long until the next, and how long until it is shown. */
function aheadOf(samples: readonly Sample[], ticks: number): readonly Pick<Sample, 'decoded' | 'lasts' | 'composition'>[] {
  const last = samples.at(-1);
  const end = last ? last.decoded + last.lasts - ticks : 0;
  const decoded = samples.map((sample, n) => Math.max(sample.decoded - ticks, n));
  return samples.map((sample, n) => {
    const at = decoded[n] as number;
    return { decoded: at, lasts: Math.max((decoded[n + 1] ?? end) - at, 1), composition: sample.decoded + sample.composition - at };
  });
}

function readSamples(segment: Bytes): readonly Sample[] {
  const fragment = readFragment(segment, Number.POSITIVE_INFINITY);
  if (!fragment) throw fail('internal', 'A segment came out that is none.');
  return fragment.samples;
}

function find(bytes: Bytes, path: readonly string[]): BoxSpan {
  const found = findBox(bytes, path);
  if (!found) throw fail('internal', `A segment without ${path.join('/')} came out.`);
  return found;
}
