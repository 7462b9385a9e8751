/** With no server left, one person invites another: by a link, a QR code, and a code that comes back. */
import jsQR from 'jsqr';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { launch } from './harness/chromium.ts';
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
});
afterEach(() => site.close());

/** A browser that has seen the site once: the app is on its disk, and it has left the network. */
async function visitor(): Promise<{ open: (url: string) => Promise<Page> }> {
  const context = await browser.newContext({ colorScheme: 'dark' });
  const first = await openTab(context, site.url);
  await first.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await first.close();
  return {
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
  };
}

/** What a camera reads on the page. */
async function scan(page: Page): Promise<string | null> {
  const picture = await page.locator('svg.qr').screenshot();
  const { pixels, width, height } = await page.evaluate(
    async (png) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(png)], { type: 'image/png' }));
      const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      pen?.drawImage(bitmap, 0, 0);
      const { data, width, height } = pen?.getImageData(0, 0, bitmap.width, bitmap.height) ?? { data: [], width: 0, height: 0 };
      return { pixels: [...data], width, height };
    },
    [...picture],
  );
  return jsQR(Uint8ClampedArray.from(pixels), width, height)?.data ?? null;
}

/** Opens the page of invitations as a person does; gives the link. */
async function invite({ page }: Tab): Promise<string> {
  await page.locator('header').getByRole('link', { name: 'Invite somebody' }).click();
  return page.getByRole('textbox', { name: 'Invitation link' }).inputValue();
}

async function reply({ page }: Tab, code: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Reply code' }).fill(code);
  await page.getByRole('button', { name: 'Link up' }).click();
}

test('[I4] with every server down a newcomer joins by an invitation, and watches what its inviter published', async () => {
  const newcomer = await visitor();
  const host = await openTab(browser, site.url);
  await host.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await site.close();
  const link = await invite(host);
  expect(new URL(link).hash.length).toBeLessThanOrEqual(200);

  const page = await newcomer.open(link);
  expect(await page.evaluate(() => location.href)).not.toContain('#');
  const code = await page.getByRole('textbox', { name: 'Reply code' }).inputValue();
  expect(code.length).toBeLessThanOrEqual(180);
  console.info(`invitation ${link.split('#')[1]?.length} characters, reply ${code.length}`);
  await page.getByText(`${host.id.slice(0, 8)}…`).waitFor();
  expect(await scan(host.page)).toBe(link);
  expect(await scan(page)).toBe(code);

  await reply(host, code);
  await host.page.getByText('You are linked', { exact: true }).waitFor();
  await page.getByRole('heading', { name: 'You are linked' }).waitFor();
  const guest = await adopt(page);
  await guest.untilLinked(host.id);
  expect((await guest.stats()).links).toEqual({ tabs: 1, openNodes: 0 });

  const { watchUrl } = await host.publish(await fixture('barcode.mp4'), 'By hand');
  await page.getByRole('link', { name: 'See what is on' }).click();
  await page.evaluate((path) => {
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate'));
  }, new URL(watchUrl).pathname);
  await guest.untilMoving();
  expect((await guest.player()).error).toBeNull();
  // Played as it came, or from the copy that the host had asked this tab to keep: there was nobody else to have it from.
  const { received } = await guest.stats();
  expect(received.tabs + received.store).toBeGreaterThan(100_000);
  expect(received.openNodes).toBe(0);
});

test('[I2] [I3] in a running tab: a damaged link, a damaged and a strange code are told, and the right ones still work', async () => {
  const host = await openTab(browser, site.url);
  const guest = await openTab(browser, site.url);
  const link = await invite(host);
  const open = (code: string): Promise<void> =>
    guest.page.evaluate((hash) => {
      if (location.pathname !== '/join') {
        history.pushState(null, '', '/join');
        dispatchEvent(new PopStateEvent('popstate'));
      }
      location.hash = hash;
    }, code);
  const codeOf = (url: string): string => url.slice(url.indexOf('#') + 1);

  await open(codeOf(link).slice(0, -2));
  await guest.page.getByRole('alert').getByText('The link is not whole').waitFor();
  await open(codeOf(link));
  const code = await guest.page.getByRole('textbox', { name: 'Reply code' }).inputValue();
  await reply(host, code.slice(1));
  await host.page.getByRole('alert').getByText('The code is not whole').waitFor();
  await reply(host, codeOf(link));
  await host.page.getByRole('alert').getByText('This is an invitation').waitFor();

  await host.page.getByRole('button', { name: 'End this invitation' }).click();
  await host.page.getByRole('button', { name: 'Make an invitation' }).click();
  const second = await host.page.getByRole('textbox', { name: 'Invitation link' }).inputValue();
  await reply(host, code);
  await host.page.getByRole('alert').getByText('This code answers another invitation').waitFor();
  await open(codeOf(second));
  await guest.page.waitForFunction((old) => ![...document.querySelectorAll('textarea')].some(({ value }) => value === old), code);
  await reply(host, await guest.page.getByRole('textbox', { name: 'Reply code' }).inputValue());
  await guest.page.getByRole('heading', { name: 'You are linked' }).waitFor();
  await host.page.getByText('You are linked', { exact: true }).waitFor();
  expect(host.errors).toEqual([]);
  expect(guest.errors).toEqual([]);
  await Promise.all([host.close(), guest.close()]);
});
