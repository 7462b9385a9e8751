/** Calls and signs of life on one link (docs/protocol.md §2, §4, §7). */
import { describe, expect, test } from 'vitest';
import { type Bytes, EMPTY, fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { encode } from '../../../src/base/schema.ts';
import { type Handlers, handle } from '../../../src/node/handlers.ts';
import type { IncomingCall } from '../../../src/node/link.ts';
import { decodeFrame, encodeFrame } from '../../../src/wire/codec.ts';
import { CALLS } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';
import { linkPair } from './support/link-pair.ts';

const token = new Uint8Array(8);
const PONG = encode(CALLS.PING.response, { token, open: [] });
const never = (): Promise<Bytes> => new Promise(() => undefined);

describe('a call', () => {
  test('[R1] is answered', async () => {
    const bench = createBench();
    const [{ link }] = linkPair(bench, { serve: async () => encode(CALLS.PING.response, { token, open: ['ws://x/'] }) });
    expect(await bench.run(link.call('PING', {}))).toEqual({ token, open: ['ws://x/'] });
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test.each([
    ['refused', 'refused'],
    ['not-found', 'not-found'],
    ['quota', 'refused'],
    ['unreachable', 'unreachable'],
    ['closed', 'unreachable'],
    ['timeout', 'timeout'],
    ['internal', 'internal'],
  ] as const)('[R1] that fails with %s is seen as %s', async (thrown, seen) => {
    const bench = createBench();
    const [{ link }] = linkPair(bench, { serve: () => Promise.reject(fail(thrown, 'No.')) });
    expect(await bench.code(link.call('PING', {}))).toBe(seen);
  });

  test('[R1] [R2] ends after 5 s, and the other side is told', async () => {
    const bench = createBench();
    let call: IncomingCall | null = null;
    const [{ link }] = linkPair(bench, {
      serve: (incoming) => {
        call = incoming;
        return never();
      },
    });
    const start = bench.clock.now();
    expect(await bench.code(link.call('PING', {}))).toBe('timeout');
    expect(bench.clock.now() - start).toBe(5_000);
    await bench.advance(5);
    expect((call as IncomingCall | null)?.signal.aborted).toBe(true);
  });

  test('[R1] is answered at once by who needs nothing to wait for, or refused by what is thrown', async () => {
    const bench = createBench();
    const [{ link }] = linkPair(bench, {
      serve({ method }) {
        if (method === CALLS.PING.method) return PONG;
        throw fail('quota', 'No room.');
      },
    });
    expect(await bench.run(link.call('PING', {}))).toEqual({ token, open: [] });
    expect(await bench.code(link.callRaw(CALLS.STORE.method, EMPTY))).toBe('refused');
    expect(await bench.run(link.call('PING', {}))).toEqual({ token, open: [] });
  });

  test('[R2] each of many ends when its own time is up', async () => {
    const bench = createBench();
    const [here] = linkPair(bench, { serve: never });
    const start = bench.clock.now();
    const outcomes = [2_000, 50, 5_000, 50, 700.5].map((deadline) =>
      here.link.callRaw(1, EMPTY, { deadline }).catch((error: { code: string }) => [error.code, bench.clock.now() - start]),
    );
    expect(await bench.run(Promise.all(outcomes))).toEqual([
      ['timeout', 2_000],
      ['timeout', 50],
      ['timeout', 5_000],
      ['timeout', 50],
      ['timeout', 701],
    ]);
    await bench.advance(10_000);
    expect(bench.pending).toBe(0);
  });

  test('[R2] has its own time also after an earlier one that was answered', async () => {
    const bench = createBench();
    let answered = 0;
    const [here] = linkPair(bench, { serve: () => (answered++ === 0 ? PONG : never()) });
    await bench.run(here.link.call('PING', {}));
    await bench.advance(4_000);
    const start = bench.clock.now();
    expect(await bench.code(here.link.call('PING', {}))).toBe('timeout');
    expect(bench.clock.now() - start).toBe(5_000);
  });

  test('[R2] whose signal is looked at when it was cancelled, or its link has ended, shows so', async () => {
    const bench = createBench();
    const calls: IncomingCall[] = [];
    const [here, there] = linkPair(bench, {
      serve: (call) => {
        calls.push(call);
        return never();
      },
    });
    const cancelled = here.link.call('PING', {}, { deadline: 10 });
    const cut = here.link.call('PING', {});
    expect(await bench.code(cancelled)).toBe('timeout');
    await bench.advance(5);
    there.link.close('leaving');
    expect(calls.map(({ signal }) => [signal.aborted, (signal.reason as { code: string }).code])).toEqual([
      [true, 'aborted'],
      [true, 'closed'],
    ]);
    expect(await bench.code(cut)).toBe('closed');
  });

  test('[R2] is cancelled by its caller; one cancelled before it began is never sent', async () => {
    const bench = createBench();
    const signals: AbortSignal[] = [];
    const [here] = linkPair(bench, {
      serve: ({ signal }) => {
        signals.push(signal);
        return never();
      },
    });
    const abort = new AbortController();
    const outcome = here.link.call('PING', {}, { signal: abort.signal });
    await bench.advance(5);
    abort.abort();
    expect(await bench.code(outcome)).toBe('aborted');
    await bench.advance(5);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(await bench.code(here.link.call('PING', {}, { signal: abort.signal }))).toBe('aborted');
    await bench.advance(5);
    expect(signals.length).toBe(1);
  });

  test('[R1] ends with its link', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench, { serve: never });
    const outcome = here.link.call('PING', {});
    await bench.advance(5);
    there.link.close('leaving');
    expect(await bench.code(outcome)).toBe('closed');
    expect(here.counters.ended).toContain('leaving');
    expect(await bench.code(here.link.call('PING', {}))).toBe('closed');
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test('[F10] whose answer comes after its end hurts nobody', async () => {
    const bench = createBench();
    let answer: (body: Bytes) => void = () => undefined;
    const [here] = linkPair(bench, { serve: () => new Promise((resolve) => (answer = resolve)) });
    expect(await bench.code(here.link.call('PING', {}, { deadline: 10 }))).toBe('timeout');
    answer(PONG);
    await bench.advance(10);
    expect(here.counters).toMatchObject({ malformed: 0, ended: null });
  });

  test('[F5] of an unknown method, or with a body that does not check, is invalid and counts as no malformed message', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench, {
      serve: ({ method, body, link, signal }) =>
        handle({} as Handlers, { method, body }, { from: link.contact, relayed: false, link, signal, stream: null }),
    });
    expect(await bench.code(here.link.callRaw(200, EMPTY))).toBe('invalid');
    expect(await bench.code(here.link.callRaw(CALLS.STORE.method, fromUtf8('what')))).toBe('invalid');
    expect(there.counters.malformed).toBe(0);
  });
});

describe('a hostile neighbour', () => {
  test('[F4] has 32 malformed messages; the next one closes the link', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench);
    for (let i = 0; i < 32; i++) there.channel.inject(fromUtf8('?'));
    expect(there.counters).toMatchObject({ malformed: 32, ended: null });
    there.channel.inject(fromUtf8('?'));
    expect(there.counters.ended).toBe('too many malformed messages');
    await bench.advance(5);
    expect(here.counters.ended).toContain('too many malformed messages');
  });

  test('[F4] [F7] malformed answers and second greetings are counted too', async () => {
    const bench = createBench();
    const [here] = linkPair(bench, { serve: async () => fromUtf8('nonsense') });
    expect(await bench.code(here.link.call('PING', {}))).toBe('invalid');
    here.channel.inject(encodeFrame({ type: 'proof', signature: new Uint8Array(64) }));
    expect(here.counters.malformed).toBe(2);
  });

  test('[F8] that uses an id twice is counted', async () => {
    const bench = createBench();
    const [, there] = linkPair(bench, { serve: never });
    const request = encodeFrame({ type: 'request', id: 7, method: 1, body: EMPTY });
    there.channel.inject(request);
    there.channel.inject(request);
    expect(there.counters.malformed).toBe(1);
  });

  test('[R3] has 256 calls under way; those it cancelled count until their work has ended', async () => {
    const bench = createBench();
    const ends: (() => void)[] = [];
    let served = 0;
    const [, there] = linkPair(bench, {
      serve: () => {
        served++;
        return new Promise((resolve) => void ends.push(() => resolve(PONG)));
      },
    });
    const refused: number[] = [];
    there.channel.tap = (message) => {
      const frame = decodeFrame(message);
      if (frame?.type === 'failure') refused.push(frame.id);
      return message;
    };
    for (let id = 1; id <= 300; id++) {
      there.channel.inject(encodeFrame({ type: 'request', id, method: 1, body: EMPTY }));
      there.channel.inject(encodeFrame({ type: 'cancel', id }));
    }
    expect(served).toBe(256);
    expect(refused.length).toBe(44);
    for (const end of ends) end();
    await bench.advance(5);
    there.channel.inject(encodeFrame({ type: 'request', id: 1, method: 1, body: EMPTY }));
    expect(served).toBe(257);
  });

  test('that asks and never reads loses its link before it fills our memory', async () => {
    const bench = createBench();
    const [, there] = linkPair(bench, { serve: async () => new Uint8Array(200_000) });
    there.channel.stuck = true;
    for (let id = 1; id <= 100 && !there.link.closed; id++) {
      there.channel.inject(encodeFrame({ type: 'request', id, method: 1, body: EMPTY }));
      await bench.advance(1);
    }
    expect(there.counters.ended).toBe('the other node does not read');
    expect(there.channel.peak).toBeLessThan(9 * 1024 * 1024);
  });
});

describe('signs of life', () => {
  test('[A1] [A2] are sent after 2.5 s of silence; without any the link ends after 6 s', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench, { heartbeat: 2_500 });
    const tick = async (ends: readonly (typeof here)[], seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await bench.advance(1_000);
        for (const end of ends) end.link.tick(bench.clock.now());
      }
    };
    await tick([here, there], 30);
    expect([here.counters.ended, there.counters.ended]).toEqual([null, null]);
    await tick([here], 6);
    expect(here.counters.ended).toBeNull();
    await tick([here], 3);
    expect(here.counters.ended).toContain('nothing heard');
  });

  test('[A1] [A2] on a WebSocket are sent after 20 s; without any the link ends after 45 s', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench, { heartbeat: 2_500, transport: 'websocket' });
    let sent = 0;
    there.channel.tap = (message) => {
      sent++;
      return message;
    };
    const tick = async (ends: readonly (typeof here)[], seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await bench.advance(1_000);
        for (const end of ends) end.link.tick(bench.clock.now());
      }
    };
    await tick([here, there], 205);
    expect([here.counters.ended, there.counters.ended, sent]).toEqual([null, null, 11]);
    await tick([here], 40);
    expect(here.counters.ended).toBeNull();
    await tick([here], 7);
    expect(here.counters.ended).toContain('nothing heard');
  });

  test('[A2] a listener that stood still does not blame the other side', async () => {
    const bench = createBench();
    const [here] = linkPair(bench, { heartbeat: 2_500 });
    await bench.advance(60_000);
    here.link.tick(bench.clock.now());
    expect(here.counters.ended).toBeNull();
  });

  test('[A4] after a sleep each node is asked for one: a link that has none to give ends after 2 s', async () => {
    const bench = createBench();
    const [here] = linkPair(bench, { heartbeat: 2_500 });
    here.link.check();
    await bench.advance(2_500);
    expect(here.counters.ended).toBeNull();
    const [deaf] = linkPair(bench, { heartbeat: 2_500 });
    deaf.channel.cut = true;
    deaf.link.check();
    await bench.advance(1_900);
    expect(deaf.counters.ended).toBeNull();
    await bench.advance(200);
    expect(deaf.counters.ended).toContain('nothing heard');
  });

  test('[A4] a call without an answer, and nothing else heard, asks for one as well', async () => {
    const bench = createBench();
    const socket = { heartbeat: 2_500, transport: 'websocket' } as const;
    const [deaf] = linkPair(bench, socket);
    deaf.channel.cut = true;
    expect(await bench.code(deaf.link.call('PING', {}))).toBe('timeout');
    await bench.advance(1_900);
    expect(deaf.counters.ended).toBeNull();
    await bench.advance(200);
    expect(deaf.counters.ended).toContain('nothing heard');
    // One that is slow with this call, and says so much, lives.
    const [slow] = linkPair(bench, { ...socket, serve: ({ method }) => (method === CALLS.PING.method ? PONG : never()) });
    expect(await bench.code(slow.link.callRaw(CALLS.FIND_NODE.method, EMPTY))).toBe('timeout');
    await bench.advance(10_000);
    expect(slow.counters.ended).toBeNull();
  });

  test('[A3] a goodbye ends it at once, however long and strange its reason', async () => {
    const bench = createBench();
    const [here, there] = linkPair(bench);
    here.link.close('“’'.repeat(200));
    await bench.advance(2);
    expect(there.counters.ended).toContain('the other node left: “’');
    expect(here.channel.closed).toBe(true);
    here.link.close('again');
    expect(await here.link.ended()).toContain('“’');
    expect(await Promise.all([there.link.ended(), there.link.ended()])).toEqual([there.counters.ended, there.counters.ended]);
  });
});
