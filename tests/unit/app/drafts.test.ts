/** What a tab that was closed in the middle of publishing leaves on the disk, and who takes it away. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { Store } from '../../../src/base/ports.ts';
import { createAppWorld, leftOn } from './app-world.ts';
import { fakeFile } from './fake-transcoder.ts';

const HOUR = 3_600_000;

/** A disk on which a tab was killed while it published `seed`, some groups of it written. */
async function killedInTheMiddle(seed: number) {
  const world = createAppWorld(5);
  world.openNode();
  const store = createMemoryStore(1e9);
  let segments = 0;
  const victim = world.tab({
    store,
    cut: { segments: 35, before: (event) => (event === 'segment' && ++segments > 25 ? new Promise(() => undefined) : undefined) },
  });
  void victim.app.publish(fakeFile(seed), { title: 'Lost' }).catch(() => undefined);
  await world.pass(2_000);
  return { world, store, victim };
}

describe('a tab that was closed in the middle', () => {
  test('leaves groups that another tab of the disk removes after an hour, and not before', async () => {
    const { world, store, victim } = await killedInTheMiddle(1);
    victim.crash();
    const left = await leftOn(store);
    expect(left.filter((key) => key.startsWith('draft/'))).toHaveLength(1);
    expect(left.length).toBeGreaterThan(10);
    world.tab({ store });
    await world.pass(HOUR / 2);
    expect(await leftOn(store)).toEqual(left);
    await world.pass(2 * HOUR);
    expect(await leftOn(store)).toEqual([]);
  });

  test('takes nothing from the same video published before, nor after', async () => {
    const { world, store, victim } = await killedInTheMiddle(2);
    victim.crash();
    const other = world.tab({ store, cut: { segments: 35 } });
    const { videoId } = await world.run(other.app.publish(fakeFile(2), { title: 'Again' }));
    const groups = await store.keys('groups');
    await world.pass(3 * HOUR);
    expect(await store.keys('groups')).toEqual(groups);
    expect((await store.keys('library')).filter((key) => key.startsWith('draft/'))).toEqual([]);
    expect((await other.app.mine()).map((card) => card.videoId)).toEqual([videoId]);
  });
});

test('[M17] captions of a published video stay, though a tab was closed that had written the same ones', { timeout: 90_000 }, async () => {
  const world = createAppWorld(8);
  world.openNode();
  const store = createMemoryStore(1e9);
  const dying: Store = {
    ...store,
    write: (changes) => (changes.some(({ key }) => key.startsWith('published/')) ? new Promise(() => undefined) : store.write(changes)),
  };
  const captions = [{ language: 'en', name: 'English', cues: [{ start: 0, end: 1_000, settings: '', text: 'Hello' }] }];
  const victim = world.tab({ store: dying });
  void victim.app.publish(fakeFile(5), { title: 'Lost', captions }).catch(() => undefined);
  await world.pass(2_000);
  victim.crash();
  const other = world.tab({ store });
  await world.run(other.app.publish(fakeFile(5), { title: 'Again', captions }));
  const groups = await store.keys('groups');
  await world.pass(2.1 * HOUR);
  expect(await store.keys('groups')).toEqual(groups);
  expect((await store.keys('library')).filter((key) => key.startsWith('draft/'))).toEqual([]);
});

test('a publication that ends, well or not, leaves no draft', async () => {
  const world = createAppWorld(6);
  world.openNode();
  const store = createMemoryStore(1e9);
  const tab = world.tab({ store });
  await world.run(tab.app.publish(fakeFile(3), { title: 'Good' }));
  const abort = new AbortController();
  const cancelled = tab.app.publish(fakeFile(4), {
    title: 'Cancelled',
    signal: abort.signal,
    onProgress: ({ fraction }) => fraction > 0.4 && abort.abort(),
  });
  await expect(world.run(cancelled)).rejects.toMatchObject({ code: 'aborted' });
  expect((await store.keys('library')).filter((key) => key.startsWith('draft/'))).toEqual([]);
});
