/** The outside judge: native ffprobe and ffmpeg look at what was cut, and at what it was cut from. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { Crypto } from '../../../src/base/ports.ts';
import { createGroupPacker, type PackedGroup } from '../../../src/media/group.ts';
import { readIndexes } from '../../../src/media/index-pages.ts';
import { buildManifest, type FinishedRendition } from '../../../src/media/manifest-build.ts';
import { masterPlaylist, mediaPlaylist } from '../../../src/media/playlist.ts';
import type { Outcome } from './page.ts';

const run = promisify(execFile);
const MAX_OUTPUT = 256 * 1024 * 1024;

function sha256(bytes: Uint8Array): Bytes {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

const crypto: Crypto = { hash: sha256, digest: async (bytes) => sha256(bytes), verify: async () => false };

/** Writes the playlists of what the page put in `directory`, by way of groups and a manifest. The path of the master playlist. */
export async function writePlaylists(directory: string, outcome: Outcome): Promise<string> {
  const parts: FinishedRendition[] = [];
  for (const [index, cut] of outcome.renditions.entries()) {
    const packer = createGroupPacker(crypto);
    const groups: (PackedGroup | null)[] = [];
    for (const [n, duration] of cut.durations.entries()) {
      const bytes = await readFile(join(directory, `${index}/${n}.m4s`));
      groups.push(packer.add({ digest: sha256(bytes), size: bytes.length, duration }));
    }
    groups.push(packer.finish());
    const init = new Uint8Array(await readFile(join(directory, `${index}/init.mp4`)));
    parts.push({ rendition: { ...cut, index, init }, groups: groups.filter((group) => group !== null) });
  }
  const facts = { title: 'Test', owner: new Uint8Array(32), created: 0, poster: null };
  const { manifest, pages } = buildManifest(crypto, facts, parts);
  const values = new Map(pages.map((page) => [page.key, page.bytes]));
  const lists = await readIndexes(manifest, async (key) => values.get(key) as Bytes);
  for (const [index, list] of lists.entries()) await writeFile(join(directory, `${index}/index.m3u8`), mediaPlaylist(list));
  const master = join(directory, 'master.m3u8');
  await writeFile(master, masterPlaylist(manifest));
  return master;
}

/** ffmpeg writes pictures with the ticks of a frame rate that it guesses; where that varies two would fall on one. */
const EACH_AT_ITS_TIME = ['-fps_mode', 'passthrough', '-enc_time_base:v', '1:90000'];

/** What native ffmpeg complains about when it reads, and decodes, all of it. Empty when it is content. `variable`: the frame rate may be. */
export async function complaintsAbout(path: string, { decode = true, variable = false } = {}): Promise<string> {
  const hls = path.endsWith('.m3u8') ? ['-allowed_extensions', 'ALL'] : [];
  const probed = await run('ffprobe', ['-v', 'error', ...hls, '-show_streams', path], { maxBuffer: MAX_OUTPUT });
  const decoded = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      ...hls,
      '-i',
      path,
      ...(decode ? [] : ['-c', 'copy']),
      ...(variable ? EACH_AT_ITS_TIME : []),
      '-f',
      'null',
      '-',
    ],
    { maxBuffer: MAX_OUTPUT },
  );
  return probed.stderr + decoded.stderr;
}

export interface JudgedPacket {
  /** Seconds. */
  readonly time: number;
  readonly duration: number;
  readonly key: boolean;
  /** An edit list hides it. */
  readonly hidden: boolean;
  /** Bytes. */
  readonly size: number;
  /** Where they are in the file. */
  readonly position: number;
  readonly hash: string;
}

/** The packets of a file's first stream of a kind, in decode order. */
export async function packetsOf(path: string, kind: 'video' | 'audio'): Promise<JudgedPacket[]> {
  const { stdout } = await run(
    'ffprobe',
    [
      ...['-v', 'error', '-select_streams', `${kind[0]}:0`, '-show_packets', '-show_data_hash', 'md5'],
      ...['-show_entries', 'packet=pts_time,duration_time,size,flags,pos,data_hash', '-of', 'json', path],
    ],
    { maxBuffer: MAX_OUTPUT },
  );
  const found: { packets?: Record<string, string>[] } = JSON.parse(stdout);
  return (found.packets ?? []).map((packet) => ({
    time: Number(packet.pts_time),
    duration: Number(packet.duration_time),
    key: packet.flags?.startsWith('K') ?? false,
    hidden: packet.flags?.includes('D') ?? false,
    size: Number(packet.size),
    position: Number(packet.pos),
    hash: packet.data_hash ?? '',
  }));
}

export interface JudgedStream {
  readonly codec_name: string;
  readonly width: number;
  readonly height: number;
  readonly has_b_frames: number;
  readonly sample_aspect_ratio?: string;
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

/** What the headers say of a file's first picture stream. */
export async function streamOf(path: string): Promise<JudgedStream> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_streams', '-of', 'json', path]);
  const found: { streams?: JudgedStream[] } = JSON.parse(stdout);
  if (!found.streams?.[0]) throw new Error(`${path} has no picture.`);
  return found.streams[0];
}

/** The initialisation segment and all the segments as one file, and where each segment begins in it. */
export async function joined(directory: string, index: number, segments: number): Promise<{ path: string; starts: number[] }> {
  const parts = [await readFile(join(directory, `${index}/init.mp4`))];
  const starts: number[] = [];
  let length = parts[0]?.length ?? 0;
  for (let n = 0; n < segments; n++) {
    const bytes = await readFile(join(directory, `${index}/${n}.m4s`));
    starts.push(length);
    length += bytes.length;
    parts.push(bytes);
  }
  const path = join(directory, `${index}.mp4`);
  await writeFile(path, Buffer.concat(parts));
  return { path, starts };
}

/** Seconds that a playlist lasts, as ffprobe reads it. */
export async function durationOf(playlist: string): Promise<number> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', playlist]);
  return Number(stdout);
}

/** Seconds from the first thing shown to the last: what headers say is often wrong, above all for a file that breaks off. */
export async function spanOf(source: string): Promise<number> {
  const packets = [...(await packetsOf(source, 'video')), ...(await packetsOf(source, 'audio'))].filter(
    ({ time, hidden }) => !Number.isNaN(time) && !hidden,
  );
  const start = packets.reduce((least, packet) => Math.min(least, Math.max(packet.time, 0)), Number.POSITIVE_INFINITY);
  const end = packets.reduce((most, packet) => Math.max(most, packet.time + (packet.duration || 0)), 0);
  return end - start;
}

const SOUND_RATE = 8000;
const LOUD = 4000; // of 32,767
const QUIET_SECONDS = 0.5;

/** The times (seconds from the file's start) at which a beep begins after silence. */
export async function beepsOf(path: string): Promise<number[]> {
  const options = ['-ac', '1', '-af', `aresample=${SOUND_RATE}:async=1:first_pts=0`, '-f', 's16le', '-'];
  const samples = new Int16Array((await decoded(path, ['-vn', ...options])).buffer);
  const beeps: number[] = [];
  let lastLoud = Number.NEGATIVE_INFINITY;
  samples.forEach((sample, n) => {
    if (Math.abs(sample) < LOUD) return;
    if (n - lastLoud > QUIET_SECONDS * SOUND_RATE) beeps.push(n / SOUND_RATE);
    lastLoud = n;
  });
  return beeps;
}

const PICTURE_RATE = 100;
const WHITE = 225;

/** The times (seconds from the file's start) at which the picture turns white. */
export async function flashesOf(path: string): Promise<number[]> {
  const pixels = await decoded(path, [
    '-an',
    '-vf',
    `fps=${PICTURE_RATE}:start_time=0,scale=1:1:flags=area,format=gray`,
    '-f',
    'rawvideo',
    '-',
  ]);
  const flashes: number[] = [];
  pixels.forEach((pixel, n) => {
    if (pixel >= WHITE && (n === 0 || (pixels[n - 1] ?? 0) < WHITE)) flashes.push(n / PICTURE_RATE);
  });
  return flashes;
}

/** Brightness of the picture at `time`, 8 × 8 points, as a person sees it (turned as the file says). */
export async function pointsOf(path: string, time: number): Promise<number[]> {
  const filters = ['-vf', 'scale=8:8:flags=area,format=rgb24'];
  const pixels = await decoded(path, ['-an', '-ss', String(time), '-frames:v', '1', ...filters, '-f', 'rawvideo', '-']);
  return Array.from({ length: pixels.length / 3 }, (_, n) => {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(3 * n, 3 * n + 3);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });
}

async function decoded(path: string, args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const hls = path.endsWith('.m3u8') ? ['-allowed_extensions', 'ALL'] : [];
  const options = { maxBuffer: MAX_OUTPUT, encoding: 'buffer' } as const;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-nostdin', ...hls, '-i', path, ...args], options);
  return new Uint8Array(stdout);
}
