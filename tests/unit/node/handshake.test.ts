/** The greeting of two nodes (docs/protocol.md §1). */
import { describe, expect, test } from 'vitest';
import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import { handshake, type ProvenChannel } from '../../../src/node/handshake.ts';
import { decodeFrame, encodeFrame } from '../../../src/wire/codec.ts';
import { PROTOCOL_VERSION } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';
import { channelPair, type TestChannel } from './support/channel-pair.ts';

const DEADLINE = 8_000;

function greet(bench: Bench, channel: TestChannel, who = bench.someone()): Promise<ProvenChannel> {
  const proven = handshake({
    channel,
    clock: bench.clock,
    random: bench.random,
    crypto: bench.crypto,
    signer: who.signer,
    contact: () => who.contact,
    storeId: who.storeId,
    deadline: DEADLINE,
  });
  proven.catch(() => undefined);
  return proven;
}

const nameOf = (bytes: Bytes): string => decodeFrame(bytes)?.type ?? 'nonsense';

describe('HELLO', () => {
  test('[H1] [H3] [H4] both sides learn the other’s proven id, contact and store', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const [a, b] = [bench.someone(), bench.someone('ws://b/ws')];
    const [atA, atB] = [greet(bench, here, a), greet(bench, there, b)];
    expect((await bench.run(atA)).contact).toEqual(b.contact);
    expect((await bench.run(atA)).storeId).toEqual(b.storeId);
    expect((await bench.run(atB)).contact).toEqual(a.contact);
    await bench.advance(DEADLINE * 2);
    expect([here.closed, there.closed]).toEqual([false, false]);
    expect(bench.pending).toBe(0);
  });

  test('[H6] another version is refused, and the channel closed', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const { contact, storeId } = bench.someone();
    there.send(encodeFrame({ type: 'hello', version: PROTOCOL_VERSION + 1, contact, nonce: bench.random.bytes(32), storeId }));
    expect(await bench.code(greet(bench, here))).toBe('invalid');
    expect(here.closed).toBe(true);
  });

  test('[H6] a bad proof is refused', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const { contact, storeId } = bench.someone();
    there.send(encodeFrame({ type: 'hello', version: PROTOCOL_VERSION, contact, nonce: bench.random.bytes(32), storeId }));
    there.send(encodeFrame({ type: 'proof', signature: bench.random.bytes(64) }));
    expect(await bench.code(greet(bench, here))).toBe('corrupt');
    expect(here.closed).toBe(true);
  });

  test('[H6] a node that is sent its own greeting back refuses itself', async () => {
    const bench = createBench();
    const [here] = channelPair(bench.clock);
    here.tap = (message) => {
      bench.clock.after(1, () => here.inject(message));
      return null;
    };
    expect(await bench.code(greet(bench, here))).toBe('refused');
  });

  test('[H6] a node that links to itself over two ends refuses both', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const self = bench.someone();
    const both = [greet(bench, here, self), greet(bench, there, self)];
    expect(await Promise.all(both.map((one) => bench.code(one)))).toContain('refused');
    await bench.advance(10);
    expect([here.closed, there.closed]).toEqual([true, true]);
  });

  test('[H4] somebody else’s greeting, replayed with its proof, does not match the new nonce', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const [victim, honest] = [bench.someone(), bench.someone()];
    const heard: Bytes[] = [];
    there.tap = (message) => {
      heard.push(message);
      return message;
    };
    greet(bench, there, honest);
    await bench.run(greet(bench, here, victim));
    const [again, thief] = channelPair(bench.clock);
    for (const message of heard) thief.send(message);
    expect(await bench.code(greet(bench, again, victim))).toBe('corrupt');
  });

  test('[H5] who carries the messages of two channels with different bindings is found out', async () => {
    const bench = createBench();
    const [here, toA] = channelPair(bench.clock, [fromUtf8('one'), fromUtf8('one')]);
    const [there, toB] = channelPair(bench.clock, [fromUtf8('two'), fromUtf8('two')]);
    toA.listen({ message: (message) => toB.send(message), drain: () => undefined, close: () => undefined });
    toB.listen({ message: (message) => toA.send(message), drain: () => undefined, close: () => undefined });
    const codes = [bench.code(greet(bench, here)), bench.code(greet(bench, there))];
    expect(await codes[0]).toBe('corrupt');
    expect(await codes[1]).not.toBeNull();
  });

  test('[H6] silence ends it after 8 s', async () => {
    const bench = createBench();
    const [here] = channelPair(bench.clock);
    const outcome = greet(bench, here);
    await bench.advance(DEADLINE - 10);
    expect(here.closed).toBe(false);
    expect(await bench.code(outcome)).toBe('timeout');
    expect(here.closed).toBe(true);
  });

  test.each([
    ['garbage', fromUtf8('GET / HTTP/1.1')],
    ['nothing', new Uint8Array(0)],
    ['a proof before a hello', encodeFrame({ type: 'proof', signature: new Uint8Array(64) })],
    ['a call before a hello', encodeFrame({ type: 'request', id: 1, method: 1, body: new Uint8Array(1) })],
  ])('[H6] %s ends it', async (_, message) => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    there.send(message);
    expect(await bench.code(greet(bench, here))).toBe('invalid');
    expect(here.closed).toBe(true);
  });

  test('what comes behind the proof waits for the link, in order', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const b = bench.someone();
    const atB = greet(bench, there, b);
    const atA = await bench.run(greet(bench, here));
    await bench.run(atB);
    there.send(encodeFrame({ type: 'alive' }));
    there.send(encodeFrame({ type: 'bye', reason: '' }));
    await bench.advance(5);
    const got: string[] = [];
    atA.listen({ message: (message) => got.push(nameOf(message)), drain: () => undefined, close: (reason) => got.push(reason) });
    expect(got).toEqual(['alive', 'bye']);
    there.close();
    await bench.advance(5);
    expect(got).toEqual(['alive', 'bye', 'closed by the other side']);
  });

  test('a flood behind the proof is cut off', async () => {
    const bench = createBench();
    const [here, there] = channelPair(bench.clock);
    const slow = { ...bench.crypto, verify: () => new Promise<boolean>((resolve) => void bench.clock.after(1_000, () => resolve(true))) };
    const { contact, storeId } = bench.someone();
    there.send(encodeFrame({ type: 'hello', version: PROTOCOL_VERSION, contact, nonce: bench.random.bytes(32), storeId }));
    there.send(encodeFrame({ type: 'proof', signature: bench.random.bytes(64) }));
    for (let i = 0; i < 200; i++) there.send(encodeFrame({ type: 'alive' }));
    expect(await bench.code(greet({ ...bench, crypto: slow }, here))).toBe('invalid');
    expect(here.closed).toBe(true);
  });
});
