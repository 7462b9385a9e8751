/** WebRTC between two pages with storage of their own: when the end of a link is known. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Channel, Punch } from '../../src/base/ports.ts';
import { launch } from './harness/chromium.ts';
import { type PortsSite, servePorts } from './harness/ports-site.ts';

declare global {
  interface Window {
    /** Carries a signal to the other page. */
    carry(signal: string): Promise<void>;
    punch: Punch;
    channel: Channel;
    heard: { bytes: number; last: string; lastAt: number; closed: string | null; closedAt: number };
  }
}

let site: PortsSite;
let browser: Browser;
let pages: readonly [Page, Page];
beforeAll(async () => {
  [site, browser] = await Promise.all([servePorts(), launch()]);
});
afterAll(() => Promise.all([site.close(), browser.close()]));
beforeEach(async () => {
  const open = async (): Promise<Page> => (await browser.newContext()).newPage();
  pages = [await open(), await open()];
  await Promise.all(pages.map((page) => page.goto(site.url)));
  return () => Promise.all(pages.map((page) => page.context().close()));
});

/** Links the two pages by the puncher; `window.channel` is open on both when it resolves. */
async function link(): Promise<void> {
  const [one, two] = pages;
  await one.exposeFunction('carry', (signal: string) => two.evaluate((text) => window.punch.accept(text), signal));
  await two.exposeFunction('carry', (signal: string) => one.evaluate((text) => window.punch.accept(text), signal));
  const start = (page: Page, initiator: boolean): Promise<void> =>
    page.evaluate((initiator) => {
      // One after the other, as the port says.
      let order = Promise.resolve();
      const emit = (signal: string): void => {
        order = order.then(() => window.carry(signal));
      };
      window.punch = window.ports.createPuncher().start({ initiator, emit });
    }, initiator);
  await start(two, false);
  await start(one, true);
  await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        window.channel = await window.punch.opened;
        window.heard = { bytes: 0, last: '', lastAt: 0, closed: null, closedAt: 0 };
        window.channel.listen({
          message(message) {
            window.heard.bytes += message.length;
            window.heard.last = message.length < 100 ? new TextDecoder().decode(message) : '';
            window.heard.lastAt = Date.now();
          },
          drain: () => dispatchEvent(new Event('drain')),
          close(reason) {
            window.heard.closed = reason;
            window.heard.closedAt = Date.now();
          },
        });
      }),
    ),
  );
}

/** Says goodbye as a node does when its page goes. */
const sayGoodbye = (page: Page): Promise<void> =>
  page.evaluate(() => {
    addEventListener('pagehide', () => {
      window.channel.send(new TextEncoder().encode('bye'));
      window.channel.close();
    });
  });

test.each(['closed', 'left for another address'] as const)('when a tab is %s its goodbye arrives within 3 s', async (how) => {
  await link();
  const [one, two] = pages;
  await sayGoodbye(one);
  const start = Date.now();
  if (how === 'closed') await one.close({ runBeforeUnload: true });
  else await one.goto('about:blank');
  await two.waitForFunction(() => window.heard.closed !== null, null, { polling: 10, timeout: 20_000 });
  const heard = await two.evaluate(() => window.heard);
  console.info(`tab ${how}: goodbye after ${heard.lastAt - start} ms, end of the channel after ${heard.closedAt - start} ms`);
  expect(heard.last).toBe('bye');
  expect(heard.closedAt - start).toBeLessThan(3000);
});

test('when a tab is killed the channel says so at last: what a heartbeat is for', async () => {
  await link();
  const [one, two] = pages;
  const devtools = await one.context().newCDPSession(one);
  const start = Date.now();
  devtools.send('Page.crash').catch(() => undefined); // never answers
  await two.waitForFunction(() => window.heard.closed !== null, null, { polling: 50, timeout: 60_000 });
  const heard = await two.evaluate(() => window.heard);
  console.info(`tab killed: end of the channel after ${heard.closedAt - start} ms (“${heard.closed}”)`);
  expect(heard.closed).not.toBe('');
});
