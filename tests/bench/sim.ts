/**
 * The overlay in virtual time: how fast and how exact lookups are, what they cost, what survives when nodes go, and what an idle node sends. Each network
 * has a process of its own with a heap of 4 GiB at most.
 *
 *   npm run bench -- sim [--nodes 100,1000,10000] [--only speed,lookup,idle,vanish,lossy,churn,day] [--seed 7] [--plot] [--json]
 *     [--rate 20] (newcomers in a virtual second) [--open-budget 64] (links of an open node) [--hours 24] (of the day)
 *     [--videos 1000] (published before the day)
 *     [--memory 4096] (of the heap, MiB: the bar; a network that does not fit spends its time on collecting garbage)
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Bench, BenchRow } from './bench-row.ts';
import { type Coming, type Known, PARTS, type Part, RUNS, type RunResult } from './sim/parts.ts';
import { drawPlot } from './sim/plot.ts';
import { partRows, rowsOf } from './sim/rows.ts';

/** A nursery (MiB) in which most of what a message needs dies young. */
const FLAGS = ['--max-semi-space-size=64', '--stack-trace-limit=0'];
const CHILD = fileURLToPath(new URL('sim/child.mjs', import.meta.url));
const PLOT = fileURLToPath(new URL('../../docs/sim.svg', import.meta.url));

const bench: Bench = async ({ args }) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '100,1000,10000' },
      only: { type: 'string', default: PARTS.join() },
      seed: { type: 'string', default: '7' },
      rate: { type: 'string', default: '20' },
      hours: { type: 'string' },
      videos: { type: 'string' },
      memory: { type: 'string', default: '4096' },
      'open-budget': { type: 'string', default: '64' },
      plot: { type: 'boolean', default: false },
    },
  });
  const sizes = values.nodes.split(',').map((text) => wholeNumber(text, '--nodes'));
  const seed = wholeNumber(values.seed, '--seed');
  const coming: Coming = {
    rate: wholeNumber(values.rate, '--rate'),
    openBudget: wholeNumber(values['open-budget'], '--open-budget'),
    hours: values.hours === undefined ? null : wholeNumber(values.hours, '--hours'),
    videos: values.videos === undefined ? null : wholeNumber(values.videos, '--videos'),
  };
  const memory = wholeNumber(values.memory, '--memory');
  const only = values.only.split(',').map(readPart);
  const results: RunResult[] = [];
  for (const nodes of sizes) {
    for (const { name, parts } of RUNS) {
      if (!parts.some((part) => only.includes(part))) continue;
      console.error(`${nodes} nodes: ${name}`);
      results.push(await runChild({ run: name, nodes, seed, only, ...coming }, memory));
    }
  }
  if (values.plot) await writeFile(PLOT, drawPlot(results));
  return rowsOf(results);
};
export default bench;

function runChild(job: Coming & { run: string; nodes: number; seed: number; only: readonly Part[] }, memory: number): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`--max-old-space-size=${memory}`, ...FLAGS, CHILD, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let result: RunResult | null = null;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as { known: Known } | { result: RunResult };
      if ('known' in line) tellRows(partRows(line.known));
      else result = line.result;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 && result) resolve(result);
      else
        reject(
          new Error(`The network of ${job.nodes} nodes (${job.run}, seed ${job.seed}) ended with code ${code}; its own words are above.`),
        );
    });
  });
}

/** Rows as soon as they are known, besides the table of all in the end. */
function tellRows(rows: readonly BenchRow[]): void {
  for (const { what, value, unit, bar, ok, beside } of rows) {
    const notes = [bar && `${bar}: ${ok ? 'yes' : 'NO'}`, beside].filter((note) => note !== null);
    console.error(`  ${what}: ${Number(value.toPrecision(4))} ${unit}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`);
  }
}

function wholeNumber(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} wants whole numbers from 1, not “${text}”.`);
  return value;
}

function readPart(text: string): Part {
  const part = PARTS.find((one) => one === text);
  if (!part) throw new Error(`There is no part “${text}”. There are: ${PARTS.join(', ')}.`);
  return part;
}
