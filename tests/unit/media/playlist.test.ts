import { parse, types } from 'hls-parser';
import { describe, expect, test } from 'vitest';
import type { CutRendition } from '../../../src/base/ports.ts';
import { buildManifest, type FinishedRendition } from '../../../src/media/manifest-build.ts';
import { masterPlaylist, mediaPlaylist } from '../../../src/media/playlist.ts';
import { crypto, FACTS, inventRendition, packAll } from './video.ts';

/** hls-parser throws on what RFC 8216 forbids, as far as it looks. */
function parseMaster(text: string): types.MasterPlaylist {
  const playlist = parse(text);
  if (!(playlist instanceof types.MasterPlaylist)) throw new Error('not a master playlist');
  return playlist;
}

function parseMedia(text: string): types.MediaPlaylist {
  const playlist = parse(text);
  if (!(playlist instanceof types.MediaPlaylist)) throw new Error('not a media playlist');
  return playlist;
}

function master(parts: readonly FinishedRendition[]): types.MasterPlaylist {
  return parseMaster(masterPlaylist(buildManifest(crypto, FACTS, parts).manifest));
}

function sized(height: number, size: number): FinishedRendition {
  const part = inventRendition('video', { seconds: 20, size });
  const rendition: CutRendition = { ...part.rendition, width: (height * 16) / 9, height };
  return { ...part, rendition };
}

describe('masterPlaylist', () => {
  test('names each video with the sound that goes with it', () => {
    const audio = inventRendition('audio', { seconds: 20, size: 64_000 });
    const playlist = master([sized(360, 200_000), audio, sized(720, 500_000)]);
    expect(playlist.version).toBe(7);
    expect(playlist.independentSegments).toBe(true);
    const described = playlist.variants.map(({ uri, codecs, resolution, frameRate }) => ({ uri, codecs, resolution, frameRate }));
    expect(described).toEqual([
      { uri: '0/index.m3u8', codecs: 'avc1.64001f,mp4a.40.2', resolution: { width: 1280, height: 720 }, frameRate: 29.97 },
      { uri: '1/index.m3u8', codecs: 'avc1.64001f,mp4a.40.2', resolution: { width: 640, height: 360 }, frameRate: 29.97 },
    ]);
    for (const variant of playlist.variants) {
      expect(variant.audio.map((rendition) => [rendition.uri, rendition.isDefault, rendition.groupId])).toEqual([
        ['2/index.m3u8', true, 'audio'],
      ]);
    }
    const soundPeak = Math.ceil((8 * 64_000 * 1000) / 4004);
    expect(playlist.variants[0]?.bandwidth).toBe(Math.ceil((8 * 500_000 * 1000) / 4004) + soundPeak);
    expect(playlist.variants[0]?.averageBandwidth).toBeLessThanOrEqual(playlist.variants[0]?.bandwidth ?? 0);
  });

  test('works for a video without sound', () => {
    const playlist = master([inventRendition('video', { seconds: 20 })]);
    expect(playlist.variants).toHaveLength(1);
    expect(playlist.variants[0]).toMatchObject({ uri: '0/index.m3u8', codecs: 'avc1.64001f', audio: [] });
  });

  test('works for sound without a picture: the sound is the variant', () => {
    const playlist = master([inventRendition('audio', { seconds: 20 })]);
    expect(playlist.variants).toHaveLength(1);
    expect(playlist.variants[0]).toMatchObject({ uri: '0/index.m3u8', codecs: 'mp4a.40.2', audio: [] });
    expect(playlist.variants[0]?.resolution).toBeUndefined();
  });

  test('leaves the frame rate out when it varies', () => {
    const part = inventRendition('video', { seconds: 20 });
    const playlist = master([{ ...part, rendition: { ...part.rendition, frameRate: 0 } }]);
    expect(playlist.variants[0]?.frameRate).toBeUndefined();
  });
});

describe('mediaPlaylist', () => {
  const durations = [4_004_000, 4_004_000, 6_499_600, 1_234_567];
  const groups = packAll(durations.map((duration) => ({ size: 1000, duration }))).map((group) => group.reference);

  test('lists every segment after the initialisation segment, complete', () => {
    const playlist = parseMedia(mediaPlaylist(groups));
    expect(playlist.playlistType).toBe('VOD');
    expect(playlist.endlist).toBe(true);
    expect(playlist.segments.map((segment) => segment.uri)).toEqual(['0.m4s', '1.m4s', '2.m4s', '3.m4s']);
    expect(playlist.segments.map((segment) => segment.duration)).toEqual([4.004, 4.004, 6.5, 1.234]);
    for (const segment of playlist.segments) expect(segment.map?.uri).toBe('init.mp4');
  });

  test('has a target duration that no segment passes when rounded (RFC 8216 §4.3.3.1)', () => {
    expect(parseMedia(mediaPlaylist(groups)).targetDuration).toBe(7);
    const short = packAll([{ size: 10, duration: 300_000 }]).map((group) => group.reference);
    expect(parseMedia(mediaPlaylist(short)).targetDuration).toBe(1);
  });

  test('adds up to the duration over 12 hours', () => {
    const long = packAll(Array.from({ length: 10_790 }, () => ({ size: 100, duration: 4_003_733 }))).map((group) => group.reference);
    const playlist = parseMedia(mediaPlaylist(long));
    const sum = playlist.segments.reduce((total, segment) => total + segment.duration, 0);
    expect(sum).toBeCloseTo((10_790 * 4_003_733) / 1e6, 3);
  });
});
