/** The outside judge of a published video's timeline: native ffprobe reads every quality, from end to end, beside the file that was published. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beepsOf, complaintsAbout, flashesOf, type JudgedPacket, joined, packetsOf, streamOf } from '../transcoder/judge.ts';
import { spansOf } from '../transcoder/spans.ts';

/** How far one rendition is from what it should be, at worst; seconds. */
export interface RenditionTimeline {
  /** Lines of the picture; null for sound. */
  readonly height: number | null;
  readonly segments: number;
  /** Pictures or packets of sound that are missing, or too many. */
  readonly missing: number;
  /** Between the end of a segment and the start of the next, as decoded: hole or overlap. */
  readonly gap: number;
  /** Between a packet's time and its time in the file, after the first one's. */
  readonly shift: number;
  /** Between the first thing shown of a segment and where the playlist says that it starts; the first one may begin later than the other kind. */
  readonly late: number;
}

export interface Timeline {
  readonly renditions: readonly RenditionTimeline[];
  /** Seconds by which picture and sound are apart at the start of a segment of any picture, at worst. */
  readonly apart: number;
  /** The same of flashes and beeps, which are looked at and listened to. */
  readonly unlike: number;
  /** What ffmpeg complained about while it read all of it. */
  readonly complaints: string;
}

interface Read extends RenditionTimeline {
  /** Seconds by which the packet that is shown at a time is later than in the file. */
  shiftAt(time: number): number;
  /** Seconds at which segments start. */
  readonly starts: readonly number[];
}

/** `directory` holds `master.m3u8` and a folder for each rendition; `source` is the file. */
export async function timelineOf(directory: string, source: string): Promise<Timeline> {
  const master = join(directory, 'master.m3u8');
  const folders = (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => Number(name));
  const sources = { video: shownIn(await packetsOf(source, 'video')), audio: shownIn(await packetsOf(source, 'audio')) };
  const read: Read[] = [];
  for (const index of folders.sort((a, b) => a - b)) read.push(await readRendition(directory, index, sources));
  const sound = read.find(({ height }) => height === null);
  if (!sound) throw new Error('The video has no sound.');
  const apart = read.flatMap((picture) =>
    picture === sound ? [] : picture.starts.map((start) => Math.abs(picture.shiftAt(start) - sound.shiftAt(start))),
  );
  return {
    renditions: read.map(({ height, segments, missing, gap, shift, late }) => ({ height, segments, missing, gap, shift, late })),
    apart: Math.max(...apart),
    unlike: await unlikeness(source, master),
    complaints: await complaintsAbout(master, { variable: true }),
  };
}

async function readRendition(
  directory: string,
  index: number,
  sources: Readonly<Record<'video' | 'audio', readonly JudgedPacket[]>>,
): Promise<Read> {
  const playlist = await readFile(join(directory, String(index), 'index.m3u8'), 'utf8');
  const durations = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1]));
  const { path, starts: offsets } = await joined(directory, index, durations.length);
  const video = await packetsOf(path, 'video');
  const kind = video.length > 0 ? 'video' : 'audio';
  const packets = shownIn(kind === 'video' ? video : await packetsOf(path, 'audio'));
  const spans = await spansOf(directory, index, durations.length);
  const wanted = sources[kind];
  // Sound may begin with packets that are only decoded; these are left out, so the last ones are the same.
  const lost = Math.max(wanted.length - packets.length, 0);
  const shiftOf = (n: number): number => (packets[n]?.time ?? Number.NaN) - (wanted[n + lost]?.time ?? Number.NaN);
  const first = shiftOf(0);
  const starts = offsets.map((from, n) =>
    Math.min(
      ...packets
        .filter(({ position }) => position >= from && position < (offsets[n + 1] ?? Number.POSITIVE_INFINITY))
        .map(({ time }) => time),
    ),
  );
  let at = 0;
  const late = durations.map((duration, n) => {
    at += duration;
    return Math.abs((starts[n] ?? Number.NaN) - (at - duration));
  });
  return {
    height: kind === 'video' ? (await streamOf(path)).height : null,
    segments: durations.length,
    missing: Math.abs(wanted.length - packets.length),
    gap: Math.max(0, ...spans.slice(1).map(({ start }, n) => Math.abs(start - (spans[n]?.end ?? Number.NaN)))),
    shift: Math.max(...packets.map((_, n) => Math.abs(shiftOf(n) - first))),
    late: Math.max(...late.slice(1)),
    starts,
    shiftAt(time) {
      const after = packets.findIndex((packet) => packet.time > time);
      return shiftOf(after < 0 ? packets.length - 1 : Math.max(after - 1, 0));
    },
  };
}

/** In the order of showing. */
function shownIn(packets: readonly JudgedPacket[]): readonly JudgedPacket[] {
  return packets.filter(({ hidden }) => !hidden).sort((a, b) => a.time - b.time);
}

async function unlikeness(source: string, master: string): Promise<number> {
  const [before, after] = [await signalsOf(source), await signalsOf(master)];
  if (before.length === 0 || before.length !== after.length)
    throw new Error(`${after.length} flashes and beeps instead of ${before.length}.`);
  return Math.max(...after.map((lead, n) => Math.abs(lead - (before[n] ?? Number.NaN))));
}

/** Seconds from each flash to its beep. */
async function signalsOf(path: string): Promise<number[]> {
  const [flashes, beeps] = [await flashesOf(path), await beepsOf(path)];
  return flashes.flatMap((flash) => {
    const beep = beeps.find((time) => time > flash - 0.5);
    return beep !== undefined && beep < flash + 0.5 ? [beep - flash] : [];
  });
}
