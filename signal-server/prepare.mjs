/**
 * Brings a clone to where it can run: packages installed, site and open node built. Plain JavaScript without
 * dependencies, as it runs before there are any.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The built open node. */
export const SERVER = join(ROOT, 'dist/server/main.js');

/** What the built files are made from. */
const SOURCES = ['src', 'public', 'signal-server', 'vite.config.ts', 'package.json', 'package-lock.json'];
const MARK = join(ROOT, 'dist/built.json');
const INSTALLED = 'node_modules/.package-lock.json'; // npm's own list of what is there

/** For installing, and for each build (ms): a registry that never answers must not hang the command. */
const STEP_TIMEOUT = 10 * 60_000;

/** Ends the process with words for a person. */
export function giveUp(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

/** Ends the process when this Node is older than package.json asks for. */
export function checkNode() {
  const wanted = readJson('package.json').engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  giveUp(
    `This is Node ${process.versions.node}, but Kadreel needs Node ${wanted} or later. Install it from https://nodejs.org or your system's packages.`,
  );
}

/**
 * Runs `npm ci` when node_modules lacks what the lock file says. Ends the process when that fails.
 * @param {{ tests: boolean }} options whether what only the tests need is wanted too: it doubles the time
 */
export function installPackages({ tests }) {
  if (isInstalled(tests)) return;
  console.log('Installing packages (npm ci, up to half a minute) …');
  const { status } = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(tests ? [] : ['--omit=dev'])]);
  if (status === 0) return;
  giveUp(
    'npm could not install the packages; its own words are above. Most often the network or the package registry is out of reach: ' +
      'check the connection (and the proxy settings of npm), then run the same command again.',
  );
}

function isInstalled(tests) {
  if (!existsSync(join(ROOT, INSTALLED))) return false;
  const present = readJson(INSTALLED).packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional, dev }]) => path === '' || optional || (dev && !tests) || present[path]?.version === version,
  );
}

/** Builds the site and the open node, unless what is built came from these very sources. Ends the process when that fails. */
export function build() {
  const sources = hashSources();
  if (existsSync(SERVER) && existsSync(MARK) && readJson(relative(ROOT, MARK)).sources === sources) return;
  console.log('Building the site and the open node …');
  rmSync(MARK, { force: true }); // half a build must not count as one
  for (const extra of [[], ['--ssr', 'signal-server/main.ts']]) {
    const { status } = run(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn', ...extra]);
    if (status !== 0) giveUp('The build failed; the reason is above.');
  }
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(MARK, `${JSON.stringify({ sources })}\n`);
}

function hashSources() {
  const hash = createHash('sha256').update(process.version);
  const add = (path) => hash.update(relative(ROOT, path)).update('\0').update(readFileSync(path)).update('\0');
  for (const name of SOURCES) {
    const path = join(ROOT, name);
    if (!existsSync(path)) continue;
    if (/\.(ts|json)$/.test(name)) add(path);
    else for (const file of filesUnder(path)) add(file);
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function run(command, args) {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    timeout: STEP_TIMEOUT,
    shell: command === 'npm' && process.platform === 'win32',
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
}
