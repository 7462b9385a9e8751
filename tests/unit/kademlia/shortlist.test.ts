import { describe, expect, it } from 'vitest';
import type { Key } from '../../../src/kademlia/key.ts';
import { createShortlist, type Shortlist } from '../../../src/kademlia/shortlist.ts';
import { makeContact } from '../support/make-contact.ts';

const self = makeContact('ff').id;
const target = makeContact('00').id as Key;
const one = makeContact('01');
const two = makeContact('02');
const three = makeContact('03');
const four = makeContact('04');
const five = makeContact('05');

const shortlist = (k = 2, alpha = 3): Shortlist => createShortlist({ target, self, k, alpha });
const nextIds = (list: Shortlist): string[] => {
  const ids: string[] = [];
  for (let next = list.next(); next; next = list.next()) ids.push(next.contact.id.slice(0, 2));
  return ids;
};

describe('shortlist', () => {
  it('[K3] asks the nearest first, at most alpha at once', () => {
    const list = shortlist(5, 2);
    list.add([three, one, five, two, four], null);
    expect(nextIds(list)).toEqual(['01', '02']);
    list.answered(one.id);
    expect(nextIds(list)).toEqual(['03']);
    expect(list.asked).toBe(3);
  });

  it('[K3] asks nobody beyond the k nearest', () => {
    const list = shortlist(2, 3);
    list.add([one, two, three], null);
    expect(nextIds(list)).toEqual(['01', '02']);
    list.answered(one.id);
    list.answered(two.id);
    expect(list.next()).toBeNull();
    expect(list.done).toBe(true);
    expect(list.nearest(9)).toEqual([one, two]);
  });

  it('[K3] asks the next one when one of the k nearest fails', () => {
    const list = shortlist(2, 3);
    list.add([one, two, three], null);
    nextIds(list);
    list.failed(one.id);
    expect(nextIds(list)).toEqual(['03']);
    list.answered(two.id);
    expect(list.done).toBe(false);
    list.answered(three.id);
    expect(list.done).toBe(true);
    expect(list.nearest(9)).toEqual([two, three]);
  });

  it('is not done while somebody is in flight, though k nearer ones have answered', () => {
    const list = shortlist(1, 3);
    list.add([two], null);
    nextIds(list);
    list.add([one], two.id);
    nextIds(list);
    list.answered(one.id);
    expect(list.done).toBe(false);
    list.answered(two.id);
    expect(list.done).toBe(true);
    expect(list.nearest(1)).toEqual([one]);
  });

  it('[K3] says who named a node first', () => {
    const list = shortlist(3, 3);
    list.add([two], null);
    list.add([one, two], four.id);
    list.add([one], five.id);
    expect(list.next()).toMatchObject({ contact: one, namedBy: four.id });
    expect(list.next()).toMatchObject({ contact: two, namedBy: null });
    expect(list.next()).toBeNull();
  });

  it('leaves out this node itself and those already named', () => {
    const list = shortlist(9, 9);
    list.add([makeContact('ff'), one, one], null);
    list.add([one], two.id);
    expect(nextIds(list)).toEqual(['01']);
  });

  it('takes an answer that comes after it was given up for failed', () => {
    const list = shortlist(1, 1);
    list.add([one], null);
    nextIds(list);
    list.failed(one.id);
    list.answered(one.id);
    list.failed(one.id);
    expect(list.nearest(1)).toEqual([one]);
    expect(list.done).toBe(true);
  });

  it('counts nobody twice as in flight', () => {
    const list = shortlist(3, 1);
    list.add([one, two], null);
    nextIds(list);
    list.answered(one.id);
    list.answered(one.id);
    list.failed(makeContact('aa').id);
    expect(nextIds(list)).toEqual(['02']);
    expect(list.next()).toBeNull();
  });

  it('is done from the start when it knows nobody', () => {
    expect(shortlist().done).toBe(true);
    expect(shortlist().next()).toBeNull();
  });
});
