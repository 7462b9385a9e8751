/** Chromium on a machine of a home: its traffic goes through that home's router. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import type { NetworkSettings } from '../../src/app/api.ts';
import { executable } from '../browser/harness/chromium.ts';
import { CHROMIUM_FLAGS } from '../chromium.mjs';
import { SERVERS } from './network.ts';
import { presetNetwork } from './network-settings.ts';
import { recordIn } from './recorder.ts';
import { siteAt } from './servers.ts';

/** One browser. Addresses of its machine are hidden behind mDNS names, as is the default: only its own network can resolve them. */
export interface HomeBrowser {
  /** A new person's browser: an empty disk, but for the network settings, when some are given, of a site (the first open node's, when none is). Its pages take notes. */
  newContext(settings?: Partial<NetworkSettings>, site?: string): Promise<BrowserContext>;
  readonly browser: Browser;
  /** Ends it. Idempotent. */
  close(): Promise<void>;
}

/** Sites of the lab have no https, which WebCrypto, locks and service workers ask for. */
const TRUSTED = [SERVERS.openNode, SERVERS.secondOpenNode, SERVERS.files].map(siteAt);

/** Starts a browser in a namespace. Close it. */
export async function launchAt(host: string): Promise<HomeBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'kadreel-lab-browser-'));
  const wrapper = join(folder, 'chromium');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${host} '${executable()}' "$@"\n`);
  chmodSync(wrapper, 0o755);
  const own = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }; // the lab ends its browsers before its networks
  const args = [...CHROMIUM_FLAGS, `--unsafely-treat-insecure-origin-as-secure=${TRUSTED.join(',')}`];
  try {
    const browser = await chromium.launch({ executablePath: wrapper, args, ...own });
    return { browser, newContext: (settings, site) => newContext(browser, { settings, site }), close: () => browser.close() };
  } finally {
    rmSync(folder, { recursive: true, force: true }); // it runs, or never will
  }
}

async function newContext(
  browser: Browser,
  { settings, site = siteAt(SERVERS.openNode) }: { settings: Partial<NetworkSettings> | undefined; site: string | undefined },
): Promise<BrowserContext> {
  const context = await browser.newContext();
  await recordIn(context);
  if (settings) await presetNetwork(context, { url: site, settings });
  return context;
}
