/** What the encoders make of their bits: every quality beside native x264's of the same size and as many bits. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { likenessesOf } from './transcoder/likeness.ts';
import { openTranscoderTab, type TranscoderTab } from './transcoder/start.ts';

/** Of native x264's similarity to the source. The other one is x264, too: it has no B-frames and one pass. */
const LEAST = { webcodecs: 0.97, ffmpeg: 0.99 } as const;
/** Native x264 may have so much fewer bits: it does not always take what it is given. */
const FEWER_BITS = 0.05;
/** Of the bits that a quality may take: x264 fills its buffer once, and a clip of seconds is no average yet. */
const MOST_BITS = 1.25;

let tab: TranscoderTab;
let output: string;
beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'kadreel-likeness-'));
  tab = await openTranscoderTab(output);
});
afterAll(async () => {
  await tab?.close();
  await rm(output, { recursive: true, force: true });
});

test.each(['webcodecs', 'ffmpeg'] as const)('every quality by %s is as like its source as native x264 makes it', async (by) => {
  const found = await likenessesOf(tab, await fixture('zoom720.mp4'), by);
  for (const { rung, ours, native, bitrate, nativeBitrate } of found) {
    const share = ours / native;
    const kilobits = `${Math.round(bitrate / 1000)} and ${Math.round(nativeBitrate / 1000)} kbit/s`;
    console.info(`${rung.name} by ${by}: SSIM ${ours} against ${native}, ${share.toFixed(3)} of it (${kilobits})`);
    expect(nativeBitrate).toBeGreaterThan((1 - FEWER_BITS) * bitrate);
    expect(bitrate).toBeLessThan(MOST_BITS * rung.bitrate);
    expect(share, rung.name).toBeGreaterThanOrEqual(LEAST[by]);
  }
  expect(found.map(({ rung }) => rung.name)).toEqual(['480p', '360p', '240p']);
});
