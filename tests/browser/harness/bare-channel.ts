/** A plain RTCDataChannel between two pages: what everything else on it is measured against. */
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    bare?: { pc: RTCPeerConnection; channel: RTCDataChannel; received: number };
  }
}

/** As good as any other size and mark on this path (bytes). */
const MESSAGE = 64 * 1024;
const MARK = 256 * 1024;
const LOW_MARK = 64 * 1024;

export interface BareChannel {
  /** Sends so many bytes from the first page to the second; gives MB/s, from the first byte sent to the last received. */
  measure(bytes: number): Promise<number>;
  close(): Promise<void>;
}

/** Links two pages by nothing but the browser. */
export async function linkBare(one: Page, two: Page): Promise<BareChannel> {
  const pages = [one, two];
  await Promise.all(
    pages.map((page) =>
      page.evaluate(() => {
        const pc = new RTCPeerConnection();
        const channel = pc.createDataChannel('bare', { negotiated: true, id: 0 });
        channel.binaryType = 'arraybuffer';
        const bare = { pc, channel, received: 0 };
        channel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
          bare.received += event.data.byteLength;
        };
        window.bare = bare;
      }),
    ),
  );
  const answer = await describe(two, await describe(one, null));
  await one.evaluate((sdp) => window.bare?.pc.setRemoteDescription({ type: 'answer', sdp }), answer);
  await Promise.all(pages.map((page) => page.waitForFunction(() => window.bare?.channel.readyState === 'open')));

  return {
    async measure(bytes) {
      const before = (await two.evaluate(() => window.bare?.received)) ?? 0;
      const start = performance.now();
      await one.evaluate(
        async ([volume, size, mark, low]) => {
          const { channel } = window.bare as NonNullable<Window['bare']>;
          channel.bufferedAmountLowThreshold = low;
          const message = new Uint8Array(size);
          for (let sent = 0; sent < volume; sent += size) {
            if (channel.bufferedAmount > mark) {
              await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
            }
            channel.send(message);
          }
        },
        [bytes, MESSAGE, MARK, LOW_MARK] as const,
      );
      await two.waitForFunction((wanted) => (window.bare?.received ?? 0) >= wanted, before + bytes, { polling: 5 });
      return bytes / 1000 / (performance.now() - start);
    },
    async close() {
      await Promise.all(pages.map((page) => page.evaluate(() => window.bare?.pc.close())));
    },
  };
}

/** The page's description with all its candidates: an offer, or the answer to `offer`. */
function describe(page: Page, offer: string | null): Promise<string> {
  return page.evaluate(async (sdp) => {
    const { pc } = window.bare as NonNullable<Window['bare']>;
    if (sdp) await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    if (pc.iceGatheringState !== 'complete') {
      await new Promise<void>((resolve) => {
        pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve());
      });
    }
    return pc.localDescription?.sdp ?? '';
  }, offer);
}
