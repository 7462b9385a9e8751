/**
 * Whatever may happen, in any order: newcomers, crashes, goodbyes, returns with and without a disk, partitions, bad lines. After it all has calmed down
 * everybody is linked, lookups are exact, and what was acknowledged and is still on a disk that stayed is found. `SEED=… npx vitest` plays one seed.
 */
import { describe, expect, test } from 'vitest';
import { watchInvariants } from './invariants.ts';
import { openAddresses, populate } from './population.ts';
import { seededRandom } from './random.ts';
import { createTruth } from './truth.ts';
import { measureLookups } from './workload/lookups.ts';
import { anyTab } from './workload/pick.ts';
import { createValues } from './workload/values.ts';
import { createWorld, type SimNode } from './world.ts';

/** Seeds that failed once. */
const PINNED: readonly number[] = [];
const FRESH = 4;
const STEPS = 30;
const MOST_TABS = 40;
const MINUTE = 60_000;

const seeds = process.env.SEED
  ? [Number(process.env.SEED)]
  : [...PINNED, ...Array.from({ length: FRESH }, () => Math.floor(Math.random() * 2 ** 31))];

async function live(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = createWorld({
    seed,
    bootstrap: openAddresses(2),
    loss: random.float() < 0.5 ? 0.02 * random.float() : 0,
    failures: random.float() < 0.5 ? 0.1 * random.float() : 0,
  });
  const invariants = watchInvariants({ world, seed });
  const truth = createTruth(world);
  try {
    await populate(world, { tabs: 12 + Math.floor(random.float() * 12), open: 2, settling: 10_000 });
    const values = createValues(world, random);
    const away: SimNode[] = [];
    let parted = false;
    const actions: readonly (() => unknown)[] = [
      () => {
        if (world.tabs().length < MOST_TABS) world.add();
      },
      () => {
        if (world.tabs().length < 8) return;
        const one = anyTab(world, random);
        one.crash();
        away.push(one);
      },
      async () => {
        if (world.tabs().length < 8) return;
        const one = anyTab(world, random);
        await world.run(one.leave({ handOver: random.float() < 0.5 ? 1_000 : 0 }));
        away.push(one);
      },
      () => away.shift()?.comeBack({ disk: random.float() < 0.8 }),
      () => {
        if (parted) world.network.heal();
        else world.network.partition((host) => host.name % 2);
        parted = !parted;
      },
      () => values.publish(1),
      () => values.probe({ count: 3 }),
      () => measureLookups({ world, truth, random, count: 2 }),
    ];
    for (let step = 0; step < STEPS; step++) {
      await actions[Math.floor(random.float() * actions.length)]?.();
      await world.scheduler.advance(20_000 * random.float() ** 2);
    }
    world.network.heal();
    await world.scheduler.advance(10 * MINUTE);
    expect(Math.min(...world.tabs().map(({ node }) => node.links().length)), 'links').toBeGreaterThan(0);
    const lookups = await measureLookups({ world, truth, random, count: 20 });
    expect(lookups.failed).toBe(0);
    expect(lookups.exact, 'exact').toBeGreaterThanOrEqual(0.98);
    expect((await values.probe()).broken, 'values that are kept and not found').toBe(0);
  } finally {
    invariants.close();
    world.close();
  }
}

describe('whatever happens', () => {
  test.each(seeds)('seed %i', { timeout: 300_000 }, (seed) => live(seed));
});
