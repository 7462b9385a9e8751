/** The iterative lookup (docs/protocol.md, rules K2 and K3). */
import { describe, expect, test } from 'vitest';
import { fail } from '../../../src/base/errors.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { compareDistance, type Key, type NodeId } from '../../../src/kademlia/key.ts';
import type { Candidate } from '../../../src/kademlia/shortlist.ts';
import { type LookupEvent, type LookupOptions, lookup } from '../../../src/node/lookup.ts';
import type { Nearer } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';

const K = 20;
const ALPHA = 3;

/** A static network in which everybody knows everybody; `answer` says what somebody replies. */
function setup(bench: Bench, nodes: readonly Contact[], answer?: (to: Candidate, signal: AbortSignal) => Promise<Nearer>) {
  const self = bench.someone().contact;
  const target = bench.someone().contact.id;
  const asked: NodeId[] = [];
  let atOnce = 0;
  let most = 0;
  const nearest = (count: number): readonly Contact[] => [...nodes].sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, count);
  const options = (signal?: AbortSignal): LookupOptions => ({
    target,
    self: self.id,
    crypto: bench.crypto,
    k: K,
    alpha: ALPHA,
    seeds: nodes.slice(0, 3).map((contact) => ({ contact, namedBy: null })),
    want: null,
    ...(signal && { signal }),
    call: async (to, _method, _request, cancelled) => {
      asked.push(to.contact.id);
      most = Math.max(most, ++atOnce);
      try {
        await new Promise<void>((resolve) => void bench.clock.after(10, resolve));
        const reply = await (answer?.(to, cancelled) ??
          Promise.resolve({ contacts: nearest(K), token: new Uint8Array(8), open: ['ws://x/'] }));
        return reply as never;
      } finally {
        atOnce--;
      }
    },
  });
  return { self, target, asked, options, nearest, most: () => most };
}

async function all(run: AsyncGenerator<LookupEvent>): Promise<LookupEvent[]> {
  const events: LookupEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

const people = (bench: Bench, count: number): readonly Contact[] => Array.from({ length: count }, () => bench.someone().contact);

describe('a lookup', () => {
  test('[K3] ends with the k nearest that answered, nearest first, α asked at once', async () => {
    const bench = createBench();
    const { target, asked, options, nearest, most } = setup(bench, people(bench, 100));
    const events = await bench.run(all(lookup(options())));
    const done = events.at(-1);
    expect(done?.type === 'done' && done.nearest.map(({ contact }) => contact.id)).toEqual(nearest(K).map(({ id }) => id));
    expect(most()).toBe(ALPHA);
    expect(asked.length).toBeLessThan(K + 10);
    expect(events.filter(({ type }) => type === 'asked').length).toBe(asked.length);
    expect(events.find((event) => event.type === 'answered')).toMatchObject({ open: ['ws://x/'] });
    expect(target.length).toBe(40);
  });

  test('[K3] passes over those that fail', async () => {
    const bench = createBench();
    const nodes = people(bench, 60);
    const dead = new Set(nodes.filter((_, i) => i % 3 === 1).map(({ id }) => id));
    const { options, nearest } = setup(bench, nodes, async ({ contact }) => {
      if (dead.has(contact.id)) throw fail('timeout', 'No answer.');
      return { contacts: nearest(K), token: new Uint8Array(8), open: [] };
    });
    const events = await bench.run(all(lookup(options())));
    const done = events.at(-1);
    expect(done?.type === 'done' && done.nearest.every(({ contact }) => !dead.has(contact.id))).toBe(true);
    expect(events.some((event) => event.type === 'failed')).toBe(true);
  });

  test('[K3] asks 8 k at most, also when a hostile node names ever nearer ones', async () => {
    const bench = createBench();
    const ghosts = [...people(bench, 3_000)];
    const { target, asked, options } = setup(bench, people(bench, 3), async () => ({
      contacts: ghosts.splice(-K),
      token: new Uint8Array(8),
      open: [],
    }));
    ghosts.sort((a, b) => compareDistance(target as Key, a.id, b.id));
    const events = await bench.run(all(lookup(options())));
    expect(asked.length).toBe(8 * K);
    expect(events.at(-1)?.type).toBe('done');
  });

  test('[R2] cancels what is under way when its reader leaves, and when its signal fires', async () => {
    const bench = createBench();
    const signals: AbortSignal[] = [];
    const hang = (_: Candidate, signal: AbortSignal): Promise<Nearer> => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    };
    const { options } = setup(bench, people(bench, 9), hang);
    const leave = async (): Promise<void> => {
      let asked = 0;
      for await (const event of lookup(options())) if (event.type === 'asked' && ++asked === ALPHA) break;
    };
    await bench.run(leave());
    await bench.advance(100);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    const abort = new AbortController();
    const outcome = all(lookup(options(abort.signal)));
    outcome.catch(() => undefined);
    await bench.advance(100);
    abort.abort();
    expect(await bench.code(outcome)).toBe('aborted');
    await bench.advance(100);
    expect(signals.length).toBe(2 + ALPHA);
    expect(signals.slice(-ALPHA).every((signal) => signal.aborted)).toBe(true);
    expect(await bench.code(all(lookup(options(AbortSignal.abort()))))).toBe('aborted');
  });

  test('with nobody to ask it ends with nobody', async () => {
    const bench = createBench();
    const { options } = setup(bench, []);
    expect(await bench.run(all(lookup(options())))).toEqual([{ type: 'done', nearest: [] }]);
  });
});
