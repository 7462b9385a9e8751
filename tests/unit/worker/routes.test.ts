/** What the service worker remembers of a video, and when it asks the page again. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fail } from '../../../src/base/errors.ts';
import { encodeCatalogue } from '../../../src/media/catalogue.ts';
import { buildManifest } from '../../../src/media/manifest-build.ts';
import { createRoutes, type Routes } from '../../../src/worker/routes.ts';
import { createTestClock } from '../app/test-clock.ts';
import { crypto, FACTS, inventRendition } from '../media/video.ts';

const VIDEO = 'ab'.repeat(20);
const clock = createTestClock();

/** The answers of a page whose video has other captions each time; `null` when it was taken off. */
function routes(said: { language: string | null }): Routes {
  const rendition = inventRendition('video', { seconds: 8 });
  const key = 'cd'.repeat(20) as never;
  return createRoutes({
    clock,
    openStore: async () => createMemoryStore(1e6),
    bridge: {
      async ask() {
        const { language } = said;
        if (language === null) throw fail('withdrawn', 'Whoever published this video took it off.');
        const captions = [{ language, name: language, groups: [{ key, durations: [4000] }] }];
        const { manifest } = buildManifest(crypto, { ...FACTS, additions: { preview: null, captions, withdrawn: [], growing: null } }, [
          rendition,
        ]);
        const groups = manifest.renditions.map(({ groups }) => (groups.type === 'inline' ? groups.groups : []));
        return encodeCatalogue({ manifest, groups });
      },
      tell: () => undefined,
    },
  });
}

const get = async (from: Routes, path: string) => {
  const response = await from.answer(new Request(`https://kadreel.test/hls/${VIDEO}/${path}`), 'page');
  return { status: response.status, text: await response.text() };
};

test('[M21] a player that begins gets what the page knows by now', async () => {
  const said = { language: 'en' };
  const from = routes(said);
  expect((await get(from, 'master.m3u8')).text).toContain('LANGUAGE="en"');
  said.language = 'de';
  const old = `captions/${'cd'.repeat(20)}/index.m3u8`;
  expect((await get(from, old)).status).toBe(200);
  expect((await get(from, 'master.m3u8')).text).toContain('LANGUAGE="de"');
});

test('[M20] what was taken off is not answered from memory', async () => {
  const said: { language: string | null } = { language: 'en' };
  const from = routes(said);
  expect((await get(from, '0/index.m3u8')).status).toBe(200);
  said.language = null;
  expect((await get(from, '0/index.m3u8')).status).toBe(200);
  clock.advance(31_000);
  expect(await get(from, '0/index.m3u8')).toMatchObject({ status: 410, text: expect.stringContaining('took it off') });
  expect((await get(from, 'master.m3u8')).status).toBe(410);
});
