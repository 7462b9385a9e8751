/**
 * `npm run faults`: plants faults in a copy of the source, one at a time, and says which tests catch each. A fault that no test catches,
 * or whose place is no longer in the source, ends it with 1. `npm run faults -- token` plants only those whose name has that word.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../signal-server/prepare.mjs';
import { FAULTS } from './faults.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the tests of the core need. */
const COPIED = ['src', 'signal-server', 'tests', 'docs', 'public', 'package.json', 'vite.config.ts', 'vitest.config.ts'];
/** One fault's tests, ms. */
const PATIENCE = 600_000;

installPackages({ tests: true });
const word = process.argv[2] ?? '';
const copy = mkdtempSync(join(tmpdir(), 'kadreel-faults-'));
const missed = [];
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const faults = FAULTS.filter(({ name }) => name.includes(word));
  // Tests that fail without a fault catch nothing.
  const ill = run([...new Set(faults.flatMap(({ tests }) => tests))]);
  if (ill.length > 0) throw new Error(`These tests fail without any fault: ${ill.join(', ')}`);
  for (const fault of faults) {
    const caught = plant(fault);
    console.log(`${caught.length > 0 ? 'caught' : 'MISSED'}  ${fault.name}`);
    for (const test of caught.slice(0, 3)) console.log(`        ${test}`);
    if (caught.length > 3) console.log(`        and ${caught.length - 3} more`);
    if (caught.length === 0) missed.push(fault.name);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(missed.length === 0 ? 'Every fault was caught.' : `Not caught: ${missed.join('; ')}`);
process.exit(missed.length === 0 ? 0 : 1);

/** Changes one place, runs the tests that should notice, changes it back. Gives the names of those that did. */
function plant({ name, file, from, to, tests }) {
  const path = join(copy, file);
  const sound = readFileSync(path, 'utf8');
  if (sound.split(from).length !== 2) throw new Error(`“${name}”: its place is not in ${file} exactly once.`);
  writeFileSync(
    path,
    sound.replace(from, () => to),
  );
  try {
    return run(tests);
  } finally {
    writeFileSync(path, sound);
  }
}

/** Gives the names of the tests that failed. */
function run(tests) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = ['vitest', 'run', '--project', 'node', '--reporter=json', `--outputFile=${report}`, ...tests];
  spawnSync('npx', args, { cwd: copy, timeout: PATIENCE, stdio: 'ignore' });
  if (!existsSync(report)) return [`no end within ${PATIENCE / 60_000} min`];
  return failuresIn(JSON.parse(readFileSync(report, 'utf8')));
}

function failuresIn({ testResults }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = name.slice(name.indexOf('tests/'));
    const failed = assertionResults.filter((test) => test.status === 'failed').map((test) => `${file}: ${test.fullName}`);
    return failed.length === 0 && status === 'failed' ? [`${file}: ${message.split('\n')[0]}`] : failed;
  });
}
