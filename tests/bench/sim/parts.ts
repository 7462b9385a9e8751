/** What the bench measures of a simulated network, part by part; parts that leave the network as it was share one. */
import { type Figures, type Outcome, play, type Scenario } from '../../sim/scenario.ts';
import { churn } from '../../sim/scenarios/churn.ts';
import { day } from '../../sim/scenarios/day.ts';
import { idle } from '../../sim/scenarios/idle.ts';
import { lossy } from '../../sim/scenarios/lossy.ts';
import { still } from '../../sim/scenarios/static.ts';
import { vanish } from '../../sim/scenarios/vanish.ts';

/** What can be asked for with `--only`. */
export const PARTS = ['speed', 'lookup', 'idle', 'vanish', 'lossy', 'churn', 'day'] as const;
export type Part = (typeof PARTS)[number];

/** One network, on which some parts are measured one after the other. */
export interface Run {
  readonly name: string;
  readonly parts: readonly Part[];
}

/** The networks that are made for each number of nodes. */
export const RUNS: readonly Run[] = [
  { name: 'still', parts: ['speed', 'lookup', 'idle', 'vanish'] },
  { name: 'lossy', parts: ['lossy'] },
  { name: 'churn', parts: ['churn'] },
  { name: 'day', parts: ['day'] },
];

/** What is known of a network so far. */
export interface Known {
  readonly run: string;
  readonly nodes: number;
  /** By part; `vanish` has its second half under `vanish-half`. */
  readonly figures: Readonly<Record<string, Figures>>;
}

/** What one network came to. */
export interface RunResult extends Known {
  readonly seed: number;
  readonly outcome: Omit<Outcome, 'figures'>;
  /** Bytes of memory at most. */
  readonly rss: number;
}

/** How the networks come together, and how long they live. */
export interface Coming {
  /** Newcomers in a virtual second. */
  readonly rate: number;
  /** Links of an open node at most. */
  readonly openBudget: number;
  /** Of the day. */
  readonly hours: number | null;
  /** Published before the day begins. */
  readonly videos: number | null;
}

export interface MeasureOptions extends Coming {
  readonly nodes: number;
  readonly seed: number;
  readonly only: readonly Part[];
  tell(line: string): void;
  /** Gets each part's figures as soon as they are there: a large network takes hours for all of them. */
  known(part: Known): void;
}

/** Hours of the day that fit in half an hour or so: one node costs half a second of the processor in each. `--hours` asks for more. */
export function dayHours(nodes: number): number {
  return Math.min(24, 4000 / nodes);
}

export async function measure(run: string, options: MeasureOptions): Promise<RunResult> {
  const { nodes, seed, tell } = options;
  const figures: Record<string, Figures> = {};
  const note = (name: string, part: Figures): void => {
    figures[name] = part;
    options.known({ run, nodes, figures: { [name]: part } });
  };
  const scenario: Scenario = {
    name: run,
    about: '',
    conditions: { openBudget: options.openBudget, ...(run === 'lossy' && lossy.conditions) },
    async play(stage) {
      const { messages, bytes, wall, processor, waited } = stage.joining;
      note('join', { messages: messages / nodes, bytes: bytes / nodes, wall, processor, waited });
      for (const [name, part] of scenariosOf(run, options)) note(name, await part.play(stage));
      return {};
    },
  };
  const { figures: _none, ...outcome } = await play(scenario, { nodes, seed, tell, rate: options.rate });
  return { run, nodes, seed, figures, outcome, rss: process.resourceUsage().maxRSS * 1024 };
}

function scenariosOf(run: string, { nodes, only, hours, videos }: MeasureOptions): readonly (readonly [string, Scenario])[] {
  const small = nodes < 1000;
  const stored = { values: small ? 200 : 500, groups: small ? 200 : 1000 };
  switch (run) {
    case 'still': {
      const scenarios: (readonly [string, Scenario])[] = [
        [
          'lookup',
          still({ recursive: only.includes('speed') ? Math.max(1000, nodes) : 1000, iterative: 300, rate: 100, values: stored.values }),
        ],
        ['idle', idle],
        // One after the other on one network, as a large one takes an hour to come together: in between all are there again.
        ['vanish', vanish({ share: 0.3, ...stored, all: true })],
        ['vanish-half', vanish({ share: 0.5, ...stored })],
      ];
      const wanted = new Set<string>(only);
      if (only.includes('speed')) wanted.add('lookup');
      if (only.includes('vanish')) wanted.add('vanish-half');
      return scenarios.filter(([name]) => wanted.has(name));
    }
    case 'lossy':
      return [['lossy', lossy]];
    case 'churn':
      return [['churn', churn({ warmUp: 10, rounds: 10, lookups: small ? 100 : 300, values: stored.values })]];
    case 'day':
      return [['day', day({ hours: hours ?? dayHours(nodes), videos: videos ?? (small ? 100 : 1000) })]];
    default:
      throw new Error(`There is no run “${run}”.`);
  }
}
