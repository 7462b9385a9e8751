/** Reading a group back from others' disks (docs/protocol.md, rule M19). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { createGroupStore } from '../../../src/node/group-store.ts';
import type { Holder } from '../../../src/node/holders.ts';
import { createReadBack } from '../../../src/node/read-back.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';
import { makeGroup } from './support/make-group.ts';

/** What a holder gives when it is asked. */
type Manner = 'right' | 'wrong' | 'refuses' | 'unreachable' | 'own disk';

const SIZES = [10, 20, 30, 40];
const patient = new AbortController().signal;

async function setup(manners: readonly Manner[], options: { missing?: boolean; abort?: AbortController; linked?: Manner } = {}) {
  const bench = createBench();
  const group = makeGroup(1, SIZES);
  const { storeId } = bench.someone();
  const groups = createGroupStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, quota: () => 1e9 });
  for (const [index, bytes] of group.segments.entries()) {
    if (options.missing && index === 2) continue;
    await groups.put({ group: group.key, encoded: group.encoded, index, bytes: bytes as Bytes, role: 'own' });
  }
  const asked: { manner: Manner; segment: number }[] = [];
  const holders = manners.map((manner) => {
    const someone = bench.someone();
    const holder: Holder = {
      contact: someone.contact,
      storeId: toHex(manner === 'own disk' ? storeId : someone.storeId),
      expires: bench.clock.now() + 1e6,
    };
    const link = {
      ...fakeLink(someone),
      async fetch({ segment }: { segment: number }) {
        asked.push({ manner, segment });
        options.abort?.abort();
        if (manner === 'refuses') throw fail('refused', 'Not here.');
        const bytes = group.segments[segment] as Bytes;
        return manner === 'wrong' ? bytes.map((byte) => byte ^ 1) : bytes;
      },
    };
    return { manner, holder, link };
  });
  const readBack = createReadBack({
    ...{ crypto: bench.crypto, random: bench.random, storeId, groups },
    async *holdersOf() {
      for (const { holder } of holders) yield holder;
    },
    async connect({ id }) {
      const one = holders.find(({ holder }) => holder.contact.id === id);
      if (!one || one.manner === 'unreachable') throw fail('unreachable', 'No way there.');
      return one.link;
    },
    linked: (id) => holders.find(({ manner, holder }) => holder.contact.id === id && manner === options.linked)?.link ?? null,
  });
  return { bench, asked, read: (signal = patient) => readBack(group.key, signal) };
}

describe('reading back', () => {
  test('[M19] is done when one other disk gives a segment whose bytes are right', async () => {
    const at = await setup(['own disk', 'unreachable', 'refuses', 'wrong', 'right', 'right']);
    expect(await at.read()).toBe(true);
    expect(at.asked.map(({ manner }) => manner)).toEqual(['refuses', 'wrong', 'right']);
  });

  test('[M19] is not done where nobody else has it, or all give other bytes', async () => {
    for (const manners of [[], ['own disk'], ['wrong', 'wrong'], ['refuses', 'unreachable']] as const) {
      const at = await setup(manners);
      expect(await at.read()).toBe(false);
    }
  });

  test('[M19] asks five disks at most that are not linked', async () => {
    const at = await setup([...Array<Manner>(9).fill('refuses'), 'right']);
    expect(await at.read()).toBe(false);
    expect(at.asked).toHaveLength(5);
  });

  test('[M19] asks who is linked first: entries of disks that are none, however many, do not hide one that has it', async () => {
    const at = await setup([...Array<Manner>(9).fill('unreachable'), 'refuses', 'right'], { linked: 'right' });
    expect(await at.read()).toBe(true);
    expect(at.asked.map(({ manner }) => manner)).toEqual(['right']);
    const wrong = await setup([...Array<Manner>(9).fill('wrong'), 'right'], { linked: 'wrong' });
    expect(await wrong.read(), 'what is linked is not among the five').toBe(true);
  });

  test('asks for any of the segments, so that nobody can keep one alone', async () => {
    const at = await setup(['right']);
    for (let n = 0; n < 60; n++) expect(await at.read()).toBe(true);
    expect([...new Set(at.asked.map(({ segment }) => segment))].toSorted()).toEqual(SIZES.map((_, index) => index));
  });

  test('rejects when the group is not wholly here, and when it is cancelled', async () => {
    await expect((await setup(['right'], { missing: true })).read()).rejects.toMatchObject({ code: 'not-found' });
    const abort = new AbortController();
    const at = await setup(['refuses', 'right'], { abort });
    await expect(at.read(abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(at.asked).toHaveLength(1);
  });
});
