/** Who keeps a video: liars are dropped, tabs of one browser are one disk, and the open node is not needed. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fixture } from '../fixtures/make.ts';
import { BARCODE_RATE, readPicture } from './harness/barcode.ts';
import { launch, launchPersistent } from './harness/chromium.ts';
import { type Site, startSite } from './harness/site.ts';
import { openTab, type Tab } from './harness/tab.ts';

let site: Site;
let browser: Browser;
const open: Tab[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  site = await startSite();
});
afterEach(async () => {
  for (const tab of open.splice(0)) await tab.close();
  await site.close();
});

async function tab(url = site.url): Promise<Tab> {
  const opened = await openTab(browser, url);
  open.push(opened);
  return opened;
}

/** Publishes in a page and waits until other disks have copies. */
async function publishWithCopies(publisher: Tab, path: string): Promise<{ watchUrl: string; stored: number; wanted: number }> {
  const input = await publisher.page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(path);
  return publisher.page.evaluate(async (element) => {
    const file = element.files?.[0];
    if (!file || !window.kadreel) throw new Error('There is no file, or no node to publish it.');
    const { watchUrl, done } = await window.kadreel.publish(file, { title: 'Kept by others' });
    return { watchUrl, ...(await done) };
  }, input);
}

/** Changes one byte in the middle of every segment on a tab's disk, behind the node's back. */
function spoil(holder: Tab): Promise<number> {
  return holder.page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
    let spoilt = 0;
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      if (database.objectStoreNames.contains('segments')) {
        const store = database.transaction('segments', 'readwrite').objectStore('segments');
        await new Promise<void>((resolve, reject) => {
          const cursor = store.openCursor();
          cursor.onerror = () => reject(cursor.error);
          cursor.onsuccess = () => {
            const at = cursor.result;
            if (!at) return resolve();
            const bytes = new Uint8Array(at.value);
            bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
            at.update(bytes);
            spoilt++;
            at.continue();
          };
        });
      }
      database.close();
    }
    return spoilt;
  });
}

test('holders that serve changed bytes are dropped, and playing goes on from an honest one', async () => {
  const publisher = await tab();
  const liars = [await tab(), await tab()];
  for (const liar of liars) await publisher.untilLinked(liar.id);
  const { watchUrl, stored } = await publishWithCopies(publisher, await fixture('barcode.mp4'));
  expect(stored).toBe(2);
  for (const liar of liars) expect(await spoil(liar)).toBeGreaterThan(10);
  const viewer = await tab(watchUrl);
  await viewer.untilMoving();
  for (const at of [12, 28]) {
    await viewer.seek(at);
    await viewer.untilMoving();
    const { number, mediaTime } = await readPicture(viewer.page);
    expect(Math.abs(number - mediaTime * BARCODE_RATE)).toBeLessThan(0.6);
  }
  expect((await viewer.player()).error).toBeNull();
  expect((await viewer.stats()).corruptHolders).toBeGreaterThan(0);
});

test('two tabs of one browser are two nodes on one disk, count as one copy, and both play', async () => {
  const publisher = await openTab(browser, site.url);
  const other = await launchPersistent();
  try {
    const one = await openTab(other.context, site.url);
    const two = await openTab(other.context, site.url);
    expect(two.id).not.toBe(one.id);
    await publisher.untilLinked(one.id, two.id);
    const { watchUrl, stored } = await publishWithCopies(publisher, await fixture('barcode.mp4'));
    expect(stored).toBe(1);
    const kept = async (one: Tab): Promise<number> => (await one.stats()).kept.bytes;
    await expect.poll(() => kept(two)).toBeGreaterThan(100_000);
    await expect.poll(async () => (await kept(one)) - (await kept(two))).toBe(0);
    await publisher.close();
    for (const viewer of [one, two]) {
      await viewer.watch(watchUrl);
      await viewer.untilMoving();
      expect((await viewer.player()).error).toBeNull();
    }
    const ids = [one.id, two.id];
    await Promise.all([one.page.reload(), two.page.reload()]);
    for (const [index, viewer] of [one, two].entries()) {
      await viewer.untilOnline();
      expect(await viewer.page.evaluate(() => window.kadreel?.node.id)).toBe(ids[index]);
    }
    // A duplicated tab starts with a copy of its original's sessionStorage, as a window that a page opens does.
    const [copy] = await Promise.all([
      other.context.waitForEvent('page'),
      one.page.evaluate((url) => void window.open(url, '_blank', 'popup'), site.url),
    ]);
    await copy.waitForFunction(() => window.kadreel !== undefined);
    expect(ids).not.toContain(await copy.evaluate(() => window.kadreel?.node.id));
  } finally {
    await other.close();
  }
});

test('the open node goes away in the middle: what plays goes on, and what is new is published and watched', async () => {
  const publisher = await tab();
  const viewer = await tab();
  await publisher.untilLinked(viewer.id);
  const first = await publisher.publish(await fixture('barcode.mp4'), 'Before');
  await viewer.watch(first.watchUrl);
  await viewer.untilMoving();
  await publisher.untilLinked(viewer.id);
  await site.close();
  await viewer.seek(35);
  await viewer.page.waitForFunction(() => document.querySelector('video')?.ended);
  expect((await viewer.player()).error).toBeNull();
  const second = await publishWithCopies(publisher, await fixture('bframes.mp4'));
  expect(second.stored).toBe(1);
  await viewer.page.evaluate((path) => {
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate'));
  }, new URL(second.watchUrl).pathname);
  await viewer.untilMoving();
  expect((await viewer.player()).error).toBeNull();
});
