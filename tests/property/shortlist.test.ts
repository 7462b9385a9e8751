/** Lookups in random networks that do not change while they run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contact } from '../../src/kademlia/contact.ts';
import { commonPrefix, compareDistance, KEY_BYTES, type Key, keyOf, type NodeId } from '../../src/kademlia/key.ts';
import { createShortlist } from '../../src/kademlia/shortlist.ts';
import { seededRandom } from '../sim/random.ts';
import { makeContact } from '../unit/support/make-contact.ts';

interface Network {
  readonly nodes: readonly Contact[];
  /** Whom each node knows: some of each of its buckets, and its nearest. */
  readonly tables: ReadonlyMap<NodeId, readonly Contact[]>;
}

function makeNetwork(seed: number, size: number, k: number): Network {
  const random = seededRandom(seed);
  const nodes = Array.from({ length: size }, () => makeContact(keyOf(random.bytes(KEY_BYTES))));
  const tables = new Map<NodeId, readonly Contact[]>();
  for (const node of nodes) {
    const buckets = new Map<number, Contact[]>();
    for (const other of [...nodes].sort(() => random.float() - 0.5)) {
      if (other === node) continue;
      const index = commonPrefix(node.id, other.id);
      const bucket = buckets.get(index) ?? [];
      if (bucket.length < k) bucket.push(other);
      buckets.set(index, bucket);
    }
    tables.set(node.id, [...buckets.values()].flat());
  }
  return { nodes, tables };
}

const sortTo = (target: Key, contacts: readonly Contact[]): Contact[] => [...contacts].sort((a, b) => compareDistance(target, a.id, b.id));

/** Runs a lookup; answers come back in an order that `random` chooses, dead nodes fail. */
function run(options: {
  network: Network;
  target: Key;
  k: number;
  alpha: number;
  seed: number;
  dead: ReadonlySet<NodeId>;
  start: Contact;
}): {
  nearest: readonly Contact[];
  asked: number;
  mostInFlight: number;
} {
  const { network, target, k, alpha, dead, start } = options;
  const random = seededRandom(options.seed);
  const shortlist = createShortlist({ target, self: start.id, k, alpha });
  shortlist.add(sortTo(target, network.tables.get(start.id) ?? []).slice(0, k), null);
  const inFlight: NodeId[] = [];
  let mostInFlight = 0;
  while (!shortlist.done) {
    for (let next = shortlist.next(); next; next = shortlist.next()) inFlight.push(next.contact.id);
    mostInFlight = Math.max(mostInFlight, inFlight.length);
    const [id] = inFlight.splice(Math.floor(random.float() * inFlight.length), 1);
    if (id === undefined) throw new Error('not done, and nobody to wait for');
    if (dead.has(id)) shortlist.failed(id);
    else {
      shortlist.answered(id);
      shortlist.add(sortTo(target, network.tables.get(id) ?? []).slice(0, k), id);
    }
  }
  return { nearest: shortlist.nearest(k), asked: shortlist.asked, mostInFlight };
}

const K = 8;
const settings = fc.record({
  seed: fc.integer(),
  size: fc.integer({ min: 2, max: 150 }),
  alpha: fc.integer({ min: 1, max: 5 }),
  from: fc.nat(),
  deadEvery: fc.constantFrom(0, 2, 4),
});

describe('[K3] a lookup', () => {
  it('ends, never has more than alpha in flight, and finds the true k nearest when all are alive', () => {
    fc.assert(
      fc.property(settings, ({ seed, size, alpha, from }) => {
        const network = makeNetwork(seed, size, K);
        const target = keyOf(seededRandom(seed + 1).bytes(KEY_BYTES));
        const start = network.nodes[from % size] as Contact;
        const { nearest, asked, mostInFlight } = run({ network, target, k: K, alpha, seed, dead: new Set(), start });
        const others = network.nodes.filter((node) => node !== start);
        expect(nearest).toEqual(sortTo(target, others).slice(0, K));
        expect(mostInFlight).toBeLessThanOrEqual(alpha);
        expect(asked).toBeLessThanOrEqual(others.length);
      }),
      { numRuns: 40 },
    );
  });

  it('ends when many are dead too, having asked nobody twice, with live nodes only', () => {
    fc.assert(
      fc.property(settings, ({ seed, size, alpha, from, deadEvery }) => {
        const network = makeNetwork(seed, size, K);
        const target = keyOf(seededRandom(seed + 1).bytes(KEY_BYTES));
        const start = network.nodes[from % size] as Contact;
        const dead = new Set(network.nodes.filter((_, i) => deadEvery > 0 && i % deadEvery === 0).map((node) => node.id));
        const { nearest, asked } = run({ network, target, k: K, alpha, seed, dead, start });
        expect(asked).toBeLessThan(network.nodes.length);
        for (const contact of nearest) expect(dead.has(contact.id)).toBe(false);
        expect(nearest).toEqual(sortTo(target, nearest));
      }),
      { numRuns: 40 },
    );
  });
});
