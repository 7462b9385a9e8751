import { parse, type types } from 'hls-parser';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, fail } from '../../../src/base/errors.ts';
import { keyOf } from '../../../src/kademlia/key.ts';
import { answerHls, type Catalogue, type HlsSource } from '../../../src/media/hls-responder.ts';
import { readIndexes } from '../../../src/media/index-pages.ts';
import { buildManifest } from '../../../src/media/manifest-build.ts';
import { crypto, FACTS, inventRendition } from './video.ts';

const VIDEO = keyOf(new Uint8Array(20).fill(7));
const signal = new AbortController().signal;

async function catalogue(): Promise<Catalogue> {
  const parts = [inventRendition('video', { seconds: 100 }), inventRendition('audio', { seconds: 100 })];
  const { manifest } = buildManifest(crypto, FACTS, parts);
  return { manifest, groups: await readIndexes(manifest, () => Promise.reject(new Error('nothing is on pages'))) };
}

/** A source that remembers which segments it was asked for. */
function sourceOf(overrides: Partial<HlsSource> = {}) {
  const asked: string[] = [];
  const source: HlsSource = {
    catalogue,
    async segment(group, index) {
      asked.push(`${group}/${index}`);
      return new Uint8Array([1, 2, 3]);
    },
    ...overrides,
  };
  return { source, asked };
}

describe('answerHls', () => {
  test('answers with playlists that lead to every part, never to be cached', async () => {
    const { source } = sourceOf();
    const master = await answerHls(`/hls/${VIDEO}/master.m3u8`, source, signal);
    expect(master).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'application/vnd.apple.mpegurl', 'Cache-Control': 'no-store' },
    });
    const parsed = parse(master.body as string) as types.MasterPlaylist;
    for (const uri of [parsed.variants[0]?.uri, parsed.variants[0]?.audio[0]?.uri]) {
      const media = await answerHls(`/hls/${VIDEO}/${uri}`, source, signal);
      expect(media.status).toBe(200);
      const list = parse(media.body as string) as types.MediaPlaylist;
      const base = `/hls/${VIDEO}/${uri?.replace('index.m3u8', '')}`;
      for (const segment of list.segments) expect((await answerHls(base + segment.uri, source, signal)).status).toBe(200);
      expect((await answerHls(base + list.segments[0]?.map?.uri, source, signal)).status).toBe(200);
    }
  });

  test('finds the group that a segment is in', async () => {
    const { source, asked } = sourceOf();
    const { groups } = await catalogue();
    const answer = await answerHls(`/hls/${VIDEO}/0/13.m4s`, source, signal);
    expect(answer.body).toEqual(new Uint8Array([1, 2, 3]));
    const first = groups[0]?.[0]?.durations.length ?? 0;
    expect(asked).toEqual([`${groups[0]?.[1]?.key}/${13 - first}`]);
  });

  test('gives media with its type, to be kept for ever', async () => {
    const { source } = sourceOf();
    const video = await answerHls(`/hls/${VIDEO}/0/0.m4s`, source, signal);
    const audio = await answerHls(`/hls/${VIDEO}/1/init.mp4`, source, signal);
    expect(video.headers['Content-Type']).toBe('video/mp4');
    expect(audio.headers['Content-Type']).toBe('audio/mp4');
    expect(video.headers['Cache-Control']).toMatch(/immutable/);
  });

  test('answers 404 for a rendition or a segment that the video does not have', async () => {
    const { source, asked } = sourceOf();
    for (const path of ['2/index.m3u8', '2/init.mp4', '0/999.m4s', '9/0.m4s']) {
      expect((await answerHls(`/hls/${VIDEO}/${path}`, source, signal)).status).toBe(404);
    }
    expect(asked).toEqual([]);
  });

  test('answers 400 for an address that is none', async () => {
    expect(await answerHls('/hls/nonsense', sourceOf().source, signal)).toMatchObject({
      status: 400,
      body: expect.stringMatching(/address/),
    });
  });

  test.each<[ErrorCode, number]>([
    ['not-found', 404],
    ['unreachable', 504],
    ['timeout', 504],
    ['closed', 504],
    ['corrupt', 504],
    ['invalid', 400],
    ['internal', 500],
  ])('answers %s with %i and the reason as text', async (code, status) => {
    const { source } = sourceOf({ segment: () => Promise.reject(fail(code, 'No tab that keeps it can be reached.')) });
    const answer = await answerHls(`/hls/${VIDEO}/0/0.m4s`, source, signal);
    expect(answer).toMatchObject({ status, body: 'No tab that keeps it can be reached.\n' });
    expect(answer.headers).toMatchObject({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  });

  test('passes the signal on', async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    const { source } = sourceOf({
      segment: async (_group, _index, given) => {
        seen.push(given);
        return new Uint8Array(1);
      },
    });
    await answerHls(`/hls/${VIDEO}/0/0.m4s`, source, controller.signal);
    expect(seen).toEqual([controller.signal]);
  });
});
