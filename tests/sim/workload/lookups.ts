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
  /** Messages of all nodes, for each lookup. */
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
  /** Messages that the world sends in a virtual ms without these lookups, to be left out. */
  readonly background?: number;
}

/** Virtual ms in which every lookup must end: several deadlines one after the other. */
const PATIENCE = 60_000;

interface Sample {
  readonly ms: number;
  readonly exact: number;
  readonly failed: boolean;
}

export async function measureLookups(options: LookupsOptions): Promise<LookupFigures> {
  const { world, random, count, rate = 10, background = 0 } = options;
  const { scheduler, network } = world;
  const works: Promise<Sample>[] = [];
  const [startedAt, before] = [scheduler.time(), network.messages];
  for (let i = 0; i < count; i++) {
    const [asking, target] = [anyTab(world, random), keyOf(random.bytes(KEY_BYTES))];
    works.push(measureOne(options, { asking, target }));
    await scheduler.advance(1000 / rate);
  }
  const samples = await settleAll(world, works, { what: 'lookups', patience: PATIENCE });
  const messages = network.messages - before - background * (scheduler.time() - startedAt);
  const times = samples.map(({ ms }) => ms);
  return {
    count,
    median: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    exact: mean(samples.map(({ exact }) => exact)),
    whole: mean(samples.map(({ exact }) => Number(exact === 1))),
    failed: samples.filter(({ failed }) => failed).length,
    messages: messages / count,
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

/** Messages in a virtual ms while nothing is asked for, over `ms`. */
export async function measureBackground({ scheduler, network }: World, ms: number): Promise<number> {
  const before = network.messages;
  await scheduler.advance(ms);
  return (network.messages - before) / ms;
}
