/** Closing the page in the middle of publishing asks first; at any other time it does not. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { usePlace } from './harness/place.ts';
import { adopt, openTab } from './harness/tab.ts';

/** A quality of 12 s is made, and copied to the other tab, on a machine that may do other things (ms). */
const MAKING = 120_000;

const place = usePlace();

/** Closes the page as a person does, who answers the question with “Stay”: whether there was one. */
async function asksWhenClosed(page: Page): Promise<boolean> {
  const asked = page.waitForEvent('dialog').then(async (dialog) => {
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    return true;
  });
  const closed = page.waitForEvent('close').then(() => false);
  asked.catch(() => undefined); // A page that is closed asks nothing any more.
  closed.catch(() => undefined); // Nor does one that stays close.
  await page.close({ runBeforeUnload: true });
  return Promise.race([asked, closed]);
}

async function chooseFile(page: Page): Promise<void> {
  await page.goto(`${place.site.url}/publish`);
  await page.getByLabel('Video file').setInputFiles(await fixture('bframes.mp4'));
  await page.getByLabel('Title').fill('Leaving');
  await page.getByLabel('Title').click(); // Browsers ask only who has done something on the page.
}

test('nothing is asked before a person publishes', async () => {
  const page = await (await place.browser.newContext()).newPage();
  await chooseFile(page);
  await page.getByRole('button', { name: 'Publish' }).waitFor();
  expect(await asksWhenClosed(page)).toBe(false);
});

test('a page that publishes asks, goes on when the person stays, and asks no more when it is safe to close', async () => {
  const keeper = await openTab(place.browser, place.site.url);
  const page = await (await place.browser.newContext()).newPage();
  await chooseFile(page);
  await (await adopt(page)).untilLinked(keeper.id);
  await page.getByRole('button', { name: 'Publish' }).click();
  expect(await asksWhenClosed(page)).toBe(true);

  // The link works, and a smaller picture is made.
  await page.getByLabel('Watch link').waitFor();
  await page.locator('.qualities li:is([data-phase="waiting"], [data-phase="making"])').waitFor();
  expect(await asksWhenClosed(page)).toBe(true);

  await page.getByText('Safe to close').waitFor({ timeout: MAKING });
  await page.getByRole('heading', { level: 1 }).click();
  expect(await asksWhenClosed(page)).toBe(false);
  await keeper.close();
});
