/** The service worker and its page, without the rest of the site (design §8). */
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkerRequest } from '../../src/browser/worker-protocol.ts';
import { launchPersistent, type Persistent } from './harness/chromium.ts';
import { type PortsSite, servePorts } from './harness/ports-site.ts';
import { SAMPLE_VIDEO } from './harness/sample-catalogue.ts';
import { launchUnwatched } from './harness/unwatched.ts';

declare global {
  interface Window {
    /** What the page was asked and told, and how it answers segments. */
    told: { asked: WorkerRequest[]; reads: number[]; aborted: number; mode: 'answer' | 'absent' | 'never'; cancel(url: string): void };
  }
}

const HLS = `/hls/${SAMPLE_VIDEO}`;

let site: PortsSite;
let browser: Persistent;
beforeEach(async () => {
  site = await servePorts();
  browser = await launchPersistent();
});
afterEach(async () => {
  await browser.close();
  await site.close();
});

/** Makes the page in which it runs answer for the sample video, and waits until it is controlled. Resolves to the milliseconds that took. */
async function hostHere(): Promise<number> {
  const { hostServiceWorker, encodeCatalogue, sampleCatalogue } = window.ports;
  window.told = { asked: [], reads: [], aborted: 0, mode: 'answer', cancel: () => undefined };
  const start = performance.now();
  const hosted = hostServiceWorker({
    async answer(request, signal) {
      window.told.asked.push(request);
      signal.addEventListener('abort', () => window.told.aborted++);
      if (request.kind === 'catalogue') return encodeCatalogue(sampleCatalogue());
      if (window.told.mode === 'never') return new Promise(() => undefined);
      if (window.told.mode === 'absent') throw Object.assign(new Error('Nobody has this segment.'), { name: 'KadreelError' });
      // A view on a larger buffer: only what it shows may arrive.
      return new Uint8Array([9, 9, request.index, 7, 9]).subarray(2, 4);
    },
    read: ({ bytes }) => window.told.reads.push(bytes),
  });
  window.told.cancel = hosted.cancel;
  await hosted.ready;
  return performance.now() - start;
}

const host = (page: Page): Promise<number> => page.evaluate(hostHere);

const tab = async (path = ''): Promise<Page> => {
  const page = await browser.context.newPage();
  await page.goto(site.url + path);
  return page;
};

interface Got {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly bytes: readonly number[];
}

async function getHere(url: string): Promise<Got> {
  const response = await fetch(url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get('Content-Type'),
    text: new TextDecoder().decode(bytes),
    bytes: [...bytes],
  };
}

const get = (page: Page, path: string): Promise<Got> => page.evaluate(getHere, path);

test('a first visit is under control without a reload, and gets playlists and segments through its page', async () => {
  const page = await tab();
  console.info(`first visit: under control after ${Math.round(await host(page))} ms`);
  const master = await get(page, `${HLS}/master.m3u8`);
  expect(master).toMatchObject({ status: 200, type: 'application/vnd.apple.mpegurl' });
  expect(master.text).toContain('#EXT-X-STREAM-INF');
  expect((await get(page, `${HLS}/0/index.m3u8`)).text.match(/#EXTINF:4\.000/g)).toHaveLength(6);
  expect((await get(page, `${HLS}/1/init.mp4`)).bytes).toEqual([1, 2, 3, 1]);
  expect(await get(page, `${HLS}/0/4.m4s`)).toMatchObject({ status: 200, type: 'video/mp4', bytes: [1, 7] });
  expect(await get(page, `${HLS}/0/6.m4s`)).toMatchObject({ status: 404 });
  const asked = await page.evaluate(() => window.told.asked.map((request) => request.kind));
  expect(asked).toEqual(['catalogue', 'segment']);
  expect(site.requests.filter((path) => path.startsWith('/hls/'))).toEqual([]);
});

test('a segment on this disk is read without the page, which is told of it', async () => {
  const page = await tab();
  await host(page);
  await page.evaluate(async () => {
    const { openIdbStore, segmentKey, sampleGroup } = window.ports;
    const store = await openIdbStore();
    await store.write([{ table: 'segments', key: segmentKey(sampleGroup(0, 1), 2), value: new Uint8Array([5, 5, 5]) }]);
  });
  expect(await get(page, `${HLS}/0/5.m4s`)).toMatchObject({ status: 200, bytes: [5, 5, 5] });
  await page.waitForFunction(() => window.told.reads.length === 1);
  expect(await page.evaluate(() => [window.told.reads, window.told.asked.map(({ kind }) => kind)])).toEqual([[3], ['catalogue']]);
});

test('a hard reload, which no worker controls, is under control again', async () => {
  const page = await tab();
  await host(page);
  const devtools = await browser.context.newCDPSession(page);
  await Promise.all([page.waitForEvent('load'), devtools.send('Page.reload', { ignoreCache: true })]);
  expect(await page.evaluate(() => navigator.serviceWorker.controller === null)).toBe(true);
  console.info(`hard reload: under control after ${Math.round(await host(page))} ms`);
  expect((await get(page, `${HLS}/0/0.m4s`)).bytes).toEqual([0, 7]);
});

test('a worker’s request is answered through a page', async () => {
  const page = await tab();
  await host(page);
  const bytes = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const code = `fetch(${JSON.stringify(url)}).then((r) => r.arrayBuffer()).then((b) => postMessage([...new Uint8Array(b)]), String)`;
        const worker = new Worker(`/worker.js?code=${encodeURIComponent(code)}`);
        worker.onmessage = (event) => resolve(event.data);
      }),
    new URL(`${HLS}/0/1.m4s`, site.url).href,
  );
  expect(bytes).toEqual([1, 7]);
});

test('what a page can’t get is an answer with a reason', async () => {
  const page = await tab();
  await host(page);
  await page.evaluate(() => {
    window.told.mode = 'absent';
  });
  expect(await get(page, `${HLS}/0/0.m4s`)).toMatchObject({ status: 500, text: 'Nobody has this segment.\n' });
  expect(await get(page, `/hls/nonsense`)).toMatchObject({ status: 400 });
});

test('when no page answers it is 504 with a reason, in seconds', async () => {
  const page = await tab(); // it came under nobody's control and hosts nothing
  await host(page);
  await page.reload();
  const start = performance.now();
  const answer = await get(page, `${HLS}/master.m3u8`);
  expect(answer.status).toBe(504);
  expect(answer.text).toContain('No open page');
  expect(performance.now() - start).toBeLessThan(6000);
  // Another tab that does answer helps.
  const other = await tab();
  await host(other);
  expect((await get(page, `${HLS}/master.m3u8`)).status).toBe(200);
});

test('when the player cancels, the page is told', async () => {
  const page = await tab();
  await host(page);
  await page.evaluate(async (url) => {
    window.told.mode = 'never';
    const controller = new AbortController();
    const request = fetch(url, { signal: controller.signal }).catch(() => undefined);
    while (!window.told.asked.some(({ kind }) => kind === 'segment')) await new Promise((resolve) => requestAnimationFrame(resolve));
    controller.abort();
    window.told.cancel(url);
    await request;
  }, `${HLS}/0/0.m4s`);
  await page.waitForFunction(() => window.told.aborted === 1);
});

test('a worker that was stopped comes back without what it knew', async () => {
  const page = await tab();
  await host(page);
  await get(page, `${HLS}/master.m3u8`);
  const devtools = await browser.context.newCDPSession(page);
  await devtools.send('ServiceWorker.enable');
  await devtools.send('ServiceWorker.stopAllWorkers');
  const start = performance.now();
  expect((await get(page, `${HLS}/0/index.m3u8`)).status).toBe(200);
  console.info(`stopped worker: answered after ${Math.round(performance.now() - start)} ms`);
  expect(await page.evaluate(() => window.told.asked.length)).toBe(2);
});

test('with the server down a reload shows the app, on every route, isolated as before; large files are there once used', async () => {
  const page = await tab('watch/something');
  await host(page);
  expect((await get(page, '/assets/core-abcdefgh.wasm')).text).toBe('large');
  expect(await get(page, '/status')).toMatchObject({ text: '{"from":"the server"}' });
  await site.close();
  await page.reload();
  expect(await page.title()).toBe('version 1');
  expect(await page.evaluate(() => ['ports' in window, crossOriginIsolated])).toEqual([true, true]);
  expect((await get(page, '/assets/core-abcdefgh.wasm')).text).toBe('large');
  expect((await (await page.goto(`${site.url}publish`))?.allHeaders())?.['content-security-policy']).toBe("default-src 'self'");
  await expect(page.goto(`${site.url}status`)).rejects.toThrow('ERR_CONNECTION_REFUSED');
});

test('a new version takes over at the start of the only page, and not while another page is open', async () => {
  const own = await launchUnwatched(); // the older worker has to end by itself
  try {
    const [one, two] = [await own.open(site.url), await own.open(site.url)];
    await one.evaluate(hostHere);
    await two.evaluate(hostHere);
    site.newVersion();
    await one.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    const isWaiting = (): Promise<boolean> => one.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null);
    await expect.poll(isWaiting, { timeout: 20_000 }).toBe(true);
    await one.reload();
    await one.evaluate(hostHere);
    expect(await one.evaluate(() => document.title)).toBe('version 1');
    expect(await isWaiting()).toBe(true);
    await two.close();
    const start = performance.now();
    await one.reload();
    await one.evaluate(hostHere).catch(() => undefined); // the page may start again in the middle of it
    const title = (): Promise<string> =>
      one.evaluate(() => (document.readyState === 'complete' ? document.title : 'loading')).catch(() => 'between two documents');
    await expect.poll(title, { timeout: 10_000 }).toBe('version 2');
    console.info(`a new version: taken over after ${Math.round(performance.now() - start)} ms`);
    await one.evaluate(hostHere);
    expect((await one.evaluate(getHere, `${HLS}/0/0.m4s`)).bytes).toEqual([0, 7]);
  } finally {
    await own.close();
  }
});
