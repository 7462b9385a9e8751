/** Bulk streams and credit (docs/protocol.md §5). */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import { keyOf } from '../../../src/kademlia/key.ts';
import { STREAM_WINDOW } from '../../../src/node/stream-receiver.ts';
import { decodeFrame, encodeFrame } from '../../../src/wire/codec.ts';
import { CALLS, type Frame } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';
import { type LinkEnd, linkPair } from './support/link-pair.ts';

const GROUP = keyOf(new Uint8Array(20));
const MIB = 1024 * 1024;

/** The second end serves segments: as many bytes as `size` says. */
function serving(bench: Bench, size: (segment: number) => number, announced = size): readonly [LinkEnd, LinkEnd] {
  return linkPair(bench, {
    serve: async ({ method, body, stream }) => {
      const request = method === CALLS.FETCH.method ? decode(CALLS.FETCH.request, body) : null;
      if (!request) throw new Error('not a FETCH');
      const bytes = new Uint8Array(size(request.segment)).fill(request.segment + 1);
      stream({ bytes, credit: request.window, urgency: request.urgency });
      return encode(CALLS.FETCH.response, { size: announced(request.segment) });
    },
  });
}

const get = (
  { link }: LinkEnd,
  segment: number,
  size: number,
  options: Parameters<LinkEnd['link']['fetch']>[1] & { urgency?: number } = {},
) => link.fetch({ group: GROUP, segment, size, urgency: options.urgency ?? 0 }, options);

function frames(end: LinkEnd): Frame[] {
  const seen: Frame[] = [];
  const before = end.channel.tap;
  end.channel.tap = (message) => {
    const frame = decodeFrame(message);
    if (frame) seen.push(frame);
    return before(message);
  };
  return seen;
}

const request = (id: number, parts: { segment?: number; window: number; urgency?: number }): Bytes =>
  encodeFrame({
    type: 'request',
    id,
    method: CALLS.FETCH.method,
    body: encode(CALLS.FETCH.request, {
      group: GROUP,
      segment: parts.segment ?? 0,
      offset: 0,
      window: parts.window,
      urgency: parts.urgency ?? 0,
    }),
  });

/** The other side takes all that leaves, and says so. */
function acknowledge(end: LinkEnd): void {
  const before = end.channel.tap;
  end.channel.tap = (message) => {
    const frame = decodeFrame(message);
    if (frame?.type === 'data')
      queueMicrotask(() => end.channel.inject(encodeFrame({ type: 'credit', id: frame.id, bytes: frame.bytes.length })));
    return before(message);
  };
}

const dataBytes = (sent: readonly Frame[]): number =>
  sent.reduce((sum, frame) => sum + (frame.type === 'data' ? frame.bytes.length : 0), 0);

describe('a stream', () => {
  test('[B1] brings what was announced, whatever its size', async () => {
    const bench = createBench();
    for (const size of [0, 1, 32 * 1024, 3 * MIB + 7]) {
      const [here, there] = serving(bench, () => size);
      const bytes = await bench.run(get(here, 4, size));
      expect(bytes.length).toBe(size);
      expect(bytes.every((byte) => byte === 5)).toBe(true);
      expect(there.counters.sent).toBe(size);
      expect([here.link.receiving, there.link.sending]).toEqual([false, false]);
    }
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test('[B2] [B4] sends no more than the reader gave credit for', async () => {
    const bench = createBench();
    const [here, there] = serving(bench, () => 2 * MIB);
    let credit = STREAM_WINDOW;
    let ahead = 0;
    here.channel.tap = (message) => {
      const frame = decodeFrame(message);
      if (frame?.type === 'credit') credit += frame.bytes;
      return message;
    };
    const sent = frames(there);
    const outcome = get(here, 0, 2 * MIB, { onBytes: () => (ahead = Math.max(ahead, dataBytes(sent) - credit)) });
    await bench.run(outcome);
    expect(ahead).toBeLessThanOrEqual(0);
    expect(credit).toBeGreaterThan(STREAM_WINDOW);
  });

  test('[B4] a reader that gives no credit gets its window and no more; one that reads nothing is queued for no more than the mark', async () => {
    const bench = createBench();
    const [, there] = serving(bench, () => 8 * MIB);
    const sent = frames(there);
    there.channel.inject(request(1, { window: 100_000 }));
    await bench.advance(100);
    expect(dataBytes(sent)).toBe(100_000);
    const [, stuck] = serving(bench, () => 8 * MIB);
    stuck.channel.stuck = true;
    stuck.channel.inject(request(1, { window: 0xffff_ffff }));
    await bench.advance(100);
    expect(stuck.channel.peak).toBeGreaterThan(100 * 1024);
    expect(stuck.channel.peak).toBeLessThan(300 * 1024);
    acknowledge(stuck);
    stuck.channel.stuck = false;
    await bench.advance(100);
    expect(stuck.counters.sent).toBe(8 * MIB);
  });

  test('[B2] credit that overflows is no more than the bytes that are left', async () => {
    const bench = createBench();
    const [, there] = serving(bench, () => 3 * MIB);
    const sent = frames(there);
    there.channel.inject(request(1, { window: 1 }));
    await bench.advance(5);
    expect(dataBytes(sent)).toBe(1);
    acknowledge(there);
    for (let i = 0; i < 5; i++) there.channel.inject(encodeFrame({ type: 'credit', id: 1, bytes: 0xffff_ffff }));
    there.channel.inject(encodeFrame({ type: 'credit', id: 99, bytes: 5 }));
    await bench.advance(100);
    expect(dataBytes(sent)).toBe(3 * MIB);
    expect(there.counters.malformed).toBe(0);
  });

  test('[B3] the most urgent goes first, and equals take turns', async () => {
    const bench = createBench();
    const [, there] = serving(bench, () => 256 * 1024);
    const sent = frames(there);
    acknowledge(there);
    there.channel.stuck = true;
    there.channel.inject(request(1, { window: MIB, urgency: 200 }));
    await bench.advance(1); // fills the queue
    for (const [id, urgency] of [
      [2, 9],
      [3, 0],
      [4, 0],
    ] as const)
      there.channel.inject(request(id, { window: MIB, urgency }));
    await bench.advance(1);
    for (let i = 0; i < 8; i++) {
      there.channel.stuck = false;
      there.channel.stuck = true;
      await bench.advance(1);
    }
    there.channel.stuck = false;
    await bench.advance(10);
    const order = sent.flatMap((frame) => (frame.type === 'data' ? frame.id : []));
    const after = order.slice(order.indexOf(3));
    expect(after.slice(0, 6)).toEqual([3, 4, 3, 4, 3, 4]);
    expect(after.lastIndexOf(3)).toBeLessThan(after.indexOf(2));
    expect(dataBytes(sent)).toBe(4 * 256 * 1024);
  });

  test('[B6] what cancelled streams had under way leaves room for those that come after', async () => {
    const bench = createBench();
    const [, there] = serving(bench, () => MIB);
    const sent = frames(there);
    for (let id = 1; id <= 20; id++) {
      there.channel.inject(request(id, { window: MIB }));
      await bench.advance(1);
      there.channel.inject(encodeFrame({ type: 'cancel', id }));
      await bench.advance(1);
      expect(
        sent.some((frame) => frame.type === 'data' && frame.id === id),
        `stream ${id}`,
      ).toBe(true);
    }
  });

  test('[B5] ends when its reader cancels, and nothing more is sent', async () => {
    const bench = createBench();
    const [here, there] = serving(bench, () => 8 * MIB);
    const abort = new AbortController();
    const outcome = get(here, 0, 8 * MIB, { signal: abort.signal });
    await bench.advance(6);
    expect([here.link.receiving, there.link.sending]).toEqual([true, true]);
    expect([here.link.sending, there.link.receiving]).toEqual([false, false]);
    abort.abort();
    expect(await bench.code(outcome)).toBe('aborted');
    expect(here.link.receiving).toBe(false);
    await bench.advance(10);
    expect(there.link.sending).toBe(false);
    const { sent } = there.counters;
    await bench.advance(1_000);
    expect(there.counters.sent).toBe(sent);
    expect(sent).toBeLessThan(4 * MIB);
  });

  test('[B5] ends when its sender gives up', async () => {
    const bench = createBench();
    const [here, there] = serving(bench, () => 8 * MIB);
    there.channel.tap = (message) => (decodeFrame(message)?.type === 'data' ? null : message);
    const outcome = get(here, 0, 8 * MIB);
    await bench.advance(5);
    here.channel.inject(encodeFrame({ type: 'failure', id: 1, code: 3, reason: 'gone' }));
    expect(await bench.code(outcome)).toBe('not-found');
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test('[B5] on which nothing comes for 8 s has failed; one byte in time keeps it alive, an empty frame does not', async () => {
    const bench = createBench();
    const [here, there] = serving(bench, () => MIB);
    there.channel.tap = (message) => (decodeFrame(message)?.type === 'data' ? null : message);
    const outcome = get(here, 0, MIB);
    await bench.advance(3);
    const start = bench.clock.now();
    await bench.advance(7_900);
    here.channel.inject(encodeFrame({ type: 'data', id: 1, bytes: new Uint8Array(1) }));
    await bench.advance(7_900);
    here.channel.inject(encodeFrame({ type: 'data', id: 1, bytes: new Uint8Array(0) }));
    expect(await bench.code(outcome)).toBe('timeout');
    expect(bench.clock.now() - start).toBe(7_900 + 8_000);
  });

  test('[B1] with more bytes than announced is ended as corrupt; with another size it is not even begun', async () => {
    const bench = createBench();
    const [here, there] = serving(
      bench,
      () => 100_000,
      () => 99_999,
    );
    expect(await bench.code(get(here, 0, 99_999))).toBe('corrupt');
    await bench.advance(10);
    expect(there.link.closed).toBe(false);
    expect(await bench.code(get(here, 0, 5))).toBe('corrupt');
  });

  test('[B1] whose bytes come before their announcement is bounded by its window', async () => {
    const bench = createBench();
    const [here] = linkPair(bench, { serve: () => new Promise(() => undefined) });
    const outcome = get(here, 0, 8 * MIB);
    await bench.advance(5);
    for (let i = 0; i < 10; i++) here.channel.inject(encodeFrame({ type: 'data', id: 1, bytes: new Uint8Array(32 * 1024) }));
    expect(here.link.receiving).toBe(false);
    expect(await bench.code(outcome)).not.toBeNull();
  });

  test('[R3] one neighbour has 16 of them at most, and those it does not read end after 16 s', async () => {
    const bench = createBench();
    const [, there] = linkPair(bench, {
      heartbeat: 2_500,
      serve: async ({ stream }) => {
        stream({ bytes: new Uint8Array(100), credit: 0, urgency: 0 });
        return encode(CALLS.FETCH.response, { size: 100 });
      },
    });
    const sent = frames(there);
    for (let id = 1; id <= 20; id++) there.channel.inject(request(id, { window: 0 }));
    await bench.advance(5);
    const count = (type: Frame['type']): number => sent.filter((frame) => frame.type === type).length;
    expect([count('response'), count('failure')]).toEqual([16, 4]);
    for (let i = 0; i < 18; i++) {
      await bench.advance(1_000);
      there.channel.inject(encodeFrame({ type: 'alive' }));
      there.link.tick(bench.clock.now());
    }
    expect(count('failure')).toBe(4 + 16);
    there.channel.inject(request(99, { window: 0 }));
    await bench.advance(5);
    expect(count('response')).toBe(17);
  });

  test('[R3] they hold 32 MiB of our memory at most', async () => {
    const bench = createBench();
    const [, there] = serving(bench, () => 16 * MIB);
    const sent = frames(there);
    for (let id = 1; id <= 5; id++) {
      there.channel.inject(request(id, { window: 0 }));
      await bench.advance(5);
    }
    expect(sent.filter((frame) => frame.type === 'response').length).toBe(2);
  });
});
