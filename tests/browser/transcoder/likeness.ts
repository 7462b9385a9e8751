/** How like its source a quality is, beside what native x264 makes of as many bits. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ladderFor, type Rung } from '../../../src/media/ladder.ts';
import { unwrap } from './answer.ts';
import { joined, packetsOf } from './judge.ts';
import type { TranscoderTab } from './start.ts';

const run = promisify(execFile);
const MAX_OUTPUT = 64 * 1024 * 1024;

export interface Likeness {
  readonly rung: Rung;
  /** Structural similarity to the source at the quality's size, over brightness and colours; 1 is the same. */
  readonly ours: number;
  readonly native: number;
  /** Bits a second. */
  readonly bitrate: number;
  readonly nativeBitrate: number;
}

/** Makes every quality that the ladder has below a clip, by WebCodecs or without, and native x264's beside each. */
export async function likenessesOf(tab: TranscoderTab, clip: string, by: 'webcodecs' | 'ffmpeg'): Promise<readonly Likeness[]> {
  const folder = await mkdtemp(join(tab.output, 'likeness-'));
  const name = folder.slice(tab.output.length + 1);
  try {
    await tab.page.getByLabel('File').setInputFiles(clip);
    tab.hideEncoder = by === 'ffmpeg';
    const picture = unwrap(await tab.page.evaluate((to) => window.transcoder.cut(to), name)).renditions[0];
    if (picture?.kind !== 'video') throw new Error('The clip has no picture.');
    let end = 0;
    const starts = picture.durations.map((duration) => {
      end += duration;
      return end - duration;
    });
    const size = picture.sizes.reduce((sum, bytes) => sum + bytes, 0);
    const found: Likeness[] = [];
    for (const rung of ladderFor({ ...picture, bitrate: (8e6 * size) / end, copied: true })) {
      const directory = `${name}/${rung.name}`;
      const { width, height, bitrate } = rung;
      const quality = { width, height, bitrate, starts, end };
      unwrap(await tab.page.evaluate(([to, what]) => window.transcoder.encode(to, what), [directory, quality] as const));
      const { path } = await joined(join(tab.output, directory), 0, starts.length);
      found.push(await compare({ source: clip, made: path, rung, starts, seconds: end / 1e6, folder }));
    }
    return found;
  } finally {
    tab.hideEncoder = false;
    await rm(folder, { recursive: true, force: true });
  }
}

interface Comparison {
  readonly source: string;
  readonly made: string;
  readonly rung: Rung;
  /** Microseconds. */
  readonly starts: readonly number[];
  readonly seconds: number;
  readonly folder: string;
}

/** Native x264 has two passes for as many bits as were taken here, key frames at the same places, and all that `veryfast` does by itself, B-frames too. */
async function compare({ source, made, rung, starts, seconds, folder }: Comparison): Promise<Likeness> {
  const native = join(folder, 'native.mp4');
  const bitrate = await bitrateOf(made, seconds);
  const times = starts.map((start) => (start / 1e6).toFixed(6)).join(',');
  for (const pass of ['1', '2']) {
    await run('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-y', '-i', source, '-map', '0:v:0', '-an', '-fps_mode', 'passthrough'],
      ...['-vf', `scale=${rung.width}:${rung.height}:flags=bicubic,setsar=1,format=yuv420p`],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', String(Math.round(bitrate)), '-force_key_frames', times],
      ...['-pass', pass, '-passlogfile', join(folder, 'passes'), native],
    ]);
  }
  const ours = await similarity(made, source, rung);
  return { rung, ours, native: await similarity(native, source, rung), bitrate, nativeBitrate: await bitrateOf(native, seconds) };
}

/** Picture by picture: the source has as many. */
async function similarity(path: string, source: string, { width, height }: Rung): Promise<number> {
  const graph = [
    '[0:v]setpts=N/TB,format=yuv420p[made]',
    `[1:v]setpts=N/TB,scale=${width}:${height}:flags=bicubic,setsar=1,format=yuv420p[wanted]`,
    '[made][wanted]ssim',
  ];
  const args = ['-nostdin', '-hide_banner', '-i', path, '-i', source, '-lavfi', graph.join(';'), '-f', 'null', '-'];
  const { stderr } = await run('ffmpeg', args, { maxBuffer: MAX_OUTPUT });
  const found = /SSIM .*All:([\d.]+)/.exec(stderr)?.[1];
  if (found === undefined) throw new Error(`ffmpeg compared nothing: ${stderr}`);
  return Number(found);
}

/** Of the pictures alone. */
async function bitrateOf(path: string, seconds: number): Promise<number> {
  return (8 * (await packetsOf(path, 'video')).reduce((sum, { size }) => sum + size, 0)) / seconds;
}
