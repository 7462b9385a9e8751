/** What every Channel and every Puncher must do (ports.ts). */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Bytes, EMPTY, equal } from '../../src/base/bytes.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { Channel, ChannelListener, Punch, Puncher } from '../../src/base/ports.ts';

const DRAINED = 64 * 1024;

/** `connect` gives the two ends of a new connection. */
export function channelContract(name: string, connect: () => Promise<readonly [Channel, Channel]>): void {
  const open: Channel[] = [];
  const pair = async (): Promise<readonly [Channel, Channel]> => {
    const ends = await connect();
    open.push(...ends);
    return ends;
  };
  afterEach(() => {
    for (const channel of open.splice(0)) channel.close();
  });

  describe(`Channel: ${name}`, () => {
    test('messages of every size arrive whole, in order, both ways', async () => {
      const [a, b] = await pair();
      const [atA, atB] = [hear(a), hear(b)];
      const sizes = [1, 0, 100, 65_536, 1, LIMITS.message, 16_384];
      for (const [index, size] of sizes.entries()) {
        a.send(pattern(size, index));
        b.send(pattern(size, index + 100));
      }
      await vi.waitFor(() => expect([atA.messages.length, atB.messages.length]).toEqual([sizes.length, sizes.length]), 10_000);
      sizes.forEach((size, index) => {
        expect(equal(atB.messages[index] as Bytes, pattern(size, index))).toBe(true);
        expect(equal(atA.messages[index] as Bytes, pattern(size, index + 100))).toBe(true);
      });
    });

    test('a view is sent as the bytes that it shows', async () => {
      const [a, b] = await pair();
      const atB = hear(b);
      a.send(pattern(100, 1).subarray(10, 20));
      await vi.waitFor(() => expect(atB.messages).toHaveLength(1));
      expect(equal(atB.messages[0] as Bytes, pattern(100, 1).subarray(10, 20))).toBe(true);
    });

    test('messages that come before anybody listens are kept', async () => {
      const [a, b] = await pair();
      for (let i = 1; i <= 5; i++) a.send(pattern(i, i));
      await pair(); // opening another takes several round trips: by then the five have come
      const atB = hear(b);
      await vi.waitFor(() => expect(atB.messages.map((message) => message.length)).toEqual([1, 2, 3, 4, 5]));
    });

    test('both ends have the same binding', async () => {
      const [a, b] = await pair();
      expect(equal(a.binding, b.binding)).toBe(true);
      if (a.transport !== 'webrtc') return;
      expect(a.binding).toHaveLength(64);
      const [c] = await pair();
      expect(equal(a.binding, c.binding)).toBe(false);
    });

    test('closing tells both listeners, once; afterwards nothing is sent or delivered', async () => {
      const [a, b] = await pair();
      const [atA, atB] = [hear(a), hear(b)];
      a.close();
      a.close();
      a.send(pattern(10, 1));
      b.send(pattern(10, 1));
      await vi.waitFor(() => expect([atA.closes.length, atB.closes.length]).toEqual([1, 1]), 5000);
      b.close();
      b.send(pattern(10, 1));
      await turns();
      expect([atA.closes.length, atB.closes.length]).toEqual([1, 1]);
      expect([atA.messages.length, atB.messages.length]).toEqual([0, 0]);
      expect(atA.closes[0]).not.toBe('');
      expect(atB.closes[0]).not.toBe('');
    });

    test('who listens after the end hears what came before it, then the end', async () => {
      const [a, b] = await pair();
      const atA = hear(a);
      b.send(pattern(3, 3));
      b.close();
      await vi.waitFor(() => expect(atA.closes).toHaveLength(1), 5000);
      expect(atA.messages).toHaveLength(1);
      const atB = hear(b);
      await vi.waitFor(() => expect(atB.closes).toHaveLength(1));
    });

    test('what was queued when it closes still arrives', async () => {
      const [a, b] = await pair();
      const atB = hear(b);
      hear(a);
      for (let i = 0; i < 16; i++) a.send(pattern(LIMITS.message, i));
      a.close();
      await vi.waitFor(() => expect(atB.closes).toHaveLength(1), 10_000);
      expect(atB.messages).toHaveLength(16);
    });

    test('drain comes when the queue has fallen to 64 KiB', async () => {
      const [a, b] = await pair();
      const [atA, atB] = [hear(a), hear(b)];
      for (let i = 0; i < 12; i++) a.send(pattern(LIMITS.message, i));
      if (a.queued > DRAINED) {
        await vi.waitFor(() => expect(atA.drains).toBeGreaterThan(0), 10_000);
        expect(atA.queuedAtDrain).toBeLessThanOrEqual(DRAINED);
      }
      await vi.waitFor(() => expect(atB.messages).toHaveLength(12), 10_000);
      await vi.waitFor(() => expect(a.queued).toBe(0));
    });
  });
}

/** `create` gives the punchers of two nodes, whose signals the suite carries. */
export function puncherContract(name: string, create: () => readonly [Puncher, Puncher]): void {
  describe(`Puncher: ${name}`, () => {
    test('an offer and an answer, carried in order, open the same connection', async () => {
      const [a, b] = await introduce(create());
      expect(equal(a.binding, b.binding)).toBe(true);
      a.close();
      b.close();
    });

    test('closing before it opens rejects with `closed`; signals that come later are ignored', async () => {
      const [puncher] = create();
      const punch = puncher.start({ initiator: true, emit: () => undefined });
      punch.close();
      punch.close();
      await expect(punch.opened).rejects.toMatchObject({ code: 'closed' });
      punch.accept('{"type":"candidate","candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0}}');
      punch.accept('nonsense');
    });

    test('closing after it opened does nothing', async () => {
      const punches: Punch[] = [];
      const [a, b] = await introduce(create(), punches);
      for (const punch of punches) punch.close();
      const atB = hear(b);
      a.send(pattern(5, 5));
      await vi.waitFor(() => expect(atB.messages).toHaveLength(1));
      a.close();
      b.close();
    });

    test('nonsense rejects with `unreachable` and never throws', async () => {
      const nonsense = fc.oneof(fc.string({ maxLength: 200 }), fc.json({ maxDepth: 3 }), brokenSignal());
      await fc.assert(
        fc.asyncProperty(nonsense, fc.boolean(), async (signal, initiator) => {
          const punch = create()[0].start({ initiator, emit: () => undefined });
          punch.accept(signal);
          punch.close(); // a well-formed candidate alone opens nothing
          const code = await punch.opened.then(
            () => 'opened',
            (error: { code?: string }) => error.code,
          );
          expect(['unreachable', 'closed']).toContain(code);
        }),
        { numRuns: 40 },
      );
      const punch = create()[0].start({ initiator: false, emit: () => undefined });
      punch.accept('{"type":"offer","sdp":"v=0"}');
      await expect(punch.opened).rejects.toMatchObject({ code: 'unreachable' });
    });
  });
}

/** Opens a connection between two punchers. The started sides are added to `punches`. */
export async function introduce(pair: readonly [Puncher, Puncher], punches: Punch[] = []): Promise<readonly [Channel, Channel]> {
  const late: string[] = [];
  let answerer: Punch | null = null;
  const offerer = pair[0].start({ initiator: true, emit: (signal) => (answerer ? answerer.accept(signal) : late.push(signal)) });
  answerer = pair[1].start({ initiator: false, emit: (signal) => offerer.accept(signal) });
  for (const signal of late) answerer.accept(signal);
  punches.push(offerer, answerer);
  return Promise.all([offerer.opened, answerer.opened]);
}

export interface Heard {
  readonly messages: Bytes[];
  readonly closes: string[];
  drains: number;
  /** The channel's `queued` when `drain` came last. */
  queuedAtDrain: number;
}

/** Listens and keeps everything. */
export function hear(channel: Channel): Heard {
  const heard: Heard = { messages: [], closes: [], drains: 0, queuedAtDrain: -1 };
  const listener: ChannelListener = {
    message: (message) => void heard.messages.push(message),
    drain() {
      heard.drains++;
      heard.queuedAtDrain = channel.queued;
    },
    close: (reason) => void heard.closes.push(reason),
  };
  channel.listen(listener);
  return heard;
}

/** Bytes that tell the messages of a test apart. */
export function pattern(size: number, seed: number): Bytes {
  const bytes = size === 0 ? EMPTY : new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (seed * 31 + i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

function brokenSignal(): fc.Arbitrary<string> {
  const part = fc.oneof(fc.string({ maxLength: 60 }), fc.constant(null), fc.integer(), fc.constant('v=0\r\nm=application 9 X 0\r\n'));
  return fc
    .record({
      type: fc.constantFrom('offer', 'answer', 'candidate', 'renegotiate', 'transceiverRequest'),
      sdp: part,
      renegotiate: fc.boolean(),
      candidate: fc.oneof(part, fc.record({ candidate: part, sdpMid: part, sdpMLineIndex: part })),
    })
    .map((signal) => JSON.stringify(signal));
}

/** A few turns of the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    });
  }
}
