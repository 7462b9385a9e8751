/** The Chromium of this machine, driven by playwright-core. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';

/** One browser for a file of tests. Give each tab a context of its own (`browser.newContext()`): then it has storage of its own. Close it. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: CHROMIUM_FLAGS });
}

export interface Persistent {
  readonly context: BrowserContext;
  /** Ends the browser and starts it again on the same disk. */
  restart(): Promise<Persistent>;
  /** Ends the browser and removes its disk. */
  close(): Promise<void>;
}

/** A browser with a disk of its own, as a person has one: the default contexts keep everything in memory. All its tabs share the disk. */
export async function launchPersistent(folder = mkdtempSync(join(tmpdir(), 'kadreel-browser-'))): Promise<Persistent> {
  const context = await chromium.launchPersistentContext(folder, { executablePath: executable(), args: CHROMIUM_FLAGS });
  return {
    context,
    async restart() {
      await context.close();
      return launchPersistent(folder);
    },
    async close() {
      await context.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The path of the browser; throws with what to do when there is none. */
export function executable(): string {
  const path = findChromium();
  if (path) return path;
  throw new Error('No Chromium or Chrome is on this machine. Install one (Debian: apt-get install chromium), or name it in CHROME_PATH.');
}
