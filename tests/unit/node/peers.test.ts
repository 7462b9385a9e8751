/** At most one link to each node (docs/protocol.md, rules H). */
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../../src/base/ports.ts';
import { deferred, quiet } from '../../../src/base/timing.ts';
import { isNoRoom } from '../../../src/node/link-end.ts';
import { encodeFrame } from '../../../src/wire/codec.ts';
import { type Bench, createBench } from './support/bench.ts';
import { channelPair } from './support/channel-pair.ts';
import { makePeers, type PeersEnd } from './support/peers-bench.ts';

/** One way through a wire of the bench, ms. */
const WIRE_MS = 1;

function world(seed = 1) {
  const bench = createBench(seed);
  const listeners = new Map<string, (channel: Channel) => void>();
  const open = (url: string) => makePeers(bench, { open: url, listeners });
  const closed = () => makePeers(bench, { listeners });
  return { bench, listeners, open, closed };
}

/** A wire that `a` opened to `b`, greeted at both ends. */
function wire(bench: Bench, a: PeersEnd, b: PeersEnd) {
  const [near, far] = channelPair(bench.clock);
  const links = [
    a.peers.adopt(near, { initiated: true, expected: b.contact.id }),
    b.peers.adopt(far, { initiated: false, expected: null }),
  ] as const;
  for (const link of links) link.catch(() => undefined);
  return { near, far, links };
}

describe('one link', () => {
  test('dialling twice joins, and a link that stands is used again', async () => {
    const { bench, open, closed } = world();
    const [server, tab] = [open('ws://a/'), closed()];
    const [one, two, three] = [tab.peers.dial('ws://a/'), tab.peers.connect(server.contact), tab.peers.dial('ws://a/')];
    expect(await bench.run(one)).toBe(await bench.run(two));
    expect(await bench.run(three)).toBe(await bench.run(one));
    expect(await bench.run(tab.peers.connect(server.contact))).toBe(await one);
    expect(tab.wires.length).toBe(1);
    expect(tab.events).toEqual([`link ${server.contact.id.slice(0, 4)}`]);
  });

  test('who stops waiting for an attempt leaves it to the others', async () => {
    const { bench, open, closed } = world();
    const [server, tab] = [open('ws://a/'), closed()];
    const abort = new AbortController();
    const [mine, yours] = [tab.peers.connect(server.contact, { signal: abort.signal }), tab.peers.connect(server.contact)];
    abort.abort();
    expect(await bench.code(mine)).toBe('aborted');
    expect((await bench.run(yours)).id).toBe(server.contact.id);
  });

  test.each([1, 2, 3, 4])('[H7] glare ends in one link on both sides, the one of the lesser id (seed %i)', async (seed) => {
    const { bench, closed } = world(seed);
    const [a, b] = [closed(), closed()];
    const [fromA, fromB] = [wire(bench, a, b), wire(bench, b, a)];
    await bench.advance(5);
    const [atA, atB] = [a.peers.get(b.contact.id), b.peers.get(a.contact.id)];
    expect([a.peers.links().length, b.peers.links().length]).toEqual([1, 1]);
    expect(atA?.initiated).toBe(a.contact.id < b.contact.id);
    expect(atB?.initiated).toBe(b.contact.id < a.contact.id);
    const lesser = a.contact.id < b.contact.id ? fromA : fromB;
    const other = lesser === fromA ? fromB : fromA;
    await bench.advance(20_000);
    expect([lesser.near.closed, other.near.closed]).toEqual([false, true]);
    expect(
      await bench.run(
        (lesser === fromA ? a : b).peers.get((lesser === fromA ? b : a).contact.id)?.callRaw(1, new Uint8Array(1)) ?? Promise.reject(),
      ),
    ).toHaveLength(0);
    for (const end of [a, b]) end.peers.close('done');
    await bench.advance(10_000);
    expect(bench.pending).toBe(0);
  });

  test('[H7] of two opened by the same side the newer stays', async () => {
    const { bench, closed } = world();
    const [a, b] = [closed(), closed()];
    const first = wire(bench, a, b);
    const old = await bench.run(first.links[1]);
    await bench.advance(100);
    const second = wire(bench, a, b);
    const fresh = await bench.run(second.links[1]);
    await bench.advance(10);
    expect(old.closed).toBe(true);
    expect(b.peers.get(a.contact.id)).toBe(fresh);
    expect(first.near.closed).toBe(true);
    expect(b.events.filter((event) => event.startsWith('unlink'))).toEqual([]);
  });

  test('[H7] who comes back after a crash is not held to a link that it has lost', async () => {
    const { bench, closed } = world();
    const pair = [closed(), closed()].sort((x, y) => (x.contact.id < y.contact.id ? -1 : 1));
    const [lesser, greater] = pair as [PeersEnd, PeersEnd];
    const first = wire(bench, lesser, greater);
    await bench.run(first.links[0]);
    await bench.advance(20_000);
    const old = lesser.peers.get(greater.contact.id);
    expect([old?.initiated, old?.closed]).toEqual([true, false]);
    first.far.cut = true;
    greater.peers.get(lesser.contact.id)?.close('crashed');
    const again = wire(bench, greater, lesser);
    expect(await bench.run(again.links[1])).toBe(lesser.peers.get(greater.contact.id));
    expect(lesser.peers.get(greater.contact.id)?.initiated).toBe(false);
    expect(old?.closed).toBe(true);
  });

  test('[H6] another node than the one asked for is not linked to, and its address is not dialled again for others that do not exist', async () => {
    const { bench, open, closed } = world();
    const [server, tab] = [open('ws://a/'), closed()];
    const ghost = bench.someone('ws://a/').contact;
    expect(await bench.code(tab.peers.connect(ghost))).toBe('corrupt');
    expect(tab.peers.links()).toEqual([]);
    await bench.run(tab.peers.dial('ws://a/'));
    expect(await bench.code(tab.peers.connect(bench.someone('ws://a/').contact))).toBe('corrupt');
    expect(tab.wires.length).toBe(2);
    // A ghost that joins an attempt by address does not get the link of who lives there.
    const other = closed();
    const [byAddress, byGhost] = [other.peers.dial('ws://a/'), quiet(other.peers.connect(ghost))];
    expect((await bench.run(byAddress)).id).toBe(server.contact.id);
    expect(await bench.code(byGhost)).toBe('corrupt');
  });

  test('a link that ends with what came behind its proof does not stay in the list', async () => {
    const { bench, closed } = world();
    const [a, b] = [closed(), closed()];
    const { far, links } = wire(bench, a, b);
    far.tap = (message) => {
      // The proof is the second message: a goodbye follows in the same breath.
      if (message[1] === 1) bench.clock.after(1, () => far.send(encodeFrame({ type: 'bye', reason: 'no room' })));
      return message;
    };
    await bench.run(links[0]).catch(() => undefined);
    await bench.advance(20);
    expect(a.peers.links()).toEqual([]);
    expect(a.events).toEqual([`link ${b.contact.id.slice(0, 4)}`, `unlink ${b.contact.id.slice(0, 4)}`]);
  });
});

describe('room', () => {
  test('[T3] is made before a link begins: never is there one more than the budget', async () => {
    const { bench, listeners, closed } = world();
    const [a, b] = [closed(), closed()];
    let most = 0;
    const full = makePeers(bench, {
      listeners,
      admit: () => {
        const [oldest] = full.peers.links();
        return { taken: true, instead: oldest?.id ?? null };
      },
    });
    for (const end of [a, b, a, b]) {
      await bench.run(wire(bench, end, full).links[1]);
      most = Math.max(most, full.peers.links().length);
      await bench.advance(20_000);
    }
    expect(most).toBe(1);
    expect(full.events.filter((event) => event.startsWith('link')).length).toBe(4);
    expect(full.events[1]).toBe(`unlink ${a.contact.id.slice(0, 4)}`);
    expect(full.events[2]).toBe(`link ${b.contact.id.slice(0, 4)}`);
  });

  test('[T3] that is not there is said to both sides', async () => {
    const { bench, listeners, closed } = world();
    const a = closed();
    const full = makePeers(bench, { listeners, admit: () => ({ taken: false, instead: null }) });
    const { links } = wire(bench, a, full);
    expect(await bench.code(links[1])).toBe('refused');
    const link = await bench.run(links[0]).catch(() => null);
    await bench.advance(100);
    expect(full.peers.links()).toEqual([]);
    expect(a.peers.links()).toEqual([]);
    if (link) expect(isNoRoom(await link.ended())).toBe(true);
  });

  test('[T3] is not asked for when the newer of two links to one node takes the place of the other', async () => {
    const { bench, listeners, closed } = world();
    const a = closed();
    let asked = 0;
    const full = makePeers(bench, { listeners, admit: () => ({ taken: asked++ === 0, instead: null }) });
    await bench.run(wire(bench, a, full).links[1]);
    await bench.advance(100);
    await bench.run(wire(bench, a, full).links[1]);
    expect(asked).toBe(1);
    expect(full.peers.links().length).toBe(1);
  });

  test('[T6] the greeting is a first measure of the way', async () => {
    const { bench, listeners, closed } = world();
    const a = closed();
    const seen: number[] = [];
    const far = makePeers(bench, { listeners, onLink: (_, { roundTrip }) => seen.push(roundTrip) });
    await bench.run(wire(bench, a, far).links[1]);
    expect(seen).toEqual([2 * WIRE_MS]);
  });
});

describe('closing', () => {
  test('ends links, greetings and attempts, and refuses what comes later', async () => {
    const { bench, listeners, open, closed } = world();
    const [server, tab, other] = [open('ws://a/'), closed(), closed()];
    const link = await bench.run(tab.peers.dial('ws://a/'));
    const [silent] = channelPair(bench.clock);
    const greeting = quiet(tab.peers.adopt(silent, { initiated: false, expected: null }));
    listeners.set('ws://silent/', () => undefined);
    const dialling = quiet(tab.peers.dial('ws://silent/'));
    tab.peers.close('leaving');
    tab.peers.close('again');
    expect(link.closed).toBe(true);
    expect(await bench.code(greeting)).not.toBeNull();
    expect(await bench.code(dialling)).not.toBeNull();
    expect(silent.closed).toBe(true);
    expect(await bench.code(tab.peers.dial('ws://a/'))).toBe('closed');
    expect(await bench.code(tab.peers.connect(server.contact))).toBe('closed');
    const [late] = channelPair(bench.clock);
    expect(await bench.code(tab.peers.adopt(late, { initiated: false, expected: null }))).toBe('closed');
    expect(late.closed).toBe(true);
    await bench.advance(10);
    expect(server.events.at(-1)).toContain('unlink');
    for (const end of [server, other]) end.peers.close('done');
    await bench.advance(20_000);
    expect(bench.pending).toBe(0);
  });

  test('nobody links to itself', async () => {
    const { bench, open } = world();
    const server = open('ws://a/');
    expect(await bench.code(server.peers.connect(server.contact))).toBe('internal');
    expect(await bench.code(server.peers.dial('ws://a/'))).toBe('refused');
    expect(server.peers.links()).toEqual([]);
  });

  test('closed nodes are punched to, once for all who ask', async () => {
    const { bench, listeners, closed } = world();
    let asked = 0;
    const answer = deferred<never>();
    const tab = makePeers(bench, {
      listeners,
      punch: () => {
        asked++;
        return answer.promise;
      },
    });
    const { contact } = closed();
    const both = [quiet(tab.peers.connect(contact)), quiet(tab.peers.connect(contact))];
    await bench.advance(10);
    answer.reject(new Error('no way'));
    for (const one of both) expect(await bench.code(one)).toContain('no way');
    expect(asked).toBe(1);
  });
});
