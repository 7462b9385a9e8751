/** Small values: stored by random tabs, asked for by others, and whether what was acknowledged is still to be found. */
import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import type { Random } from '../../../src/base/ports.ts';
import { hashKey, type Key } from '../../../src/kademlia/key.ts';
import { rowOf } from '../../../src/node/item-rows.ts';
import { quantile } from '../figures.ts';
import type { SimNode, World } from '../world.ts';
import { anyTab } from './pick.ts';
import { settleAll } from './settle.ts';

export interface ValueFigures {
  readonly asked: number;
  readonly found: number;
  /** Not found although a node that it was stored on has been there all the time: must be 0. */
  readonly broken: number;
  /** Virtual ms of those that were found. */
  readonly median: number;
  readonly p95: number;
}

export interface Values {
  readonly count: number;
  /** Stores so many new ones, from random tabs. Gives how many nodes acknowledged the one that fewest did. */
  publish(count: number): Promise<number>;
  /** Asks for each of the last `count` ones (all without), each from another random tab, `rate` in a virtual second. */
  probe(options?: { count?: number; rate?: number }): Promise<ValueFigures>;
}

interface Value {
  readonly key: Key;
  readonly bytes: Bytes;
  /** The nodes that had it when it was acknowledged, and what they ran then. */
  readonly holders: readonly { readonly simNode: SimNode; readonly node: SimNode['node'] }[];
}

/** Virtual ms in which storing and finding must end. */
const PATIENCE = 120_000;

export function createValues(world: World, random: Random): Values {
  const { scheduler } = world;
  const values: Value[] = [];
  let made = 0;

  const holdersOf = async (key: Key): Promise<Value['holders']> => {
    const up = world.nodes.filter((one) => one.up);
    const kept = await Promise.all(up.map((one) => one.store.get('items', rowOf('value', key))));
    return up.flatMap((simNode, i) => (kept[i] ? { simNode, node: simNode.node } : []));
  };

  const storeOne = async (): Promise<number> => {
    const bytes = fromUtf8(`value ${made++} of ${random.float()}`) as Bytes;
    const key = hashKey(world.crypto, bytes);
    const stored = await anyTab(world, random).node.overlay.store(key, { type: 'value', bytes });
    if (stored > 0) values.push({ key, bytes, holders: await holdersOf(key) });
    return stored;
  };

  const probeOne = async ({ key, holders }: Value): Promise<{ found: boolean; broken: boolean; ms: number }> => {
    const asking = anyTab(world, random);
    const start = scheduler.time();
    const found = (await asking.node.overlay.findValue(key).catch(() => null)) !== null;
    // Only the word of who was there all the time counts: who came back has to be found again first.
    const kept = holders.some(({ simNode, node }) => simNode.up && simNode.node === node);
    return { found: found || !asking.up, broken: !found && kept && asking.up, ms: scheduler.time() - start };
  };

  return {
    get count() {
      return values.length;
    },
    async publish(count) {
      const works: Promise<number>[] = [];
      for (let i = 0; i < count; i++) {
        works.push(storeOne());
        await scheduler.advance(50);
      }
      const stored = await settleAll(world, works, { what: 'stores', patience: PATIENCE });
      return Math.min(...stored);
    },
    async probe({ count = values.length, rate = 20 } = {}) {
      const works: ReturnType<typeof probeOne>[] = [];
      for (const value of values.slice(-count)) {
        works.push(probeOne(value));
        await scheduler.advance(1000 / rate);
      }
      const outcomes = await settleAll(world, works, { what: 'searches', patience: PATIENCE });
      const times = outcomes.filter(({ found }) => found).map(({ ms }) => ms);
      return {
        asked: outcomes.length,
        found: times.length,
        broken: outcomes.filter(({ broken }) => broken).length,
        median: quantile(times, 0.5),
        p95: quantile(times, 0.95),
      };
    },
  };
}
