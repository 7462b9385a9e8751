/** The simulator for people: joins nodes, stores and finds values, and says what it saw. */
import { parseArgs } from 'node:util';
import { fromUtf8 } from '../../src/base/bytes.ts';
import { hashKey } from '../../src/kademlia/key.ts';
import { seededRandom } from './random.ts';
import { createWorld, type SimNode } from './world.ts';

/** Virtual ms between two newcomers, and for the last one to settle. */
const ARRIVAL = 100;
const SETTLING = 30_000;
const LOOKUPS = 100;

/** Prints the seed and the trace's hash: the same seed gives the same hash. */
export async function runSimulator(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { nodes: { type: 'string', default: '300' }, seed: { type: 'string', default: '7' } },
  });
  const [nodes, seed] = [Number(values.nodes), Number(values.seed)];
  if (!Number.isInteger(nodes) || nodes < 2 || !Number.isInteger(seed)) {
    throw new Error('Give whole numbers: npm run sim -- --nodes 300 --seed 7');
  }
  const world = createWorld({ seed });
  const pick = seededRandom(seed + 1);
  const anyone = (): SimNode => world.nodes[1 + Math.floor(pick.float() * nodes)] as SimNode;

  console.log(`${nodes} tabs and one open node, seed ${seed}`);
  world.add({ open: 'ws://open-0/ws' });
  for (let i = 0; i < nodes; i++) {
    world.add();
    await world.scheduler.advance(ARRIVAL);
  }
  await world.scheduler.advance(SETTLING);
  const links = world.nodes.slice(1).map(({ node }) => node.links().length);
  console.log(`joined: ${spread(links)} links each, ${(world.network.messages / nodes).toFixed(0)} messages for each node`);

  const before = world.network.messages;
  const times: number[] = [];
  let found = 0;
  for (let i = 0; i < LOOKUPS; i++) {
    const bytes = fromUtf8(`value ${i} of run ${seed}`);
    const key = hashKey(world.crypto, bytes);
    await world.run(anyone().node.overlay.store(key, { type: 'value', bytes }));
    const start = world.scheduler.clock.now();
    if (await world.run(anyone().node.overlay.findValue(key))) found++;
    times.push(world.scheduler.clock.now() - start);
  }
  const messages = (world.network.messages - before) / LOOKUPS;
  console.log(
    `stored and found ${found} of ${LOOKUPS}: ${spread(times)} ms to find, ${messages.toFixed(0)} messages for each store and find`,
  );
  console.log(`trace ${world.network.trace()}`);
  world.close();
}

/** Least, median and most. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${sorted[0]} / ${sorted[sorted.length >> 1]} / ${sorted.at(-1)} (least, median, most)`;
}
