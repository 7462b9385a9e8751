/** What a node claims to know for certain is so, and a lookup always comes nearer (docs/protocol.md, rule K7). */
import { describe, expect, it } from 'vitest';
import { isCovered } from '../../src/kademlia/coverage.ts';
import { compareDistance, distance, KEY_BYTES, type Key, keyOf } from '../../src/kademlia/key.ts';
import { createRoutingTable, type RoutingTable } from '../../src/kademlia/routing-table.ts';
import { seededRandom } from '../sim/random.ts';
import { makeContact } from '../unit/support/make-contact.ts';

const SEED = Number(process.env.SEED ?? 11);
const NEIGHBOURS = 12;
const COUNT = 8;
const random = seededRandom(SEED);
const anyKey = (): Key => keyOf(random.bytes(KEY_BYTES));
const sorted = (target: Key, ids: readonly Key[]): readonly Key[] => [...ids].sort((a, b) => compareDistance(target, a, b));

/** A key that differs from another only behind so many bits, as lookups near us have it. */
const keyNear = (key: Key, bits: number): Key => {
  const bytes = random.bytes(KEY_BYTES);
  const own = Uint8Array.from(key.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    bytes[bit >> 3] = ((bytes[bit >> 3] as number) & ~mask) | ((own[bit >> 3] as number) & mask);
  }
  return keyOf(bytes);
};

/** A node among `everybody`, linked to its nearest ones and to a few others. */
function nodeOf(self: Key, everybody: readonly Key[]): RoutingTable {
  const table = createRoutingTable({ self, settings: { neighbours: NEIGHBOURS } });
  const others = sorted(
    self,
    everybody.filter((id) => id !== self),
  );
  for (const [place, id] of others.entries()) {
    if (place < NEIGHBOURS || random.float() < 0.1) table.linked(makeContact(id), 0);
    else if (random.float() < 0.2) table.heard(makeContact(id), 0);
  }
  table.settled();
  return table;
}

describe(`what a node covers (seed ${SEED})`, () => {
  it('[K7] is what sorting everybody gives, whenever its links to its nearest are complete', () => {
    let covered = 0;
    let missed = 0;
    for (let run = 0; run < 40; run++) {
      const everybody = Array.from({ length: 40 + Math.floor(random.float() * 200) }, anyKey);
      const self = everybody[0] as Key;
      const table = nodeOf(self, everybody);
      for (let i = 0; i < 50; i++) {
        const target = keyNear(self, Math.floor(random.float() * 9));
        const known = [self, ...table.closestLinked(target, 1000).map(({ id }) => id)];
        const answer = sorted(target, known).slice(0, COUNT).join();
        const truth = sorted(target, everybody).slice(0, COUNT).join();
        if (table.covers(target, COUNT)) {
          covered++;
          expect(answer).toBe(truth);
        } else if (answer === truth) missed++;
      }
    }
    console.info(`seed ${SEED}: certain ${covered} times, right without knowing it ${missed} times`);
    expect(covered).toBeGreaterThan(200);
  });

  it('[K7] agrees with trying every id in a small space', () => {
    const key = (n: number): Key => n.toString(16).padStart(2, '0').repeat(20) as Key;
    // 256 ids, all of whose bytes are alike: XOR of two is again one of them, in the order of that byte.
    for (let i = 0; i < 3_000; i++) {
      const [self, target, edge, last] = Array.from({ length: 4 }, () => Math.floor(random.float() * 256)) as [
        number,
        number,
        number,
        number,
      ];
      let farthest = 0;
      for (let id = 0; id < 256; id++) if ((id ^ target) <= (last ^ target)) farthest = Math.max(farthest, id ^ self);
      const yes = isCovered({ self: key(self), target: key(target), edge: key(edge), last: key(last) });
      // The true space is finer: an id between two of ours may lie farther out, never nearer.
      if (yes) expect(farthest).toBeLessThanOrEqual(self ^ edge);
      if (farthest < (self ^ edge)) expect(yes).toBe(true);
    }
  });

  it('[K7] is nothing before its nearest were asked for others, nor without links to them', () => {
    const everybody = Array.from({ length: 60 }, anyKey);
    const self = everybody[0] as Key;
    const table = nodeOf(self, everybody);
    expect(table.covers(self, COUNT)).toBe(true);
    const [nearest] = table.closestLinked(self, 1);
    table.unlinked(nearest?.id as Key, 1);
    expect(table.covers(self, COUNT)).toBe(false);
    table.linked(makeContact(nearest?.id as Key), 2);
    expect(table.covers(self, COUNT)).toBe(true);
    for (const { id } of table.closestLinked(self, 1000)) table.unlinked(id, 3);
    for (const { id } of table.closest(self, 1000)) table.linked(makeContact(id), 4);
    expect(table.covers(self, COUNT)).toBe(false);
    table.settled();
    expect(table.covers(self, COUNT)).toBe(true);
  });
});

describe(`the next hop (seed ${SEED})`, () => {
  it('[K7] is strictly nearer to the target, and there is one whenever any link is', () => {
    for (let run = 0; run < 30; run++) {
      const everybody = Array.from({ length: 100 }, anyKey);
      const self = everybody[0] as Key;
      const table = nodeOf(self, everybody);
      for (const { id } of table.closestLinked(self, 1000)) if (random.float() < 0.8) table.measured(id, 1 + 400 * random.float());
      for (let i = 0; i < 40; i++) {
        const target = anyKey();
        const without = new Set(everybody.filter(() => random.float() < 0.2));
        const next = table.nextHop(target, without);
        const nearer = table.closestLinked(target, 1000).filter(({ id }) => !without.has(id) && compareDistance(target, id, self) < 0);
        expect(next === null).toBe(nearer.length === 0);
        if (next) expect(distance(target, next.id) < distance(target, self)).toBe(true);
        if (next) expect(nearer).toContain(next);
      }
    }
  });
});
