/** 720p to 360p by the browser's own encoder, beside x264 at `veryfast` in one thread. */
import { ladderFor } from '../../../src/media/ladder.ts';
import { fixture } from '../../fixtures/make.ts';
import type { Bench } from '../bench-row.ts';
import { answerOf, withMedia } from './media.ts';
import { ffmpegTime } from './native.ts';
import { rowOf, secondsOf } from './rows.ts';

const RUNS = 5;
/** Of the clip, and of the segments that its quality is cut in (µs). */
const MINUTE = 60e6;
const SEGMENT = 4e6;

export const webCodecs: Bench = () =>
  withMedia(async ({ page }, folder) => {
    const clip = await fixture('minute720.mp4');
    const rung = ladderFor({ width: 1280, height: 720, frameRate: 30, bitrate: null, copied: true }).find(({ name }) => name === '360p');
    if (!rung) throw new Error('The ladder has no 360p.');
    const { width, height, bitrate } = rung;
    const starts = Array.from({ length: MINUTE / SEGMENT }, (_, n) => n * SEGMENT);
    await page.getByLabel('File').setInputFiles(clip);
    const [ours, native]: [number[], number[]] = [[], []];
    for (let run = 0; run <= RUNS; run++) {
      const quality = { width, height, bitrate, starts };
      const { elapsed } = answerOf(await page.evaluate((wanted) => window.transcoder.measureEncode(wanted), quality));
      const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1', '-g', '120', '-bf', '0'];
      const args = ['-threads', '1', '-i', clip, '-an', '-vf', 'scale=640:360', '-filter_threads', '1', ...x264];
      const beside = await ffmpegTime(args, folder, 'x264.mp4');
      // The first round loads the code.
      if (run === 0) continue;
      ours.push(elapsed);
      native.push(beside);
    }
    return [
      rowOf(
        'a minute of 720p → 360p by WebCodecs, against native x264 veryfast in one thread',
        native.map((time, i) => time / (ours[i] as number)),
        { unit: '×', bar: '≥ 1', beside: `${secondsOf(ours)} s, native ${secondsOf(native)} s` },
      ),
    ];
  });
