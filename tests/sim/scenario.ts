/** One thing that may happen to a network, played through from its beginning; the tests, the command line and the bench play the same ones. */
import type { Random } from '../../src/base/ports.ts';
import { DEFAULT_SETTINGS } from '../../src/node/settings.ts';
import { type Invariants, watchInvariants } from './invariants.ts';
import { openAddresses, populate } from './population.ts';
import { seededRandom } from './random.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createTraffic } from './traffic.ts';
import { createTruth, type Truth } from './truth.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** What was measured, by name. */
export type Figures = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  /** In a line, for a person. */
  readonly about: string;
  readonly conditions?: Omit<WorldOptions, 'seed'>;
  play(stage: Stage): Promise<Figures>;
}

/** Where a scenario is played: a network that has come together. */
export interface Stage {
  readonly world: World;
  readonly truth: Truth;
  readonly invariants: Invariants;
  readonly timeline: Pick<Timeline, 'note'>;
  /** What its coming together took. */
  readonly joining: Joining;
  /** For what the scenario chooses; the network has its own. */
  readonly random: Random;
  readonly nodes: number;
  tell(line: string): void;
}

export interface Joining {
  /** Sent by all nodes. */
  readonly messages: number;
  readonly bytes: number;
  /** Real ms, and ms of the processor. */
  readonly wall: number;
  readonly processor: number;
  /** Virtual ms from the last one's coming until all had a link. */
  readonly waited: number;
}

export interface PlayOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly tell?: (line: string) => void;
  /** Tells what happened in each virtual minute, too. */
  readonly trace?: boolean;
  /** Tabs that come in a virtual second, when they come together. */
  readonly rate?: number;
}

/** What a scenario came to. */
export interface Outcome {
  readonly figures: Figures;
  /** The same for the same scenario, nodes and seed. */
  readonly trace: string;
  readonly messages: number;
  readonly mostLinks: number;
  /** Timers and messages under way, for each node that is up: the most in any minute. */
  readonly mostEvents: number;
}

/** One open node for so many tabs: with 64 links each, that is enough to let in twenty newcomers in a second where there are 10,000. */
const TABS_PER_OPEN = 100;

export async function play(
  scenario: Scenario,
  { nodes, seed, tell = () => undefined, trace = false, rate }: PlayOptions,
): Promise<Outcome> {
  const open = Math.ceil(nodes / TABS_PER_OPEN);
  const world = createWorld({ seed, bootstrap: openAddresses(open), openBudget: DEFAULT_SETTINGS.budget, ...scenario.conditions });
  const truth = createTruth(world);
  const invariants = watchInvariants({ world, seed });
  const timeline = trace ? createTimeline({ world, traffic: createTraffic(world), tell }) : null;
  try {
    const [start, processor] = [performance.now(), process.cpuUsage()];
    const waited = await populate(world, { tabs: nodes, open, tell, ...(rate !== undefined && { rate }) });
    const used = process.cpuUsage(processor);
    const { network } = world;
    const joining: Joining = {
      messages: network.messages,
      bytes: network.bytes,
      wall: performance.now() - start,
      processor: (used.user + used.system) / 1000,
      waited,
    };
    tell(
      `${nodes} tabs and ${open} open ${open === 1 ? 'node' : 'nodes'} have come together, with ${(network.messages / nodes).toFixed(0)} messages each; the last one had to wait for ${(waited / 1000).toFixed(0)} s.`,
    );
    const note = timeline?.note ?? (() => undefined);
    const stage: Stage = { world, truth, invariants, timeline: { note }, joining, random: seededRandom(seed + 1), nodes, tell };
    const figures = await scenario.play(stage);
    const { links, events } = invariants.most;
    return { figures, trace: network.trace(), messages: network.messages, mostLinks: links, mostEvents: events };
  } finally {
    timeline?.stop();
    invariants.close();
    world.close();
  }
}
