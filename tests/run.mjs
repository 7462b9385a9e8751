/**
 * `npm test`: installs what is missing, the browser included, runs every check, and ends with a count.
 * `npm test -- <filter>` runs only the tests whose path contains the filter. Plain JavaScript, as nothing may be installed yet.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, giveUp, installPackages, ROOT } from '../signal-server/prepare.mjs';
import { findChromium, findProgram } from './chromium.mjs';

/** Of the whole run (ms): what still runs then is ended, and the run has failed. */
const TIME_LIMIT = 45 * 60_000;
/** From vitest's report to the end of vitest (ms): it waits for ever when a test left a server or a browser open. */
const REPORT_GRACE = 30_000;
/** Between asking a child to end and making it (ms). */
const GRACE = 5_000;
/** An environment variable that tells the processes of one child, and what they started, from all others. */
const MARK = 'KADREEL_TEST_RUN';
const PROJECTS = ['tsconfig.core.json', 'tsconfig.json', 'tsconfig.worker.json', 'tsconfig.node.json'];

/** Each child that runs, and its mark. */
const children = new Map();
let started = 0;
const total = { passed: 0, failed: 0, skipped: 0 };
const filters = process.argv.slice(2);

const limit = setTimeout(() => {
  console.error(`\nNot finished after ${TIME_LIMIT / 60_000} minutes: ended.`);
  total.failed++;
  finish();
}, TIME_LIMIT);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => endChildren().then(() => process.exit(130)));

checkNode();
installPackages({ tests: true });
installPrograms();
if (filters.length === 0) {
  await Promise.all([types(PROJECTS.slice(0, 2)), types(PROJECTS.slice(2))]);
  await step('lint', ['@biomejs/biome/bin/biome', 'check', '--error-on-warnings']);
}
build();
await tests();
finish();

/** The counts, alone on the last line, and the exit code. */
async function finish() {
  clearTimeout(limit);
  await endChildren();
  const { passed, failed, skipped } = total;
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

async function types(projects) {
  for (const project of projects) await step(`types (${project})`, ['typescript/bin/tsc', '-p', project]);
}

/** One check that passes or fails as a whole. Its output is shown when it fails. */
async function step(name, [program, ...args]) {
  const { code, output } = await run([join(ROOT, 'node_modules', program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  if (code === 0) total.passed++;
  else total.failed++;
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (code !== 0) console.log(output);
}

async function tests() {
  const folder = mkdtempSync(join(tmpdir(), 'kadreel-tests-'));
  const report = join(folder, 'report.json');
  const { code } = await run([join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...filters], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, KADREEL_TEST_REPORT: report },
    isDone: () => existsSync(report),
  });
  const counts = readReport(report);
  rmSync(folder, { recursive: true, force: true });
  total.passed += counts.passed;
  total.skipped += counts.skipped;
  // An error outside any test fails the run too, though no test counts it.
  total.failed += counts.failed === 0 && code !== 0 ? 1 : counts.failed;
}

/** Counts of vitest's report; a file that could not even be loaded counts as one failed test. */
function readReport(path) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const file of JSON.parse(readFileSync(path, 'utf8')).testResults) {
      const outcomes = file.assertionResults.map(({ status }) => status);
      counts.passed += outcomes.filter((status) => status === 'passed').length;
      counts.failed += outcomes.filter((status) => status === 'failed').length;
      counts.skipped += outcomes.filter((status) => status !== 'passed' && status !== 'failed').length;
      if (file.status === 'failed' && !outcomes.includes('failed')) counts.failed++;
    }
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    counts.failed++;
  }
  return counts;
}

/**
 * Runs Node on a script in a process group of its own, so that it ends with all that it started. When `isDone` is given and
 * the child outlives that by `REPORT_GRACE`, it is ended, with a code that is not 0.
 */
function run(args, { isDone, ...options }) {
  return new Promise((resolve) => {
    const mark = `${process.pid}.${++started}`;
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      detached: true,
      ...options,
      env: { ...(options.env ?? process.env), [MARK]: mark },
    });
    children.set(child, mark);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    let doneAt = null;
    const watch = setInterval(() => {
      if (!isDone?.()) return;
      doneAt ??= performance.now();
      if (performance.now() - doneAt < REPORT_GRACE) return;
      console.error(`vitest did not end within ${REPORT_GRACE / 1000} s of its report: a test left something open.`);
      endLeftovers(child, mark);
    }, 1000);
    child.on('exit', () => endLeftovers(child, mark));
    child.on('close', (code) => {
      clearInterval(watch);
      children.delete(child);
      resolve({ code: code ?? 1, output });
    });
  });
}

async function endChildren() {
  const ended = [...children.keys()].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of children.keys()) endGroup(child, 'SIGTERM');
  const timer = setTimeout(() => {
    for (const [child, mark] of children) endLeftovers(child, mark);
  }, GRACE);
  await Promise.all(ended);
  clearTimeout(timer);
}

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ended already
  }
}

/** Ends a child's group, and what it moved to groups of its own (browsers): all that carries its mark. */
function endLeftovers(child, mark) {
  endGroup(child, 'SIGKILL');
  if (process.platform !== 'linux') return;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${mark}`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // ended already, or somebody else's
    }
  }
}

/** Finds or installs the programs that the tests drive: a browser, and ffmpeg as the outside judge. */
function installPrograms() {
  const missing = missingPackages();
  if (missing.length > 0) aptInstall(missing);
  const still = missingPackages();
  if (still.length > 0)
    giveUp(
      `The tests need ${still.join(' and ')}, which ${still.length > 1 ? 'are' : 'is'} not here and could not be installed. On Debian or Ubuntu:\n\n` +
        `  sudo apt-get update && sudo apt-get install -y ${still.join(' ')}\n\n` +
        'Elsewhere install Chrome or Chromium (CHROME_PATH may name it) and ffmpeg by your own means, then run the same command again.',
    );
  process.env.CHROME_PATH = findChromium();
}

/** Names of the Debian packages that are missing. */
function missingPackages() {
  const missing = [];
  if (!findChromium()) missing.push('chromium');
  if (!findProgram('ffmpeg') || !findProgram('ffprobe')) missing.push('ffmpeg');
  return missing;
}

function aptInstall(packages) {
  if (!findProgram('apt-get')) return;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return;
  const apt = (...args) => {
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args];
    if (!isRoot) command.unshift('sudo', '-n');
    return spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'], timeout: 10 * 60_000 }).status === 0;
  };
  console.log(`Installing ${packages.join(' and ')} …`);
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...packages);
}
