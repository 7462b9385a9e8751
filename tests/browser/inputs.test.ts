/** What people drop on the page: each ends as a video that plays, or as a clear message with nothing lost. */
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FixtureName, fixture } from '../fixtures/make.ts';
import { launch, launchPersistent } from './harness/chromium.ts';
import { type Site, startSite } from './harness/site.ts';
import { openTab, type Tab } from './harness/tab.ts';

let site: Site;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  site = await startSite();
  browser = await launch();
  tab = await openTab(browser, site.url);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  await tab.page.goto(`${site.url}/publish`);
  await tab.page.waitForFunction(() => window.kadreel !== undefined);
});

describe('a file that is no video is refused with what, why and what to do; the file stays chosen', () => {
  const files: readonly (readonly [FixtureName, RegExp])[] = [
    ['empty.mp4', /empty/i],
    ['text.mp4', /not a video|no video|can’t be read/i],
    ['truncated.mp4', /damaged or incomplete/i],
  ];
  test.for(files)('%s', async ([name, reason]) => {
    await tab.page.getByLabel('Video file').setInputFiles(await fixture(name));
    const alert = tab.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(reason);
    const chosen = tab.page.getByRole('region', { name: 'Chosen file' });
    expect(await chosen.textContent()).toContain(name);
    expect(await tab.page.getByRole('textbox', { name: 'Title' }).inputValue()).not.toBe('');
    expect(tab.errors.filter((error) => !error.includes('Failed to load resource'))).toEqual([]);
  });
});

test('publishing is cancelled in the middle, and nothing of it stays on the disk', { timeout: 120_000 }, async () => {
  const own = await openTab(browser, `${site.url}/publish`);
  await choose('mpeg4.avi', own);
  await own.page.getByRole('button', { name: 'Publish', exact: true }).click();
  await own.page.getByRole('progressbar', { name: 'Publishing' }).waitFor();
  await own.page.getByRole('button', { name: 'Cancel' }).click();
  await own.page.getByRole('button', { name: 'Publish', exact: true }).waitFor();
  await expect.poll(() => kept(own), { timeout: 20_000 }).toBe(0);
  await own.close();
});

describe('unusual videos are published by the form and play', () => {
  const files: readonly FixtureName[] = ['silent.mp4', 'sound.m4a', 'rotated.mp4', 'variable.mp4', 'mpeg4.avi'];
  test.for(files)('%s', { timeout: 180_000 }, async (name) => {
    await publishByForm(name);
    await watchLink(tab).click();
    await tab.untilMoving();
    const shown = await tab.page.evaluate(() => {
      const video = document.querySelector('video');
      return { width: video?.videoWidth ?? 0, height: video?.videoHeight ?? 0 };
    });
    if (name === 'rotated.mp4') expect(shown.height).toBeGreaterThan(shown.width);
    else if (name === 'sound.m4a') expect(shown.width).toBe(0);
    else expect(shown.width).toBeGreaterThan(shown.height);
    const player = await tab.player();
    expect(player.error).toBeNull();
    if (name !== 'silent.mp4') expect(player.soundBytes).toBeGreaterThan(0);
  });
});

test('three hours are published and sought through', { timeout: 300_000 }, async () => {
  await publishByForm('three-hours.mp4');
  await watchLink(tab).click();
  await tab.untilMoving();
  // The link works with the beginning (M22); the rest comes while it plays.
  await expect.poll(async () => Math.abs((await tab.player()).duration - 3 * 3600), { timeout: 240_000 }).toBeLessThan(1);
  await tab.seek(2.5 * 3600);
  await tab.untilMoving();
  expect((await tab.player()).currentTime).toBeGreaterThan(2.5 * 3600);
});

test('a full disk stops publishing with the reason; with room again the same press publishes', { timeout: 180_000 }, async () => {
  const disk = await launchPersistent();
  try {
    // Before the site opens its disk: Chromium remembers for a while how much room it found.
    const blank = await disk.context.newPage();
    const devtools = await disk.context.newCDPSession(blank);
    const origin = new URL(site.url).origin;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 6_000_000 });
    const own = await openTab(disk.context, `${site.url}/publish`);
    await choose('minute720.mp4', own);
    await own.page.getByRole('button', { name: 'Publish', exact: true }).click();
    const alert = own.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/full/i);
    await expect.poll(() => kept(own), { timeout: 20_000 }).toBe(0);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
    await own.page.getByRole('button', { name: 'Try again' }).click();
    await watchLink(own).waitFor({ timeout: 60_000 });
  } finally {
    await disk.close();
  }
});

async function choose(name: FixtureName, { page } = tab): Promise<void> {
  await page.getByLabel('Video file').setInputFiles(await fixture(name));
  await page.getByRole('textbox', { name: 'Title' }).fill(name);
  await page.getByText(/^(Copied|Converted)/).waitFor();
}

async function publishByForm(name: FixtureName): Promise<void> {
  await choose(name);
  await tab.page.getByRole('button', { name: 'Publish', exact: true }).click();
  await watchLink(tab).waitFor({ timeout: 240_000 });
}

/** To what was published just now: earlier ones, which go on until others keep copies of them, have cards of their own. */
function watchLink({ page }: Tab): Locator {
  return page.getByRole('link', { name: 'Watch', exact: true }).and(page.locator('a:not(article a)'));
}

/** Media bytes of the person's own on the tab's disk: it may keep copies for others. */
async function kept(of: Tab): Promise<number> {
  await of.stats(); // starts a count
  return (await of.stats()).kept.own;
}
