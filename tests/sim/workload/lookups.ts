/** Lookups of random keys by random tabs, held against the truth. */
import type { Random } from '../../../src/base/ports.ts';
import { KEY_BYTES, type Key, keyOf } from '../../../src/kademlia/key.ts';
import { DEFAULT_SETTINGS, type NodeSettings } from '../../../src/node/settings.ts';
import { mean, quantile } from '../figures.ts';
import type { Truth } from '../truth.ts';
import type { SimNode, World } from '../world.ts';
import { anyTab } from './pick.ts';
import { settleAll } from './settle.ts';

export interface LookupFigures {
  readonly count: number;
  /** Virtual ms. */
  readonly median: number;
  readonly p95: number;
  /** The share of the true nearest k that were found, and of the lookups that found all of them. */
  readonly exact: number;
  readonly whole: number;
  /** Lookups that were given up with an error. */
  readonly failed: number;
  /** Messages of all nodes, for each lookup; 0 unless they were counted. */
  readonly messages: number;
}

export interface LookupsOptions {
  readonly world: World;
  readonly truth: Truth;
  readonly random: Random;
  readonly count: number;
  /** Begun in a virtual second. */
  readonly rate?: number;
  readonly style?: NodeSettings['lookupStyle'];
  /** As in the world's settings. */
  readonly k?: number;
  /** Counts what they cost: each second of lookups follows a second without, whose messages are taken off. Takes twice the time. */
  readonly counted?: boolean;
}

/** Virtual ms with a lookup, and without one before it: nearly all lookups end within it. */
const SPAN = 1_000;
/** Virtual ms in which every lookup must end: several deadlines one after the other. */
const PATIENCE = 60_000;

interface Sample {
  readonly ms: number;
  readonly exact: number;
  readonly failed: boolean;
}

export async function measureLookups(options: LookupsOptions): Promise<LookupFigures> {
  const { world, random, count, rate = 10, counted = false } = options;
  const { scheduler } = world;
  const works: Promise<Sample>[] = [];
  let messages = 0;
  for (let i = 0; i < count; i++) {
    // What goes on anyway becomes less while a network settles, so each lookup has its own measure of it.
    if (counted) messages -= await measureMessages(world, SPAN);
    const [asking, target] = [anyTab(world, random), keyOf(random.bytes(KEY_BYTES))];
    works.push(measureOne(options, { asking, target }));
    if (counted) messages += await measureMessages(world, SPAN);
    else await scheduler.advance(1000 / rate);
  }
  const samples = await settleAll(world, works, { what: 'lookups', patience: PATIENCE });
  const times = samples.map(({ ms }) => ms);
  return {
    count,
    median: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    exact: mean(samples.map(({ exact }) => exact)),
    whole: mean(samples.map(({ exact }) => Number(exact === 1))),
    failed: samples.filter(({ failed }) => failed).length,
    messages: counted ? messages / count : 0,
  };
}

async function measureOne(
  { world, truth, style, k = DEFAULT_SETTINGS.k }: LookupsOptions,
  { asking, target }: { asking: SimNode; target: Key },
): Promise<Sample> {
  const start = world.scheduler.time();
  let found: readonly Key[] = [];
  let failed = false;
  try {
    for await (const event of asking.node.overlay.lookup(target, style && { style })) {
      if (event.type === 'done') found = event.nearest.map(({ contact }) => contact.id);
    }
  } catch {
    failed = true; // counts as having found nobody, unless it is the asking node that has gone
  }
  const right = truth.nearest(target, k, asking.id);
  const exact = asking.up ? right.filter((id) => found.includes(id)).length / right.length : 1;
  return { ms: world.scheduler.time() - start, exact, failed: failed && asking.up };
}

/** Several measurements as one: the means of their figures. */
export function meanOf(runs: readonly LookupFigures[]): LookupFigures {
  const of = (name: keyof LookupFigures): number => mean(runs.map((run) => run[name]));
  const sum = (name: keyof LookupFigures): number => of(name) * runs.length;
  return {
    count: sum('count'),
    median: of('median'),
    p95: of('p95'),
    exact: of('exact'),
    whole: of('whole'),
    failed: sum('failed'),
    messages: of('messages'),
  };
}

async function measureMessages({ scheduler, network }: World, ms: number): Promise<number> {
  const before = network.messages;
  await scheduler.advance(ms);
  return network.messages - before;
}
