/** The lab: runs the chosen parts one after the other, and tells the results. */
import { missingGround } from './ground.ts';
import { runHomes } from './homes.ts';
import { runLan } from './lan.ts';
import { runLinks } from './links.ts';
import { runNats } from './nats.ts';
import { type LabOptions, type PartName, readOptions } from './options.ts';
import { ALL_PAIRS, runPairs } from './pairs.ts';
import { runRelayed } from './relayed.ts';
import { printRows, writePage } from './report.ts';
import type { LabRow } from './row.ts';
import { buildSite } from './servers.ts';
import { closeWorlds } from './world.ts';

/** Runs it with the words of a command line; gives the exit code. */
export async function runLab(args: readonly string[]): Promise<number> {
  let options: LabOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`\n${(error as Error).message}\n`);
    return 1;
  }
  const trouble = missingGround((line) => console.log(line));
  if (trouble !== null) {
    console.error(`\n${trouble}\n`);
    return 1;
  }
  endOnSignal();
  buildSite();
  const say = (line: string): void => {
    if (options.verbose) console.log(line);
  };
  const rows: LabRow[] = [];
  for (const part of options.parts) {
    console.log(`… ${part}`);
    rows.push(...(await run(part, options, say)));
  }
  printRows(rows);
  if (options.write) writePage(rows, options);
  if (options.json) console.log(JSON.stringify({ lab: rows }));
  return rows.some(({ ok }) => ok === false) ? 1 : 0;
}

async function run(part: PartName, options: LabOptions, say: (line: string) => void): Promise<readonly LabRow[]> {
  switch (part) {
    case 'nats':
      return runNats();
    case 'links':
      return runLinks();
    case 'pairs':
      return runPairs({ ...options, pairs: ALL_PAIRS, say });
    case 'relayed':
      return runRelayed(options);
    case 'lan':
      return runLan({ ...options, say });
    case 'homes':
      return runHomes({ ...options, brief: false, say });
  }
}

function endOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error('\nEnding what the lab has started …');
      closeWorlds().finally(() => process.exit(130));
    });
  }
}
