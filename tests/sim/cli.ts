/** The simulator for people: plays a scenario and says what it saw. */
import { parseArgs } from 'node:util';
import { play } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

const USAGE = `npm run sim -- [--nodes 300] [--seed 7] [--scenario churn] [--trace]

  --nodes     tabs that come together first: 2 to 20000
  --seed      a whole number; the same seed does the same again
  --trace     tells what happens in each virtual minute
  --scenario  one of:
${[...SCENARIOS.values()].map(({ name, about }) => `                ${name.padEnd(10)} ${about}`).join('\n')}`;

const MAX_NODES = 20_000;

export interface SimulatorArguments {
  readonly nodes: number;
  readonly seed: number;
  readonly scenario: string;
  readonly trace: boolean;
}

/** What the words of a command line say, or what is wrong with them. */
export function readArguments(args: readonly string[]): SimulatorArguments | { readonly problem: string } {
  let values: { nodes: string; seed: string; scenario: string; trace: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string', default: '300' },
        seed: { type: 'string', default: '7' },
        scenario: { type: 'string', default: 'static' },
        trace: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { problem: (error as Error).message }; // parseArgs says which word it does not know
  }
  const nodes = wholeNumber(values.nodes);
  const seed = wholeNumber(values.seed);
  if (nodes === null || nodes < 2 || nodes > MAX_NODES) {
    return { problem: `--nodes is a whole number from 2 to ${MAX_NODES}, not “${values.nodes}”.` };
  }
  if (seed === null) return { problem: `--seed is a whole number from 0, not “${values.seed}”.` };
  if (!SCENARIOS.has(values.scenario)) {
    return { problem: `There is no scenario “${values.scenario}”. There are: ${[...SCENARIOS.keys()].join(', ')}.` };
  }
  return { nodes, seed, scenario: values.scenario, trace: values.trace };
}

/** Plays a scenario, tells it line by line, and ends with its figures, the seed and the hash of its trace. Gives the process's exit code. */
export async function runSimulator(args: readonly string[], tell: (line: string) => void = console.log): Promise<number> {
  const read = readArguments(args);
  if ('problem' in read) {
    tell(`${read.problem}\n\n${USAGE}`);
    return 2;
  }
  const { nodes, seed, trace } = read;
  const scenario = SCENARIOS.get(read.scenario);
  if (!scenario) throw new Error(`There is no scenario “${read.scenario}”.`);
  tell(`${scenario.name}: ${scenario.about}`);
  const start = performance.now();
  const outcome = await play(scenario, { nodes, seed, tell, trace });
  tell('');
  for (const [name, value] of Object.entries(outcome.figures)) tell(`${name.padEnd(18)} ${Number(value.toPrecision(4))}`);
  tell(
    `\nseed ${seed}, ${outcome.messages} messages in ${((performance.now() - start) / 1000).toFixed(1)} s, at most ${outcome.mostLinks} links`,
  );
  tell(`trace ${outcome.trace}`);
  return 0;
}

function wholeNumber(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : null;
}
