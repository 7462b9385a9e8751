/** In which order holders are named to who asks (docs/protocol.md, rule M15). */
import { describe, expect, test } from 'vitest';
import { EMPTY } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import type { Coordinate } from '../../../src/kademlia/coordinate.ts';
import { keyOf, type NodeId } from '../../../src/kademlia/key.ts';
import { createAbsences, FAREWELL } from '../../../src/node/absences.ts';
import { createHolderOrder } from '../../../src/node/holder-order.ts';
import { holderEntry, readHolder } from '../../../src/node/holders.ts';
import { openEntry, writeEntry } from '../../../src/records/entry.ts';
import type { Item } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';

const GROUP = keyOf(new Uint8Array(20).fill(3));
const MINUTE = 60_000;

/** A point on the map, ms from its middle, with a line of 5 ms. */
const place = (x: number, y = 0): Coordinate => ({ x, y, height: 5 });

function setup() {
  const bench = createBench();
  const linked = new Set<NodeId>();
  const absences = createAbsences(bench);
  const self = bench.someone().contact;
  const { order } = createHolderOrder({ self: self.id, ...bench, isLinked: (id) => linked.has(id), absences });
  const asker = (coordinate: Coordinate | null = null): Contact => ({ ...bench.someone().contact, coordinate });
  /** The entry of a holder, linked unless said otherwise. */
  const holder = async (coordinate: Coordinate | null, isLinked = true): Promise<{ id: NodeId; item: Item; contact: Contact }> => {
    const one = bench.someone();
    const contact = { ...one.contact, coordinate };
    if (isLinked) linked.add(contact.id);
    const entry = await holderEntry({ ...one, contact, clock: bench.clock, group: GROUP });
    return { id: contact.id, contact, item: { type: 'entry', signed: entry.signed } };
  };
  const idsOf = (items: readonly Item[]): (NodeId | null)[] =>
    items.map((item) => {
      const entry = item.type === 'entry' ? openEntry(item.signed) : null;
      return (entry && readHolder(bench.crypto, entry, { group: GROUP, now: bench.clock.now() })?.contact.id) ?? null;
    });
  const ask = (items: readonly Item[], from = asker()) => idsOf(order(items, { key: GROUP, from }));
  return { bench, linked, absences, order, asker, holder, ask };
}

describe('the order of holders', () => {
  test('[M15] of 50 who ask at once from everywhere none of 5 holders gets more than 40%, and each is sent to near ones more often', async () => {
    const at = setup();
    const holders = await Promise.all(
      [place(0), place(40), place(100), place(0, 120), place(-150)].map((coordinate) => at.holder(coordinate)),
    );
    const first = new Map<NodeId | null, number>();
    let near = 0;
    for (let i = 0; i < 50; i++) {
      const coordinate = place(300 * (at.bench.random.float() - 0.5), 300 * (at.bench.random.float() - 0.5));
      const [named] = at.ask(
        holders.map(({ item }) => item),
        at.asker(coordinate),
      );
      first.set(named ?? null, (first.get(named ?? null) ?? 0) + 1);
      const wayTo = ({ contact }: (typeof holders)[number]): number =>
        Math.hypot((contact.coordinate?.x ?? 0) - coordinate.x, (contact.coordinate?.y ?? 0) - coordinate.y);
      const byWay = holders.toSorted((a, b) => wayTo(a) - wayTo(b));
      if (byWay.slice(0, 2).some(({ id }) => id === named)) near++;
    }
    expect(first.size).toBe(5);
    expect(Math.max(...first.values())).toBeLessThanOrEqual(20);
    expect(near).toBeGreaterThan(25); // by chance it would be 20
  });

  test('[M15] of many who ask from one place the nearest holder gets most, and no more than 40%', async () => {
    const at = setup();
    const holders = await Promise.all([place(0), ...Array<Coordinate>(4).fill(place(150))].map((coordinate) => at.holder(coordinate)));
    const items = holders.map(({ item }) => item);
    const firsts = Array.from({ length: 50 }, () => at.ask(items, at.asker(place(0)))[0]);
    const counts = holders.map(({ id }) => firsts.filter((first) => first === id).length);
    expect(counts[0]).toBe(Math.max(...counts));
    expect(counts[0]).toBeGreaterThan(12);
    expect(counts[0]).toBeLessThanOrEqual(20);
  });

  test('what was named is forgotten in some minutes', async () => {
    const at = setup();
    const [near, far] = [await at.holder(place(0)), await at.holder(place(150))];
    const items = [far.item, near.item];
    const askFirst = () => at.ask(items, at.asker(place(0)))[0];
    expect([askFirst(), askFirst()]).toEqual([near.id, far.id]);
    await at.bench.advance(5 * MINUTE);
    expect(askFirst()).toBe(near.id);
  });

  test('[M15] who is linked comes before who is not, the longer its word is old, the more; who left comes later, and for good last', async () => {
    const at = setup();
    const old = await at.holder(null, false);
    await at.bench.advance(110 * MINUTE);
    const gone = await at.holder(null, false);
    const away = await at.holder(null, false);
    const fresh = await at.holder(null, false);
    const linked = await at.holder(null);
    await at.bench.advance(MINUTE);
    at.absences.left(gone.id, `the other node left: ${FAREWELL}`);
    at.absences.left(away.id, 'nothing heard for 6 s');
    expect(at.ask([gone, old, away, fresh, linked].map(({ item }) => item))).toEqual([linked, fresh, away, old, gone].map(({ id }) => id));
  });

  test('who asks comes last in its own answer, and what is no holder’s word after the holders', async () => {
    const at = setup();
    const [a, b] = [await at.holder(null), await at.holder(null)];
    const other = at.bench.someone();
    const time = at.bench.clock.now();
    const entry = await writeEntry({ signer: other.signer, topic: GROUP, name: 'comment', value: EMPTY, time, expires: time + 1_000 });
    const comment: Item = { type: 'entry', signed: entry.signed };
    expect(at.ask([comment, a.item, b.item], a.contact)).toEqual([b.id, a.id, null]);
    const value: Item = { type: 'value', bytes: EMPTY };
    expect(at.order([comment, value], { key: GROUP, from: at.asker() })).toEqual([comment, value]);
  });
});
