/** Captions, tiles, a chosen picture and unwanted qualities, from a publication to whoever watches. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { NewCaptions } from '../../../src/app/api.ts';
import { toUtf8 } from '../../../src/base/bytes.ts';
import type { PreviewSheets, Store } from '../../../src/base/ports.ts';
import { groupsOfAdditions } from '../../../src/media/additions.ts';
import { decodeCatalogue } from '../../../src/media/catalogue.ts';
import { answerHls, type HlsSource } from '../../../src/media/hls-responder.ts';
import { type AppWorld, createAppWorld, leftOn, type Tab } from './app-world.ts';
import { fakeFile } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
const SHEETS: PreviewSheets = {
  interval: 2_000,
  count: 24,
  columns: 10,
  rows: 10,
  width: 160,
  height: 90,
  sheets: [new Uint8Array([0xff, 0xd8, 0xff, 1, 2, 3])],
};
const CAPTIONS: readonly NewCaptions[] = [
  { language: 'en', name: 'English', cues: [{ start: 1_000, end: 2_000, settings: '', text: 'Hello' }] },
  { language: 'de', name: 'Deutsch', cues: [{ start: 1_000, end: 2_000, settings: '', text: 'Hallo' }] },
];

let world: AppWorld;
/** Others that keep copies. */
let keepers: readonly Tab[] = [];
afterEach(() => world.close());

async function network(options: Parameters<AppWorld['tab']>[0] = {}): Promise<Tab> {
  world = createAppWorld(7);
  world.openNode();
  const publisher = world.tab(options);
  keepers = [world.tab(), world.tab()];
  await world.pass(5_000);
  return publisher;
}

/** What the service worker of this tab would be answered with. */
function answers({ app }: Tab): HlsSource {
  return {
    async catalogue(video, signal) {
      const catalogue = decodeCatalogue(await app.catalogue(video, signal));
      if (!catalogue) throw new Error('no catalogue');
      return catalogue;
    },
    segment: app.segment,
  };
}

describe('a publication with captions and tiles', () => {
  test('[M17, M18] is seen whole by others: captions from the first version on, tiles when they are made, all of it copied', async () => {
    const publisher = await network({ cut: { sheets: SHEETS } });
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', captions: CAPTIONS }));
    expect(await world.run(done)).toMatchObject({ stored: 2 });
    const viewer = world.tab({ keeps: false });
    await world.pass(5_000);
    const { additions } = await world.run(viewer.app.manifest(videoId));
    expect(additions.captions.map(({ language, groups }) => [language, groups.flatMap(({ durations }) => durations)])).toEqual([
      ['en', [48_000]],
      ['de', [48_000]],
    ]);
    expect(additions.preview).toMatchObject({ interval: 2_000, count: 24 });
    const [english, german] = additions.captions;
    const base = `/hls/${videoId}`;
    const master = await world.run(answerHls(`${base}/master.m3u8`, answers(viewer), SIGNAL));
    expect(master.body).toContain(`LANGUAGE="de"`);
    const cues = await world.run(answerHls(`${base}/captions/${german?.groups[0]?.key}/0.vtt`, answers(viewer), SIGNAL));
    expect(toUtf8(cues.body as Uint8Array)).toContain('Hallo');
    const sheet = await world.run(answerHls(`${base}/preview/${additions.preview?.groups[0]?.key}/0.jpg`, answers(viewer), SIGNAL));
    expect(sheet.body).toEqual(SHEETS.sheets[0]);
    expect(english?.groups[0]?.key).not.toBe(german?.groups[0]?.key);
    for (const group of groupsOfAdditions(additions)) expect((await publisher.node.groups.get(group))?.role).toBe('own');
    for (const group of groupsOfAdditions(additions))
      for (const keeper of keepers) expect((await keeper.node.groups.get(group))?.complete, `a copy of ${group}`).toBe(true);
  });

  test('[M17] has captions in its very first version', async () => {
    const publisher = await network();
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', captions: CAPTIONS }));
    expect((await world.run(publisher.app.manifest(videoId))).additions.captions).toHaveLength(2);
  });

  test('that fails leaves nothing of them', async () => {
    const store = createMemoryStore(1e9);
    const failing: Store = {
      ...store,
      async write(changes) {
        if (changes.some(({ table, key }) => table === 'library' && key.startsWith('published/'))) throw new Error('The disk is gone.');
        await store.write(changes);
      },
    };
    const publisher = await network({ store: failing });
    await expect(world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', captions: CAPTIONS }))).rejects.toMatchObject({
      code: 'internal',
    });
    expect(await leftOn(store)).toEqual([]);
  });

  test('that is given up takes nothing of them from the same video published before', async () => {
    const disk = createMemoryStore(1e9);
    const abort = new AbortController();
    let isAgain = false;
    let rows = 0;
    const store: Store = {
      ...disk,
      async write(changes) {
        await disk.write(changes);
        if (!isAgain || !changes.some(({ key, value }) => key.includes('/group/captions/') && value)) return;
        rows++;
        abort.abort();
      },
    };
    const publisher = await network({ store, cut: { sheets: SHEETS } });
    const options = { title: 'Sea', captions: CAPTIONS };
    await world.run((await world.run(publisher.app.publish(fakeFile(1), options))).done);
    const left = await leftOn(store);
    isAgain = true;
    const again = publisher.app.publish(fakeFile(1), { ...options, signal: abort.signal });
    await expect(world.run(again)).rejects.toMatchObject({ code: 'aborted' });
    expect(rows).toBeGreaterThan(0);
    expect(await leftOn(store)).toEqual(left);
    expect(left.length).toBeGreaterThan(20);
  });

  test('stands when its tiles can’t be made', async () => {
    const publisher = await network({ cut: { sheets: { ...SHEETS, sheets: [] } } });
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    expect(await world.run(done)).toMatchObject({ stored: 2 });
    expect((await world.run(world.tab({ keeps: false }).app.manifest(videoId))).additions.preview).toBeNull();
  });

  test('[M16, M17] gets tiles and a smaller picture both, whichever is there first', async () => {
    const publisher = await network({ cut: { height: 360, sheets: SHEETS } });
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.run(done);
    const { additions, renditions } = await world.run(world.tab({ keeps: false }).app.manifest(videoId));
    expect(additions.preview).not.toBeNull();
    expect(renditions.map(({ height }) => height)).toEqual([360, 0, 240]);
  });
});

describe('what the person chose', () => {
  test('qualities that are not wanted are not made', async () => {
    const publisher = await network({ cut: { height: 480 } });
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', without: ['360p'] }));
    await world.run(done);
    const { renditions } = await world.run(world.tab({ keeps: false }).app.manifest(videoId));
    expect(renditions.map(({ height }) => height)).toEqual([480, 0, 240]);
  });

  test('the chosen picture stands for the video', async () => {
    const publisher = await network();
    const poster = new Uint8Array([0xff, 0xd8, 0xff, 9, 9]);
    await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', poster }));
    const [card] = await world.run(publisher.app.mine());
    expect(card?.poster).toBe(`data:image/jpeg;base64,${btoa(String.fromCharCode(...poster))}`);
  });
});
