/** Every quality of 720p and 1080p, by WebCodecs and by ffmpeg.wasm, beside native x264's of as many bits. */
import { likenessesOf } from '../../browser/transcoder/likeness.ts';
import { fixture } from '../../fixtures/make.ts';
import type { Bench, BenchRow } from '../bench-row.ts';
import { withMedia } from './media.ts';
import { rowOf } from './rows.ts';

export const likeness: Bench = () =>
  withMedia(async (tab) => {
    const rows: BenchRow[] = [];
    for (const [lines, clip] of [
      ['720p', 'zoom720.mp4'],
      ['1080p', 'zoom1080.mp4'],
    ] as const) {
      for (const by of ['webcodecs', 'ffmpeg'] as const) {
        for (const { rung, ours, native, bitrate } of await likenessesOf(tab, await fixture(clip), by)) {
          const beside = `${ours.toFixed(4)}, native ${native.toFixed(4)}, both ${Math.round(bitrate / 1000)} kbit/s`;
          const what = `SSIM of ${lines} → ${rung.name} by ${by === 'ffmpeg' ? 'ffmpeg.wasm' : 'WebCodecs'}, against native x264's`;
          rows.push(rowOf(what, [ours / native], { unit: '×', bar: '≥ 0.97', beside }));
        }
      }
    }
    return rows;
  });
