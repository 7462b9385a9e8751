/** Calls that others carry (docs/protocol.md, rules L1 to L5). */
import { describe, expect, test } from 'vitest';
import { EMPTY, fromUtf8, toUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { compareDistance, type NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable, type RoutingTable } from '../../../src/kademlia/routing-table.ts';
import type { Link } from '../../../src/node/link.ts';
import { createRelay, MAX_HOPS, type Relay, type RelayedCall } from '../../../src/node/relay.ts';
import { CALLS, type RequestOf } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

interface RelayNode {
  readonly contact: Contact;
  readonly relay: Relay;
  readonly links: Map<NodeId, Link>;
  readonly table: RoutingTable;
  /** Calls that arrived here to be answered or carried. */
  readonly seen: RelayedCall[];
  carried: number;
}

/** Nodes with links between those pairs that `linked` names; the ones in `open` are open nodes. Whoever is addressed answers with its own name. */
function network(
  bench: Bench,
  count: number,
  linked: readonly (readonly [number, number])[],
  open: readonly number[] = [],
): readonly RelayNode[] {
  const nodes = Array.from({ length: count }, (_, index): RelayNode => {
    const contact = { ...bench.someone().contact, open: open.includes(index) ? `ws://open-${index}/` : null };
    const table = createRoutingTable({ self: contact.id });
    const links = new Map<NodeId, Link>();
    const relay = createRelay({
      clock: bench.clock,
      self: contact.id,
      table,
      link: (id) => links.get(id) ?? null,
      deadline: 8_000,
      onCarried: () => node.carried++,
    });
    const node: RelayNode = { contact, relay, links, table, seen: [], carried: 0 };
    return node;
  });
  /** The link from `from` to `to`, as `from` sees it. */
  const join = (from: number, to: number): void => {
    const [here, there] = [at(nodes, from), at(nodes, to)];
    const call = async (_: string, request: unknown, signal?: AbortSignal): Promise<unknown> => {
      const body = encode(CALLS.RELAY.request, request as RequestOf<'RELAY'>);
      const relayed = decode(CALLS.RELAY.request, body) as RelayedCall;
      there.seen.push(relayed);
      if (relayed.to === there.contact.id) return { body: fromUtf8(`I am ${to}`) };
      const back = there.links.get(here.contact.id) as Link;
      return { body: await there.relay.carry(relayed, { from: back, signal: signal ?? new AbortController().signal }) };
    };
    here.links.set(there.contact.id, fakeLink({ contact: there.contact, storeId: EMPTY, call }));
    here.table.linked(there.contact, bench.clock.now());
  };
  for (const [a, b] of linked) {
    join(a, b);
    join(b, a);
  }
  return nodes;
}

const ask = (from: RelayNode, to: RelayNode | Contact, options: Parameters<Relay['send']>[1] = {}) =>
  from.relay.send({ to: 'contact' in to ? to.contact : to, from: from.contact, method: 1, body: EMPTY }, options).then(toUtf8);

const at = (nodes: readonly RelayNode[], index: number): RelayNode => nodes[index] as RelayNode;

describe('a relayed call', () => {
  test('[L1] reaches a node two hops away through the node that named it', async () => {
    const bench = createBench();
    const nodes = network(bench, 3, [
      [0, 1],
      [1, 2],
    ]);
    expect(await bench.run(ask(at(nodes, 0), at(nodes, 2), { named: at(nodes, 1).contact.id }))).toBe('I am 2');
    expect(at(nodes, 1).carried).toBe(1);
    expect(at(nodes, 1).seen[0]).toMatchObject({ hops: MAX_HOPS, via: null });
    expect(at(nodes, 2).seen[0]).toMatchObject({ hops: MAX_HOPS - 1 });
  });

  test('[L1] more than 16 KiB is not carried', async () => {
    const bench = createBench();
    const [a, , c] = network(bench, 3, [
      [0, 1],
      [1, 2],
    ]) as [RelayNode, RelayNode, RelayNode];
    const call = { to: c.contact, from: a.contact, method: 1, body: new Uint8Array(16 * 1024 + 1) };
    expect(await bench.code(a.relay.send(call))).toBe('too-large');
  });

  test.each([1, 2, 3, 4, 5])('[L2] comes nearer with each hop and ends, whatever the links (seed %i)', async (seed) => {
    const bench = createBench(seed);
    const count = 40;
    const pairs = Array.from(
      { length: count * 3 },
      () => [Math.floor(bench.random.float() * count), Math.floor(bench.random.float() * count)] as const,
    );
    const nodes = network(
      bench,
      count,
      pairs.filter(([a, b]) => a !== b),
    );
    for (let i = 0; i < 30; i++) {
      const from = at(nodes, Math.floor(bench.random.float() * count));
      const { contact } = bench.random.float() < 0.5 ? at(nodes, Math.floor(bench.random.float() * count)) : bench.someone();
      if (contact.id === from.contact.id || from.links.has(contact.id)) continue;
      for (const node of nodes) node.seen.length = 0;
      const code = await bench.code(ask(from, contact));
      expect([null, 'unreachable']).toContain(code);
      const carriers = nodes.filter((node) => node.seen.length > 0 && node.contact.id !== contact.id);
      // Two ways are tried at most, so nobody sees it more than twice: no circles.
      for (const carrier of carriers) expect(carrier.seen.length).toBeLessThanOrEqual(2);
      expect(carriers.length).toBeLessThanOrEqual(2 * MAX_HOPS);
    }
  });

  test('[L2] is not passed to a node that is farther away, nor back to where it came from', async () => {
    const bench = createBench();
    const nodes = network(bench, 3, [
      [0, 1],
      [1, 2],
    ]);
    const [a, b, c] = nodes as [RelayNode, RelayNode, RelayNode];
    for (let i = 0; i < 50; i++) {
      const { contact } = bench.someone();
      c.seen.length = 0;
      a.seen.length = 0;
      expect(await bench.code(ask(a, contact))).toBe('unreachable');
      expect(a.seen.length).toBe(0);
      expect(c.seen.length).toBe(compareDistance(contact.id, c.contact.id, b.contact.id) < 0 ? 1 : 0);
    }
    // Addressed to its own sender: that would be back as well.
    const call = { to: a.contact.id, via: null, hops: 5, from: a.contact, method: 1, body: EMPTY };
    const link = b.links.get(a.contact.id) as Link;
    expect(await bench.code(b.relay.carry(call, { from: link, signal: new AbortController().signal }))).toBe('unreachable');
    expect(a.seen.length).toBe(0);
  });

  test('[L3] takes no more hops than it was given', async () => {
    const bench = createBench();
    const nodes = network(bench, 3, [
      [0, 1],
      [1, 2],
    ]);
    const [a, b, c] = nodes as [RelayNode, RelayNode, RelayNode];
    const call = { to: c.contact.id, via: null, hops: 0, from: a.contact, method: 1, body: EMPTY };
    const options = { from: b.links.get(a.contact.id) as Link, signal: new AbortController().signal };
    expect(await bench.code(b.relay.carry(call, options))).toBe('unreachable');
    expect(toUtf8(await bench.run(b.relay.carry({ ...call, hops: 1 }, options)))).toBe('I am 2');
    expect(c.seen[0]?.hops).toBe(0);
  });

  test('[L1] goes by a tab that is linked to its target, before any open node that is', async () => {
    const bench = createBench();
    const nodes = network(
      bench,
      4,
      [
        [0, 1],
        [0, 2],
        [1, 3],
        [2, 3],
      ],
      [1],
    );
    const [open, tab] = [at(nodes, 1), at(nodes, 2)];
    const target = { ...at(nodes, 3).contact, via: [tab.contact.id] };
    expect(await bench.run(ask(at(nodes, 0), target, { named: open.contact.id }))).toBe('I am 3');
    expect([open.carried, tab.carried]).toEqual([0, 1]);
    expect(await bench.run(ask(at(nodes, 0), { ...target, via: [] }, { named: open.contact.id }))).toBe('I am 3');
    expect([open.carried, tab.carried]).toEqual([1, 1]);
    // What its contact does not say, the tab that named it did.
    at(nodes, 0).table.heard(target, 0, tab.contact.id);
    expect(await bench.run(ask(at(nodes, 0), { ...target, via: [] }, { named: open.contact.id }))).toBe('I am 3');
    expect([open.carried, tab.carried]).toEqual([1, 2]);
  });

  test('[L2] [L3] a dead end is followed by another way: the `via` of the target, linked or not', async () => {
    const bench = createBench(3);
    // 0 knows 1 and 2; only 2 leads on, over 3 to 4.
    const nodes = network(bench, 5, [
      [0, 1],
      [0, 2],
      [2, 3],
      [3, 4],
    ]);
    const target = at(nodes, 4).contact;
    const [linked, far] = [
      { ...target, via: [at(nodes, 2).contact.id] },
      { ...target, via: [at(nodes, 3).contact.id] },
    ];
    at(nodes, 2).links.set(target.id, at(nodes, 3).links.get(target.id) as Link);
    expect(await bench.run(ask(at(nodes, 0), linked))).toBe('I am 4');
    at(nodes, 2).links.delete(target.id);
    for (const node of nodes) node.seen.length = 0;
    // Towards 3 first, which 2 has a link to: then 3 passes it on with no `via`.
    const near = compareDistance(at(nodes, 3).contact.id, at(nodes, 2).contact.id, at(nodes, 0).contact.id) < 0;
    const outcome = await bench.code(ask(at(nodes, 0), far));
    if (near) {
      expect(outcome).toBeNull();
      expect(at(nodes, 2).seen.some(({ via }) => via === at(nodes, 3).contact.id)).toBe(true);
      expect(at(nodes, 4).seen[0]?.via).toBeNull();
    } else expect(outcome).toBe('unreachable');
  });

  test('[L10] for one neighbour no more is carried than 512 at once and 50 a second, and others are not held up by it', async () => {
    const bench = createBench(3);
    const nodes = network(bench, 4, [
      [0, 1],
      [1, 2],
      [3, 1],
    ]);
    const [flooder, carrier, target, other] = [at(nodes, 0), at(nodes, 1), at(nodes, 2), at(nodes, 3)];
    const flood = async (times: number): Promise<number> => {
      let passed = 0;
      for (let i = 0; i < times; i++) {
        const call = { to: target.contact.id, via: null, hops: 3, from: flooder.contact, method: 1, body: EMPTY };
        const from = carrier.links.get(flooder.contact.id) as Link;
        if ((await bench.code(carrier.relay.carry(call, { from, signal: new AbortController().signal }))) === null) passed++;
      }
      return passed;
    };
    const before = bench.clock.now();
    expect(await flood(2_000)).toBeLessThanOrEqual(512 + (bench.clock.now() - before) / 20 + 1);
    expect(await bench.run(ask(other, { ...target.contact, via: [carrier.contact.id] }))).toBe('I am 2');
    await bench.advance(1_000);
    expect(await flood(200)).toBeGreaterThanOrEqual(49);
  });

  test('what the target says is no reason for another way', async () => {
    const bench = createBench();
    const { contact } = bench.someone();
    const table = createRoutingTable({ self: contact.id });
    let asked = 0;
    const links = new Map<NodeId, Link>();
    for (const failing of ['closed', 'refused', 'refused'] as const) {
      const other = bench.someone();
      table.linked(other.contact, 0);
      const call = async (): Promise<never> => {
        asked++;
        throw fail(failing, 'No.');
      };
      links.set(other.contact.id, fakeLink({ contact: other.contact, storeId: EMPTY, call }));
    }
    const relay = createRelay({
      clock: bench.clock,
      self: contact.id,
      table,
      link: (id) => links.get(id) ?? null,
      deadline: 8_000,
      onCarried: () => undefined,
    });
    const codes: (string | null)[] = [];
    for (let i = 0; i < 20; i++) {
      const before = asked;
      codes.push(await bench.code(relay.send({ to: bench.someone().contact, from: contact, method: 1, body: EMPTY })));
      expect(asked - before).toBeLessThanOrEqual(2);
    }
    expect(new Set(codes)).toEqual(new Set(['refused']));
  });

  test('one neighbour has 64 calls carried at once', async () => {
    const bench = createBench();
    const nodes = network(bench, 3, [
      [0, 1],
      [1, 2],
    ]);
    const [a, b, c] = nodes as [RelayNode, RelayNode, RelayNode];
    const aborts = Array.from({ length: 64 }, () => new AbortController());
    const stuck = (_: string, __: unknown, signal?: AbortSignal) =>
      new Promise<never>((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(fail('aborted', 'Cancelled.')), { once: true }),
      );
    b.links.set(c.contact.id, fakeLink({ contact: c.contact, storeId: EMPTY, call: stuck }));
    const call = { to: c.contact.id, via: null, hops: 5, from: a.contact, method: 1, body: EMPTY };
    const from = b.links.get(a.contact.id) as Link;
    const many = aborts.map(({ signal }) => b.relay.carry(call, { from, signal }).catch(() => undefined));
    const options = { from, signal: new AbortController().signal };
    expect(await bench.code(b.relay.carry(call, options))).toBe('refused');
    for (const abort of aborts) abort.abort();
    await bench.run(Promise.all(many));
    b.links.set(c.contact.id, fakeLink({ contact: c.contact, storeId: EMPTY, call: async () => ({ body: EMPTY }) }));
    expect(await bench.code(b.relay.carry(call, options))).toBeNull();
  });
});
