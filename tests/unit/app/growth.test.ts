/** A video that is long in the making: its link works with its beginning, and nothing of that is lost, whatever happens meanwhile (M22). */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { GrowthState, Unfinished } from '../../../src/app/api.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import { wait } from '../../../src/base/timing.ts';
import { decodeCatalogue } from '../../../src/media/catalogue.ts';
import type { Catalogue } from '../../../src/media/hls-responder.ts';
import { listDuration } from '../../../src/media/index-pages.ts';
import type { Manifest, VideoId } from '../../../src/media/manifest.ts';
import { type AppWorld, createAppWorld, leftOn, playAll, type Tab } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';
import { createMemoryFiles } from './memory-files.ts';
import { createMortalStore } from './mortal-store.ts';

const SIGNAL = new AbortController().signal;
const SEGMENTS = 40;
/** Milliseconds that a segment takes, of each of two renditions: 4 s of video in 3 s. */
const PACE = 1_500;

let world: AppWorld;
afterEach(() => world.close());

/** A converter of some speed, which may fail at a segment. */
function slow({ failsAt = Number.POSITIVE_INFINITY, pace = PACE } = {}): FakeCut {
  let segments = 0;
  return {
    segments: SEGMENTS,
    size: 300,
    async before(event) {
      if (event !== 'segment') return;
      await wait(world.scheduler.clock, pace);
      if (++segments >= failsAt) throw fail('unsupported', 'The file is damaged in its middle.');
    },
  };
}

async function joined(options: Parameters<AppWorld['tab']>[0]): Promise<Tab> {
  world.openNode();
  const tab = world.tab(options);
  await world.pass(5_000);
  return tab;
}

/** What a whole publication of the file gives, rendition after rendition. */
async function wholeOf(seed: number): Promise<readonly (readonly number[])[]> {
  const before = world;
  world = createAppWorld(1);
  const tab = await joined({ cut: { segments: SEGMENTS, size: 300 } });
  const { videoId } = await world.run(tab.app.publish(fakeFile(seed), { title: 'Sea' }));
  const played = await world.run(playAll(tab.app, await catalogueOf(tab, videoId)));
  world.close();
  world = before;
  return played.map((bytes) => [...bytes]);
}

const keysOf = ({ renditions }: Manifest): readonly (readonly string[])[] =>
  renditions.map(({ groups }) => (groups.type === 'inline' ? groups.groups.map(({ key }) => key) : []));
const catalogueOf = async (tab: Tab, videoId: VideoId): Promise<Catalogue> => {
  const catalogue = decodeCatalogue(await world.run(tab.app.catalogue(videoId, SIGNAL)));
  if (!catalogue) throw new Error('There is no catalogue.');
  return catalogue;
};

describe('[M22] a video that is long in the making', () => {
  test('is there with its first segments, grows for who watches it, and ends as it would have at once', async () => {
    world = createAppWorld(21);
    const tab = await joined({ cut: slow() });
    const viewer = world.tab();
    await world.pass(5_000);
    const began = world.scheduler.clock.now();
    const told: GrowthState[] = [];
    const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea', onGrowth: (growth) => told.push(growth) }));
    expect(world.scheduler.clock.now() - began).toBeLessThan(10_000);
    const session = await world.run(viewer.app.watch(videoId, SIGNAL));
    expect(session.manifest.additions.growing).toEqual({ expected: SEGMENTS * 4_000 });
    expect(session.manifest.renditions).toHaveLength(2);
    const first = await catalogueOf(viewer, videoId);
    expect((await world.run(playAll(viewer.app, first))).length).toBeGreaterThanOrEqual(4);
    expect(await session.lower()).toEqual([]);

    const versions: Manifest[] = [session.manifest];
    session.onVersion((manifest) => manifest && versions.push(manifest));
    await world.pass(SEGMENTS * 2 * PACE + 60_000);
    expect(versions.length).toBeGreaterThan(4);
    for (const [n, version] of versions.entries()) {
      if (n === 0) continue;
      const before = keysOf(versions[n - 1] as Manifest);
      for (const [index, keys] of keysOf(version).entries()) expect(keys.slice(0, before[index]?.length)).toEqual(before[index]);
    }
    const last = await catalogueOf(viewer, videoId);
    expect(last.manifest.additions.growing).toBeNull();
    expect(last.groups.map(listDuration)).toEqual([SEGMENTS * 4_000, SEGMENTS * 4_000]);
    expect((await world.run(playAll(viewer.app, last))).map((bytes) => [...bytes])).toEqual(await wholeOf(1));
    expect(last.manifest.poster).not.toBeNull();

    const made = told.map((growth) => growth.made);
    expect(made).toEqual([...made].sort((a, b) => a - b));
    expect(told.at(-1)).toEqual({ made: SEGMENTS * 4, expected: SEGMENTS * 4, isWhole: true, problem: null });
    await world.run(done);
    // What everybody's list says of it.
    const [listed] = await world.run(viewer.app.newest(SIGNAL));
    expect(listed).toMatchObject({ videoId, duration: SEGMENTS * 4 });
    session.close();
  });

  test('has no more versions than one that is short where it is soon whole', async () => {
    world = createAppWorld(22);
    const tab = await joined({ cut: { segments: SEGMENTS } });
    const told: GrowthState[] = [];
    const { videoId } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea', onGrowth: (growth) => told.push(growth) }));
    const { manifest, groups } = await catalogueOf(tab, videoId);
    expect(manifest.additions.growing).toBeNull();
    expect(groups[0]?.map(({ durations }) => durations.length)).toEqual([10, 10, 10, 10]);
    expect(told).toEqual([]);
  });

  test('ends where it was made to when its rest can’t be made and its person gives it up; until then it can be tried again', async () => {
    world = createAppWorld(23);
    const tab = await joined({ cut: slow({ failsAt: 30 }) });
    const told: GrowthState[] = [];
    const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea', onGrowth: (growth) => told.push(growth) }));
    await expect(world.run(done)).rejects.toMatchObject({ code: 'unsupported' });
    expect(told.at(-1)).toMatchObject({ isWhole: false, problem: expect.stringContaining('damaged') });
    let unfinished: readonly Unfinished[] = [];
    tab.app.onUnfinished((all) => {
      unfinished = all;
    });
    await world.pass(120_000);
    expect(unfinished).toMatchObject([{ title: 'Sea', videoId, phase: 'failed', problem: expect.stringContaining('damaged') }]);
    expect((await catalogueOf(tab, videoId)).manifest.additions.growing).not.toBeNull();
    await world.run(tab.app.discard(unfinished[0]?.id ?? ''));
    await world.pass(30_000);
    const viewer = world.tab({ keeps: false });
    await world.pass(5_000);
    const { manifest, groups } = await catalogueOf(viewer, videoId);
    expect(manifest.additions.growing).toBeNull();
    expect(manifest.duration).toBeGreaterThan(8_000);
    // One of two may be a segment behind.
    expect(Math.min(...groups.map(listDuration))).toBeGreaterThanOrEqual(manifest.duration - 4_000);
    await world.run(playAll(viewer.app, { manifest, groups }));
    expect((await tab.store.keys('segments', 'open/')).concat(await tab.store.keys('meta', 'journal/'))).toEqual([]);
  });

  test('ends where it was made to when its tab was closed while its person gave it up', async () => {
    world = createAppWorld(27);
    world.openNode();
    world.tab();
    const [disk, files] = [createMemoryStore(1e9), createMemoryFiles('ready')];
    const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0.5 });
    const mortal = createMortalStore(disk, { at: 20, done: true });
    const victim = world.tab({ store: mortal.store, files, account, cut: slow() });
    await world.pass(3_000);
    const { videoId, done } = await world.run(victim.app.publish(fakeFile(1), { title: 'Sea' }));
    void done.catch(() => undefined);
    await world.run(mortal.dead);
    victim.crash();
    // What giving up had removed by then; the version that ends it was not written.
    const notes = [...(await disk.keys('meta', 'journal/')).map((key) => ({ table: 'meta' as const, key, value: null }))];
    await disk.write([
      ...notes,
      ...(await disk.keys('segments', 'open/')).map((key) => ({ table: 'segments' as const, key, value: null })),
    ]);
    const next = world.tab({ store: disk, files, account });
    await world.pass(30_000);
    const { manifest } = await catalogueOf(next, videoId);
    expect(manifest.additions.growing).toBeNull();
    expect(manifest.duration).toBeGreaterThanOrEqual(8_000);
  });

  test('is gone with all that was made of it when it is taken off meanwhile', async () => {
    world = createAppWorld(24);
    const tab = await joined({ cut: slow() });
    const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.pass(20_000);
    await world.run(tab.app.remove(videoId));
    await expect(world.run(done)).rejects.toMatchObject({ code: 'withdrawn' });
    await world.pass(10_000);
    expect(tab.working()).toBe(0);
    expect((await leftOn(tab.store)).filter((key) => !key.startsWith('withdrawn/'))).toEqual([]);
  });

  test('leaves nothing when it is cancelled before anybody was told', async () => {
    world = createAppWorld(25);
    const cancel = new AbortController();
    const store = createMemoryStore(1e9);
    const watched: Store = {
      ...store,
      async write(changes) {
        await store.write(changes);
        if (changes.some(({ table }) => table === 'library')) cancel.abort();
      },
    };
    const tab = await joined({ store: watched, cut: slow() });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea', signal: cancel.signal }))).rejects.toMatchObject({
      code: 'aborted',
    });
    await world.pass(10_000);
    expect(await leftOn(store)).toEqual([]);
  });

  const WRITES = [4, 9, 14, 20, 27, 35, 44, 54, 65, 77, 90, 104];
  test.each(WRITES)('goes on after its tab was closed at write %i of the disk', async (at) => {
    world = createAppWorld(26);
    world.openNode();
    world.tab();
    const [disk, files] = [createMemoryStore(1e9), createMemoryFiles('ready')];
    const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0.5 });
    const mortal = createMortalStore(disk, { at, done: at % 2 === 0 });
    const victim = world.tab({ store: mortal.store, files, account, cut: slow() });
    await world.pass(3_000);
    void victim.app.publish(fakeFile(1), { title: 'Sea' }).then(
      ({ done }) => done.catch(() => undefined),
      () => undefined,
    );
    await world.run(mortal.dead);
    victim.crash();
    const next = world.tab({ store: disk, files, account, cut: slow() });
    await world.pass(SEGMENTS * 2 * PACE + 60_000);
    const [mine, ...others] = await next.app.mine();
    expect(others).toEqual([]);
    const { manifest, groups } = await catalogueOf(next, mine?.videoId as VideoId);
    expect(manifest.additions.growing).toBeNull();
    const played = await world.run(playAll(next.app, { manifest, groups }));
    expect(played.map((bytes) => [...bytes])).toEqual(await wholeOf(1));
    expect([...(await disk.keys('meta', 'journal/')), ...(await disk.keys('segments', 'open/'))]).toEqual([]);
    // What was on the disk is not made again: one segment of each rendition may have been under way.
    expect(victim.transcoder.made + next.transcoder.made).toBeLessThanOrEqual(2 * SEGMENTS + 2);
  });
});
