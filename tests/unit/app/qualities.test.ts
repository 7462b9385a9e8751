/** More qualities of a video whose link works already. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { QualityState } from '../../../src/app/api.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import { deferred } from '../../../src/base/timing.ts';
import type { Manifest, VideoId } from '../../../src/media/manifest.ts';
import { type AppWorld, createAppWorld, leftOn, type Tab } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';

let world: AppWorld;
afterEach(() => world.close());

/** A publisher, and others that keep copies. */
async function network(options: Parameters<AppWorld['tab']>[0] = {}): Promise<Tab> {
  world = createAppWorld(5);
  world.openNode();
  const publisher = world.tab(options);
  world.tab();
  world.tab();
  await world.pass(5_000);
  return publisher;
}

const sizesOf = ({ renditions }: Manifest) => renditions.map(({ kind, height }) => (kind === 'audio' ? 'sound' : height));
const manifestOf = (tab: Tab, videoId: VideoId): Promise<Manifest> => world.run(tab.app.manifest(videoId));

/** Holds the transcoder back, or breaks it, when the small picture (the third rendition) begins. */
function atQuality(run: () => void | Promise<void>): NonNullable<FakeCut['before']> {
  let renditions = 0;
  return (event) => {
    if (event === 'rendition') renditions++;
    return event === 'segment' && renditions === 3 ? run() : undefined;
  };
}

describe('the smaller qualities', () => {
  test('[M16] join a video that is watched already, behind what it had', async () => {
    const go = deferred<void>();
    const publisher = await network({ cut: { height: 360, before: atQuality(() => go.promise) } });
    const told: (readonly QualityState[])[] = [];
    const publishing = publisher.app.publish(fakeFile(1), { title: 'Sea', onQualities: (states) => told.push(states) });
    const { videoId, done } = await world.run(publishing);
    const viewer = world.tab({ keeps: false });
    await world.pass(5_000);
    expect(sizesOf(await manifestOf(viewer, videoId))).toEqual([360, 'sound']);
    expect(told.at(-1)).toEqual([{ name: '240p', phase: 'making', fraction: 0, problem: null }]);
    go.resolve();
    expect(await world.run(done)).toMatchObject({ stored: 2 });
    expect(told.at(-1)).toEqual([{ name: '240p', phase: 'made', fraction: 1, problem: null }]);
    const fractions = told.flatMap((states) => states.map(({ fraction }) => fraction));
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));

    expect(sizesOf(await manifestOf(world.tab({ keeps: false }), videoId))).toEqual([360, 'sound', 240]);
    // Who has the first version plays it, and hears of the next when it asks again later.
    expect(sizesOf(await manifestOf(viewer, videoId))).toEqual([360, 'sound']);
    await world.pass(31_000);
    await manifestOf(viewer, videoId);
    await world.pass(5_000);
    const [picture, , small] = (await manifestOf(viewer, videoId)).renditions;
    expect(small).toMatchObject({ width: 426, height: 240 });
    expect(small?.groups.type === 'inline' && small.groups.groups.flatMap(({ durations }) => durations)).toEqual(
      picture?.groups.type === 'inline' && picture.groups.groups.flatMap(({ durations }) => durations),
    );
  });

  test('one that can’t be made says why, leaves nothing behind, and the video stands', async () => {
    const store = createMemoryStore(1e9);
    const broken = atQuality(() => {
      throw fail('unsupported', 'The picture is too strange.');
    });
    const publisher = await network({ store, cut: { height: 360, before: broken } });
    let last: readonly QualityState[] = [];
    const onQualities = (states: readonly QualityState[]): void => {
      last = states;
    };
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', onQualities }));
    expect(await world.run(done)).toMatchObject({ stored: 2 });
    expect(last).toMatchObject([{ name: '240p', phase: 'failed', problem: expect.stringContaining('too strange') }]);
    expect(sizesOf(await manifestOf(publisher, videoId))).toEqual([360, 'sound']);
    expect((await leftOn(store)).filter((key) => key.startsWith('draft/'))).toEqual([]);
    expect(await world.run(publisher.node.groups.usage())).toMatchObject({ groups: 4 });
  });

  test('one that the disk has no room for is in no later version', async () => {
    const store = createMemoryStore(1e9);
    let versions = 0;
    const full: Store = {
      ...store,
      async write(changes) {
        const isVersion = changes.some(({ table, key }) => table === 'library' && key.startsWith('published/'));
        if (isVersion && ++versions === 2) throw fail('quota', 'The disk is full.');
        await store.write(changes);
      },
    };
    const publisher = await network({ store: full, cut: { height: 480 } });
    let last: readonly QualityState[] = [];
    const onQualities = (states: readonly QualityState[]): void => {
      last = states;
    };
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea', onQualities }));
    await world.run(done);
    expect(last.map(({ name, phase }) => `${name} ${phase}`)).toEqual(['360p made', '240p failed']);
    expect(sizesOf(await manifestOf(world.tab({ keeps: false }), videoId))).toEqual([480, 'sound', 360]);
    expect(await world.run(publisher.node.groups.usage())).toMatchObject({ groups: 6 });
  });

  test('a tab that leaves while one is made has published what it had', async () => {
    const reached = deferred<void>();
    const publisher = await network({
      cut: {
        height: 360,
        before: atQuality(() => {
          reached.resolve();
          return new Promise(() => undefined); // It hears no signal either.
        }),
      },
    });
    const { videoId, done } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.run(reached.promise);
    await world.pass(60_000);
    publisher.app.close('the tab was closed');
    await expect(world.run(done)).rejects.toMatchObject({ code: 'closed' });
    expect(sizesOf(await manifestOf(world.tab({ keeps: false }), videoId))).toEqual([360, 'sound']);
  });
});
