/** The built site: tabs become nodes, find each other, notice who goes, and open without a server. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, launchPersistent } from './harness/chromium.ts';
import { type Site, startSite } from './harness/site.ts';
import { adopt, openTab, type Tab } from './harness/tab.ts';

let site: Site;
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  site = await startSite();
  return () => site.close();
});

const tab = (): Promise<Tab> => openTab(browser, site.url);

test('two tabs join, and are linked to each other without the open node in between', async () => {
  const start = performance.now();
  const [one, two] = await Promise.all([tab(), tab()]);
  await Promise.all([one.untilLinked(two.id), two.untilLinked(one.id)]);
  console.info(`two tabs opened, joined and linked in ${Math.round(performance.now() - start)} ms`);
  expect((await one.stats()).links).toEqual({ tabs: 1, openNodes: 1 });
  await site.close();
  await one.untilUnlinked(site.openNode.node.contact.id);
  expect((await one.stats()).linked).toEqual([two.id]);
  expect((await one.stats()).malformed).toBe(0);
  await Promise.all([one.close(), two.close()]);
});

test('the end of a link is known within 3 s when the other tab is closed', async () => {
  const [one, two] = await Promise.all([tab(), tab()]);
  await Promise.all([one.untilLinked(two.id), two.untilLinked(one.id)]);
  const start = Date.now();
  await two.close();
  const took = (await one.untilUnlinked(two.id)) - start;
  console.info(`tab closed: known after ${took} ms`);
  expect(took).toBeLessThan(3000);
  await one.close();
});

test('the end of a link is known within 8 s when the other tab is killed', async () => {
  const [one, two] = await Promise.all([tab(), tab()]);
  await Promise.all([one.untilLinked(two.id), two.untilLinked(one.id)]);
  const devtools = await two.page.context().newCDPSession(two.page);
  const start = Date.now();
  devtools.send('Page.crash').catch(() => undefined); // never answers
  const took = (await one.untilUnlinked(two.id)) - start;
  console.info(`tab killed: known after ${took} ms`);
  expect(took).toBeLessThan(8000);
  await Promise.all([one.close(), two.page.context().close()]);
});

test('a reload is the same node; with every server down it still shows the app', async () => {
  const persistent = await launchPersistent();
  const first = await openTab(persistent.context, site.url);
  await first.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await first.page.reload();
  const again = await adopt(first.page);
  expect(again.id).toBe(first.id);
  await again.untilOnline();
  await site.close();
  await first.page.reload();
  const offline = await adopt(first.page);
  expect(offline.id).toBe(first.id);
  await expect.poll(() => first.page.getByRole('link', { name: 'Publish' }).first().isVisible()).toBe(true);
  expect(await first.page.evaluate(() => crossOriginIsolated)).toBe(true);
  await persistent.close();
});
