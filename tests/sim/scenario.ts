/** One thing that may happen to a network, played through from its beginning; the tests, the command line and the bench play the same ones. */
import type { Random } from '../../src/base/ports.ts';
import { type Invariants, watchInvariants } from './invariants.ts';
import { openAddresses, populate } from './population.ts';
import { seededRandom } from './random.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createTraffic, type Traffic } from './traffic.ts';
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
  readonly traffic: Traffic;
  readonly invariants: Invariants;
  readonly timeline: Timeline;
  /** For what the scenario chooses; the network has its own. */
  readonly random: Random;
  readonly nodes: number;
  tell(line: string): void;
}

export interface PlayOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly tell?: (line: string) => void;
  /** Tells what happened in each virtual minute, too. */
  readonly trace?: boolean;
}

/** What a scenario came to. */
export interface Outcome {
  readonly figures: Figures;
  /** The same for the same scenario, nodes and seed. */
  readonly trace: string;
  readonly messages: number;
  readonly mostLinks: number;
}

/** One open node for so many tabs. */
const TABS_PER_OPEN = 1000;

export async function play(scenario: Scenario, { nodes, seed, tell = () => undefined, trace = false }: PlayOptions): Promise<Outcome> {
  const open = Math.max(1, Math.ceil(nodes / TABS_PER_OPEN));
  const world = createWorld({ seed, bootstrap: openAddresses(open), openBudget: 64, ...scenario.conditions });
  const traffic = createTraffic(world);
  const truth = createTruth(world);
  const invariants = watchInvariants({ world, seed });
  const timeline = createTimeline({ world, traffic, tell: trace ? tell : () => undefined });
  try {
    await populate(world, { tabs: nodes, open });
    tell(`${nodes} tabs and ${open} open ${open === 1 ? 'node' : 'nodes'} have come together.`);
    const stage: Stage = { world, truth, traffic, invariants, timeline, random: seededRandom(seed + 1), nodes, tell };
    const figures = await scenario.play(stage);
    return { figures, trace: world.network.trace(), messages: world.network.messages, mostLinks: invariants.most.links };
  } finally {
    timeline.stop();
    invariants.close();
    world.close();
  }
}
