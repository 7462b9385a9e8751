/** What holds for a routing table after any run of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contact } from '../../src/kademlia/contact.ts';
import { commonPrefix, compareDistance, KEY_BYTES, keyInBucket, keyOf, type NodeId } from '../../src/kademlia/key.ts';
import { createRoutingTable, type LinkingNow, type LinkPurpose, type RoutingTable } from '../../src/kademlia/routing-table.ts';
import { makeContact } from '../unit/support/make-contact.ts';

const SELF = keyOf(new Uint8Array(KEY_BYTES).fill(0x5a));
const SETTINGS = { k: 4, farLinks: 2, neighbours: 3, budget: 10 };

/** Sixty nodes in the first 8 buckets, a few of them open, so that buckets fill and events meet the same nodes again. */
const contacts: readonly Contact[] = Array.from({ length: 60 }, (_, i) => {
  const random = Uint8Array.from({ length: KEY_BYTES }, (_, j) => (i * 37 + j * 101) & 0xff);
  return makeContact(keyInBucket(SELF, i % 8, random), i % 7 === 0 ? `wss://n${i}.example/` : null);
});

type Event =
  | { readonly type: 'heard' | 'linked' | 'unlinked' | 'failed'; readonly who: number }
  | { readonly type: 'measured'; readonly who: number; readonly ms: number }
  | { readonly type: 'pass'; readonly ms: number };

const who = fc.nat(contacts.length - 1);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('heard' as const, 'linked' as const, 'unlinked' as const, 'failed' as const), who }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('measured' as const), who, ms: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(100_000) }) },
);
const events = fc.array(event, { maxLength: 200 });

interface World {
  readonly table: RoutingTable;
  readonly linked: ReadonlySet<NodeId>;
  readonly now: number;
}

function play(run: readonly Event[]): World {
  const table = createRoutingTable({ self: SELF, settings: SETTINGS });
  const linked = new Set<NodeId>();
  let now = 0;
  for (const step of run) {
    now++;
    if (step.type === 'pass') {
      now += step.ms;
      continue;
    }
    const contact = contacts[step.who] as Contact;
    if (step.type === 'measured') table.measured(contact.id, step.ms);
    else if (step.type === 'heard') table.heard(contact, now);
    else if (step.type === 'failed') table.failed(contact.id, now);
    else if (step.type === 'linked') {
      table.linked(contact, now);
      linked.add(contact.id);
    } else {
      table.unlinked(contact.id, now);
      linked.delete(contact.id);
    }
  }
  return { table, linked, now };
}

const at = (now: number): LinkingNow => ({ now, underWay: new Set<NodeId>(), far: true });
const bucketOf = (contact: Contact): number => commonPrefix(SELF, contact.id);

describe('a routing table', () => {
  it('[T1] knows every live link, and no more than k others in a bucket', () => {
    fc.assert(
      fc.property(events, (run) => {
        const { table, linked } = play(run);
        const known = table.contacts();
        expect(new Set(known.map((contact) => contact.id)).size).toBe(known.length);
        expect(table.size).toBe(known.length);
        expect(table.linkCount).toBe(linked.size);
        expect(new Set(known.filter((contact) => table.isLinked(contact.id)).map((contact) => contact.id))).toEqual(linked);
        for (let bucket = 0; bucket < 8; bucket++) {
          const inBucket = known.filter((contact) => bucketOf(contact) === bucket);
          const live = inBucket.filter((contact) => linked.has(contact.id)).length;
          const near = known.slice(0, 2 * SETTINGS.neighbours).filter((contact) => bucketOf(contact) === bucket).length;
          expect(inBucket.length).toBeLessThanOrEqual(Math.max(SETTINGS.k, live) + near);
        }
      }),
    );
  });

  it('[K1] gives the same closest nodes as sorting everybody', () => {
    fc.assert(
      fc.property(events, who, fc.nat(12), (run, target, count) => {
        const { table, linked } = play(run);
        const { id } = contacts[target] as Contact;
        const sorted = [...table.contacts()].sort((a, b) => compareDistance(id, a.id, b.id));
        expect(table.closest(id, count)).toEqual(sorted.slice(0, count));
        expect(table.closestLinked(id, count)).toEqual(sorted.filter((contact) => linked.has(contact.id)).slice(0, count));
      }),
    );
  });

  it('[T2] wants known nodes that are not linked, each once, and no more than there is room for', () => {
    fc.assert(
      fc.property(events, (run) => {
        const { table, linked, now } = play(run);
        const { wanted, ...plan } = table.plan(at(now));
        const spare = plan.spare();
        expect(new Set(wanted).size).toBe(wanted.length);
        for (const contact of spare ? [...wanted, spare] : wanted) {
          expect(linked.has(contact.id)).toBe(false);
          expect(table.get(contact.id)).toBe(contact);
        }
        if (spare) expect(wanted).not.toContain(spare);
      }),
    );
  });

  it('[T2] when nothing stops it, ends with links to its nearest known nodes, and asks for nothing more', () => {
    fc.assert(
      fc.property(events, (run) => {
        const { table, now } = play(run.filter((one) => one.type !== 'linked'));
        let later = now + 1_000_000; // every pause is over
        for (let round = 0; round < 4; round++, later += 1_000_000)
          for (const contact of table.plan(at(later)).wanted) table.linked(contact, later);
        for (const neighbour of table.closest(SELF, SETTINGS.neighbours)) expect(table.isLinked(neighbour.id)).toBe(true);
        expect(table.plan(at(later)).wanted).toEqual([]);
      }),
    );
  });

  it('[T3] is never over the budget when everybody is asked for admission, whoever comes and whatever for', () => {
    const purposes = fc.constantFrom<LinkPurpose>('own', 'routing', 'guest');
    fc.assert(
      fc.property(fc.array(fc.record({ who, purpose: purposes, busy: fc.boolean(), goes: fc.boolean() }), { maxLength: 200 }), (visits) => {
        const table = createRoutingTable({ self: SELF, settings: SETTINGS });
        const busy = new Set<NodeId>();
        for (const [now, visit] of visits.entries()) {
          const contact = contacts[visit.who] as Contact;
          if (visit.goes) {
            table.unlinked(contact.id, 20_000 * now);
            continue;
          }
          const before = table.linkCount;
          const { taken, instead } = table.admit(contact, {
            now: 20_000 * now,
            purpose: visit.purpose,
            reserved: 0,
            isBusy: (id) => busy.has(id),
          });
          if (!taken) {
            expect(before).toBeGreaterThanOrEqual(SETTINGS.budget - 1);
            continue;
          }
          if (instead) {
            expect(table.isLinked(instead)).toBe(true);
            expect(busy.has(instead)).toBe(false);
            expect(before).toBe(SETTINGS.budget);
            table.unlinked(instead, 20_000 * now, 'no-room');
          }
          table.linked(contact, 20_000 * now, { guest: visit.purpose === 'guest', ours: visit.purpose === 'own' });
          if (visit.busy) busy.add(contact.id);
          expect(table.linkCount).toBeLessThanOrEqual(SETTINGS.budget);
        }
      }),
    );
  });

  it('[T3] never has its nearest neighbours in the way of others, nor the only link to an open node', () => {
    fc.assert(
      fc.property(events, fc.array(who, { maxLength: 5 }), (run, busyOnes) => {
        const { table, linked, now } = play(run);
        const busy = new Set(busyOnes.map((i) => (contacts[i] as Contact).id));
        const { ready } = table.surplusLinks({ now: now + 1_000_000, isBusy: (id) => busy.has(id) });
        expect(new Set(ready).size).toBe(ready.length);
        const open = table.openNodes().filter(({ id }) => linked.has(id));
        for (const id of ready) {
          expect(linked.has(id)).toBe(true);
          expect(busy.has(id)).toBe(false);
          expect(table.neighbours().some((one) => one.id === id)).toBe(false);
          if (open.length === 1) expect(open[0]?.id).not.toBe(id);
        }
      }),
    );
  });
});
