/** Tabs of one browser are several nodes on one disk, each the same over reloads (design §1, §6). */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchPersistent, type Persistent } from './harness/chromium.ts';
import { type PortsSite, servePorts } from './harness/ports-site.ts';

interface Who {
  readonly node: string;
  readonly storeId: string;
  readonly account: string;
  readonly device: string;
}

let site: PortsSite;
let browser: Persistent;
beforeAll(async () => {
  site = await servePorts();
});
afterAll(() => site.close());
beforeEach(async () => {
  browser = await launchPersistent();
  return () => browser.close();
});

const tab = async (): Promise<Page> => {
  const page = await browser.context.newPage();
  await page.goto(site.url);
  return page;
};

/** Opens the page's identity, which it keeps as long as it lives. */
const open = (page: Page): Promise<Who> =>
  page.evaluate(async () => {
    const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const identity = await window.ports.openIdentity();
    return {
      node: hex(identity.publicKey),
      storeId: hex(identity.storeId),
      account: hex(identity.account.publicKey),
      device: identity.device,
    };
  });

const disk = ({ storeId, account, device }: Who): object => ({ storeId, account, device });

test('tabs that open at once for the first time are different nodes with one disk, one account and one device', async () => {
  const pages = await Promise.all(Array.from({ length: 4 }, tab));
  const who = await Promise.all(pages.map(open));
  expect(new Set(who.map(({ node }) => node)).size).toBe(4);
  for (const one of who) expect(disk(one)).toEqual(disk(who[0] as Who));
  expect(who[0]?.storeId).toMatch(/^[0-9a-f]{32}$/);
  expect(who[0]?.device).toMatch(/^[0-9a-f]{16}$/);
});

test('a reload keeps the node, again and again, beside another tab', async () => {
  const [one, two] = [await tab(), await tab()];
  const [first, second] = [await open(one), await open(two)];
  for (let i = 0; i < 3; i++) {
    await Promise.all([one.reload(), two.reload()]);
    expect(await Promise.all([open(one), open(two)])).toEqual([first, second]);
  }
});

test('a duplicated tab, which has a copy of sessionStorage, is another node; each keeps its own over reloads', async () => {
  const original = await tab();
  const first = await open(original);
  // A window that a page opens gets a copy of its sessionStorage, as a duplicated tab does.
  const [duplicate] = await Promise.all([original.waitForEvent('popup'), original.evaluate(() => void window.open('/'))]);
  await duplicate.waitForFunction(() => 'ports' in window);
  expect(await duplicate.evaluate(() => sessionStorage.getItem('kadreel-node'))).toBe(first.node);
  const second = await open(duplicate);
  expect(second.node).not.toBe(first.node);
  expect(disk(second)).toEqual(disk(first));
  await Promise.all([original.reload(), duplicate.reload()]);
  expect([(await open(original)).node, (await open(duplicate)).node]).toEqual([first.node, second.node]);
});

test('a new tab takes over the node of one that was closed or crashed, and the browser’s restart changes nothing', async () => {
  const one = await tab();
  const first = await open(one);
  await one.close();
  const two = await tab();
  expect(await open(two)).toEqual(first);
  const session = await browser.context.newCDPSession(two);
  session.send('Page.crash').catch(() => undefined); // never answers
  await two.waitForEvent('crash');
  const three = await tab();
  expect(await open(three)).toEqual(first);
  browser = await browser.restart();
  expect(await open(await tab())).toEqual(first);
});

test('the node’s private key can’t be read; the account’s can, for a backup', async () => {
  const page = await tab();
  await open(page);
  const extractable = await page.evaluate(
    () =>
      new Promise<{ count: number; node: boolean; account: boolean }>((resolve, reject) => {
        const opening = indexedDB.open('kadreel-identity');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const tx = opening.result.transaction(['nodes', 'browser']);
          const nodes: IDBRequest<{ signing: CryptoKeyPair; sealing: CryptoKeyPair }[]> = tx.objectStore('nodes').getAll();
          const account: IDBRequest<CryptoKeyPair> = tx.objectStore('browser').get('account');
          tx.oncomplete = () => {
            opening.result.close();
            const keys = nodes.result.flatMap(({ signing, sealing }) => [signing.privateKey, sealing.privateKey]);
            resolve({
              count: keys.length,
              node: keys.some(({ extractable }) => extractable),
              account: account.result.privateKey.extractable,
            });
          };
        };
      }),
  );
  expect(extractable).toEqual({ count: 2, node: false, account: true });
});
