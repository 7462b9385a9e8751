/** What only a real disk does: it is full, it is cleared, a newer version of the site wants it. */
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Store } from '../../src/base/ports.ts';
import { launchPersistent, type Persistent } from './harness/chromium.ts';
import { type PortsSite, servePorts } from './harness/ports-site.ts';

declare global {
  interface Window {
    store: Store;
  }
}

const MIB = 1024 * 1024;

let site: PortsSite;
let browser: Persistent;
let page: Page;
let devtools: CDPSession;
beforeAll(async () => {
  site = await servePorts();
});
afterAll(() => site.close());
beforeEach(async () => {
  browser = await launchPersistent();
  page = await browser.context.newPage();
  await page.goto(site.url);
  devtools = await browser.context.newCDPSession(page);
  await page.evaluate(async () => {
    window.store = await window.ports.openIdbStore();
  });
  return () => browser.close();
});

/** The code with which a write of this many MiB, as several segments, ends; null when it succeeds. */
const write = (name: string, mebibytes: number): Promise<string | null> =>
  page.evaluate(
    ([name, count]) => {
      const value = (): Uint8Array<ArrayBuffer> => {
        const bytes = new Uint8Array(1024 * 1024);
        for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536)); // does not compress
        return bytes;
      };
      const changes = Array.from({ length: count }, (_, i) => ({ table: 'segments' as const, key: `${name}/${i}`, value: value() }));
      return window.store.write(changes).then(
        () => null,
        (error: { code?: string }) => error.code ?? String(error),
      );
    },
    [name, mebibytes] as const,
  );

const keys = (prefix: string): Promise<readonly string[]> => page.evaluate((prefix) => window.store.keys('segments', prefix), prefix);

test('a write that the disk has no room for rejects with `quota` and changes nothing; reading and deleting go on', async () => {
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.url).origin, quotaSize: 20 * MIB });
  expect(await write('first', 8)).toBeNull();
  expect(await write('second', 30)).toBe('quota');
  expect(await keys('second')).toEqual([]);
  expect(await keys('first')).toHaveLength(8);
  await page.evaluate(() =>
    window.store.write(Array.from({ length: 8 }, (_, i) => ({ table: 'segments' as const, key: `first/${i}`, value: null }))),
  );
  expect(await keys('')).toEqual([]);
});

test('when a newer version opens the disk, the older page lets go of it and says why', async () => {
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('kadreel', 99);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          opening.result.close();
          resolve();
        };
      }),
  );
  expect(await write('late', 1)).toBe('closed');
  const message = await page.evaluate(() => window.store.keys('meta').catch((error: Error) => error.message));
  expect(message).toContain('newer version');
  // And a page of the older version that opens only now hears the same.
  expect(await page.evaluate(() => window.ports.openIdbStore().catch((error: Error) => error.message))).toContain('newer version');
});

test('when the person clears the site’s data, the page goes on with an empty disk', async () => {
  expect(await write('gone', 2)).toBeNull();
  await devtools.send('Storage.clearDataForOrigin', { origin: new URL(site.url).origin, storageTypes: 'all' });
  await expect.poll(() => keys('').catch(() => null)).toEqual([]);
  expect(await write('new', 1)).toBeNull();
  expect(await keys('')).toEqual(['new/0']);
});
