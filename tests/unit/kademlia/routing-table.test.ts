import { describe, expect, it } from 'vitest';
import type { Admission } from '../../../src/kademlia/admission.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { commonPrefix, compareDistance, type Key, parseKey } from '../../../src/kademlia/key.ts';
import { createRoutingTable, type LinkPurpose, type RoutingSettings, type RoutingTable } from '../../../src/kademlia/routing-table.ts';
import type { Place } from '../../../src/kademlia/vivaldi.ts';
import { seededRandom } from '../../sim/random.ts';
import { makeContact } from '../support/make-contact.ts';

const SELF = parseKey('0'.repeat(40)) as Key;
const OPEN = 'wss://open.example/';

const table = (settings: Partial<RoutingSettings> = {}): RoutingTable => createRoutingTable({ self: SELF, settings });
/** The `i`-th contact of the farthest bucket: its first bit differs from ours. */
const far = (i: number, open: string | null = null): Contact => makeContact(`8${i.toString(16).padStart(4, '0')}`, open);
/** The `i`-th contact of the bucket that shares 12 bits with us. */
const near = (i: number, open: string | null = null): Contact => makeContact(`0008${i.toString(16).padStart(4, '0')}`, open);
/** The `i`-th contact of one of the four quarters of the farthest bucket. */
const farIn = (quarter: number, i: number, open: string | null = null): Contact =>
  makeContact(`${'8ace'[quarter]}${i.toString(16).padStart(4, '0')}`, open);
/** Contacts to link to. */
const wanted = (routing: RoutingTable, now: number, underWay: readonly Contact[] = []): readonly Contact[] =>
  routing.plan({ now, underWay: new Set(underWay.map(({ id }) => id)), far: true }).wanted;
/** Links to close, when all of them have lasted. */
const surplus = (routing: RoutingTable, busy: readonly Contact[] = []): readonly Key[] =>
  routing.surplusLinks({ now: 1_000_000, isBusy: (id) => busy.some((one) => one.id === id) }).ready;
const admit = (routing: RoutingTable, contact: Contact, purpose: LinkPurpose, busy: readonly Contact[] = [], reserved = 0): Admission =>
  routing.admit(contact, { now: 1_000_000, purpose, reserved, isBusy: (id) => busy.some((one) => one.id === id) });
const NO: Admission = { taken: false, instead: null };
const YES: Admission = { taken: true, instead: null };
const ids = (contacts: readonly Contact[]): string[] => contacts.map((contact) => contact.id);
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

describe('what a routing table knows', () => {
  it('never takes in its own node', () => {
    const routing = table();
    routing.heard(makeContact('0'), 0);
    routing.linked(makeContact('0'), 0);
    expect(routing.size).toBe(0);
    expect(routing.get(SELF)).toBeNull();
  });

  it('[T1] keeps at most k contacts in a bucket, the first ones that it heard of', () => {
    const routing = table({ k: 3, neighbours: 0 });
    for (const contact of times(5, far)) routing.heard(contact, 0);
    routing.heard(near(1), 0);
    expect(ids(routing.contacts()).sort()).toEqual(ids([near(1), ...times(3, far)]).sort());
  });

  it('[T1] lets an open node take the place of the youngest closed one', () => {
    const routing = table({ k: 3, neighbours: 0 });
    times(3, (i) => routing.heard(far(i), i));
    routing.heard(far(9, OPEN), 10);
    expect(ids(routing.contacts()).sort()).toEqual(ids([far(0), far(1), far(9)]).sort());
  });

  it('[T1] lets only a few open nodes that it merely heard of push closed ones out', () => {
    const routing = table({ k: 8, neighbours: 0 });
    times(8, (i) => routing.heard(far(i), i));
    times(8, (i) => routing.heard(far(100 + i, OPEN), 100 + i));
    expect(routing.openNodes()).toHaveLength(4);
    expect(routing.size).toBe(8);
  });

  it('[T1] lets a newcomer take the place of one that failed', () => {
    const routing = table({ k: 2, neighbours: 0 });
    routing.heard(far(0), 0);
    routing.heard(far(1), 0);
    routing.failed(far(0).id, 1);
    routing.heard(far(2), 2);
    expect(ids(routing.contacts()).sort()).toEqual(ids([far(1), far(2)]).sort());
  });

  it('[T1] never forgets one with a live link, however full its bucket is', () => {
    const routing = table({ k: 2, neighbours: 0 });
    times(5, (i) => routing.linked(far(i), i));
    routing.heard(far(9, OPEN), 9);
    expect(routing.size).toBe(5);
    expect(routing.linkCount).toBe(5);
    times(4, (i) => routing.unlinked(far(i).id, 10));
    expect(routing.size).toBe(2);
    expect(routing.isLinked(far(4).id)).toBe(true);
  });

  it('[H8] does not let hearsay change what a node said of itself', () => {
    const routing = table();
    const honest = far(1, OPEN);
    routing.linked(honest, 0);
    routing.heard({ ...honest, open: 'wss://liar.example/' }, 1);
    expect(routing.get(honest.id)?.open).toBe(OPEN);
    routing.unlinked(honest.id, 2);
    routing.heard({ ...honest, open: 'wss://liar.example/' }, 3);
    expect(routing.get(honest.id)?.open).toBe(OPEN);
    routing.failed(honest.id, 4); // where it said is not where it is: news is welcome
    routing.heard({ ...honest, open: 'wss://moved.example/' }, 5);
    expect(routing.get(honest.id)?.open).toBe('wss://moved.example/');
  });

  it('[H8] lets hearsay say where a node is when no link tells it', () => {
    const routing = table();
    const there = { x: 1, y: 2, height: 3 };
    routing.linked(far(1, OPEN), 0);
    routing.heard({ ...far(1), coordinate: there }, 1);
    expect(routing.get(far(1).id)?.coordinate).toBeNull();
    routing.unlinked(far(1).id, 2);
    routing.heard({ ...far(1), coordinate: there }, 3);
    expect(routing.get(far(1).id)).toEqual({ ...far(1, OPEN), coordinate: there });
  });

  it('takes over what a node says of itself when a link stands', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.linked(far(1, OPEN), 1);
    expect(routing.get(far(1).id)?.open).toBe(OPEN);
  });

  it('[T1] keeps a full bucket spread over its quarters', () => {
    const routing = table({ k: 8, neighbours: 0 });
    times(8, (i) => routing.heard(farIn(0, i), i));
    times(8, (i) => routing.heard(farIn(1, i), 10 + i));
    times(8, (i) => routing.heard(farIn(2, i), 20 + i));
    const counts = [0, 1, 2].map((quarter) => routing.contacts().filter(({ id }) => id[0] === '8ace'[quarter]).length);
    expect(counts.every((count) => count >= 2)).toBe(true);
    expect(routing.size).toBe(8);
  });

  it('[T6] keeps those that are nearest in time in a full bucket, but those that it was linked to before hearsay', () => {
    const place: Place = {
      told: { x: 0, y: 0, height: 1 },
      sample: () => undefined,
      roundTripTo: (at) => at?.x ?? Number.POSITIVE_INFINITY,
    };
    const routing = createRoutingTable({ self: SELF, settings: { k: 4, neighbours: 0 }, place });
    const at = (i: number, x: number): Contact => ({ ...far(i), coordinate: { x, y: 0, height: 1 } });
    routing.linked(at(0, 500), 0);
    routing.unlinked(far(0).id, 100_000);
    for (let i = 1; i < 20; i++) routing.heard(at(i, 300 - 10 * i), i);
    expect(ids(routing.contacts()).sort()).toEqual(ids([far(0), far(17), far(18), far(19)]).sort());
  });

  it('[T1] keeps the nearest of all beyond k, as many again as are wanted linked', () => {
    const routing = table({ k: 4, neighbours: 5 });
    times(30, (i) => routing.heard(near(29 - i), i));
    expect(ids(routing.closest(SELF, 10))).toEqual(ids(times(10, near)));
  });

  it('remembers who named a node, while there is a link to it', () => {
    const routing = table();
    routing.linked(near(1), 0);
    routing.heard(far(1), 0, near(1).id);
    expect(routing.introducer(far(1).id)).toBe(near(1).id);
    routing.unlinked(near(1).id, 1);
    expect(routing.introducer(far(1).id)).toBeNull();
  });

  it('[L1] remembers the last linked tab that named a node, and an open node only where none is', () => {
    const routing = table();
    const open = makeContact('4444', 'wss://o.example/ws');
    for (const one of [near(1), near(2), open]) routing.linked(one, 0);
    routing.heard(far(1), 0, open.id);
    expect(routing.introducer(far(1).id)).toBe(open.id);
    routing.heard(far(1), 0, near(1).id);
    routing.heard(far(1), 0, open.id);
    expect(routing.introducer(far(1).id)).toBe(near(1).id);
    routing.heard(far(1), 0, near(2).id);
    expect(routing.introducer(far(1).id)).toBe(near(2).id);
    routing.unlinked(near(2).id, 1);
    routing.heard(far(1), 1, open.id);
    expect(routing.introducer(far(1).id)).toBe(open.id);
  });

  it('counts a link once', () => {
    const routing = table();
    routing.linked(far(1), 0);
    routing.linked(far(1), 1);
    expect(routing.linkCount).toBe(1);
    routing.unlinked(far(1).id, 2);
    routing.unlinked(far(1).id, 3);
    expect(routing.linkCount).toBe(0);
    expect(routing.isLinked(far(1).id)).toBe(false);
    expect(routing.get(far(1).id)).toEqual(far(1));
  });

  it('lists open nodes, linked ones first', () => {
    const routing = table();
    routing.heard(far(1, 'wss://a/'), 0);
    routing.linked(far(2, 'wss://b/'), 1);
    routing.heard(near(3), 1);
    expect(ids(routing.openNodes())).toEqual(ids([far(2), far(1)]));
  });
});

describe('failures', () => {
  it('[T4] make a closed node forgotten after two in a row', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.failed(far(1).id, 1);
    expect(routing.get(far(1).id)).not.toBeNull();
    routing.failed(far(1).id, 2);
    expect(routing.get(far(1).id)).toBeNull();
  });

  it('[T4] make an open node forgotten after eight', () => {
    const routing = table();
    routing.heard(far(1, OPEN), 0);
    times(7, (i) => routing.failed(far(1).id, i));
    expect(routing.get(far(1).id)).not.toBeNull();
    routing.failed(far(1).id, 9);
    expect(routing.get(far(1).id)).toBeNull();
  });

  it('[T4] are forgiven by a link', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.failed(far(1).id, 1);
    routing.linked(far(1), 2);
    routing.unlinked(far(1).id, 100_000);
    routing.failed(far(1).id, 200_000);
    expect(routing.get(far(1).id)).not.toBeNull();
  });

  it('[T4] do not touch a node with a live link', () => {
    const routing = table();
    routing.linked(far(1), 0);
    times(9, (i) => routing.failed(far(1).id, i));
    expect(routing.isLinked(far(1).id)).toBe(true);
  });

  it('[T4] put off the next try, each time twice as long up to 5 minutes', () => {
    const routing = table();
    routing.heard(far(1, OPEN), 0);
    let now = 0;
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      routing.failed(far(1).id, now);
      const start = now;
      while (wanted(routing, now).length === 0) now += 500;
      pauses.push(now - start);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000]);
  });

  it('[T4] are remembered: hearsay does not bring a dead node back before its pause is over, and then on probation', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.failed(far(1).id, 0);
    routing.failed(far(1).id, 0);
    routing.heard(far(1), 3_999);
    expect(routing.get(far(1).id)).toBeNull();
    routing.heard(far(1), 4_000);
    expect(ids(wanted(routing, 4_000))).toEqual([far(1).id]);
    routing.failed(far(1).id, 4_000); // once more is enough
    routing.heard(far(1), 11_999);
    expect(routing.get(far(1).id)).toBeNull();
    routing.linked(far(1), 12_000); // it lives after all
    expect(routing.isLinked(far(1).id)).toBe(true);
  });

  it('[T4] do not fill the memory with the names of dead nodes', () => {
    const routing = table({ k: 5000 });
    for (const contact of times(600, far)) {
      routing.heard(contact, 0);
      routing.failed(contact.id, 0);
      routing.failed(contact.id, 0);
    }
    for (const contact of times(600, far)) routing.heard(contact, 1);
    expect(routing.size).toBe(600 - 512);
  });

  it('[T4] of a link that ended soon put off the next one, so that two nodes do not open and close in turns', () => {
    const routing = table();
    let now = 0;
    const pauses: number[] = [];
    for (let i = 0; i < 3; i++) {
      routing.linked(near(1), now);
      now += 1_000;
      routing.unlinked(near(1).id, now);
      const start = now;
      while (wanted(routing, now).length === 0) now += 500;
      pauses.push(now - start);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000]);
    routing.linked(near(1), now);
    routing.unlinked(near(1).id, now + 60_000);
    expect(wanted(routing, now + 62_000)).toHaveLength(1);
  });
});

describe('ends of links', () => {
  it('[T4] by a goodbye let a closed node be forgotten, and what others say of it is not believed for a minute', () => {
    const routing = table();
    for (const contact of [near(1), near(2, OPEN)]) {
      routing.linked(contact, 0);
      routing.unlinked(contact.id, 100_000, 'left');
    }
    expect(routing.get(near(1).id)).toBeNull();
    expect(ids(wanted(routing, 102_000))).toEqual([near(2).id]); // an open node may only restart
    expect(routing.heard(near(1), 159_999)).toBe(false);
    expect(routing.heard(near(1), 160_000)).toBe(true);
    routing.linked(near(1), 161_000);
    expect(routing.isLinked(near(1).id)).toBe(true);
  });

  it('[T4] by silence count as a failure: the node is tried once more', () => {
    const routing = table();
    routing.linked(near(1), 0);
    routing.unlinked(near(1).id, 100_000, 'silent');
    expect(wanted(routing, 101_999)).toEqual([]);
    expect(wanted(routing, 102_000)).toHaveLength(1);
    routing.failed(near(1).id, 102_000);
    expect(routing.get(near(1).id)).toBeNull();
  });
});

describe('open nodes that are full', () => {
  it('[T2] are not asked one after the other: after the first no it is waited, longer each time', () => {
    const routing = table({ neighbours: 0 });
    times(4, (i) => routing.heard(makeContact(`${'8421'[i]}000`, OPEN), 0));
    const openWanted = (now: number): number => wanted(routing, now).filter(({ open }) => open !== null).length;
    expect(openWanted(0)).toBeGreaterThanOrEqual(2);
    routing.refused(makeContact('8000').id, 1_000);
    expect(openWanted(60_999)).toBe(0);
    expect(routing.openAgain).toBe(61_000);
    expect(openWanted(61_000)).toBeGreaterThan(0);
    routing.refused(makeContact('4000').id, 61_000);
    routing.refused(makeContact('2000').id, 62_000);
    expect(routing.openAgain).toBe(181_000);
  });

  it('[T2] are asked all the same as one of our nearest', () => {
    const routing = table({ neighbours: 1 });
    routing.heard(far(1, OPEN), 0);
    routing.heard(near(1, OPEN), 0);
    routing.refused(far(1).id, 0);
    expect(ids(wanted(routing, 1))).toEqual([near(1).id]);
  });
});

describe('refusals', () => {
  it('[T4] are no failures: the node stays known, and is asked again after pauses from a minute to two hours', () => {
    const routing = table();
    routing.heard(near(1), 0);
    let now = 0;
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      routing.refused(near(1).id, now);
      const { again } = routing.plan({ now, underWay: new Set(), far: true });
      pauses.push(again - now);
      expect(wanted(routing, again - 1)).toEqual([]);
      now = again;
      expect(wanted(routing, now)).toHaveLength(1);
    }
    expect(pauses.map((ms) => ms / 60_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120]);
  });

  it('[T4] count from the end of a link that had to make room, however long it was', () => {
    const routing = table();
    routing.linked(near(1), 0);
    routing.unlinked(near(1).id, 3_600_000, 'no-room');
    expect(wanted(routing, 3_600_000 + 59_000)).toEqual([]);
    expect(wanted(routing, 3_600_000 + 60_000)).toHaveLength(1);
  });

  it('[T2] let the next one of the quarter be tried', () => {
    const routing = table({ neighbours: 0 });
    times(2, (i) => routing.heard(far(i), i));
    routing.refused(far(0).id, 0);
    expect(ids(wanted(routing, 1))).toEqual(ids([far(1)]));
  });
});

describe('the closest nodes', () => {
  const random = seededRandom(7);
  const routing = createRoutingTable({ self: parseKey('5a'.repeat(20)) as Key });
  const known = times(500, () => makeContact(Buffer.from(random.bytes(20)).toString('hex')));
  for (const [i, contact] of known.entries()) {
    if (i % 3 === 0) routing.linked(contact, 0);
    else routing.heard(contact, 0);
  }

  it('[K1] are those that comparing all distances gives, wherever the target is', () => {
    const targets = [routing.self, ...times(50, () => parseKey(Buffer.from(random.bytes(20)).toString('hex')) as Key), known[3]?.id as Key];
    for (const target of targets) {
      const sorted = [...routing.contacts()].sort((a, b) => compareDistance(target, a.id, b.id));
      expect(ids(routing.closest(target, 20))).toEqual(ids(sorted.slice(0, 20)));
      const linked = sorted.filter((contact) => routing.isLinked(contact.id));
      expect(ids(routing.closestLinked(target, 7))).toEqual(ids(linked.slice(0, 7)));
    }
  });

  it('are all there are when fewer are known', () => {
    expect(routing.closest(routing.self, 10_000)).toHaveLength(routing.size);
    expect(routing.closestLinked(routing.self, 10_000)).toHaveLength(routing.linkCount);
  });
});

describe('wanted links', () => {
  it('[T2] are the nearest nodes first, then far ones', () => {
    const routing = table({ neighbours: 2, farLinks: 1 });
    for (const contact of [far(2), near(3), far(1), near(1)]) routing.heard(contact, 0);
    expect(ids(wanted(routing, 0))).toEqual(ids([near(1), near(3), far(2)]));
  });

  it('[T2] take an open node in each bucket that knows one', () => {
    const routing = table({ neighbours: 1, farLinks: 0 });
    routing.linked(near(1), 0);
    routing.heard(near(5, OPEN), 0);
    routing.heard(far(1), 0);
    routing.heard(far(2, OPEN), 0);
    routing.heard(far(3, OPEN), 0);
    expect(ids(wanted(routing, 0))).toEqual(ids([far(2), near(5)]));
    routing.linked(far(3, OPEN), 0);
    expect(ids(wanted(routing, 0))).toEqual(ids([near(5)]));
  });

  it('[T2] are in different quarters of a far bucket, the emptiest and farthest bucket first, the longest known first', () => {
    const routing = table({ neighbours: 0, farLinks: 2 });
    const middle = (i: number): Contact => makeContact(`4000${i}`);
    times(4, (i) => routing.heard(farIn(1, i), 10 - i));
    times(4, (i) => routing.heard(far(i), 0));
    times(4, (i) => routing.heard(middle(i), i));
    routing.linked(far(9), 0);
    expect(ids(wanted(routing, 20))).toEqual(ids([middle(0), farIn(1, 3)]));
  });

  it('[T2] are two in a far bucket at once, and the other two as spare ones', () => {
    const routing = table({ neighbours: 0 });
    times(4, (quarter) => routing.heard(farIn(quarter, 0), quarter));
    const plan = routing.plan({ now: 10, underWay: new Set(), far: true });
    expect(ids(plan.wanted)).toEqual(ids([farIn(0, 0), farIn(1, 0)]));
    expect(plan.spare()?.id).toBe(farIn(2, 0).id);
    for (const contact of plan.wanted) routing.linked(contact, 10);
    expect(wanted(routing, 11)).toEqual([]);
    routing.linked(farIn(2, 0), 12);
    expect(routing.plan({ now: 13, underWay: new Set(), far: true }).spare()?.id).toBe(farIn(3, 0).id);
  });

  it('[T2] are not those that are under way, nor others in the quarter that those will fill', () => {
    const routing = table({ neighbours: 0, farLinks: 1 });
    times(3, (i) => routing.heard(far(i), i));
    expect(wanted(routing, 10, [far(2)])).toEqual([]);
  });

  it('[T2] wait, all but neighbours, until candidates have been gathered', () => {
    const routing = table({ neighbours: 1 });
    routing.heard(near(1), 0);
    routing.heard(far(1), 0);
    expect(ids(routing.plan({ now: 0, underWay: new Set(), far: false }).wanted)).toEqual(ids([near(1)]));
  });

  it('[T6] go to the node that is nearest in time, as far as coordinates tell, and to the longest known where they do not', () => {
    const place: Place = {
      told: { x: 0, y: 0, height: 1 },
      sample: () => undefined,
      roundTripTo: (at) => at?.x ?? Number.POSITIVE_INFINITY,
    };
    const routing = createRoutingTable({ self: SELF, settings: { neighbours: 0, farLinks: 2 }, place });
    const at = (contact: Contact, x: number): Contact => ({ ...contact, coordinate: { x, y: 0, height: 1 } });
    routing.heard(far(0), 0);
    routing.heard(at(far(1), 90), 1);
    routing.heard(at(far(2), 30), 2);
    routing.heard(farIn(1, 1), 1);
    routing.heard(farIn(1, 0), 0);
    expect(ids(wanted(routing, 5))).toEqual(ids([far(2), farIn(1, 0)]));
  });

  it('[T6] give a far link’s place to a node that is nearer by two fifths, and by 20 ms at least', () => {
    const place: Place = {
      told: { x: 0, y: 0, height: 1 },
      sample: () => undefined,
      roundTripTo: (at) => at?.x ?? Number.POSITIVE_INFINITY,
    };
    const nearer = (present: number, other: number): string | undefined => {
      const routing = createRoutingTable({ self: SELF, settings: { neighbours: 0 }, place });
      routing.linked(far(0), 0);
      routing.measured(far(0).id, present);
      routing.heard({ ...far(1), coordinate: { x: other, y: 0, height: 1 } }, 0);
      routing.heard({ ...farIn(1, 1), coordinate: { x: 1, y: 0, height: 1 } }, 0); // another quarter: nothing to replace
      return routing.nearerLink({ now: 5, underWay: new Set(), far: true })?.id;
    };
    expect(nearer(100, 59)).toBe(far(1).id);
    expect(nearer(100, 61)).toBeUndefined();
    expect(nearer(30, 11)).toBeUndefined();
  });

  it('[T2] leave half of a small budget to far buckets', () => {
    const routing = table({ neighbours: 20, budget: 6, farLinks: 4 });
    times(9, (i) => routing.heard(near(i), 0));
    times(4, (quarter) => routing.heard(farIn(quarter, 0), 0));
    const first = ids(wanted(routing, 0));
    expect(first.slice(0, 3)).toEqual(ids(times(3, near)));
    expect(first.filter((id) => commonPrefix(SELF, id as Key) === 0)).toHaveLength(2);
  });

  it('[T3] leave the tenth part of the budget to guests', () => {
    const routing = table({ budget: 20, neighbours: 0, farLinks: 4 });
    times(17, (i) => routing.linked(far(i), 0));
    times(4, (quarter) => routing.heard(makeContact(`${'4567'[quarter]}0001`), 0));
    expect(wanted(routing, 0).length).toBe(1);
    routing.linked(makeContact('40000'), 0);
    expect(wanted(routing, 0)).toEqual([]);
  });

  it('[T3] let a neighbour take the place of a link that serves nothing', () => {
    const routing = table({ budget: 8, neighbours: 3, farLinks: 4 });
    times(8, (i) => routing.linked(far(i), i)); // the 4 nearest of them are spared, one more is wanted there
    times(5, (i) => routing.heard(near(i), 0));
    expect(wanted(routing, 10)).toHaveLength(3);
    const { taken, instead } = admit(routing, near(1), 'own');
    expect(taken).toBe(true);
    expect(ids(times(8, far))).toContain(instead);
  });

  it('tell what nobody known can be', () => {
    const routing = table({ neighbours: 2 });
    const short = (): { neighbours: boolean; far: boolean } => routing.plan({ now: 0, underWay: new Set(), far: true }).short;
    routing.heard(near(1), 0);
    expect(short().neighbours).toBe(true);
    routing.heard(near(2), 0);
    expect(short()).toEqual({ neighbours: false, far: true });
    for (let bucket = 0; bucket < 11; bucket++) {
      times(4, (quarter) => {
        const bits = `${'0'.repeat(bucket)}1${quarter.toString(2).padStart(2, '0')}`;
        routing.heard(makeContact(Number.parseInt(bits.padEnd(16, '0'), 2).toString(16).padStart(4, '0')), 0);
      });
    }
    expect(short()).toEqual({ neighbours: false, far: false });
  });
});

describe('admission', () => {
  /** A full table: 3 neighbours, and a far bucket with `others` more links in one quarter. */
  const full = (budget: number, others: number, origin = {}): RoutingTable => {
    const routing = table({ budget, neighbours: 2, farLinks: 4 });
    times(3, (i) => routing.linked(near(i), 0));
    times(others, (i) => {
      routing.linked(far(i), i + 1, origin);
      routing.measured(far(i).id, 10 * (i + 1));
    });
    return routing;
  };

  it('[T3] takes anybody while there is room, and who only wants to be in our table not in the part for guests', () => {
    const routing = full(20, 15);
    expect(admit(routing, far(100), 'routing')).toEqual(NO);
    expect(admit(routing, far(100), 'guest')).toEqual(YES);
    expect(admit(routing, far(100), 'own')).toEqual(YES);
    expect(admit(full(20, 14), far(100), 'routing')).toEqual(YES);
    expect(admit(full(20, 14), far(100), 'routing', [], 1)).toEqual(NO); // one place is promised
  });

  it('[T3] closes the slowest link that is not needed for a neighbour, and for a link in an empty quarter', () => {
    const routing = full(10, 7);
    expect(admit(routing, makeContact('0004'), 'routing')).toEqual({ taken: true, instead: far(6).id });
    expect(admit(routing, farIn(2, 0), 'routing')).toEqual({ taken: true, instead: far(6).id });
    expect(admit(routing, farIn(2, 0), 'routing', [far(6)])).toEqual({ taken: true, instead: far(5).id });
    expect(admit(routing, far(50), 'routing')).toEqual(NO);
  });

  it('[T3] never closes the last link of a quarter for one in another quarter, but does so for a neighbour', () => {
    const routing = table({ budget: 6, neighbours: 2, farLinks: 4 });
    times(2, (i) => routing.linked(near(i + 1), 0));
    times(4, (quarter) => routing.linked(farIn(quarter, 0), 0));
    expect(admit(routing, makeContact('4'), 'routing')).toEqual(NO);
    expect(admit(routing, near(0), 'routing').taken).toBe(true);
    expect(admit(routing, near(0), 'routing').instead).toMatch(/^[8ace]/);
  });

  it('[T3] gives a guest the place of the oldest guest, and of nobody else', () => {
    const routing = full(10, 7, { guest: true });
    expect(admit(routing, far(50), 'guest')).toEqual({ taken: true, instead: far(1).id }); // the first is the one that its quarter needs
    expect(
      admit(
        routing,
        far(50),
        'guest',
        times(6, (i) => far(i)),
      ),
    ).toEqual({ taken: true, instead: far(6).id });
    expect(admit(full(10, 7), far(50), 'guest')).toEqual(NO);
  });

  it('[T3] lets a link stay for four seconds before somebody else takes its place', () => {
    const routing = full(10, 7, { guest: true });
    const admitAt = (now: number): Admission => routing.admit(far(50), { now, purpose: 'guest', reserved: 0, isBusy: () => false });
    expect(admitAt(4_001)).toEqual(NO); // the oldest that may go began at 2
    expect(admitAt(4_002)).toEqual({ taken: true, instead: far(1).id });
  });

  it('[T3] does not count a node that is linked already', () => {
    expect(admit(full(10, 7), far(3), 'routing')).toEqual(YES);
  });

  it('[T3] closes the last link to an open node at the very end', () => {
    const routing = table({ budget: 4, neighbours: 1, farLinks: 1 });
    routing.linked(near(1), 0);
    routing.linked(far(7, OPEN), 0);
    routing.measured(far(7).id, 500);
    times(2, (i) => routing.linked(far(i), i));
    expect(admit(routing, near(0), 'routing').instead).not.toBe(far(7).id);
    expect(admit(routing, near(0), 'routing', [far(0), far(1), near(1)]).instead).toBe(far(7).id);
  });
});

describe('surplus links', () => {
  it('[T3] are none while what routing may use is not used up', () => {
    const routing = table({ budget: 20, farLinks: 1 });
    times(18, (i) => routing.linked(far(i), i));
    expect(surplus(routing)).toEqual([]);
  });

  it('[T3] are guests first, the oldest first, then the slowest, and only after half a minute', () => {
    const routing = table({ budget: 10, neighbours: 0, farLinks: 1 });
    times(8, (i) => routing.linked(far(i), i));
    times(8, (i) => routing.measured(far(i).id, 10 * (i + 1)));
    routing.linked(far(20), 50, { guest: true });
    routing.linked(far(21), 40, { guest: true });
    routing.linked(far(22), 60);
    routing.measured(far(22).id, 500);
    expect(surplus(routing)).toEqual([far(21).id, far(20).id]);
    expect(routing.surplusLinks({ now: 30_030, isBusy: () => false })).toEqual({ ready: [], again: 30_040 });
    expect(surplus(routing, [far(21)])).toEqual([far(20).id]);
  });

  it('[T3] are links of our own that nothing needs any more, before the budget is used up; what others opened stays', () => {
    const routing = table({ budget: 20, neighbours: 0, farLinks: 1 });
    times(10, (i) => routing.linked(far(i), i, { ours: true }));
    times(8, (i) => routing.linked(far(50 + i), i));
    for (const contact of routing.contacts()) routing.measured(contact.id, 10);
    expect(surplus(routing)).toHaveLength(2);
    for (const id of surplus(routing)) expect(ids(times(10, far))).toContain(id);
    const theirs = table({ budget: 20, neighbours: 0, farLinks: 1 });
    times(18, (i) => theirs.linked(far(i), i));
    expect(surplus(theirs)).toEqual([]);
  });

  it('[T3] leave a table that asks for nothing that would be closed again', () => {
    const random = seededRandom(3);
    const routing = table({ budget: 24 });
    for (let i = 0; i < 120; i++) {
      const contact = makeContact(Buffer.from(random.bytes(20)).toString('hex'), i % 9 === 0 ? OPEN : null);
      const { taken, instead } = admit(routing, contact, i % 2 === 0 ? 'routing' : 'own');
      if (instead) routing.unlinked(instead, 0);
      if (taken) routing.linked(contact, 0, { ours: i % 2 === 1 });
      expect(routing.linkCount).toBeLessThanOrEqual(24);
    }
    for (const id of surplus(routing)) routing.unlinked(id, 1000);
    expect(surplus(routing)).toEqual([]);
    let now = 2_000_000;
    for (let round = 0; round < 20; round++) {
      for (const contact of wanted(routing, now)) {
        const { taken, instead } = admit(routing, contact, 'own');
        if (instead) routing.unlinked(instead, now, 'no-room');
        if (taken) routing.linked(contact, now, { ours: true });
      }
      now += 60_000;
      for (const id of surplus(routing)) routing.unlinked(id, now, 'no-room');
    }
    expect(wanted(routing, now + 10_000_000)).toEqual([]);
    for (const neighbour of routing.closest(SELF, 12)) expect(routing.isLinked(neighbour.id)).toBe(true);
  });
});

describe('round trips', () => {
  it('are the least measured, and rise slowly when the path has become longer', () => {
    const routing = table();
    expect(routing.roundTrip(far(1).id)).toBeNull();
    routing.linked(far(1), 0);
    for (const ms of [80, 400, 60, 5000]) routing.measured(far(1).id, ms);
    expect(routing.roundTrip(far(1).id)).toBeGreaterThanOrEqual(60);
    expect(routing.roundTrip(far(1).id)).toBeLessThan(70);
    times(60, () => routing.measured(far(1).id, 200));
    expect(routing.roundTrip(far(1).id)).toBeGreaterThan(190);
    routing.measured(far(1).id, Number.NaN);
    routing.measured(far(2).id, 10);
    expect(routing.roundTrip(far(1).id)).toBeGreaterThan(190);
    expect(routing.roundTrip(far(2).id)).toBeNull();
  });

  it('[T6] are samples of our place, fewer and fewer of the same link', () => {
    let samples = 0;
    const place: Place = { told: null, sample: () => void samples++, roundTripTo: () => Number.POSITIVE_INFINITY };
    const routing = createRoutingTable({ self: SELF, place });
    routing.linked(far(1), 0);
    times(15, () => routing.measured(far(1).id, 50));
    expect(samples).toBe(4);
    times(160, () => routing.measured(far(1).id, 50));
    expect(samples).toBe(14);
  });
});

describe('the next hop', () => {
  const target = makeContact('f00f').id;
  const linkedAll = (contacts: readonly (readonly [string, number])[]): RoutingTable => {
    const routing = table();
    for (const [digits, ms] of contacts) {
      routing.linked(makeContact(digits), 0);
      routing.measured(makeContact(digits).id, ms);
    }
    return routing;
  };
  const hop = (routing: RoutingTable, without: readonly string[] = []): string | undefined =>
    routing.nextHop(target, new Set(without.map((digits) => makeContact(digits).id)))?.id.slice(0, 4);

  it('[K7] is strictly nearer to the target than we are, or there is none', () => {
    expect(hop(linkedAll([['0f00', 10]]))).toBeUndefined();
    expect(hop(linkedAll([['8000', 10]]))).toBe('8000');
    expect(hop(linkedAll([['8000', 10]]), ['8000'])).toBeUndefined();
  });

  it('[T6] is a nearer one in time when that costs little of the way', () => {
    expect(
      hop(
        linkedAll([
          ['f100', 200],
          ['f300', 190],
        ]),
      ),
    ).toBe('f100'); // half the way, for 10 ms
    expect(
      hop(
        linkedAll([
          ['f100', 200],
          ['f300', 100],
        ]),
      ),
    ).toBe('f300');
    expect(
      hop(
        linkedAll([
          ['f100', 50],
          ['f300', 50],
        ]),
      ),
    ).toBe('f100');
  });
});

describe('stale buckets', () => {
  it('[T5] are those as deep as anybody is known that nothing was looked up in', () => {
    const routing = table();
    expect(routing.staleBuckets(0, 1000)).toEqual([]);
    routing.heard(makeContact('1'), 0); // shares 3 bits
    expect(routing.staleBuckets(0, 1000)).toEqual([0, 1, 2, 3]);
    routing.lookedUp(makeContact('4').id, 500); // shares 1 bit
    expect(routing.staleBuckets(600, 1000)).toEqual([0, 2, 3]);
    expect(routing.staleBuckets(1500, 1000)).toEqual([0, 1, 2, 3]);
  });

  it('[T5] stay as they are when our own id was looked up', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.lookedUp(SELF, 0);
    expect(routing.staleBuckets(0, 1000)).toEqual([0]);
  });
});
