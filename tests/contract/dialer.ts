/** What every Dialer must do (ports.ts). */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Bytes, equal, toUtf8 } from '../../src/base/bytes.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { Channel, Dialer } from '../../src/base/ports.ts';
import { hear, pattern } from './channel.ts';

/** `url` is the address of an echo server (`echo-server.ts`), once tests run. */
export function dialerContract(name: string, options: { dialer: Dialer; url: () => string }): void {
  const opened: Channel[] = [];
  const dial = async (path: string): Promise<Channel> => {
    const channel = await options.dialer.dial(options.url() + path, new AbortController().signal);
    opened.push(channel);
    return channel;
  };
  afterEach(() => {
    for (const channel of opened.splice(0)) channel.close();
  });

  describe(`Dialer: ${name}`, () => {
    test('messages go there and back whole and in order', async () => {
      const channel = await dial('/echo');
      expect(channel.transport).toBe('websocket');
      expect(channel.binding).toHaveLength(0);
      const heard = hear(channel);
      const sizes = [1, 100, LIMITS.message, 0, 65_536];
      for (const [index, size] of sizes.entries()) channel.send(pattern(size, index));
      await vi.waitFor(() => expect(heard.messages).toHaveLength(sizes.length), 5000);
      sizes.forEach((size, index) => {
        expect(equal(heard.messages[index] as Bytes, pattern(size, index))).toBe(true);
      });
    });

    test('what is no ws: or wss: address is `invalid`', async () => {
      for (const url of ['', 'nonsense', 'ftp://127.0.0.1', 'javascript:1', 'ws://']) {
        await expect(options.dialer.dial(url, new AbortController().signal), url).rejects.toMatchObject({ code: 'invalid' });
      }
    });

    test('where nobody listens it is `unreachable`', async () => {
      await expect(options.dialer.dial('ws://127.0.0.1:9/ws', new AbortController().signal)).rejects.toMatchObject({ code: 'unreachable' });
    });

    test('an abort, before or in the middle, is `aborted`', async () => {
      const controller = new AbortController();
      const hanging = options.dialer.dial(`${options.url()}/hang`, controller.signal);
      controller.abort();
      await expect(hanging).rejects.toMatchObject({ code: 'aborted' });
      await expect(options.dialer.dial(`${options.url()}/echo`, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    });

    test('an abort after it opened does nothing', async () => {
      const controller = new AbortController();
      const channel = await options.dialer.dial(`${options.url()}/echo`, controller.signal);
      opened.push(channel);
      controller.abort();
      const heard = hear(channel);
      channel.send(pattern(3, 3));
      await vi.waitFor(() => expect(heard.messages).toHaveLength(1));
    });

    test('the other side’s reason comes with its close, once', async () => {
      const channel = await dial('/bye');
      const heard = hear(channel);
      channel.send(pattern(1, 1));
      await vi.waitFor(() => expect(heard.closes).toEqual(['enough']));
      channel.close();
      channel.send(pattern(1, 1));
      expect(heard.closes).toHaveLength(1);
    });

    test('what is queued when it closes still arrives', async () => {
      const name = String(Math.random()).slice(2);
      const channel = await dial(`/sink/${name}`);
      hear(channel);
      for (let i = 0; i < 16; i++) channel.send(pattern(LIMITS.message, i));
      channel.close();
      const heard = hear(await dial(`/count/${name}`));
      await vi.waitFor(() => expect(heard.messages).toHaveLength(1), 10_000);
      expect(toUtf8(heard.messages[0] as Uint8Array)).toBe(String(16 * LIMITS.message));
    });

    test('drain comes when the queue has fallen to 64 KiB', async () => {
      const channel = await dial('/slow');
      const heard = hear(channel);
      for (let i = 0; i < 40; i++) channel.send(pattern(LIMITS.message, i));
      expect(channel.queued).toBeGreaterThan(64 * 1024);
      await vi.waitFor(() => expect(heard.drains).toBe(1), 10_000);
      expect(heard.queuedAtDrain).toBeLessThanOrEqual(64 * 1024);
    });

    test('a side that does not read is given up before memory is', async () => {
      const channel = await dial('/slow');
      const heard = hear(channel);
      for (let i = 0; i < 100; i++) channel.send(pattern(LIMITS.message, i));
      await vi.waitFor(() => expect(heard.closes).toHaveLength(1), 5000);
      expect(channel.queued).toBeLessThan(20 * 1024 * 1024);
    });
  });
}
