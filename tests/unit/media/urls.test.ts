import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/kademlia/key.ts';
import { formatHlsPath, formatWatchPath, type HlsPath, parseHlsPath, parseWatchPath } from '../../../src/media/urls.ts';

const VIDEO = keyOf(new Uint8Array(20).fill(0xab));
const key = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(keyOf);
const number = fc.nat(999_999);
const path: fc.Arbitrary<HlsPath> = fc.oneof(
  fc.record({ type: fc.constant('master' as const), video: key }),
  fc.record({ type: fc.constant('playlist' as const), video: key, rendition: number }),
  fc.record({ type: fc.constant('init' as const), video: key, rendition: number }),
  fc.record({ type: fc.constant('segment' as const), video: key, rendition: number, segment: number }),
);

describe('HLS paths', () => {
  test('are written as the protocol says', () => {
    expect(formatHlsPath({ type: 'master', video: VIDEO })).toBe(`/hls/${VIDEO}/master.m3u8`);
    expect(formatHlsPath({ type: 'playlist', video: VIDEO, rendition: 1 })).toBe(`/hls/${VIDEO}/1/index.m3u8`);
    expect(formatHlsPath({ type: 'init', video: VIDEO, rendition: 0 })).toBe(`/hls/${VIDEO}/0/init.mp4`);
    expect(formatHlsPath({ type: 'segment', video: VIDEO, rendition: 2, segment: 17 })).toBe(`/hls/${VIDEO}/2/17.m4s`);
  });

  test('are read back as they were', () => {
    fc.assert(
      fc.property(path, (one) => {
        expect(parseHlsPath(formatHlsPath(one))).toEqual(one);
      }),
    );
  });

  test.each([
    '/hls/',
    `/hls/${VIDEO}`,
    `/hls/${VIDEO}/`,
    `/hls/${VIDEO.toUpperCase()}/master.m3u8`,
    `/hls/${VIDEO.slice(1)}/master.m3u8`,
    `/hls/${VIDEO}/master.m3u8/`,
    `/hls/${VIDEO}/0/`,
    `/hls/${VIDEO}/00/init.mp4`,
    `/hls/${VIDEO}/0/-1.m4s`,
    `/hls/${VIDEO}/0/01.m4s`,
    `/hls/${VIDEO}/0/1e3.m4s`,
    `/hls/${VIDEO}/0/1.m4s?x`,
    `/hls/${VIDEO}/0/12345678.m4s`,
    `/hls/${VIDEO}/0/../0/1.m4s`,
    `/HLS/${VIDEO}/master.m3u8`,
    `/other/${VIDEO}/master.m3u8`,
  ])('refuses %s', (text) => {
    expect(parseHlsPath(text)).toBeNull();
  });

  test('never throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseHlsPath(`/hls/${text}`)));
  });
});

describe('watch paths', () => {
  test('are written and read back, with or without a slash at the end', () => {
    expect(formatWatchPath(VIDEO)).toBe(`/watch/${VIDEO}`);
    expect(parseWatchPath(`/watch/${VIDEO}`)).toBe(VIDEO);
    expect(parseWatchPath(`/watch/${VIDEO}/`)).toBe(VIDEO);
  });

  test.each(['/', '/watch', '/watch/', `/watch/${VIDEO}x`, `/watch/x${VIDEO}`, `/watch/${VIDEO}//`])('refuses %s', (text) => {
    expect(parseWatchPath(text)).toBeNull();
  });
});
