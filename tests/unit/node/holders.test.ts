/** Who says that it holds a group, and whom to ask (docs/protocol.md, rules M5 and M6). */

import { describe, expect, test } from 'vitest';
import { EMPTY, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Nat } from '../../../src/base/nat.ts';
import { encode, fixed, list, nullable, string, struct } from '../../../src/base/schema.ts';
import { natSchema } from '../../../src/kademlia/contact.ts';
import { type Coordinate, coordinateSchema } from '../../../src/kademlia/coordinate.ts';
import { type Key, keyOf, keySchema, type NodeId } from '../../../src/kademlia/key.ts';
import { createHolderDirectory } from '../../../src/node/holder-directory.ts';
import { createHolderSearch } from '../../../src/node/holder-search.ts';
import { type Holder, holderEntry, readHolder } from '../../../src/node/holders.ts';
import type { Link } from '../../../src/node/link.ts';
import { type SignedEntry, writeEntry } from '../../../src/records/entry.ts';
import { HOLDER_LIFE } from '../../../src/records/expiry.ts';
import { type Bench, createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

const GROUP = keyOf(new Uint8Array(20).fill(3));
const OTHER = keyOf(new Uint8Array(20).fill(4));

const valueSchema = struct<{
  storeId: Uint8Array<ArrayBuffer>;
  open: string | null;
  via: readonly Key[];
  coordinate: Coordinate | null;
  nat: Nat | null;
}>({
  storeId: fixed(16),
  open: nullable(string(300)),
  via: list(keySchema, 3),
  coordinate: nullable(coordinateSchema),
  nat: nullable(natSchema),
});

function holder(bench: Bench): Holder {
  const { contact, storeId } = bench.someone();
  return { contact, storeId: toHex(storeId), expires: bench.clock.now() + HOLDER_LIFE };
}

describe('a holder’s entry', () => {
  test('[M5] names the node that signed it, its disk, and how it is reached', async () => {
    const bench = createBench();
    const { signer, contact, storeId } = bench.someone('wss://a.example/ws');
    const entry = await holderEntry({ signer, clock: bench.clock, group: GROUP, contact, storeId });
    expect(readHolder(bench.crypto, entry, { group: GROUP, now: bench.clock.now() })).toEqual({
      contact,
      storeId: toHex(storeId),
      expires: bench.clock.now() + HOLDER_LIFE,
    });
  });

  test.each([
    ['of another group', { topic: OTHER }],
    ['with a name: one node is one disk', { name: '2' }],
    ['that lives longer than 2.5 h', { life: HOLDER_LIFE + 1 }],
    ['that has expired', { age: HOLDER_LIFE }],
    ['with an address that can’t be dialled', { open: 'javascript:x' }],
    ['that is not one', { value: EMPTY }],
  ])(
    '[M5] %s is no holder',
    async (_, wrong: { topic?: Key; name?: string; life?: number; age?: number; open?: string; value?: typeof EMPTY }) => {
      const bench = createBench();
      const { signer, storeId } = bench.someone();
      const time = bench.clock.now() - (wrong.age ?? 0);
      const write = (parts: typeof wrong): Promise<SignedEntry> =>
        writeEntry({
          signer,
          topic: parts.topic ?? GROUP,
          name: parts.name ?? '',
          value: parts.value ?? encode(valueSchema, { storeId, open: parts.open ?? null, via: [], coordinate: null, nat: null }),
          time,
          expires: time + (parts.life ?? HOLDER_LIFE),
        });
      expect(readHolder(bench.crypto, await write(wrong), { group: GROUP, now: bench.clock.now() })).toBeNull();
      expect(readHolder(bench.crypto, await write({}), { group: GROUP, now: time })).not.toBeNull();
    },
  );
});

describe('the search', () => {
  test('where nobody says that it holds a group, linked tabs are asked, all at once; open nodes are not', async () => {
    const bench = createBench();
    const asked: NodeId[] = [];
    const link = (has: boolean, open: string | null = null): Link => {
      const { contact, storeId } = bench.someone(open);
      const call = async (): Promise<unknown> => {
        asked.push(contact.id);
        await new Promise<void>((resolve) => void bench.clock.after(1_000, resolve));
        if (!has) throw fail('not-found', 'Not kept.');
        return { descriptor: EMPTY };
      };
      return fakeLink({ contact, storeId, call });
    };
    const links = [link(false), link(true, 'ws://open/'), ...Array.from({ length: 20 }, (_, i) => link(i === 4))];
    const { claimsOf, holdersOf } = createHolderSearch({
      self: bench.someone().contact.id,
      clock: bench.clock,
      crypto: bench.crypto,
      overlay: { async *findEntries() {} },
      links: () => links,
    });
    const collect = async (holders: AsyncIterable<Holder>): Promise<NodeId[]> => {
      const ids: NodeId[] = [];
      for await (const one of holders) ids.push(one.contact.id);
      return ids;
    };
    const { signal } = new AbortController();
    const start = bench.clock.now();
    expect(await bench.run(collect(holdersOf(GROUP, signal)))).toEqual([links[6]?.id]);
    expect(bench.clock.now() - start).toBe(1_000);
    expect(asked.length).toBe(8);
    expect(asked).not.toContain(links[1]?.id);
    // A tab that may have a part is no claim of a copy.
    expect(await bench.run(collect(claimsOf(GROUP, signal)))).toEqual([]);
  });

  test('our own entry, and those of other kinds under the key, are passed over', async () => {
    const bench = createBench();
    const [me, other] = [bench.someone(), bench.someone()];
    const entries = await Promise.all([me, other].map((one) => holderEntry({ ...one, clock: bench.clock, group: GROUP })));
    const time = bench.clock.now();
    entries.push(await writeEntry({ signer: other.signer, topic: GROUP, name: 'comment', value: EMPTY, time, expires: time + 1 }));
    const { claimsOf } = createHolderSearch({
      self: me.contact.id,
      clock: bench.clock,
      crypto: bench.crypto,
      overlay: {
        async *findEntries() {
          yield* entries;
        },
      },
      links: () => [],
    });
    const ids: NodeId[] = [];
    for await (const one of claimsOf(GROUP, new AbortController().signal)) ids.push(one.contact.id);
    expect(ids).toEqual([other.contact.id]);
  });
});

describe('the directory', () => {
  function setup(find: (bench: Bench) => Holder[], delay = 0) {
    const bench = createBench();
    const self = bench.someone();
    const links = new Map<NodeId, Link>();
    const found = find(bench);
    const lookups: number[] = [];
    const directory = createHolderDirectory({
      clock: bench.clock,
      self: self.contact.id,
      storeId: self.storeId,
      async *holdersOf() {
        lookups.push(bench.clock.now());
        for (const one of found) {
          if (delay > 0) await new Promise<void>((resolve) => void bench.clock.after(delay, resolve));
          yield one;
        }
      },
      linked: (id) => links.get(id) ?? null,
    });
    /** One player's request: asks all, each fails with `code`. Gives whom it asked. */
    const askAll = async (code: 'unreachable' | 'refused' | 'corrupt' = 'unreachable', group = GROUP): Promise<NodeId[]> => {
      const asked: NodeId[] = [];
      for await (const one of directory.candidates(group, new AbortController().signal)) {
        asked.push(one.contact.id);
        directory.failed(group, one.contact.id, fail(code, 'No.'));
      }
      return asked;
    };
    return { bench, self, links, found, lookups, directory, askAll };
  }

  const orderOf = async ({ directory }: ReturnType<typeof setup>): Promise<NodeId[]> => {
    const order: NodeId[] = [];
    for await (const one of directory.candidates(GROUP, new AbortController().signal)) order.push(one.contact.id);
    return order;
  };

  test('[M15] gives holders in the order of the answer, those that failed last', async () => {
    const at = setup((b) => Array.from({ length: 4 }, (_, i) => ({ ...holder(b), expires: b.clock.now() + 1_000 * i })));
    const [a, b, c, d] = at.found.map(({ contact }) => contact.id) as [NodeId, NodeId, NodeId, NodeId];
    at.directory.failed(OTHER, a, fail('timeout', 'No.'));
    await at.bench.run(at.directory.locate(GROUP, new AbortController().signal));
    await at.bench.advance(3_000);
    expect(await at.bench.run(orderOf(at))).toEqual([b, c, d, a]);
  });

  test('[M15] a holder with a link comes before one or two that were named earlier, not before all', async () => {
    const at = setup((b) => Array.from({ length: 9 }, () => holder(b)));
    const last = at.found[2] as Holder;
    at.links.set(last.contact.id, fakeLink({ contact: last.contact, storeId: EMPTY }));
    await at.bench.run(at.directory.locate(GROUP, new AbortController().signal));
    expect((await at.bench.run(orderOf(at))).indexOf(last.contact.id)).toBe(0);
    const other = setup((b) => Array.from({ length: 8 }, () => holder(b)));
    const far = other.found[7] as Holder;
    other.links.set(far.contact.id, fakeLink({ contact: far.contact, storeId: EMPTY }));
    await other.bench.run(other.directory.locate(GROUP, new AbortController().signal));
    expect((await other.bench.run(orderOf(other))).indexOf(far.contact.id)).toBeGreaterThan(2);
  });

  test('a busy holder, and one that was measured to be slow, come after others', async () => {
    const at = setup((b) => Array.from({ length: 3 }, () => holder(b)));
    const [a, b, c] = at.found.map(({ contact }) => contact.id) as [NodeId, NodeId, NodeId];
    await at.bench.run(at.directory.locate(GROUP, new AbortController().signal));
    const ended = at.directory.began(a, 1_000_000);
    expect(await at.bench.run(orderOf(at))).toEqual([b, c, a]);
    await at.bench.advance(500);
    ended(false);
    expect(await at.bench.run(orderOf(at))).toEqual([a, b, c]);
    const [slow, quick] = [at.directory.began(a, 1_000_000), at.directory.began(c, 1_000_000)];
    await at.bench.advance(200);
    quick(true);
    await at.bench.advance(9_800);
    slow(true);
    await at.bench.run(at.directory.locate(GROUP, new AbortController().signal));
    expect(await at.bench.run(orderOf(at))).toEqual([c, b, a]);
  });

  test('a holder that failed is asked again at once when a link to it opens; requests that fail together are one failure', async () => {
    const { bench, links, found, directory, askAll } = setup((b) => [holder(b)]);
    const [{ contact }] = found as [Holder];
    expect(await bench.run(askAll())).toEqual([contact.id]);
    for (let request = 0; request < 10; request++) directory.failed(GROUP, contact.id, fail('timeout', 'No.'));
    expect(await bench.run(askAll())).toEqual([]);
    await bench.advance(1_000);
    links.set(contact.id, { ...fakeLink({ contact, storeId: EMPTY }), since: bench.clock.now() });
    expect(await bench.run(askAll())).toEqual([contact.id]);
    expect(await bench.run(askAll())).toEqual([]);
    await bench.advance(2_500);
    expect(await bench.run(askAll())).toEqual([contact.id]);
  });

  test('a group that nobody had is looked for again soon after a node was linked', async () => {
    const { bench, lookups, directory, askAll } = setup(() => []);
    for (let i = 0; i < 40; i++) {
      await bench.run(askAll());
      await bench.advance(5_000);
    }
    await bench.run(askAll());
    const before = lookups.length;
    directory.arrived();
    await bench.advance(2_500);
    await bench.run(askAll());
    expect(lookups.length).toBe(before + 1);
  });

  test('asks for what is not our own disk, nor ourselves', async () => {
    const { directory, bench } = setup(() => []);
    expect(await bench.run(directory.locate(GROUP, new AbortController().signal))).toEqual([]);
    const other = setup((b) => [holder(b)]);
    const mine = { ...(other.found[0] as Holder), storeId: toHex(other.self.storeId) };
    other.found.push(mine, { ...mine, storeId: '00', contact: other.self.contact });
    other.found.shift();
    expect(await other.bench.run(other.directory.locate(GROUP, new AbortController().signal))).toEqual([]);
  });

  test('one lookup serves a minute of playing', async () => {
    const { bench, lookups, directory } = setup((b) => [holder(b)]);
    const first = async (): Promise<void> => {
      for await (const { contact } of directory.candidates(GROUP, new AbortController().signal)) {
        directory.succeeded(GROUP, contact.id);
        return;
      }
    };
    for (let second = 0; second < 59; second += 4) {
      await bench.run(first());
      await bench.advance(4_000);
    }
    expect(lookups.length).toBe(1);
    await bench.advance(4_000);
    await bench.run(first());
    expect(lookups.length).toBe(2);
  });

  test('who asks again and again after all failed costs a lookup with pauses that grow, and so do the holders', async () => {
    const { bench, lookups, askAll } = setup((b) => [holder(b), holder(b)]);
    let asked = 0;
    for (let second = 0; second < 120; second++) {
      for (let player = 0; player < 5; player++) asked += (await bench.run(askAll())).length;
      await bench.advance(1_000);
    }
    expect(lookups.length).toBeGreaterThan(3);
    expect(lookups.length).toBeLessThan(9);
    expect(asked).toBeLessThan(20);
    const gaps = lookups.slice(1).map((at, i) => at - (lookups[i] as number));
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps);
  });

  test('where nobody is found the pauses grow too, and one success clears them', async () => {
    const { bench, lookups, found, directory, askAll } = setup(() => []);
    for (let second = 0; second < 60; second++) {
      await bench.run(askAll());
      await bench.advance(1_000);
    }
    expect(lookups.length).toBeLessThan(8);
    expect(directory.knows(GROUP)).toBe(false);
    const one = holder(bench);
    found.push(one);
    await bench.advance(60_000);
    const before = lookups.length;
    for await (const { contact } of directory.candidates(GROUP, new AbortController().signal)) directory.succeeded(GROUP, contact.id);
    expect(lookups.length).toBe(before + 1);
    expect(directory.knows(GROUP)).toBe(true);
    await bench.advance(4_000);
    expect(await bench.run(askAll())).toEqual([one.contact.id]);
  });

  test('[M2] a holder of wrong bytes is not asked again, for anything, and loses its link', async () => {
    const { bench, links, found, directory, askAll } = setup((b) => [holder(b), holder(b)]);
    const [bad, good] = found as [Holder, Holder];
    const link = fakeLink({ contact: bad.contact, storeId: EMPTY });
    links.set(bad.contact.id, link);
    directory.failed(GROUP, bad.contact.id, fail('corrupt', 'Wrong.'));
    expect(link.closed).toBe(true);
    expect(directory.corrupt).toBe(1);
    expect(await bench.run(askAll('unreachable', OTHER))).toEqual([good.contact.id]);
  });

  test('a holder that says no is asked for other groups at once, for this one at the next lookup', async () => {
    const { bench, found, askAll } = setup((b) => [holder(b)]);
    const id = found[0]?.contact.id;
    expect(await bench.run(askAll('refused'))).toEqual([id]);
    expect(await bench.run(askAll('refused'))).toEqual([]);
    expect(await bench.run(askAll('refused', OTHER))).toEqual([id]);
    await bench.advance(3_000);
    expect(await bench.run(askAll('refused'))).toEqual([id]);
  });

  test('8 holders are tried at most, of the 64 that are remembered at most', async () => {
    const { bench, askAll, directory } = setup((b) => Array.from({ length: 500 }, () => holder(b)));
    expect((await bench.run(askAll())).length).toBe(8);
    expect((await bench.run(directory.locate(OTHER, new AbortController().signal))).length).toBe(64);
  });

  test('waiting for the next holder ends with its signal', async () => {
    const { bench, directory } = setup((b) => [holder(b)], 1_000);
    const abort = new AbortController();
    const outcome = directory.candidates(GROUP, abort.signal).next();
    outcome.catch(() => undefined);
    await bench.advance(500);
    abort.abort();
    expect(await bench.code(outcome)).toBe('aborted');
  });
});
