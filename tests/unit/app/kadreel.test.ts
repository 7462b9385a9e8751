/** Stories of several tabs: real nodes and a made-up transcoder in virtual time. */
import { afterEach, describe, expect, test } from 'vitest';
import { decodeCatalogue } from '../../../src/media/catalogue.ts';
import type { Catalogue } from '../../../src/media/hls-responder.ts';
import type { VideoId } from '../../../src/media/manifest.ts';
import { type AppWorld, createAppWorld, playAll, type Tab } from './app-world.ts';
import { createFakeTranscoder, fakeFile } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
let world: AppWorld;

afterEach(() => world.close());

async function catalogueOf(tab: Tab, videoId: VideoId): Promise<Catalogue> {
  const encoded = await world.run(tab.app.catalogue(videoId, SIGNAL));
  return decodeCatalogue(encoded) as Catalogue;
}

/** The segments that the fake transcoder makes of a file, rendition after rendition. */
async function segmentsOf(seed: number): Promise<readonly Uint8Array[]> {
  const renditions: Uint8Array[][] = [[], []];
  for await (const event of createFakeTranscoder().cut(fakeFile(seed), SIGNAL)) {
    if (event.type === 'segment') renditions[event.rendition]?.push(event.bytes);
  }
  return renditions.flat();
}

describe('a video', () => {
  test('published in one tab plays in another, and in a third when its publisher has gone', async () => {
    world = createAppWorld(1);
    world.openNode();
    const publisher = world.tab();
    const keepers = [world.tab(), world.tab()];
    await world.pass(5_000);
    const { videoId, watchUrl, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    expect(watchUrl).toBe(`https://kadreel.test/watch/${videoId}`);

    const viewer = world.tab({ keeps: false });
    const session = await world.run(viewer.app.watch(videoId, SIGNAL));
    expect(session.manifest.title).toBe('Sea');
    const expected = await segmentsOf(1);
    expect(await world.run(playAll(viewer.app, await catalogueOf(viewer, videoId)))).toEqual(expected);
    const bytes = expected.reduce((sum, segment) => sum + segment.length, 0);
    expect(session.sources()).toEqual({ store: 0, tabs: bytes, openNodes: 0 });
    session.close();

    expect(await world.run(done)).toEqual({ stored: 2, wanted: 5 });
    publisher.app.close('the tab was closed');
    viewer.app.close('the tab was closed');
    const late = world.tab({ keeps: false }); // it would be given the copies that are missing
    await world.pass(5_000);
    expect(await world.run(playAll(late.app, await catalogueOf(late, videoId)))).toEqual(expected);
    expect(late.app.node.stats().received).toEqual({ store: 0, tabs: bytes, openNodes: 0 });
    expect(keepers).toHaveLength(2);
  });
});
