/** How long two sides of a WebSocket are quiet (docs/protocol.md, rule A5). */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import type { IncomingCall } from '../../../src/node/link.ts';
import { createQuietGaps, type QuietGaps } from '../../../src/node/quiet-gaps.ts';
import { decodeFrame } from '../../../src/wire/codec.ts';
import { CALLS } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';
import { type LinkEnd, linkPair } from './support/link-pair.ts';

/** As linkPair has them, ms. */
const FIRST = 20_000;
const MOST = 100_000;

const agree = ({ method, body, link }: IncomingCall): Bytes => {
  const request = decode(CALLS.QUIET.request, body);
  if (method !== CALLS.QUIET.method || !request) throw fail('refused', 'Not here.');
  return encode(CALLS.QUIET.response, { gap: link.quieten(request.gap) });
};
const old = (): never => {
  throw fail('invalid', 'I do not know that method.');
};

const socketPair = (bench: Bench, options: { quietGaps?: QuietGaps; serve?: typeof agree } = {}): readonly [LinkEnd, LinkEnd] =>
  linkPair(bench, { heartbeat: 2_500, transport: 'websocket', serve: agree, ...options });

/** Seconds, from now on, at which each side said something; both are looked at every second. */
async function listen(bench: Bench, ends: readonly LinkEnd[], seconds: number): Promise<readonly (readonly [number, string])[][]> {
  const said = ends.map((): [number, string][] => []);
  const since = bench.clock.now();
  for (const [i, { channel }] of ends.entries())
    channel.tap = (message) => {
      said[i]?.push([Math.round((bench.clock.now() - since) / 1000), decodeFrame(message)?.type ?? 'malformed']);
      return message;
    };
  for (let i = 0; i < seconds; i++) {
    await bench.advance(1_000);
    for (const { link } of ends) link.tick(bench.clock.now());
  }
  return said;
}

describe('[A5] on a WebSocket that bears it', () => {
  test('who opened it asks for twice the gap each time, up to the most, and the answer is the other side’s sign of life', async () => {
    const bench = createBench();
    const [here, there] = socketPair(bench);
    const [asked, answered] = await listen(bench, [here, there], 420);
    const times = asked?.map(([at]) => at);
    expect(asked?.every(([, type]) => type === 'request')).toBe(true);
    // 20, 40, 80, then 100 s, and a second for the look that notices.
    expect(times).toEqual([20, 60, 140, 240, 340]);
    expect(answered?.slice(1).every(([, type]) => type === 'response')).toBe(true);
    expect(answered?.length).toBeLessThanOrEqual(6);
    expect([here.counters.ended, there.counters.ended]).toEqual([null, null]);
  });

  test('[A2] the side that was asked bears 20 ninths of the gap, and no more', async () => {
    const bench = createBench();
    const [here, there] = socketPair(bench);
    await listen(bench, [here, there], 241);
    here.channel.cut = true;
    await listen(bench, [there], 220);
    expect(there.counters.ended).toBeNull();
    await listen(bench, [there], 4);
    expect(there.counters.ended).toContain('nothing heard');
  });

  test('[A4] who asks finds a dead link 7 s after the gap', async () => {
    const bench = createBench();
    const [here, there] = socketPair(bench);
    await listen(bench, [here, there], 241);
    there.channel.cut = true;
    await listen(bench, [here], 105);
    expect(here.counters.ended).toBeNull();
    await listen(bench, [here], 3);
    expect(here.counters.ended).toContain('nothing heard');
  });

  test('a link that ended in a longer silence than it had outlived is followed by one that keeps to what was outlived', async () => {
    const bench = createBench();
    const quietGaps = createQuietGaps({ least: FIRST, most: MOST });
    const [here, there] = socketPair(bench, { quietGaps });
    await listen(bench, [here, there], 62); // 40 s were outlived, 80 are being tried.
    there.channel.close(); // for another reason: it had borne that silence before
    await bench.advance(5);
    expect(here.counters.ended).not.toBeNull();
    expect(quietGaps.mostOf(here.link.id)).toBe(MOST);
    const [next, other] = socketPair(bench, { quietGaps });
    await listen(bench, [next, other], 62);
    await listen(bench, [], 50);
    other.channel.close(); // as a proxy does, after 50 s without a word
    await bench.advance(5);
    expect(next.counters.ended).not.toBeNull();
    expect(quietGaps.mostOf(next.link.id)).toBe(2 * FIRST);
    expect(quietGaps.mostOf(there.link.id)).toBe(MOST);
  });

  test('a link that ended in a sleep, or said why, is not blamed on the gap', async () => {
    for (const end of ['asleep', 'bye'] as const) {
      const bench = createBench();
      const quietGaps = createQuietGaps({ least: FIRST, most: MOST });
      const [here, there] = socketPair(bench, { quietGaps });
      await listen(bench, [here, there], 62);
      await bench.advance(end === 'asleep' ? 600_000 : 50_000);
      if (end === 'bye') there.link.close('leaving');
      else there.channel.close();
      await bench.advance(5);
      expect(here.counters.ended).not.toBeNull();
      expect(quietGaps.mostOf(here.link.id)).toBe(MOST);
    }
  });

  test('a node that does not know the call gets a sign every 20 s', async () => {
    const bench = createBench();
    const pair = socketPair(bench, { serve: old });
    const [said] = await listen(bench, pair, 130);
    expect(said).toEqual([20, 40, 60, 80, 100, 120].map((at, i) => [at, i === 0 ? 'request' : 'alive']));
    expect(pair[0].counters.ended).toBeNull();
  });

  test('a gap out of bounds is brought into them, whoever names it', async () => {
    const bench = createBench();
    const [here, there] = socketPair(bench);
    expect([1, 30_000, 4_000_000].map((gap) => there.link.quieten(gap))).toEqual([FIRST, 30_000, MOST]);
    expect(() => here.link.quieten(30_000)).toThrow('Only who opened');
    const answers = [1, 4_000_000];
    for (const gap of answers) {
      const [asking, lying] = socketPair(bench, { serve: () => encode(CALLS.QUIET.response, { gap }) });
      const [said] = await listen(bench, [asking, lying], 62);
      expect(said?.map(([at]) => at)).toEqual(gap === 1 ? [20, 40, 60] : [20, 60]);
    }
  });

  test('other links have no gaps to choose', () => {
    const [, there] = linkPair(createBench(), { heartbeat: 2_500 });
    expect(() => there.link.quieten(30_000)).toThrow('Only who opened');
  });
});
