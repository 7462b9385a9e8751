/** Copies that are missing, and who makes them when (docs/protocol.md, rules M11 to M14). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import type { Signer } from '../../../src/base/ports.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { compareDistance, type Key } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createAbsences, FAREWELL } from '../../../src/node/absences.ts';
import { createCopyCount } from '../../../src/node/copy-count.ts';
import { createCopyIndex } from '../../../src/node/copy-index.ts';
import { createGroupStore } from '../../../src/node/group-store.ts';
import { type Holder, holderEntry, withdrawalEntry } from '../../../src/node/holders.ts';
import { createRepair } from '../../../src/node/repair.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { HOLDER_LIFE } from '../../../src/records/expiry.ts';
import type { Signed } from '../../../src/records/signed.ts';
import { createBench } from './support/bench.ts';
import { makeGroup, type TestGroup } from './support/make-group.ts';

const MINUTE = 60_000;
const WAIT = DEFAULT_SETTINGS.returnWait;
const LEAVING = 'the other node left: the tab was closed';
const patient = new AbortController().signal;

interface Other {
  readonly signer: Signer;
  readonly contact: Contact;
  readonly storeId: Bytes;
}

/**
 * A node that keeps a group, and 30 others, nearest to the group first, `links` of them with a link to it; `rank` of them are nearer than it is. The first
 * `holders` of the others hold the group too.
 */
async function setup(options: { rank?: number; holders?: readonly number[]; role?: 'own' | 'kept'; takers?: number; links?: number } = {}) {
  const bench = createBench();
  const group = makeGroup(1, [10]);
  const everybody = Array.from({ length: 31 }, (): Other => bench.someone());
  everybody.sort((a, b) => compareDistance(group.key, a.contact.id, b.contact.id));
  const [me] = everybody.splice(options.rank ?? 0, 1) as [Other];
  const self = me.contact.id;
  const settings = DEFAULT_SETTINGS;
  const table = createRoutingTable({ self, settings });
  const absences = createAbsences(bench);
  const index = createCopyIndex({ self, ...bench });
  const groups = createGroupStore({
    store: createMemoryStore(1e9),
    crypto: bench.crypto,
    clock: bench.clock,
    quota: () => 1e9,
    onComplete: (key, role) => void repair.added(key, role),
    onRemoved: (key) => void repair.removed(key),
  });
  const offers: { at: number; group: Key; disks: number; wanted: number; first: number }[] = [];
  const lookups: Key[] = [];
  const pings: number[] = [];
  const announced: { at: number; group: Key }[] = [];
  const withdrawn: Key[] = [];
  /** What a lookup finds, and who answers a PING. */
  const elsewhere: Holder[] = [];
  /** Entries in our own item store, whatever the group. */
  const stored: Signed[] = [];
  const alive = new Set<string>();
  const start = bench.clock.now();
  const numberOf = ({ id }: Contact): number => everybody.findIndex((other) => other.contact.id === id);
  const holderOf = (other: Other): Holder => ({
    contact: other.contact,
    storeId: toHex(other.storeId),
    expires: bench.clock.now() + HOLDER_LIFE,
  });
  const state = { takers: options.takers ?? 30 };
  const put = async (one: TestGroup, role: 'own' | 'kept' | 'seen'): Promise<void> => {
    await groups.put({ group: one.key, encoded: one.encoded, index: 0, bytes: one.segments[0] as Bytes, role });
  };
  const repair = createRepair({
    self,
    ...bench,
    settings,
    table,
    index,
    count: createCopyCount({ self, storeId: me.storeId, clock: bench.clock, settings, index, absences }),
    absences,
    groups,
    items: { all: async () => stored.map((signed) => ({ item: { type: 'entry', signed }, life: MINUTE })) },
    copies: {
      handlers: { KEPT: () => ({}) },
      spread: () => Promise.reject(new Error('Repair spreads nothing by itself.')),
      async offer(key, { disks, candidates, wanted }) {
        const present = [...disks].length;
        offers.push({ at: bench.clock.now() - start, group: key, disks: present, wanted, first: numberOf(candidates[0] as Contact) });
        const takers = everybody.filter((other) => table.isLinked(other.contact.id)).filter((other) => !holds(key, other));
        const taken = takers.slice(0, Math.min(state.takers, wanted - present));
        for (const other of taken) index.note(key, holderOf(other));
        return present + taken.length;
      },
    },
    announcing: {
      announce: async () => 8,
      withdraw: async (key) => void withdrawn.push(key),
      async renew(keys, { age }) {
        const now = bench.clock.now() - start;
        const due = keys.filter(
          (key) => now - (announced.findLast((one) => one.group === key)?.at ?? Number.NEGATIVE_INFINITY) >= age(key),
        );
        announced.push(...due.map((key) => ({ at: now, group: key })));
      },
    },
    overlay: { nearest: async () => everybody.map(({ contact }) => ({ contact, token: new Uint8Array(8), namedBy: null })) },
    async *holdersOf(key) {
      lookups.push(key);
      yield* elsewhere;
    },
    liveness: {
      async isAlive(contact) {
        pings.push(numberOf(contact));
        return alive.has(contact.id);
      },
    },
  });
  const holds = (key: Key, other: Other): boolean => index.holders(key).some(({ contact }) => contact.id === other.contact.id);
  const other = (number: number): Other => everybody[number] as Other;
  const link = (number: number): void => {
    table.linked(other(number).contact, bench.clock.now());
    absences.returned(other(number).contact.id);
    repair.linked(other(number).contact.id);
  };
  const unlink = (number: number, reason = LEAVING): void => {
    const { id } = other(number).contact;
    table.unlinked(id, bench.clock.now());
    absences.left(id, reason);
    repair.lost(id);
  };
  await put(group, options.role ?? 'kept');
  for (let number = 0; number < (options.links ?? 30); number++) link(number);
  for (const number of options.holders ?? [0, 1, 2, 3]) index.note(group.key, holderOf(other(number)));
  const round = () => bench.run(repair.round(patient));
  return {
    ...{ bench, group, groups, index, table, repair, offers, lookups, pings, announced, withdrawn, elsewhere, alive, state, stored },
    ...{ other, link, unlink, round, put, holderOf, holds },
  };
}

describe('where enough copies are', () => {
  test('[M11] nothing is asked, looked up or offered, however often it is looked at', async () => {
    const at = await setup();
    for (let i = 0; i < 24; i++) {
      await at.round();
      await at.bench.advance(5 * MINUTE);
      for (const number of [0, 1, 2, 3]) at.index.note(at.group.key, at.holderOf(at.other(number)));
    }
    expect([at.offers, at.lookups, at.pings]).toEqual([[], [], []]);
  });

  test('[M6] [M11] nodes on one disk count once, and our own disk only as ours', async () => {
    const at = await setup({ holders: [0, 1, 2] });
    at.index.note(at.group.key, { ...at.holderOf(at.other(3)), storeId: toHex(at.other(2).storeId) });
    await at.round();
    await at.bench.advance(1_000);
    expect(at.offers).toMatchObject([{ disks: 3, wanted: 4 }]);
  });

  test('the loss of one of many copies leads to nothing', async () => {
    const at = await setup({ holders: [0, 1, 2, 3, 4, 5] });
    at.unlink(1);
    at.unlink(4);
    await at.bench.advance(60 * MINUTE);
    expect([at.offers, at.lookups]).toEqual([[], []]);
  });
});

describe('a holder that leaves', () => {
  test('[M12] is waited for, then the live holder nearest to the key makes the copy that is missing, and no more', async () => {
    const at = await setup();
    at.unlink(2);
    await at.bench.advance(WAIT - 1_000);
    expect(at.offers).toEqual([]);
    await at.bench.advance(5_000);
    expect(at.offers).toMatchObject([{ group: at.group.key, disks: 3, wanted: 4 }]);
    await at.bench.advance(60 * MINUTE);
    expect(at.offers.length).toBe(1);
  });

  test('[M12] that comes back in time is no loss: no copy is made, and nobody was asked', async () => {
    const at = await setup();
    at.unlink(2);
    await at.bench.advance(WAIT - 1_000);
    at.link(2);
    await at.bench.advance(60 * MINUTE);
    expect([at.offers, at.lookups, at.pings]).toEqual([[], [], []]);
  });

  test.each([
    [1, 30_000],
    [2, 60_000],
    [4, 120_000],
  ])('[M12] with %i live holders nearer to the key it is our turn %i ms after theirs', async (rank, ms) => {
    const at = await setup({ rank, holders: [0, 1, 2, 3, 8] });
    at.unlink(8);
    if (rank < 4) at.unlink(3);
    else at.index.add(at.group.key, 'own'); // of which one more is wanted
    await at.bench.advance(WAIT + ms - 1_000);
    expect(at.offers).toEqual([]);
    await at.bench.advance(4_000);
    expect(at.offers.length).toBe(1);
  });

  test('[M12] whose copy the first in turn has made is nothing to the others', async () => {
    const at = await setup({ rank: 3 });
    at.unlink(3);
    await at.bench.advance(WAIT + 20_000);
    at.index.note(at.group.key, at.holderOf(at.other(7)));
    await at.bench.advance(60 * MINUTE);
    expect([at.offers, at.lookups]).toEqual([[], []]);
  });

  test('[M12] with two copies left or fewer is not waited for', async () => {
    const at = await setup();
    for (const number of [0, 1, 2]) at.unlink(number);
    await at.bench.advance(3_000);
    expect(at.offers).toMatchObject([{ disks: 1, wanted: 4 }]);
  });

  test('[M12] while three are left is waited for', async () => {
    const at = await setup();
    for (const number of [0, 1]) at.unlink(number);
    await at.bench.advance(WAIT - 1_000);
    expect(at.offers).toEqual([]);
  });

  test('[M14] for good is not waited for', async () => {
    const at = await setup();
    at.unlink(2, `the other node left: ${FAREWELL}`);
    await at.bench.advance(3_000);
    expect(at.offers).toMatchObject([{ disks: 3, wanted: 4 }]);
  });

  test('[M13] and one that no longer keeps the group, and says so, is not waited for either; an old withdrawal says nothing', async () => {
    const at = await setup();
    const { signer, contact, storeId } = at.other(1);
    const [group, { clock }] = [at.group.key, at.bench];
    const old = await withdrawalEntry({ signer, clock, group });
    await at.bench.advance(1_000);
    at.repair.heard(group, (await holderEntry({ signer, clock, group, contact, storeId })).signed);
    at.repair.heard(group, old.signed);
    await at.bench.advance(10_000);
    expect(at.offers).toEqual([]);
    at.repair.heard(group, (await withdrawalEntry({ signer, clock, group })).signed);
    await at.bench.advance(3_000);
    expect(at.offers).toMatchObject([{ disks: 3, wanted: 4 }]);
  });

  test('many at once lead to one look at each group', async () => {
    const at = await setup({ holders: [0, 1, 2, 3, 4, 5, 6, 7] });
    for (const number of [0, 1, 2, 3, 4, 5]) at.unlink(number);
    await at.bench.advance(WAIT + 5_000);
    expect(at.offers.length).toBe(1);
    expect(at.lookups.length).toBe(1);
  });
});

describe('before a copy is made', () => {
  test('[M11] the network is asked: holders that are there without a link to us count, and are not asked again for half an hour', async () => {
    const at = await setup({ holders: [0, 1], links: 10 });
    at.elsewhere.push(...[20, 21].map((number) => at.holderOf(at.other(number))));
    for (const number of [20, 21]) at.alive.add(at.other(number).contact.id);
    for (let i = 0; i < 5; i++) {
      await at.round();
      await at.bench.advance(5 * MINUTE);
    }
    expect(at.offers).toEqual([]);
    expect(at.lookups.length).toBe(1);
    expect(at.pings.toSorted()).toEqual([20, 21]);
  });

  test('[M11] no more holders are asked whether they are there than are missing', async () => {
    const at = await setup({ holders: [0, 1], links: 10 });
    for (let number = 10; number < 30; number++) {
      at.elsewhere.push(at.holderOf(at.other(number)));
      at.alive.add(at.other(number).contact.id);
    }
    await at.round();
    await at.bench.advance(1_000);
    expect(at.pings.length).toBe(2);
  });

  test('a round asks for two groups at most, those first that waited longest; a publisher far from its groups is spared', async () => {
    const at = await setup({ links: 0, role: 'own', holders: [] });
    const more = Array.from({ length: 9 }, (_, i) => makeGroup(20 + i, [10]));
    for (const one of more) await at.put(one, 'own');
    const holders = [0, 1, 2, 3, 4].map((number) => at.holderOf(at.other(number)));
    at.elsewhere.push(...holders);
    for (const { contact } of holders) at.alive.add(contact.id);
    for (let i = 0; i < 5; i++) {
      await at.round();
      await at.bench.advance(5 * MINUTE);
      expect(at.lookups.length).toBe(2 * (i + 1));
    }
    expect(new Set(at.lookups).size).toBe(10);
    expect(at.offers).toEqual([]);
  });
});

describe('where nobody takes a copy', () => {
  test('it is tried again after pauses that grow, and soon after somebody new came', async () => {
    const at = await setup({ takers: 0 });
    for (const number of [1, 2, 3]) at.unlink(number, `the other node left: ${FAREWELL}`);
    await at.bench.advance(40 * MINUTE);
    expect(at.offers.map((offer) => Math.round(offer.at / MINUTE))).toEqual([0, 1, 5, 21]);
    await at.bench.advance(200 * MINUTE);
    expect(at.offers.length).toBeGreaterThan(8);
    expect(at.offers.length).toBeLessThan(16);
    const before = at.offers.length;
    at.state.takers = 9;
    at.unlink(29);
    at.link(29); // far from the key: no taker
    await at.bench.advance(11_000);
    expect(at.offers.length).toBe(before);
    at.link(1);
    await at.bench.advance(11_000);
    expect(at.offers.length).toBe(before + 1);
    await at.bench.advance(60 * MINUTE);
    expect(at.offers.length).toBe(before + 1);
  });
});

describe('after joining', () => {
  test('all that is here is announced at once, the duties first and of the watched the last 64; copies are counted when neighbours are there', async () => {
    const at = await setup({ holders: [0] });
    for (let i = 0; i < 70; i++) {
      await at.put(makeGroup(30 + i, [10]), 'seen');
      await at.bench.advance(100);
    }
    await at.bench.run(at.repair.joined(patient));
    expect(at.announced[0]?.group).toBe(at.group.key);
    expect(at.announced.length).toBe(65);
    expect(at.announced.map(({ group }) => group)).toContain(makeGroup(99, [10]).key);
    await at.bench.advance(40_000);
    expect(at.offers).toEqual([]);
    await at.bench.advance(60_000);
    expect(at.offers).toMatchObject([{ disks: 1, wanted: 4 }]);
    await at.bench.run(at.repair.joined(patient));
    expect(at.announced.length).toBe(65); // a short break is no reason to say it again
  });

  test('[M5] words are renewed within the hour, spread over a quarter of it', async () => {
    const at = await setup();
    for (let i = 0; i < 40; i++) await at.put(makeGroup(30 + i, [10]), 'kept');
    await at.bench.run(at.repair.joined(patient));
    const first = at.announced.length;
    const each: number[] = [];
    for (let i = 0; i < 13; i++) {
      await at.bench.advance(5 * MINUTE);
      const before = at.announced.length;
      await at.round();
      each.push(at.announced.length - before);
    }
    expect(first).toBe(41);
    expect(each.slice(0, 8)).toEqual(Array(8).fill(0));
    expect(Math.max(...each)).toBeLessThan(30);
    expect(each.reduce((sum, count) => sum + count, 0)).toBe(41);
  });
});

describe('the disk', () => {
  test('[M13] what was removed here, or by another tab, is withdrawn and no duty any more', async () => {
    const at = await setup();
    const other = makeGroup(2, [10]);
    await at.put(other, 'kept');
    await at.groups.remove(other.key);
    expect(at.withdrawn).toEqual([other.key]);
    at.index.add(makeGroup(3, [10]).key, 'kept'); // as if another tab had removed it since
    await at.round();
    expect(at.withdrawn).toEqual([other.key, makeGroup(3, [10]).key]);
    expect(at.index.groups()).toEqual([at.group.key]);
  });

  test('[M11] who takes a group whose holders’ set it has knows the other holders at once', async () => {
    const at = await setup({ holders: [] });
    const other = makeGroup(2, [10]);
    for (const number of [0, 1, 2, 3]) {
      at.stored.push((await holderEntry({ ...at.other(number), clock: at.bench.clock, group: other.key })).signed);
    }
    await at.put(other, 'kept');
    await at.bench.advance(0);
    expect(at.index.holders(other.key).length).toBe(4);
    at.unlink(2, `the other node left: ${FAREWELL}`);
    await at.bench.advance(3 * MINUTE); // others may be nearer to it
    expect(at.offers).toMatchObject([{ group: other.key, disks: 3, wanted: 4 }]);
  });

  test('a group that another tab has put there is found at the next round', async () => {
    const at = await setup();
    at.index.remove(at.group.key);
    await at.round();
    expect(at.index.role(at.group.key)).toBe('kept');
  });

  test('after the node has closed nothing is done', async () => {
    const at = await setup();
    at.unlink(1, `the other node left: ${FAREWELL}`);
    at.repair.close();
    await at.bench.advance(60 * MINUTE);
    expect(at.offers).toEqual([]);
    expect(at.bench.pending).toBe(0);
  });
});
