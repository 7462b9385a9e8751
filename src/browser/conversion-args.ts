/** What ffmpeg is told to make H.264 and AAC of a file, from any segment on: the same header, sizes and times wherever it begins. Pure. */
import { CELL_ROUNDING, SOUND_PACKET, SOUND_RATE } from './grid-cutter.ts';
import { FFMPEG_PICTURE, FFMPEG_SOURCE } from './media-protocol.ts';
import { MAX_GOP_BYTES, SEGMENT_SECONDS } from './segment-cutter.ts';

/** A conversion, or what is left of one. Times are seconds since the file's first stream starts. */
export interface FileConversion {
  /** What becomes 0. */
  readonly origin: number;
  /** How long the file says that it lasts; 0 where it does not say. */
  readonly duration: number;
  /** The cell with which the picture begins; null: no picture. */
  readonly picture: { readonly cell: number } | null;
  /** The packet, counted from the origin, that is made first; null: no sound. */
  readonly sound: { readonly begin: number } | null;
  /** Whether the file is read from there on, or from its beginning. Only files with an index are read from their middle rightly. */
  readonly seeks: boolean;
}

/** Pixels of the converted picture at most, along its longer and its shorter side. */
const MAX_LONGER = 1920;
const MAX_SHORTER = 1080;

/** Seconds between key frames: tiles are made of them, and players seek to them. */
const KEY_FRAMES = 2;
/** Seconds of a file that does not say how long it lasts, and the part by which others may last longer. */
const LONGEST = 12 * 3600;
const LONGER = 1.2;
/** Seconds of the file that are read before what is wanted, so that its pictures have all that they refer to. */
const RUN_UP = 1;
/** Ticks a second, of the encoder and of the file, so that a variable frame rate is kept. */
const TIMESCALE = 90_000;
/** Bits a second that no stretch of the picture may take, else a segment might fit in no group: what pictures like noise would ask for. */
const MOST_BITS = Math.floor((0.7 * 8 * MAX_GOP_BYTES) / SEGMENT_SECONDS);
/** Seconds by which the sound's times may lie beside the count of its samples before silence is put in, or samples are left out. */
const SOUND_DRIFT = 0.04;

/** What is written goes out at once: 32 KB would be two seconds of sound. */
const NO_EXTRAS = ['-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1', '-max_muxing_queue_size', '4096', '-flush_packets', '1'];

/** `threads`: of the decoder, and as many of the encoder. What is made of the picture goes to `FFMPEG_PICTURE` when there is sound beside it. */
export function conversionArgs(what: FileConversion, threads: number): { readonly inputArgs: string[]; readonly args: string[] } {
  const { picture, sound, origin, seeks } = what;
  // Filters are quick, and threads that they start by themselves may be more than there are.
  const decoding = ['-filter_threads', '1', '-threads', String(threads)];
  // Times as the file has them do not depend on where it is begun; without an index they may jump, and ffmpeg has to mend them on its way.
  const timing = seeks ? ['-copyts', '-start_at_zero'] : [];
  const seek = Math.max(Math.floor(pictureBegin(what) - RUN_UP), 0);
  const isFromMiddle = seeks && picture !== null && seek > 0;
  // Sound is read from the beginning all the same, which is quick: then its samples lie where they did, to the sample.
  const again = isFromMiddle && sound ? [...decoding, '-i', FFMPEG_SOURCE] : [];
  return {
    inputArgs: [...timing, ...decoding, ...(isFromMiddle ? ['-ss', String(seek)] : [])],
    args: [
      ...again,
      ...(picture ? [...pictureArgs(what), '-threads', String(threads), ...(sound ? [FFMPEG_PICTURE] : [])] : []),
      ...(sound ? soundArgs(isFromMiddle ? 1 : 0, origin, sound) : []),
    ],
  };
}

function pictureBegin({ picture, origin }: FileConversion): number {
  return picture && picture.cell > 0 ? origin + picture.cell * SEGMENT_SECONDS - CELL_ROUNDING : 0;
}

/** Upright, with square pixels and even sides, a key frame first in each cell, no B-frames; every picture at its time. */
function pictureArgs(what: FileConversion): readonly string[] {
  const { origin, duration, picture } = what;
  const begin = pictureBegin(what);
  const end = duration > 0 ? LONGER * duration + origin + SEGMENT_SECONDS : LONGEST;
  const keys: string[] = [];
  for (let n = ((picture?.cell ?? 0) * SEGMENT_SECONDS) / KEY_FRAMES; n * KEY_FRAMES < end; n++)
    keys.push(Math.max(origin + n * KEY_FRAMES - CELL_ROUNDING, 0).toFixed(6));
  const [across, down] = ['iw', 'ih'].map((side, n) => {
    const [most, other] = n === 0 ? [MAX_LONGER, MAX_SHORTER] : [MAX_SHORTER, MAX_LONGER];
    return `'min(if(gte(iw,ih),${most},${other}),${side})'`;
  });
  return [
    ...['-map', '0:V:0', '-an', ...NO_EXTRAS],
    '-vf',
    [
      // `trim` takes the tick of its input that is nearest, which may be a picture's length.
      `settb=1/${TIMESCALE}`,
      ...(begin > 0 ? [`trim=start=${begin.toFixed(6)}`] : []),
      'scale=w=iw*sar:h=ih',
      `scale=w=${across}:h=${down}:force_original_aspect_ratio=decrease:force_divisible_by=2`,
      'setsar=1',
      'format=yuv420p',
    ].join(','),
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', String(MOST_BITS), '-bufsize', String(2 * MOST_BITS)],
    ...['-bf', '0', '-sc_threshold', '0', '-force_key_frames', keys.join(','), '-forced-idr', '1'],
    ...['-fps_mode', 'vfr', '-enc_time_base', `1:${TIMESCALE}`, '-video_track_timescale', String(TIMESCALE)],
    // Where the first picture lies is told in these ticks too, else in milliseconds.
    ...['-movie_timescale', String(TIMESCALE), '-fflags', '+bitexact', '-flags:v', '+bitexact'],
    ...['-f', 'mp4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof+delay_moov'],
  ];
}

/**
 * The first packet is at 0 in the output, behind the one that the encoder puts in front. Gaps are filled, so that a packet's number tells its time.
 * Every packet is a key frame: fragments are cut by time.
 */
function soundArgs(input: number, origin: number, { begin }: NonNullable<FileConversion['sound']>): readonly string[] {
  const sampleOf = (packet: number): number => Math.max(Math.round(origin * SOUND_RATE) + packet * SOUND_PACKET, 0);
  const first = sampleOf(begin);
  // Times stay the file's: filters begin anew where its channels change, and would count from 0 again.
  const even = `aresample=${SOUND_RATE}:async=1:min_comp=0.0001:min_hard_comp=${SOUND_DRIFT}`;
  return [
    ...['-map', `${input}:a:0`, '-vn', ...NO_EXTRAS],
    ...['-af', `${even},atrim=start_pts=${first},asetpts=PTS-${first}`],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-ar', String(SOUND_RATE), '-fflags', '+bitexact', '-flags:a', '+bitexact'],
    ...['-frag_duration', '2000000', '-f', 'mp4', '-movflags', '+empty_moov+default_base_moof+delay_moov'],
  ];
}
