/** Bringing a group to other disks (docs/protocol.md, rules M6 and M7). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { quiet } from '../../../src/base/timing.ts';
import type { Key, NodeId } from '../../../src/kademlia/key.ts';
import { createCopies } from '../../../src/node/copies.ts';
import { createGroupStore } from '../../../src/node/group-store.ts';
import type { CallContext } from '../../../src/node/handlers.ts';
import type { Holder } from '../../../src/node/holders.ts';
import type { Link } from '../../../src/node/link.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';
import { makeGroup } from './support/make-group.ts';

/** What a node does with an offer. `dies`: its link ends while it copies. */
type Manner = 'keeps' | 'has' | 'refuses' | 'fails' | 'dies' | 'silent' | 'unreachable';

const patient = new AbortController().signal;

async function setup(
  manners: readonly Manner[],
  options: { disks?: readonly number[]; holders?: number; delay?: number; allGone?: boolean; linked?: readonly number[] } = {},
) {
  const bench = createBench();
  const group = makeGroup(1, [10]);
  const self = bench.someone();
  const groups = createGroupStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, quota: () => 1e9 });
  await groups.put({ group: group.key, encoded: group.encoded, index: 0, bytes: group.segments[0] as Bytes, role: 'own' });
  const offered: number[] = [];
  let atOnce = 0;
  let most = 0;
  const kept = (link: Link, verdict: boolean): void => {
    const context: CallContext = { from: link.contact, relayed: false, link, signal: patient, stream: null };
    Promise.resolve(copies.handlers.KEPT({ group: group.key, kept: verdict, reason: 'full' }, context)).catch(() => undefined);
  };
  const nodes = manners.map((manner, index) => {
    const { contact, storeId } = bench.someone();
    const disk = options.disks?.[index];
    const link: Link = fakeLink({
      contact,
      storeId: disk === undefined ? storeId : new Uint8Array(16).fill(disk),
      async call() {
        offered.push(index);
        most = Math.max(most, ++atOnce);
        if (manner === 'refuses') atOnce--;
        if (manner === 'refuses') throw fail('refused', 'Not here.');
        if (manner === 'has') return { kept: true };
        bench.clock.after(options.delay ?? 100, () => {
          atOnce--;
          if (manner === 'dies') link.close('crashed');
          else if (manner !== 'silent') kept(link, manner === 'keeps');
        });
        return { kept: false };
      },
    });
    return { manner, contact, link };
  });
  const holders = Array.from({ length: options.holders ?? 0 }, (): Holder => {
    const { contact, storeId } = bench.someone();
    return { contact, storeId: toHex(storeId), expires: bench.clock.now() + 1e9 };
  });
  const linkTo = (id: NodeId): Link | null => nodes.find((one) => one.contact.id === id)?.link ?? null;
  const known: { key: Key; id: NodeId; storeId: string }[] = [];
  const connected: NodeId[] = [];
  const copies = createCopies({
    clock: bench.clock,
    storeId: self.storeId,
    groups,
    nearest: async () => nodes.map(({ contact }) => ({ contact, token: new Uint8Array(8), namedBy: null })),
    async *holdersOf() {
      yield* holders;
    },
    isAlive: async () => !options.allGone,
    linked: (id) => (options.linked?.some((index) => nodes[index]?.contact.id === id) ? linkTo(id) : null),
    onKept: (key, { contact, storeId }) => known.push({ key, id: contact.id, storeId }),
    async connect(contact) {
      connected.push(contact.id);
      const node = nodes.find((one) => one.contact.id === contact.id);
      await new Promise<void>((resolve) => void bench.clock.after(node?.manner === 'unreachable' ? 15_000 : 10, resolve));
      if (!node || node.manner === 'unreachable') throw fail('unreachable', 'No way there.');
      return node.link;
    },
  });
  const spread = (wanted: number, signal = patient) => quiet(copies.spread(group.key, { wanted, signal }));
  return { bench, group, groups, self, copies, nodes, offered, spread, kept, holders, known, connected, most: () => most };
}

describe('copies', () => {
  test('[M7] are offered to the nearest until enough disks keep them, three at once, and no more than needed', async () => {
    const at = await setup(Array<Manner>(20).fill('keeps'));
    expect(await at.bench.run(at.spread(5))).toBe(5);
    expect(at.offered).toEqual([0, 1, 2, 3, 4]);
    expect(at.most()).toBe(3);
    expect((await at.groups.list())[0]).toMatchObject({ holders: 5 });
    await at.bench.advance(400_000);
    expect(at.bench.pending).toBe(0);
  });

  test('go to the next where a node refuses, fails, dies in the middle, or can’t be reached', async () => {
    const at = await setup(['refuses', 'fails', 'dies', 'unreachable', 'keeps', 'has', 'refuses', 'keeps']);
    expect(await at.bench.run(at.spread(3))).toBe(3);
    expect(new Set(at.offered)).toEqual(new Set([0, 1, 2, 4, 5, 6, 7]));
  });

  test('do not wait for connections that fail: others are opened beside them', async () => {
    const at = await setup(['unreachable', 'unreachable', 'keeps', 'keeps', 'keeps', 'keeps', 'keeps']);
    const start = at.bench.clock.now();
    expect(await at.bench.run(at.spread(5))).toBe(5);
    expect(at.bench.clock.now() - start).toBeLessThan(1_000);
  });

  test('go first to whom a link leads among the nearest 8, and open none when those are enough', async () => {
    const at = await setup(Array<Manner>(12).fill('keeps'), { linked: [1, 4, 6, 11] });
    expect(await at.bench.run(at.spread(3))).toBe(3);
    expect(at.offered).toEqual([1, 4, 6]);
    expect(at.connected).toEqual([]);
    expect(await at.bench.run(at.spread(5))).toBe(5);
    expect(at.offered).not.toContain(11);
    expect(at.known.map(({ id }) => id)).toContain(at.nodes[4]?.contact.id);
  });

  test('go last to a node that refused within 10 min', async () => {
    const at = await setup(['refuses', 'keeps', 'keeps', 'keeps', 'keeps'], { linked: [0, 1, 2, 3, 4] });
    await at.bench.run(at.spread(2));
    at.offered.length = 0;
    await at.bench.run(at.spread(4));
    expect(at.offered).toEqual([1, 2, 3, 4]);
    at.offered.length = 0;
    await at.bench.advance(600_001);
    await at.bench.run(at.spread(1));
    expect(at.offered[0]).toBe(0);
  });

  test('of a node that says nothing are given up after 5 min', async () => {
    const at = await setup(['silent', 'keeps']);
    const start = at.bench.clock.now();
    expect(await at.bench.run(at.spread(2))).toBe(1);
    expect(at.bench.clock.now() - start).toBeGreaterThanOrEqual(300_000);
    expect(at.bench.clock.now() - start).toBeLessThan(310_000);
  });

  test('as many as there are is what comes of it when there are too few', async () => {
    const at = await setup(['refuses', 'keeps', 'fails']);
    expect(await at.bench.run(at.spread(5))).toBe(1);
    expect(await at.bench.run((await setup([])).spread(5))).toBe(0);
  });

  test('[M6] nodes on one disk count once, our own disk not at all', async () => {
    const at = await setup(Array<Manner>(6).fill('keeps'), { disks: [7, 7, 7, 8, 8, 9] });
    expect(await at.bench.run(at.spread(5))).toBe(3);
    expect(at.offered.length).toBe(3);
    const own = await setup(['keeps', 'keeps']);
    for (const { link } of own.nodes) (link.storeId as Bytes).set(own.self.storeId);
    expect(await own.bench.run(own.spread(5))).toBe(0);
    expect(own.offered).toEqual([]);
  });

  test('that others already hold are not made again', async () => {
    const at = await setup(Array<Manner>(9).fill('keeps'), { holders: 4 });
    expect(await at.bench.run(at.spread(5))).toBe(5);
    expect(at.offered.length).toBe(1); // three workers, but one copy was missing
    expect(await at.bench.run((await setup(['keeps'], { holders: 9 })).spread(5))).toBe(9);
  });

  test('of tabs that are gone do not count, however long their word still holds', async () => {
    const at = await setup(Array<Manner>(9).fill('keeps'), { holders: 9, allGone: true });
    expect(await at.bench.run(at.spread(5))).toBe(5);
    expect(at.offered.length).toBe(5);
  });

  test('of what is not wholly here are not offered', async () => {
    const at = await setup(['keeps']);
    const other = makeGroup(9, [10, 10]);
    await at.groups.put({ group: other.key, encoded: other.encoded, index: 0, bytes: other.segments[0] as Bytes, role: 'own' });
    expect(await at.bench.code(at.copies.spread(other.key, { wanted: 1, signal: patient }))).toBe('not-found');
  });

  test('end when they are cancelled', async () => {
    const at = await setup(Array<Manner>(9).fill('keeps'), { delay: 10_000 });
    const abort = new AbortController();
    const outcome = at.spread(5, abort.signal);
    await at.bench.advance(100);
    abort.abort();
    expect(await at.bench.code(outcome)).toBe('aborted');
    expect(at.offered.length).toBe(3);
  });
});

describe('KEPT', () => {
  const say = (
    at: Awaited<ReturnType<typeof setup>>,
    from: number,
    parts: Partial<CallContext> & { group?: ReturnType<typeof makeGroup> } = {},
  ) => {
    const link = at.nodes[from]?.link as Link;
    const context: CallContext = { from: link.contact, relayed: false, link, signal: patient, stream: null, ...parts };
    return at.bench.code(
      Promise.resolve(at.copies.handlers.KEPT({ group: (parts.group ?? at.group).key, kept: true, reason: '' }, context)),
    );
  };

  test('[M7] for what was not offered, by somebody else, or over others, is refused', async () => {
    const at = await setup(['silent', 'silent']);
    expect(await say(at, 0)).toBe('refused');
    const outcome = at.spread(1);
    await at.bench.advance(50);
    expect(await say(at, 1)).toBe('refused');
    expect(await say(at, 0, { group: makeGroup(5, [1]) })).toBe('refused');
    expect(await say(at, 0, { relayed: true })).toBe('refused');
    expect(await say(at, 0)).toBeNull();
    expect(await at.bench.run(outcome)).toBe(1);
    expect(await say(at, 0)).toBe('refused');
  });

  test('answers all who wait for it: one that gives up does not take it from the other', async () => {
    const at = await setup(['keeps'], { delay: 5_000 });
    const abort = new AbortController();
    const [mine, yours] = [at.spread(1, abort.signal), at.spread(1)];
    await at.bench.advance(100);
    abort.abort();
    expect(await at.bench.code(mine)).toBe('aborted');
    expect(await at.bench.run(yours)).toBe(1);
  });
});
