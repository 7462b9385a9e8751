/** Copies in a network of whole nodes: what becomes of a group when those who keep it go (docs/protocol.md, rules M11 to M14). */
import { afterEach, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { compareDistance, hashKey, type Key } from '../../../src/kademlia/key.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createWorld, type SimNode, type World } from '../../sim/world.ts';
import { makeGroup } from './support/make-group.ts';

const MINUTE = 60_000;
const patient = new AbortController().signal;

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** Tabs around an open node, and a group that the first one of them has published. */
async function published(seed: number, tabs = 30) {
  const world = createWorld({ seed });
  worlds.push(world);
  world.add({ open: 'ws://open-0/ws' });
  for (let i = 0; i < tabs; i++) {
    world.add();
    await world.scheduler.advance(200);
  }
  await world.scheduler.advance(30_000);
  const publisher = world.tabs()[0] as SimNode;
  const group = makeGroup(seed, [2_000, 3_000]);
  for (const [index, bytes] of group.segments.entries()) {
    await world.run(publisher.node.groups.put({ group: group.key, encoded: group.encoded, index, bytes, role: 'own' }));
  }
  await world.run(publisher.node.announce(group.key));
  expect(await world.run(publisher.node.copies.spread(group.key, { wanted: 5, signal: patient }))).toBe(5);
  await world.scheduler.advance(5 * MINUTE);
  const keepers = () => keepersOf(world, group.key, publisher);
  return { world, publisher, group, keepers };
}

/** Those that are up and have it, the publisher apart. */
async function keepersOf(world: World, group: Key, publisher: SimNode): Promise<SimNode[]> {
  const has = await Promise.all(world.tabs().map(async ({ node }) => (await node.groups.get(group))?.complete ?? false));
  return world.tabs().filter((one, i) => has[i] && one !== publisher);
}

/** Lets time pass until so many keep it, at most `ms`; gives how long it took. */
async function until(at: Awaited<ReturnType<typeof published>>, count: number, ms: number): Promise<number> {
  const { clock } = at.world.scheduler;
  const start = clock.now();
  while (clock.now() - start < ms && (await at.keepers()).length < count) await at.world.scheduler.advance(1_000);
  return clock.now() - start;
}

describe('a group', () => {
  test('[M11] with all its copies stays as it is: nobody makes another one in an hour', async () => {
    const at = await published(1);
    const first = await at.keepers();
    expect(first.length).toBe(5);
    await at.world.scheduler.advance(60 * MINUTE);
    expect(await at.keepers()).toEqual(first);
  }, 60_000);

  test('[M12] gets a new copy for one that was lost with its tab, after the wait and no sooner; one who returns is one more', async () => {
    const at = await published(2);
    at.publisher.crash();
    const [first, second] = (await at.keepers()) as [SimNode, SimNode];
    first.crash();
    await at.world.scheduler.advance(DEFAULT_SETTINGS.returnWait - 10_000);
    expect((await at.keepers()).length).toBe(4);
    expect(await until(at, 5, 3 * MINUTE)).toBeLessThan(2 * MINUTE);
    first.comeBack();
    second.crash();
    await at.world.scheduler.advance(30 * MINUTE);
    expect((await at.keepers()).length).toBe(5); // the one that came back took the place of the one that went
    const viewer = at.world.add();
    await at.world.scheduler.advance(20_000);
    expect(await at.world.run(viewer.node.segments.get({ group: at.group.key, segment: 1, urgency: 0 }, patient))).toEqual(
      at.group.segments[1],
    );
  }, 60_000);

  test('[M12] of which two copies are left is copied at once, by one of them', async () => {
    const at = await published(3);
    at.publisher.crash();
    const keepers = await at.keepers();
    for (const one of keepers.slice(0, 3)) one.crash();
    expect(await until(at, 5, 5 * MINUTE)).toBeLessThan(60_000);
    await at.world.scheduler.advance(30 * MINUTE);
    expect((await at.keepers()).length).toBe(5);
  }, 60_000);

  test('[M14] is with others before a keeper that moves out has gone, and none is made twice', async () => {
    const at = await published(4);
    at.publisher.crash();
    await at.world.scheduler.advance(10_000);
    const [leaver] = (await at.keepers()) as [SimNode];
    const start = at.world.scheduler.clock.now();
    await at.world.run(leaver.leave({ handOver: 20_000 }));
    expect(at.world.scheduler.clock.now() - start).toBeLessThan(5_000);
    expect((await at.keepers()).length).toBe(5);
    await at.world.scheduler.advance(30 * MINUTE);
    expect((await at.keepers()).length).toBe(5);
  }, 60_000);

  test('[M14] whoever moves out is gone after its deadline, however little the others take', async () => {
    const at = await published(5, 8);
    at.publisher.crash();
    for (const one of at.world.tabs()) one.node.copies.offer = () => new Promise(() => undefined);
    const [leaver] = (await at.keepers()) as [SimNode];
    const left = leaver.leave({ handOver: 20_000 });
    await at.world.scheduler.advance(21_000);
    expect(leaver.up).toBe(false);
    await at.world.run(left);
  }, 60_000);
});

describe('a small item', () => {
  test('[M14] goes to the node that takes the place of a keeper which moves out', async () => {
    const { world } = await published(6, 40);
    const bytes = fromUtf8('a value');
    const key = hashKey(world.crypto, bytes);
    await world.run((world.tabs()[3] as SimNode).node.overlay.store(key, { type: 'value', bytes }));
    await world.scheduler.advance(5_000);
    const near = (): SimNode[] => [...world.tabs()].sort((a, b) => compareDistance(key, a.id, b.id)).slice(0, 20);
    const kept = async (nodes: readonly SimNode[]): Promise<number> => {
      const rows = await Promise.all(nodes.map(({ store }) => store.keys('items', `v/${key}`)));
      return rows.flat().length;
    };
    expect(await kept(near())).toBe(20);
    for (let i = 0; i < 5; i++) {
      await world.run((near()[i] as SimNode).leave({ handOver: 5_000 }));
      await world.scheduler.advance(1_000);
    }
    // 15 without it. Who has no link to the next one gives it to the one after: by seed 18 to 20.
    expect(await kept(near())).toBeGreaterThanOrEqual(19);
  }, 60_000);
});
