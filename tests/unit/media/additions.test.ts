/** What comes with a video besides picture and sound: in the manifest, in playlists, and when it is asked for. */
import { parse, types } from 'hls-parser';
import { describe, expect, test } from 'vitest';
import { binary, decode, encode, list, struct, uint } from '../../../src/base/schema.ts';
import { keyOf } from '../../../src/kademlia/key.ts';
import { type Additions, additionsSchema, groupsOfAdditions, NO_ADDITIONS } from '../../../src/media/additions.ts';
import { answerHls, type HlsSource } from '../../../src/media/hls-responder.ts';
import { readIndexes } from '../../../src/media/index-pages.ts';
import { buildManifest } from '../../../src/media/manifest-build.ts';
import { decodeManifest } from '../../../src/media/manifest-read.ts';
import { captionsPlaylist, masterPlaylist } from '../../../src/media/playlist.ts';
import { formatHlsPath, parseHlsPath } from '../../../src/media/urls.ts';
import { crypto, FACTS, inventRendition } from './video.ts';

const key = (n: number) => keyOf(new Uint8Array(20).fill(n));
const VIDEO = key(9);
const SIGNAL = new AbortController().signal;

const ADDITIONS: Additions = {
  preview: {
    interval: 2_000,
    count: 101,
    columns: 10,
    rows: 10,
    width: 160,
    height: 90,
    groups: [{ key: key(1), durations: [200_000, 200_000] }],
  },
  captions: [
    {
      language: 'en',
      name: 'English',
      groups: [
        { key: key(2), durations: [60_000, 60_000] },
        { key: key(3), durations: [1_500] },
      ],
    },
    { language: 'pt-BR', name: 'português (Brasil)', groups: [{ key: key(4), durations: [60_000, 61_500] }] },
  ],
  withdrawn: [],
  growing: null,
};

const build = (additions: Additions) =>
  buildManifest(crypto, { ...FACTS, additions }, [
    inventRendition('video', { seconds: 120 }),
    inventRendition('video', { seconds: 120, size: 90_000 }),
    inventRendition('audio', { seconds: 120, size: 64_000 }),
  ]);

describe('[M17] in a manifest', () => {
  test('they come back as they were written', () => {
    expect(decodeManifest(build(ADDITIONS).encoded)?.additions).toEqual(ADDITIONS);
  });

  test('none take no byte: it is what older versions wrote, and read', () => {
    const [plain, with1] = [build(NO_ADDITIONS).encoded, build({ ...NO_ADDITIONS, withdrawn: [1] }).encoded];
    expect(plain[0]).toBe(0x97); // an array of seven
    expect(with1[0]).toBe(0x98);
    expect(decodeManifest(plain)?.additions).toEqual(NO_ADDITIONS);
  });

  test('what is not known is passed over, and what is strange is as good as none', () => {
    const parts = list(struct<{ tag: number; body: Uint8Array<ArrayBuffer> }>({ tag: uint(255), body: binary(12_000) }), 64);
    const known = decode(parts, encode(additionsSchema, ADDITIONS)) ?? [];
    const read = (more: { tag: number; body: Uint8Array<ArrayBuffer> }[]) => decode(additionsSchema, encode(parts, [...more, ...known]));
    expect(read([{ tag: 77, body: new Uint8Array([1, 2, 3]) }])).toEqual(ADDITIONS);
    expect(read([{ tag: 1, body: new Uint8Array([1, 2, 3]) }])).toEqual(ADDITIONS);
    expect(read([{ tag: 0, body: new Uint8Array([1]) }])?.preview).toBeNull(); // which of the two is it?
  });

  test.each<[string, Partial<Additions>]>([
    [
      'a name that ends a quoted string',
      { captions: [{ ...ADDITIONS.captions[0], name: 'x",URI="http://x' } as Additions['captions'][0]] },
    ],
    ['a name with a line break', { captions: [{ ...ADDITIONS.captions[0], name: 'x\n#EXT' } as Additions['captions'][0]] }],
    ['a language that is none', { captions: [{ ...ADDITIONS.captions[0], language: 'en"' } as Additions['captions'][0]] }],
    ['captions without segments', { captions: ADDITIONS.captions.slice(0, 1).map((one) => ({ ...one, groups: [] })) }],
    ['tiles of no size', { preview: { ...ADDITIONS.preview, width: 0 } as Additions['preview'] }],
    ['more tiles than sheets', { preview: { ...ADDITIONS.preview, count: 900 } as Additions['preview'] }],
  ])('%s is left out', (_, change) => {
    const read = decodeManifest(build({ ...NO_ADDITIONS, ...change }).encoded);
    expect(read?.additions).toEqual(NO_ADDITIONS);
  });

  test('name all groups that they are kept in', () => {
    expect(groupsOfAdditions(ADDITIONS)).toEqual([1, 2, 3, 4].map(key));
  });
});

describe('playlists', () => {
  test('the master playlist names each language, as hls-parser reads it', () => {
    const playlist = parse(masterPlaylist(build(ADDITIONS).manifest)) as types.MasterPlaylist;
    for (const { subtitles } of playlist.variants) {
      expect(
        subtitles.map(({ language, name, uri, isDefault, autoselect, forced }) => ({ language, name, uri, isDefault, autoselect, forced })),
      ).toEqual([
        { language: 'en', name: 'English', uri: `captions/${key(2)}/index.m3u8`, isDefault: false, autoselect: true, forced: false },
        {
          language: 'pt-BR',
          name: 'português (Brasil)',
          uri: `captions/${key(4)}/index.m3u8`,
          isDefault: false,
          autoselect: true,
          forced: false,
        },
      ]);
    }
  });

  test('two languages of one name get different ones', () => {
    const [first, second] = ADDITIONS.captions as [Additions['captions'][0], Additions['captions'][0]];
    const twins = build({ ...NO_ADDITIONS, captions: [first, { ...second, name: first.name }] });
    const names = [...masterPlaylist(twins.manifest).matchAll(/TYPE=SUBTITLES.*NAME="([^"]*)"/g)].map(([, name]) => name);
    expect(names).toEqual(['English', 'English (pt-BR, 2)']);
  });

  test('to the last letter', () => {
    expect(captionsPlaylist(ADDITIONS.captions[0]?.groups ?? [])).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:60
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:60.000,
../${key(2)}/0.vtt
#EXTINF:60.000,
../${key(2)}/1.vtt
#EXTINF:1.500,
../${key(3)}/0.vtt
#EXT-X-ENDLIST
`);
    const playlist = parse(captionsPlaylist(ADDITIONS.captions[0]?.groups ?? []));
    expect(playlist).toBeInstanceOf(types.MediaPlaylist);
  });

  test('a withdrawn quality is offered no longer, and the others keep their numbers', () => {
    const { manifest } = build({ ...NO_ADDITIONS, withdrawn: [0] });
    const playlist = parse(masterPlaylist(manifest)) as types.MasterPlaylist;
    expect(playlist.variants.map(({ uri }) => uri)).toEqual(['1/index.m3u8']);
    expect(manifest.renditions).toHaveLength(3);
    // Nonsense of somebody else: a video without a quality is none.
    const none = parse(masterPlaylist(build({ ...NO_ADDITIONS, withdrawn: [0, 1, 2] }).manifest)) as types.MasterPlaylist;
    expect(none.variants).toHaveLength(2);
  });
});

describe('answers', () => {
  const asked: string[] = [];
  const source: HlsSource = {
    async catalogue() {
      const { manifest } = build(ADDITIONS);
      return { manifest, groups: await readIndexes(manifest, () => Promise.reject(new Error('nothing is on pages'))) };
    },
    async segment(group, index) {
      asked.push(`${group}/${index}`);
      return new Uint8Array([7]);
    },
  };
  const get = (path: string) => answerHls(`/hls/${VIDEO}/${path}`, source, SIGNAL);

  test('paths are read as they are written', () => {
    for (const path of [
      { type: 'captions', video: VIDEO, group: key(2) },
      { type: 'cues', video: VIDEO, group: key(2), index: 1 },
      { type: 'sheet', video: VIDEO, group: key(1), index: 0 },
    ] as const) {
      expect(parseHlsPath(formatHlsPath(path))).toEqual(path);
    }
    for (const wrong of [
      `captions/${key(2)}/0.jpg`,
      `preview/${key(1)}/0.vtt`,
      `preview/${key(1)}/index.m3u8`,
      `captions/${key(2)}/00.vtt`,
      'captions/x/0.vtt',
    ])
      expect(parseHlsPath(`/hls/${VIDEO}/${wrong}`)).toBeNull();
  });

  test('give captions and sheets with their types, for ever', async () => {
    expect(await get(`captions/${key(2)}/index.m3u8`)).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'application/vnd.apple.mpegurl' },
    });
    expect(await get(`captions/${key(3)}/0.vtt`)).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'text/vtt; charset=utf-8', 'Cache-Control': expect.stringContaining('immutable') },
    });
    expect(await get(`preview/${key(1)}/1.jpg`)).toMatchObject({ status: 200, headers: { 'Content-Type': 'image/jpeg' } });
    expect(asked).toEqual([`${key(3)}/0`, `${key(1)}/1`]);
  });

  test('are no way to any other group, nor past the end of one', async () => {
    for (const path of [
      `captions/${key(8)}/0.vtt`,
      `captions/${key(1)}/0.vtt`,
      `preview/${key(2)}/0.jpg`,
      `preview/${key(1)}/2.jpg`,
      `captions/${key(3)}/index.m3u8`,
    ])
      expect((await get(path)).status, path).toBe(404);
  });
});
