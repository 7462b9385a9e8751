/** WebRTC between two pages with storage of their own: speed beside a bare data channel, and when the end of a link is known. */
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
    bare: { pc: RTCPeerConnection; channel: RTCDataChannel };
    channel: Channel;
    heard: { bytes: number; last: string; lastAt: number; closed: string | null; closedAt: number };
  }
}

const MB = 1e6;
const VOLUME = 40 * MB;
const MESSAGE = 64 * 1024;
/** The mark of facts.md for a bare channel. */
const BARE_MARK = 256 * 1024;

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

/** Links the two pages by nothing but the browser. */
async function linkBare(): Promise<void> {
  const [one, two] = pages;
  const make = (page: Page): Promise<string> =>
    page.evaluate(async () => {
      const pc = new RTCPeerConnection();
      const channel = pc.createDataChannel('bare', { negotiated: true, id: 0 });
      channel.binaryType = 'arraybuffer';
      window.bare = { pc, channel };
      return '';
    });
  await Promise.all(pages.map(make));
  const gathered = (page: Page, remote: string | null): Promise<string> =>
    page.evaluate(async (remote) => {
      const { pc } = window.bare;
      if (remote) await pc.setRemoteDescription({ type: 'offer', sdp: remote });
      await pc.setLocalDescription();
      if (pc.iceGatheringState !== 'complete') {
        await new Promise<void>((resolve) => {
          pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve());
        });
      }
      return pc.localDescription?.sdp ?? '';
    }, remote);
  const answer = await gathered(two, await gathered(one, null));
  await one.evaluate((sdp) => window.bare.pc.setRemoteDescription({ type: 'answer', sdp }), answer);
  await Promise.all(pages.map((page) => page.waitForFunction(() => window.bare.channel.readyState === 'open')));
}

/** MB/s of our channel: as much as its `drain` lets through. */
async function ours(): Promise<number> {
  const [one, two] = pages;
  const before = await two.evaluate(() => window.heard.bytes);
  const start = performance.now();
  await one.evaluate(
    async ([volume, size, mark]) => {
      const message = new Uint8Array(size);
      for (let sent = 0; sent < volume; sent += size) {
        if (window.channel.queued > mark) await new Promise((resolve) => addEventListener('drain', resolve, { once: true }));
        window.channel.send(message);
      }
    },
    [VOLUME, MESSAGE, BARE_MARK] as const,
  );
  await two.waitForFunction((wanted) => window.heard.bytes >= wanted, before + VOLUME, { polling: 5 });
  return VOLUME / 1000 / (performance.now() - start);
}

async function bare(): Promise<number> {
  const [one, two] = pages;
  await two.evaluate(() => {
    window.heard = { ...window.heard, bytes: 0 };
    window.bare.channel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      window.heard.bytes += event.data.byteLength;
    };
  });
  const start = performance.now();
  await one.evaluate(
    async ([volume, size, mark]) => {
      const { channel } = window.bare;
      channel.bufferedAmountLowThreshold = 64 * 1024;
      const message = new Uint8Array(size);
      for (let sent = 0; sent < volume; sent += size) {
        if (channel.bufferedAmount > mark)
          await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
        channel.send(message);
      }
    },
    [VOLUME, MESSAGE, BARE_MARK] as const,
  );
  await two.waitForFunction((wanted) => window.heard.bytes >= wanted, VOLUME, { polling: 5 });
  return VOLUME / 1000 / (performance.now() - start);
}

test('our channel is about as fast as a bare data channel', async () => {
  await linkBare();
  const bareRates = [await bare(), await bare()];
  await Promise.all(pages.map((page) => page.evaluate(() => window.bare.pc.close())));
  await link();
  const ourRates = [await ours(), await ours()];
  const best = { bare: Math.max(...bareRates), ours: Math.max(...ourRates) };
  console.info(`tab to tab: bare ${best.bare.toFixed(1)} MB/s, ours ${best.ours.toFixed(1)} MB/s`);
  expect(best.ours).toBeGreaterThan(best.bare * 0.6);
});

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
