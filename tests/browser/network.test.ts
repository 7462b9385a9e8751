/** Several open nodes, as processes: they find each other, a tab remembers them all, and outlives the one that it came by. */
import type { Locator, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { launchPersistent, type Persistent } from './harness/chromium.ts';
import { freePort, type OpenNodeProcess, socketOf, startOpenNode } from './harness/open-node-process.ts';
import { adopt, openTab } from './harness/tab.ts';

const running: OpenNodeProcess[] = [];
let persistent: Persistent | null = null;
afterEach(async () => {
  await persistent?.close();
  persistent = null;
  await Promise.all(running.splice(0).map((node) => node.kill()));
});

async function start(options: { port: number; bootstrap?: readonly string[] }): Promise<OpenNodeProcess> {
  const node = await startOpenNode(options);
  running.push(node);
  return node;
}

/** The row of an open node on the page about the network. */
function rowOf(page: Page, wsUrl: string): Locator {
  return page.getByRole('list', { name: 'Open nodes' }).getByRole('listitem').filter({ hasText: wsUrl });
}

/** Links between two processes, or from a tab to one, are there in seconds. */
const LINKED = { timeout: 20_000 };

test('a tab learns a second open node from the first, comes back through it when the first is dead, and links to a third that a person adds', async () => {
  const [portA, portB, portC] = [await freePort(), await freePort(), await freePort()];
  const [a, b] = await Promise.all([
    start({ port: portA, bootstrap: [socketOf(portB)] }),
    start({ port: portB, bootstrap: [socketOf(portA)] }),
  ]);
  await expect.poll(async () => [(await a.status()).links, (await b.status()).links], LINKED).toEqual([1, 1]);

  persistent = await launchPersistent();
  const first = await openTab(persistent.context, a.url);
  const { page } = first;
  await expect.poll(async () => (await first.stats()).links, LINKED).toEqual({ tabs: 0, openNodes: 2 });
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.getByRole('link', { name: 'Network' }).first().click();
  for (const node of [a, b]) await rowOf(page, node.wsUrl).getByText('linked', { exact: true }).waitFor();

  await a.kill();
  const before = performance.now();
  await page.reload();
  const second = await adopt(page);
  await second.untilOnline();
  console.info(`reloaded with its first open node dead: online again after ${Math.round(performance.now() - before)} ms`);
  expect(second.id).toBe(first.id);
  await rowOf(page, b.wsUrl).getByText('linked', { exact: true }).waitFor();
  expect(await rowOf(page, a.wsUrl).count()).toBe(0);

  const c = await start({ port: portC });
  const address = page.getByLabel('Address of an open node');
  await address.fill('localhost:what');
  await address.press('Enter');
  await page.getByRole('alert').getByText('“localhost:what” is not the address of an open node.').waitFor();
  await address.fill(`localhost:${portC}`);
  await address.press('Enter');
  await rowOf(page, c.wsUrl).getByText('linked · added by you').waitFor();
  expect(await address.inputValue()).toBe('');
  expect(await page.evaluate(() => window.kadreel?.network.settings())).toEqual({ openNodes: [c.wsUrl], iceServers: [] });
  await expect.poll(async () => (await c.status()).links, LINKED).toBeGreaterThan(0);

  await page.reload();
  await adopt(page);
  await rowOf(page, c.wsUrl).getByText('linked · added by you').waitFor();
  // Another tab of this browser has what is set here, and gets what is changed here, without being loaded anew.
  const { page: other } = await openTab(persistent.context, a.url);
  const settings = (at: Page) => at.evaluate(() => window.kadreel?.network.settings());
  expect(await settings(other)).toEqual({ openNodes: [c.wsUrl], iceServers: [] });
  await page.getByRole('button', { name: `Remove ${c.wsUrl}` }).click();
  for (const tab of [page, other]) await expect.poll(() => settings(tab), LINKED).toEqual({ openNodes: [], iceServers: [] });
  const d = await start({ port: await freePort() });
  await page.evaluate((url) => window.kadreel?.network.change({ openNodes: [url], iceServers: [{ urls: 'stun:127.0.0.1:9' }] }), d.wsUrl);
  await expect.poll(() => settings(other), LINKED).toEqual({ openNodes: [d.wsUrl], iceServers: [{ urls: 'stun:127.0.0.1:9' }] });
  await expect.poll(async () => (await d.status()).links, LINKED).toBe(2);
  await other.close();
  await page.evaluate(() => window.kadreel?.network.change({ openNodes: [], iceServers: [] }));
  await page.getByText('added by you').waitFor({ state: 'detached' });
});
