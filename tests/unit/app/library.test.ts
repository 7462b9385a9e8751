/** What a person published, on the disk and in the network, over hours and reloads. */
import { afterEach, describe, expect, test } from 'vitest';
import type { KadreelApp } from '../../../src/app/kadreel.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import type { Store } from '../../../src/base/ports.ts';
import type { VideoId } from '../../../src/media/manifest.ts';
import { type AppWorld, createAppWorld, type Tab } from './app-world.ts';
import { fakeFile } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
const HOUR = 3_600_000;
let world: AppWorld;

afterEach(() => world.close());

/** The same person, disk and all, in a new tab. */
function reopen(tab: Tab): Tab {
  return world.tab({ store: tab.store, account: tab.account });
}

/** As if all that the network had given this disk to keep had expired. */
async function forget(store: Store): Promise<void> {
  const keys = await store.keys('items');
  await store.write(keys.map((key) => ({ table: 'items' as const, key, value: null })));
}

async function publish(app: KadreelApp, seed: number, title = 'Sea'): Promise<VideoId> {
  return (await world.run(app.publish(fakeFile(seed), { title }))).videoId;
}

const titleSeenBy = async (tab: Tab, videoId: VideoId): Promise<string> => (await world.run(tab.app.manifest(videoId))).title;

describe('the library', () => {
  test('outlives a reload, newest first', async () => {
    world = createAppWorld(30);
    world.openNode();
    const tab = world.tab();
    await world.pass(5_000);
    await publish(tab.app, 1, 'one');
    await world.pass(1_000);
    await publish(tab.app, 2, 'two');
    const before = await world.run(tab.app.mine());
    expect(before.map(({ title }) => title)).toEqual(['two', 'one']);
    tab.app.close('reload');
    expect(await world.run(reopen(tab).app.mine())).toEqual(before);
  });

  test('gives its own videos without any network', async () => {
    world = createAppWorld(31);
    const tab = world.tab();
    const videoId = await publish(tab.app, 1);
    const before = world.scheduler.clock.now();
    expect(await titleSeenBy(tab, videoId)).toBe('Sea');
    expect(world.scheduler.clock.now()).toBe(before);
  });
});

describe('renewal', () => {
  test('comes within the hour, to nodes that did not know the video', async () => {
    world = createAppWorld(32);
    const open = world.openNode();
    const tab = world.tab();
    await world.pass(5_000);
    const videoId = await publish(tab.app, 1);
    await forget(tab.store);
    open.crash();
    world.openNode();
    await world.pass(1.2 * HOUR);
    const other = world.tab();
    await world.pass(5_000);
    expect(await titleSeenBy(other, videoId)).toBe('Sea');
    expect(await world.run(other.app.newest(SIGNAL))).toHaveLength(1);
  });

  test('comes soon after the publisher returns, when everybody had forgotten the video', async () => {
    world = createAppWorld(33);
    const tab = world.tab();
    const videoId = await publish(tab.app, 1);
    tab.app.close('gone for days');
    await forget(tab.store);
    world.openNode();
    const other = world.tab();
    await world.pass(5_000);
    await expect(world.run(other.app.manifest(videoId))).rejects.toMatchObject({ code: 'not-found' });
    expect(await world.run(other.app.newest(SIGNAL))).toEqual([]);
    reopen(tab);
    await world.pass(15_000);
    expect(await titleSeenBy(other, videoId)).toBe('Sea');
    expect(await world.run(other.app.newest(SIGNAL))).toHaveLength(1);
  });

  test('comes soon after the first link, however late that is', async () => {
    world = createAppWorld(34);
    const tab = world.tab();
    const videoId = await publish(tab.app, 1);
    tab.app.close('reload');
    reopen(tab);
    await world.pass(600_000);
    await forget(tab.store);
    world.openNode();
    const other = world.tab();
    await world.pass(80_000);
    expect(await titleSeenBy(other, videoId)).toBe('Sea');
    expect(await world.run(other.app.newest(SIGNAL))).toHaveLength(1);
  });

  test('leaves the newest on the list when there are more than one writer may list', async () => {
    world = createAppWorld(35);
    world.openNode();
    const tab = world.tab({ cut: { segments: 1, poster: null } });
    await world.pass(5_000);
    const count = LIMITS.entriesPerWriter + 4;
    for (let n = 0; n < count; n++) {
      await publish(tab.app, n, `video ${n}`);
      await world.pass(1_000);
    }
    tab.app.close('reload');
    reopen(tab);
    await world.pass(120_000);
    const other = world.tab();
    await world.pass(5_000);
    const titles = (await world.run(other.app.newest(SIGNAL))).map(({ title }) => title);
    expect(titles[0]).toBe(`video ${count - 1}`);
    expect(titles).not.toContain('video 0');
  });
});
