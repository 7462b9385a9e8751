/** Which other disks hold what is here (docs/protocol.md, rules M5 and M13). */
import { expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { keyOf } from '../../../src/kademlia/key.ts';
import { createCopyIndex } from '../../../src/node/copy-index.ts';
import { type Holder, holderEntry, withdrawalEntry } from '../../../src/node/holders.ts';
import { HOLDER_LIFE } from '../../../src/records/expiry.ts';
import { createBench } from './support/bench.ts';

const [GROUP, OTHER] = [keyOf(new Uint8Array(20).fill(3)), keyOf(new Uint8Array(20).fill(4))];

function setup() {
  const bench = createBench();
  const self = bench.someone();
  const index = createCopyIndex({ self: self.contact.id, ...bench });
  index.add(GROUP, 'kept');
  const holder = (): Holder => {
    const { contact, storeId } = bench.someone();
    return { contact, storeId: toHex(storeId), expires: bench.clock.now() + HOLDER_LIFE };
  };
  return { bench, self, index, holder };
}

test('a node leads to the groups here that it holds too, and to no others', () => {
  const { index, holder } = setup();
  index.add(OTHER, 'own');
  const [a, b] = [holder(), holder()];
  index.note(GROUP, a);
  index.note(OTHER, a);
  index.note(GROUP, b);
  index.note(keyOf(new Uint8Array(20).fill(9)), b); // which is not here
  expect(index.groupsOf(a.contact.id)).toEqual([GROUP, OTHER]);
  expect(index.groupsOf(b.contact.id)).toEqual([GROUP]);
  index.remove(GROUP);
  expect(index.groupsOf(a.contact.id)).toEqual([OTHER]);
  expect(index.groupsOf(b.contact.id)).toEqual([]);
  expect(index.groups()).toEqual([OTHER]);
});

test('[M5] a word holds until it expires, the later one of a node counts, and our own is none', async () => {
  const { bench, index, self, holder } = setup();
  const one = holder();
  index.note(GROUP, one);
  index.note(GROUP, { ...one, expires: one.expires - 1_000 });
  index.heard(GROUP, (await holderEntry({ ...self, clock: bench.clock, group: GROUP })).signed);
  expect(index.holders(GROUP)).toEqual([one]);
  await bench.advance(HOLDER_LIFE);
  expect(index.holders(GROUP)).toEqual([]);
  expect(index.groupsOf(one.contact.id)).toEqual([]);
});

test('[M13] a withdrawal ends a word that was given before it, and no other', async () => {
  const { bench, index } = setup();
  const who = bench.someone();
  const say = async (withdraw: boolean) => {
    const entry = withdraw
      ? await withdrawalEntry({ ...who, clock: bench.clock, group: GROUP })
      : await holderEntry({ ...who, clock: bench.clock, group: GROUP });
    await bench.advance(1_000);
    return entry.signed;
  };
  const [first, withdrawal, second] = [await say(false), await say(true), await say(false)];
  expect(index.heard(OTHER, first)).toBeNull();
  expect(index.heard(GROUP, withdrawal)).toBeNull(); // there was no word
  expect(index.heard(GROUP, first)).toBe('holder');
  expect(index.heard(GROUP, withdrawal)).toBe('withdrawn');
  expect(index.holders(GROUP)).toEqual([]);
  expect(index.heard(GROUP, second)).toBe('holder');
  expect(index.heard(GROUP, withdrawal)).toBeNull();
  expect(index.groupsOf(who.contact.id)).toEqual([GROUP]);
});

test('of too many holders those with the latest word are remembered', () => {
  const { index, holder } = setup();
  const holders = Array.from({ length: 100 }, (_, i) => ({ ...holder(), expires: 2_000_000_000_000 + ((i * 37) % 100) }));
  for (const one of holders) index.note(GROUP, one);
  const left = index.holders(GROUP).map(({ expires }) => expires % 100);
  expect(left.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => 36 + i));
});
