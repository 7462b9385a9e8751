/** [M16] [M21] Any sequence of changes gives a video that says what was asked for, and leaves every rendition in its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeVideo, type VideoChange, type VideoDraft } from '../../src/app/video-change.ts';
import { hasCode } from '../../src/base/errors.ts';
import { decode, encode } from '../../src/base/schema.ts';
import { hashKey } from '../../src/kademlia/key.ts';
import { type Captions, MAX_CAPTIONS } from '../../src/media/additions.ts';
import { createGroupPacker } from '../../src/media/group.ts';
import { type Manifest, manifestSchema } from '../../src/media/manifest.ts';
import { describeVideo, type FinishedRendition } from '../../src/media/manifest-build.ts';
import { decodeManifest } from '../../src/media/manifest-read.ts';
import { masterPlaylist } from '../../src/media/playlist.ts';
import { createSimCrypto } from '../sim/crypto.ts';

const crypto = createSimCrypto();
const SEED = Number(process.env.KADREEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const LANGUAGES = ['en', 'de', 'fr', 'pt-BR', 'eo'];

/** A rendition whose only segment is known by a number. */
function finished(kind: 'video' | 'audio', height: number, number: number): FinishedRendition {
  const packer = createGroupPacker(crypto);
  packer.add({ digest: new Uint8Array(32).fill(number % 251), size: 1 + number, duration: 4_000_000 });
  const group = packer.finish();
  const size = kind === 'video' ? { width: height * 2, height } : { width: 0, height: 0 };
  const rendition = {
    index: 0,
    kind,
    codecs: kind === 'video' ? 'avc1.64001f' : 'mp4a.40.2',
    init: new Uint8Array([number]),
    frameRate: 0,
    ...size,
  };
  return { rendition, groups: group ? [group] : [] };
}

const captions = fc.record({ language: fc.constantFrom(...LANGUAGES), text: fc.nat(1000) }).map(({ language, text }): Captions => {
  const key = hashKey(crypto, new Uint8Array([text % 256, text >> 8]));
  return { language, name: `Name of ${language}`, groups: [{ key, durations: [4000] }] };
});
const several = fc.uniqueArray(captions, { selector: ({ language }) => language, maxLength: 3 });
const numbers = fc.uniqueArray(fc.nat(4), { maxLength: 3 });
const change: fc.Arbitrary<VideoChange> = fc.oneof(
  fc.string({ maxLength: 20, minLength: 1 }).map((title) => ({ title })),
  fc.uint8Array({ minLength: 4, maxLength: 8 }).map((poster) => ({ poster: new Uint8Array(poster) })),
  several.map((captions) => ({ captions })),
  fc.uniqueArray(fc.constantFrom(...LANGUAGES), { maxLength: 3 }).map((withoutCaptions) => ({ withoutCaptions })),
  fc.record({ withdrawn: numbers, offered: numbers }),
  fc.integer({ min: 1, max: 200 }).map((number) => ({ added: [finished('video', 100 + number, number)] })),
  fc.record({ title: fc.constant('Both'), captions: several, withoutCaptions: fc.subarray(LANGUAGES), withdrawn: numbers }),
);

const FIRST: VideoDraft = changeVideo(
  { title: 'First', poster: null, renditions: [], additions: { preview: null, captions: [], withdrawn: [], growing: null } },
  { added: [finished('video', 720, 1), finished('audio', 0, 2), finished('video', 360, 3)] },
);

/** As others read it. */
function published({ title, poster, renditions, additions }: VideoDraft): Manifest {
  const facts = { title, owner: new Uint8Array(32), created: 1, poster: poster && hashKey(crypto, poster), additions };
  const { encoded } = describeVideo(crypto, facts, renditions);
  const read = decodeManifest(encoded);
  if (!read) throw new Error('Nobody could read it.');
  expect(encode(manifestSchema, read)).toEqual(encoded);
  expect(decode(manifestSchema, encoded)).toEqual(read);
  return read;
}

describe(`[M16] [M21] changes of a video (seed ${SEED})`, () => {
  it('give what was asked for last, and keep all else and every place', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        let draft = FIRST;
        for (const one of changes) {
          const before = draft;
          try {
            draft = changeVideo(before, one);
          } catch (error) {
            if (!hasCode(error, 'invalid')) throw error;
            refused++;
            continue;
          }
          expect(draft.title).toBe(one.title ?? before.title);
          expect(draft.poster).toEqual(one.poster ?? before.poster);
          expect(draft.renditions.slice(0, before.renditions.length)).toEqual(before.renditions);
          expect(draft.renditions.length).toBe(before.renditions.length + (one.added?.length ?? 0));
          const gone = [...(one.withoutCaptions ?? []), ...(one.captions ?? []).map(({ language }) => language)];
          const wanted = [...before.additions.captions.filter(({ language }) => !gone.includes(language)), ...(one.captions ?? [])];
          const byLanguage = (list: readonly Captions[]) => [...list].sort((a, b) => (a.language < b.language ? -1 : 1));
          expect(byLanguage(draft.additions.captions)).toEqual(byLanguage(wanted));
          const hidden = new Set([...before.additions.withdrawn.filter((n) => !one.offered?.includes(n)), ...(one.withdrawn ?? [])]);
          expect(new Set(draft.additions.withdrawn)).toEqual(hidden);
          const manifest = published(draft);
          const offered = [...masterPlaylist(manifest).matchAll(/^(\d+)\/index\.m3u8$/gm)].map(([, index]) => Number(index));
          expect(offered.length).toBeGreaterThan(0);
          expect(offered.some((index) => hidden.has(index))).toBe(false);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('that would leave nothing to watch, name a quality that is none, or bring too many languages, are refused', () => {
    expect(() => changeVideo(FIRST, { withdrawn: [0, 2] })).toThrow(/One quality at least/);
    expect(() => changeVideo(FIRST, { withdrawn: [1] })).toThrow(/One quality at least/);
    expect(() => changeVideo(FIRST, { withdrawn: [7] })).toThrow(/no such quality/);
    const many = Array.from({ length: MAX_CAPTIONS + 1 }, (_, n) => ({ language: `x${n}`, name: `${n}`, groups: [] }));
    const full = changeVideo(FIRST, { captions: many.slice(0, MAX_CAPTIONS) });
    expect(() => changeVideo(full, { captions: many.slice(MAX_CAPTIONS) })).toThrow(/24 languages at most/);
  });
});
