/** Where this machine keeps what the tests need: a Chromium or Chrome. Plain JavaScript, as it runs before anything is installed. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const FIXED_PLACES = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

/**
 * Flags for a headless browser in a test: no sandbox, as tests also run as root in containers, and none of the browser's own traffic.
 * `--disable-quic` and the rest keep runs alike.
 */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/**
 * The path of a Chromium or Chrome: what `CHROME_PATH` names, else the first found on `PATH`, else null.
 * @returns {string | null}
 */
export function findChromium() {
  const named = process.env.CHROME_PATH;
  if (named) return isProgram(named) ? named : null;
  for (const name of NAMES) {
    const path = findProgram(name);
    if (path) return path;
  }
  return FIXED_PLACES.find(isProgram) ?? null;
}

/**
 * The path of a program on `PATH`, or null.
 * @param {string} name
 * @returns {string | null}
 */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder && isProgram(path)) return path;
  }
  return null;
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
