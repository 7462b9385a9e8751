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

/** A browser whose computer can sleep. */
export interface Sleeper {
  readonly browser: Browser;
  /** Stops all of its processes, as sleep does: nothing runs, nothing is told to others, and the clock goes on. */
  sleep(): void;
  wake(): void;
  close(): Promise<void>;
}

/** A browser of its own that can be put to sleep. */
export async function launchSleeper(): Promise<Sleeper> {
  const server = await chromium.launchServer({ executablePath: executable(), args: CHROMIUM_FLAGS });
  const { pid } = server.process();
  if (pid === undefined) throw new Error('The browser has no process.');
  // Playwright starts it as the leader of a process group.
  const tell = (signal: 'SIGSTOP' | 'SIGCONT') => (): void => void process.kill(-pid, signal);
  const wake = tell('SIGCONT');
  return {
    browser: await chromium.connect(server.wsEndpoint()),
    sleep: tell('SIGSTOP'),
    wake,
    close() {
      wake(); // else it could not end
      return server.close();
    },
  };
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
