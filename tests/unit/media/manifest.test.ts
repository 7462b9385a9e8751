import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/base/errors.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey } from '../../../src/kademlia/key.ts';
import { readIndexes } from '../../../src/media/index-pages.ts';
import { type Manifest, manifestSchema, pageSchema } from '../../../src/media/manifest.ts';
import { type BuiltManifest, buildManifest } from '../../../src/media/manifest-build.ts';
import { decodeManifest, manifestProblem } from '../../../src/media/manifest-read.ts';
import { crypto, FACTS, inventRendition } from './video.ts';

const HOUR = 3600;

function both(seconds: number) {
  return [inventRendition('audio', { seconds, duration: 4_010_667, size: 64_000 }), inventRendition('video', { seconds })];
}

/** As the network would give the values, and nothing else. */
function valuesOf(built: BuiltManifest) {
  const values = new Map(built.pages.map((page) => [page.key, page.bytes]));
  return async (key: string) => {
    const bytes = values.get(key as never);
    if (!bytes) throw new Error(`no value ${key}`);
    return bytes;
  };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('buildManifest', () => {
  test('describes a short video inside the manifest, video first', () => {
    const built = buildManifest(crypto, FACTS, both(60));
    expect(built.pages).toEqual([]);
    expect(built.manifest.renditions.map((rendition) => rendition.kind)).toEqual(['video', 'audio']);
    expect(built.manifest.duration).toBe(15 * 4004 + 100); // 15 segments of 4.010667 s of sound
    expect(built.key).toBe(hashKey(crypto, built.encoded));
    expect(decodeManifest(built.encoded)).toEqual(built.manifest);
  });

  test('[M16] adds qualities behind what there was, which keeps its place', () => {
    const first = both(60);
    const small = inventRendition('video', { seconds: 60, duration: 4_000_000, size: 50_000 });
    const [before, after] = [buildManifest(crypto, FACTS, first), buildManifest(crypto, FACTS, first, [small])];
    expect(after.manifest.renditions.slice(0, 2)).toEqual(before.manifest.renditions);
    expect(after.manifest.renditions[2]?.averageBandwidth).toBe(100_000);
    expect(decodeManifest(after.encoded)).toEqual(after.manifest);
    expect(after.key).not.toBe(before.key);
  });

  test.each([3, 12])('describes %i hours with sound on pages, every value within its limit', async (hours) => {
    const parts = both(hours * HOUR);
    const built = buildManifest(crypto, FACTS, parts);
    expect(built.encoded.length).toBeLessThanOrEqual(LIMITS.value);
    expect(built.pages.length).toBeGreaterThan(0);
    for (const page of built.pages) {
      expect(page.bytes.length).toBeLessThanOrEqual(LIMITS.value);
      expect(page.key).toBe(hashKey(crypto, page.bytes));
    }
    const read = decodeManifest(built.encoded);
    const lists = await readIndexes(read as Manifest, valuesOf(built));
    expect(lists).toEqual([parts[1], parts[0]].map((part) => part?.groups.map((group) => group.reference)));
  });

  test('gives the peak over runs of half to one and a half target durations, and the average (RFC 8216 §4.3.4.2)', () => {
    const rendition = inventRendition('video', { seconds: 40, duration: 4_000_000, size: 500_000 });
    const { bandwidth, averageBandwidth } = buildManifest(crypto, FACTS, [rendition]).manifest.renditions[0] as Manifest['renditions'][0];
    expect(averageBandwidth).toBe(1_000_000);
    expect(bandwidth).toBe(1_000_000);
  });

  test('refuses a video without renditions, without segments, or with a codec that could break out of a playlist', () => {
    const attempt = (parts: Parameters<typeof buildManifest>[2]) =>
      failure(Promise.resolve().then(() => buildManifest(crypto, FACTS, parts)));
    return Promise.all([
      expect(attempt([])).resolves.toSatisfy((error: unknown) => hasCode(error, 'invalid')),
      expect(attempt([inventRendition('video', { seconds: 0 })])).resolves.toSatisfy((error: unknown) => hasCode(error, 'invalid')),
      expect(attempt([inventRendition('video', { seconds: 9, codecs: 'avc1",X="1' })])).resolves.toSatisfy((e: unknown) =>
        hasCode(e, 'invalid'),
      ),
    ]);
  });

  test('says too-large when even the heads of the renditions do not fit', async () => {
    const heavy = inventRendition('video', { seconds: 8 });
    const parts = Array.from({ length: 16 }, () => ({ ...heavy, rendition: { ...heavy.rendition, init: new Uint8Array(1000) } }));
    const error = await failure(Promise.resolve().then(() => buildManifest(crypto, FACTS, parts)));
    expect(hasCode(error, 'too-large')).toBe(true);
  });
});

describe('decodeManifest', () => {
  const good = buildManifest(crypto, FACTS, both(60)).manifest;
  const [video, audio] = good.renditions as [Manifest['renditions'][0], Manifest['renditions'][0]];
  const wrong: Record<string, Manifest> = {
    'no rendition': { ...good, renditions: [] },
    'a codec with a quote': { ...good, renditions: [{ ...video, codecs: 'avc1"' }, audio] },
    'a codec with a line break': { ...good, renditions: [{ ...video, codecs: 'avc1\n#EXT' }, audio] },
    'no codec': { ...good, renditions: [{ ...video, codecs: '' }, audio] },
    'no initialisation segment': { ...good, renditions: [{ ...video, init: new Uint8Array(0) }, audio] },
    'a picture without size': { ...good, renditions: [{ ...video, width: 0 }, audio] },
    'sound with a size': { ...good, renditions: [video, { ...audio, width: 2 }] },
    'an average above the peak': { ...good, renditions: [{ ...video, averageBandwidth: video.bandwidth + 1 }, audio] },
    'a duration that its segments do not have': { ...good, duration: good.duration + 1 },
    'an empty list': { ...good, renditions: [{ ...video, groups: { type: 'inline', groups: [] } }, audio] },
    'no pages': { ...good, renditions: [{ ...video, groups: { type: 'pages', pages: [] } }, audio] },
  };

  test.each(Object.entries(wrong))('refuses %s', (_, manifest) => {
    expect(manifestProblem(manifest)).not.toBeNull();
    expect(decodeManifest(encode(manifestSchema, manifest))).toBeNull();
  });

  test('takes what buildManifest makes, with bytes of its own', () => {
    const bytes = encode(manifestSchema, good);
    const read = decodeManifest(bytes);
    bytes.fill(0xff);
    expect(read).toEqual(good);
  });

  test('never throws on any bytes, nor on a valid manifest with one byte changed', () => {
    const bytes = encode(manifestSchema, good);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (random) => void decodeManifest(random)));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = new Uint8Array(bytes);
        changed[at] = value;
        decodeManifest(changed);
      }),
    );
  });
});

describe('readIndexes', () => {
  test('rejects a page that is none, one that is missing, and a list that does not fit the duration', async () => {
    const built = buildManifest(crypto, FACTS, both(3 * HOUR));
    const getValue = valuesOf(built);
    const spoilt = async () => new Uint8Array([1, 2, 3]);
    expect(hasCode(await failure(readIndexes(built.manifest, spoilt)), 'corrupt')).toBe(true);
    const emptied = async () => encode(pageSchema, []);
    expect(hasCode(await failure(readIndexes(built.manifest, emptied)), 'corrupt')).toBe(true);
    const lost = async (key: string) => (key === built.pages[0]?.key ? Promise.reject(new Error('lost')) : getValue(key));
    expect(await failure(readIndexes(built.manifest, lost))).toMatchObject({ message: 'lost' });
  });
});
