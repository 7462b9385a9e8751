import { describe, expect, it } from 'vitest';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { commonPrefix, compareDistance, type Key, parseKey } from '../../../src/kademlia/key.ts';
import { createRoutingTable, type RoutingSettings, type RoutingTable } from '../../../src/kademlia/routing-table.ts';
import { seededRandom } from '../../sim/random.ts';
import { makeContact } from '../support/make-contact.ts';

const SELF = parseKey('0'.repeat(40)) as Key;
const OPEN = 'wss://open.example/';

const table = (settings: Partial<RoutingSettings> = {}): RoutingTable => createRoutingTable({ self: SELF, settings });
/** The `i`-th contact of the farthest bucket: its first bit differs from ours. */
const far = (i: number, open: string | null = null): Contact => makeContact(`8${i.toString(16).padStart(4, '0')}`, open);
/** The `i`-th contact of the bucket that shares 12 bits with us. */
const near = (i: number, open: string | null = null): Contact => makeContact(`0008${i.toString(16).padStart(4, '0')}`, open);
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
    const routing = table({ k: 3 });
    for (const contact of times(5, far)) routing.heard(contact, 0);
    routing.heard(near(1), 0);
    expect(ids(routing.contacts()).sort()).toEqual(ids([near(1), ...times(3, far)]).sort());
  });

  it('[T1] lets an open node take the place of the youngest closed one', () => {
    const routing = table({ k: 3 });
    times(3, (i) => routing.heard(far(i), i));
    routing.heard(far(9, OPEN), 10);
    expect(ids(routing.contacts()).sort()).toEqual(ids([far(0), far(1), far(9)]).sort());
  });

  it('[T1] lets only a few open nodes that it merely heard of push closed ones out', () => {
    const routing = table({ k: 8 });
    times(8, (i) => routing.heard(far(i), i));
    times(8, (i) => routing.heard(far(100 + i, OPEN), 100 + i));
    expect(routing.openNodes()).toHaveLength(4);
    expect(routing.size).toBe(8);
  });

  it('[T1] lets a newcomer take the place of one that failed', () => {
    const routing = table({ k: 2 });
    routing.heard(far(0), 0);
    routing.heard(far(1), 0);
    routing.failed(far(0).id, 1);
    routing.heard(far(2), 2);
    expect(ids(routing.contacts()).sort()).toEqual(ids([far(1), far(2)]).sort());
  });

  it('[T1] never forgets one with a live link, however full its bucket is', () => {
    const routing = table({ k: 2 });
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

  it('takes over what a node says of itself when a link stands', () => {
    const routing = table();
    routing.heard(far(1), 0);
    routing.linked(far(1, OPEN), 1);
    expect(routing.get(far(1).id)?.open).toBe(OPEN);
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
      while (routing.wantedLinks(now).length === 0) now += 500;
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
    expect(ids(routing.wantedLinks(4_000))).toEqual([far(1).id]);
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
      while (routing.wantedLinks(now).length === 0) now += 500;
      pauses.push(now - start);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000]);
    routing.linked(near(1), now);
    routing.unlinked(near(1).id, now + 60_000);
    expect(routing.wantedLinks(now + 62_000)).toHaveLength(1);
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
    expect(ids(routing.wantedLinks(0))).toEqual(ids([near(1), near(3), far(2)]));
  });

  it('[T2] take an open node in each bucket that knows one', () => {
    const routing = table({ neighbours: 1, farLinks: 0 });
    routing.linked(near(1), 0);
    routing.heard(near(5, OPEN), 0);
    routing.heard(far(1), 0);
    routing.heard(far(2, OPEN), 0);
    routing.heard(far(3, OPEN), 0);
    expect(ids(routing.wantedLinks(0))).toEqual(ids([far(2), near(5)]));
    routing.linked(far(3, OPEN), 0);
    expect(ids(routing.wantedLinks(0))).toEqual(ids([near(5)]));
  });

  it('[T2] fill far buckets evenly, the emptiest and farthest first, the longest known first', () => {
    const routing = table({ neighbours: 0, farLinks: 2 });
    const middle = (i: number): Contact => makeContact(`4000${i}`);
    times(4, (i) => routing.heard(far(i), 10 - i));
    times(4, (i) => routing.heard(middle(i), i));
    routing.linked(far(9), 0);
    expect(ids(routing.wantedLinks(20))).toEqual(ids([middle(0), far(3), middle(1)]));
  });

  it('[T2] leave half of a small budget to far buckets', () => {
    const routing = table({ neighbours: 20, budget: 6, farLinks: 4 });
    times(9, (i) => routing.heard(near(i), 0));
    times(9, (i) => routing.heard(far(i), 0));
    const wanted = ids(routing.wantedLinks(0));
    expect(wanted).toHaveLength(6);
    expect(wanted.slice(0, 3)).toEqual(ids(times(3, near)));
    expect(wanted.filter((id) => commonPrefix(SELF, id as Key) === 0)).toHaveLength(3);
  });

  it('[T3] fit the budget', () => {
    const routing = table({ budget: 5, neighbours: 2, farLinks: 4 });
    times(4, (i) => routing.linked(far(i), 0));
    times(9, (i) => routing.heard(makeContact(`4000${i}`), 0));
    expect(routing.wantedLinks(0).length).toBe(1);
    routing.linked(makeContact('40000'), 0);
    expect(routing.wantedLinks(0)).toEqual([]);
  });

  it('[T3] let a neighbour take the place of a link that serves nothing', () => {
    const routing = table({ budget: 8, neighbours: 3, farLinks: 4 });
    times(8, (i) => routing.linked(far(i), i)); // the 3 nearest of them stand in for neighbours, 4 more are wanted there
    routing.heard(near(1), 0);
    const idle = 8 - 4 - 3;
    expect(routing.wantedLinks(10)).toHaveLength(idle);
    routing.linked(near(1), 10);
    expect(routing.surplusLinks(new Set())).toHaveLength(1);
    expect(routing.surplusLinks(new Set())).not.toContain(near(1).id);
  });
});

describe('surplus links', () => {
  it('[T3] are none within the budget', () => {
    const routing = table({ budget: 4, farLinks: 1 });
    times(4, (i) => routing.linked(far(i), i));
    expect(routing.surplusLinks(new Set())).toEqual([]);
  });

  it('[T3] are the youngest of a far bucket that has too many, then the slowest', () => {
    const routing = table({ budget: 4, neighbours: 2, farLinks: 2 });
    routing.linked(near(1), 0);
    routing.linked(near(2), 99);
    times(3, (i) => routing.linked(far(i), i));
    routing.linked(far(8), 50);
    routing.linked(far(9), 50);
    routing.measured(far(8).id, 10);
    routing.measured(far(9).id, 300);
    expect(routing.surplusLinks(new Set())).toEqual([far(9).id, far(8).id, far(2).id]);
  });

  it('[T3] spare neighbours and the last open node while there is anything else', () => {
    const routing = table({ budget: 2, neighbours: 1, farLinks: 4 });
    routing.linked(far(7, OPEN), 100);
    routing.linked(near(1), 100);
    times(3, (i) => routing.linked(far(i), i));
    expect(routing.surplusLinks(new Set())).toEqual([far(2).id, far(1).id, far(0).id]);
    const tight = table({ budget: 1, neighbours: 1, farLinks: 4 });
    tight.linked(near(1, OPEN), 0);
    tight.linked(far(2), 0);
    expect(tight.surplusLinks(new Set())).toEqual([far(2).id]);
  });

  it('[T3] never name a link that is protected', () => {
    const routing = table({ budget: 1, neighbours: 0, farLinks: 0 });
    times(4, (i) => routing.linked(far(i), i));
    const protect = new Set([far(3).id, far(2).id]);
    expect(routing.surplusLinks(protect)).toEqual([far(1).id, far(0).id]);
  });

  it('[T3] end in the budget when they are closed, and what is left asks for nothing that would be closed again', () => {
    const routing = table({ budget: 24 });
    const random = seededRandom(3);
    for (let i = 0; i < 120; i++) routing.linked(makeContact(Buffer.from(random.bytes(20)).toString('hex'), i % 9 === 0 ? OPEN : null), i);
    for (const id of routing.surplusLinks(new Set())) routing.unlinked(id, 1000);
    expect(routing.linkCount).toBe(24);
    expect(routing.surplusLinks(new Set())).toEqual([]);
    for (const contact of routing.wantedLinks(2_000_000)) routing.linked(contact, 2_000_000);
    const closed = new Set(routing.surplusLinks(new Set()));
    const neighbours = routing.closestLinked(SELF, 12);
    for (const neighbour of neighbours) expect(closed.has(neighbour.id)).toBe(false);
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
