/** The same seed does the same, a hundred times of a hundred, whatever happens; another seed does something else. */
import { expect, test } from 'vitest';
import { KEY_BYTES, keyOf } from '../../src/kademlia/key.ts';
import { HOME_NATS } from './nat.ts';
import { populate } from './population.ts';
import { seededRandom } from './random.ts';
import { anyTab } from './workload/pick.ts';
import { createValues } from './workload/values.ts';
import { createWorld } from './world.ts';

const SEED = Number(process.env.SEED ?? 7);
const TIMES = 100;
const TABS = 30;

/** A short life with a bit of everything; gives its trace. */
async function live(seed: number): Promise<string> {
  const world = createWorld({ seed, loss: 0.01, failures: 0.02, nats: HOME_NATS });
  const random = seededRandom(seed + 1);
  await populate(world, { tabs: TABS, rate: 30, settling: 0 });
  const values = createValues(world, random);
  await values.publish(2);
  const gone = [anyTab(world, random), anyTab(world, random)];
  for (const one of gone) one.crash();
  await world.run(anyTab(world, random).leave({ handOver: 500 }));
  world.network.partition((host) => host.name % 2);
  await world.scheduler.advance(1_000);
  world.network.heal();
  gone[0]?.comeBack();
  for (let i = 0; i < 3; i++) await world.run(anyTab(world, random).node.overlay.nearest(keyOf(random.bytes(KEY_BYTES))));
  await world.scheduler.advance(2_000);
  const trace = world.network.trace();
  world.close();
  return trace;
}

test(`the same trace ${TIMES} of ${TIMES} times, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const first = await live(SEED);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  for (let i = 1; i < TIMES; i++) expect(await live(SEED), `run ${i} of seed ${SEED}`).toBe(first);
  expect(await live(SEED + 1)).not.toBe(first);
});
