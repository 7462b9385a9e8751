/** The network settings of a page, kept on its node's disk: how the lab tells a browser its STUN and TURN servers. */
import type { BrowserContext, Page } from 'playwright-core';
import type { NetworkSettings } from '../../src/app/api.ts';

/** For the page to load and its node to start (ms), on a busy machine. */
const START_TIMEOUT = 30_000;

/** Changes the settings of a page; what is not given stays as it is. ICE servers hold for connections made from then on. */
export async function changeNetwork(page: Page, settings: Partial<NetworkSettings>): Promise<void> {
  await page.waitForFunction(() => window.kadreel !== undefined, null, { timeout: START_TIMEOUT });
  await page.evaluate(async (wanted) => {
    const network = window.kadreel?.network;
    await network?.change({ ...network.settings(), ...wanted });
  }, settings);
}

/**
 * Leaves the settings on the disk of a browser context, as if its person had been here before. The node of that earlier visit talks to
 * nobody, so that no one remembers it.
 */
export async function presetNetwork(context: BrowserContext, options: { url: string; settings: Partial<NetworkSettings> }): Promise<void> {
  const page = await context.newPage();
  await page.routeWebSocket(/.*/, (socket) => socket.close());
  await page.goto(options.url);
  await changeNetwork(page, options.settings);
  await page.close();
}
