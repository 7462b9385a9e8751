/** `npm run bench -- <name> [--json] [more for the bench]`: runs `tests/bench/<name>.ts` and prints its figures. Alone it lists the names. */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../signal-server/prepare.mjs';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const COLUMNS = ['what', 'value', 'unit', 'bar', 'ok', 'n', 'min', 'max', 'beside'];
const args = process.argv.slice(2).filter((arg) => arg !== '--json');
const asJson = process.argv.includes('--json');
const bench = args.shift();

installPackages({ tests: true });
if (!bench || !/^[\w-]+$/.test(bench) || !existsSync(`${FOLDER}${bench}.ts`)) {
  const names = readdirSync(FOLDER).flatMap((file) => (/^(?!bench-row).*\.ts$/.test(file) ? file.slice(0, -3) : []));
  console.error(
    `${bench ? `There is no bench “${bench}”. ` : ''}npm run bench -- <name> [--json], where <name> is one of: ${names.join(', ') || '(none yet)'}`,
  );
  process.exit(1);
}

const { runnerImport } = await import('vite');
const { module } = await runnerImport(`${FOLDER}${bench}.ts`, { configFile: false, logLevel: 'error' });
/** What else the machine does: mean number of processes that want a processor over the last minute, and how many there are for them. */
const load = { before: loadavg()[0], after: 0, processors: availableParallelism() };
const rows = await module.default({ args });
load.after = loadavg()[0];
printTable(rows);
console.log(`Load ${cell(load.before)} before, ${cell(load.after)} after, on ${load.processors} processors.`);
if (asJson) console.log(JSON.stringify({ bench, load, rows }));
process.exit(rows.some(({ ok }) => ok === false) ? 1 : 0);

function printTable(rows) {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => cell(row[column])))];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines)
    console.log(
      line
        .map((text, i) => text.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    );
}

function cell(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'NO';
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : value;
}
