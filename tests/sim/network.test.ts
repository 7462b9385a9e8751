/** Three hundred real nodes in virtual time: they join, store and find, and the same seed does the same again. */
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../src/base/bytes.ts';
import { compareDistance, hashKey, type Key } from '../../src/kademlia/key.ts';
import { DEFAULT_SETTINGS } from '../../src/node/settings.ts';
import { seededRandom } from './random.ts';
import { createWorld, type SimNode, type World } from './world.ts';

const SEED = Number(process.env.SEED ?? 7);
const TABS = 300;
/** Virtual ms between two newcomers, and until the last one has settled. */
const ARRIVAL = 100;
const SETTLING = 30_000;
const VALUES = 60;

interface Outcome {
  readonly trace: string;
  readonly found: number;
  readonly exact: number;
  readonly storedLeast: number;
  readonly links: readonly number[];
  readonly malformed: number;
}

async function joinStoreFind(seed: number, tabs: number): Promise<Outcome> {
  const world = createWorld({ seed });
  const pick = seededRandom(seed + 1);
  world.add({ open: 'ws://open-0/ws' });
  for (let i = 0; i < tabs; i++) {
    world.add();
    await world.scheduler.advance(ARRIVAL);
  }
  await world.scheduler.advance(SETTLING);
  const anyone = (): SimNode => world.nodes[1 + Math.floor(pick.float() * tabs)] as SimNode;
  let found = 0;
  let exact = 0;
  let storedLeast = Number.POSITIVE_INFINITY;
  for (let i = 0; i < VALUES; i++) {
    const bytes = fromUtf8(`value ${i} of run ${seed}`);
    const key = hashKey(world.crypto, bytes);
    const stored = await world.run(anyone().node.overlay.store(key, { type: 'value', bytes }));
    storedLeast = Math.min(storedLeast, stored);
    const finder = anyone();
    if (await world.run(finder.node.overlay.findValue(key))) found++;
    const nearest = await world.run(finder.node.overlay.nearest(key));
    const ids = nearest.map((storer) => storer.contact.id);
    if (ids.join() === trueNearest(world, key, finder).join()) exact++;
  }
  const tabsOnly = world.nodes.slice(1);
  const outcome = {
    trace: world.network.trace(),
    found,
    exact,
    storedLeast,
    links: tabsOnly.map(({ node }) => node.links().length),
    malformed: world.nodes.reduce((sum, { node }) => sum + node.stats().malformed, 0),
  };
  world.close();
  return outcome;
}

/** The k nodes nearest to a key by what the simulator knows, the asking one left out. */
function trueNearest(world: World, key: Key, asking: SimNode): readonly Key[] {
  return world.nodes
    .filter((one) => one !== asking)
    .map(({ node }) => node.contact.id)
    .sort((a, b) => compareDistance(key, a, b))
    .slice(0, DEFAULT_SETTINGS.k);
}

describe(`${TABS} nodes, seed ${SEED}`, () => {
  test('join, store on k nodes, find from anywhere; the same seed leaves the same trace', { timeout: 900_000 }, async () => {
    const first = await joinStoreFind(SEED, TABS);
    console.info(`seed ${SEED}: trace ${first.trace.slice(0, 16)}, exact lookups ${first.exact} of ${VALUES}`);
    expect(first.found).toBe(VALUES);
    expect(first.exact).toBeGreaterThanOrEqual(VALUES - 1);
    expect(first.storedLeast).toBeGreaterThanOrEqual(DEFAULT_SETTINGS.k);
    expect(first.malformed).toBe(0);
    expect(Math.max(...first.links)).toBeLessThanOrEqual(DEFAULT_SETTINGS.budget);
    expect(Math.min(...first.links)).toBeGreaterThanOrEqual(DEFAULT_SETTINGS.neighbours / 2);
    const again = await joinStoreFind(SEED, TABS);
    expect(again.trace).toBe(first.trace);
  });

  test('another seed leaves another trace', { timeout: 300_000 }, async () => {
    const [a, b] = [await joinStoreFind(SEED, 20), await joinStoreFind(SEED + 1, 20)];
    expect(a.found).toBe(VALUES);
    expect(b.trace).not.toBe(a.trace);
  });
});
