/** Network coordinates (docs/protocol.md, rule T6). */
import { describe, expect, it } from 'vitest';
import type { Coordinate } from '../../../src/kademlia/coordinate.ts';
import { createPlace, type Estimate, type Place, update } from '../../../src/kademlia/vivaldi.ts';
import { createGeography } from '../../sim/latency.ts';
import { seededRandom } from '../../sim/random.ts';

const SEED = Number(process.env.SEED ?? 5);
const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Nodes around the world that come one after the other, each measuring the way to 30 that are there. */
function world(seed: number, count: number, strike?: (place: Place, i: number) => void) {
  const random = seededRandom(seed);
  const geography = createGeography(random);
  const nodes = Array.from({ length: count }, () => ({ at: geography.place(), place: createPlace({ random }) }));
  type Node = (typeof nodes)[number];
  const roundTrip = (a: Node, b: Node): number => 2 * geography.oneWay(a.at, b.at);
  for (const [i, node] of nodes.entries()) {
    for (let link = 0; link < Math.min(i, 30); link++) {
      const other = nodes[Math.floor(random.float() * i)] as Node;
      const [ours, theirs] = [node.place.told, other.place.told];
      node.place.sample(theirs, roundTrip(node, other));
      other.place.sample(ours, roundTrip(node, other));
    }
    strike?.(node.place, i);
  }
  const anyone = (): Node => nodes[Math.floor(random.float() * count)] as Node;
  const errors = Array.from({ length: 4_000 }, () => {
    const [a, b] = [anyone(), anyone()];
    const told = a.place.roundTripTo(b.place.told);
    return a === b || !Number.isFinite(told) ? 0 : Math.abs(told - roundTrip(a, b)) / roundTrip(a, b);
  });
  let [chosen, best, usual] = [0, 0, 0];
  for (let i = 0; i < 1_000; i++) {
    const from = anyone();
    const ten = Array.from({ length: 10 }, anyone).filter((one) => one !== from);
    const trips = ten.map((one) => roundTrip(from, one));
    const told = ten.map((one) => from.place.roundTripTo(one.place.told));
    chosen += trips[told.indexOf(Math.min(...told))] as number;
    best += Math.min(...trips);
    usual += trips.reduce((sum, ms) => sum + ms, 0) / trips.length;
  }
  return { error: middle(errors), chosen, best, usual };
}

describe(`places (seed ${SEED})`, () => {
  it('[T6] tell round trips of nodes that never met to a quarter, and choose nearly the nearest of ten', () => {
    const { error, chosen, best, usual } = world(SEED, 1_000);
    console.info(
      `seed ${SEED}: error ${error.toFixed(2)}; of ten the chosen ${(chosen / 1e3).toFixed(0)} ms, the nearest ${(best / 1e3).toFixed(0)}, usual ${(usual / 1e3).toFixed(0)}`,
    );
    expect(error).toBeLessThan(0.25);
    expect(chosen).toBeLessThan(1.4 * best);
    expect(chosen).toBeLessThan(0.6 * usual);
  });

  it('[T6] are not moved far by one liar among 30 links, however far away it says it is and whatever it measures', () => {
    const random = seededRandom(SEED);
    const honest = Array.from({ length: 30 }, () => ({ x: 200 * random.float() - 100, y: 200 * random.float() - 100, height: 5 }));
    const run = (lie: ((i: number) => readonly [Coordinate, number]) | null): Coordinate => {
      const place = createPlace({ random: seededRandom(SEED) });
      for (let round = 0; round < 20; round++) {
        for (const [i, other] of honest.entries()) {
          if (lie && i === 0) place.sample(...lie(round));
          else place.sample(other, Math.hypot(other.x - 10, other.y - 20) + 10);
        }
      }
      return place.told as Coordinate;
    };
    const truth = run(null);
    expect(Math.hypot(truth.x - 10, truth.y - 20)).toBeLessThan(10);
    const lies: ((i: number) => readonly [Coordinate, number])[] = [
      () => [{ x: 3_000, y: 3_000, height: 0 }, 1],
      () => [{ x: 10, y: 20, height: 0 }, 3_999],
      (i) => [{ x: i % 2 === 0 ? 3_000 : -3_000, y: 0, height: 6_000 }, 4_000],
      () => [
        { x: 3_000 * (random.float() - 0.5), y: 3_000 * (random.float() - 0.5), height: 6_000 * random.float() },
        4_000 * random.float(),
      ],
    ];
    for (const lie of lies) {
      const led = run(lie);
      expect(Math.hypot(led.x - truth.x, led.y - truth.y) + Math.abs(led.height - truth.height)).toBeLessThan(25);
    }
  });
});

describe('a sample', () => {
  const sure: Estimate = { x: 1, y: 2, height: 3, error: 0.1 };

  it('[T6] that can’t be true changes nothing', () => {
    const there = { x: 50, y: 0, height: 1 };
    for (const roundTrip of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 60_000])
      expect(update(sure, there, { roundTrip, turn: 0 })).toBe(sure);
    for (const other of [
      { ...there, x: Number.NaN },
      { ...there, y: Number.NEGATIVE_INFINITY },
      { ...there, height: -1 },
      { ...there, height: Number.NaN },
    ]) {
      expect(update(sure, other, { roundTrip: 50, turn: 0 })).toBe(sure);
    }
    const place = createPlace({ random: seededRandom(1) });
    for (let i = 0; i < 9; i++) place.sample(there, Number.NaN);
    expect(place.told).toBeNull();
  });

  it('[T6] moves a sure node by 15 ms at most, and an unsure one towards where it must be', () => {
    const moved = update(sure, { x: 3_000, y: 0, height: 0 }, { roundTrip: 5, turn: 0 });
    expect(Math.hypot(moved.x - sure.x, moved.y - sure.y)).toBeLessThan(15);
    const guess = { x: 0, y: 0, height: 0.1, error: 1 };
    const near = update(guess, { x: 100, y: 0, height: 1 }, { roundTrip: 20, turn: 0 });
    expect(near.x).toBeGreaterThan(20);
  });

  it('parts two nodes that are at the same place', () => {
    const one = update({ x: 0, y: 0, height: 0.1, error: 1 }, { x: 0, y: 0, height: 0.1 }, { roundTrip: 100, turn: 0.25 });
    expect(Math.hypot(one.x, one.y)).toBeGreaterThan(5);
    expect(Object.values(one).every(Number.isFinite)).toBe(true);
  });
});

describe('what is told', () => {
  it('is nothing before four samples, and then the same object until it has changed by much', () => {
    const place = createPlace({ random: seededRandom(3) });
    for (let i = 0; i < 3; i++) {
      place.sample({ x: 60, y: 10 * i, height: 2 }, 60);
      expect(place.told).toBeNull();
      expect(place.roundTripTo({ x: 1, y: 1, height: 1 })).toBe(Number.POSITIVE_INFINITY);
    }
    let changes = 0;
    let before = place.told;
    for (let i = 0; i < 400; i++) {
      place.sample({ x: 60 * Math.cos(i), y: 60 * Math.sin(i), height: 2 }, 64);
      if (place.told !== before) changes++;
      before = place.told;
    }
    expect(place.told).not.toBeNull();
    expect(changes).toBeGreaterThan(0);
    expect(changes).toBeLessThan(20);
    expect(place.roundTripTo(null)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is some place for the first nodes of a network, who have nobody to go by', () => {
    const place = createPlace({ random: seededRandom(3) });
    for (let i = 0; i < 4; i++) place.sample(null, 80);
    expect(place.told).not.toBeNull();
  });
});
