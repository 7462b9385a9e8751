/** What a node says of itself (docs/protocol.md, rule H2). */
import { expect, test } from 'vitest';
import { EMPTY } from '../../../src/base/bytes.ts';
import type { Nat } from '../../../src/base/nat.ts';
import type { Coordinate } from '../../../src/kademlia/coordinate.ts';
import type { Place } from '../../../src/kademlia/vivaldi.ts';
import type { Link } from '../../../src/node/link.ts';
import { createOwnContact } from '../../../src/node/own-contact.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

function setup(open: string | null = null) {
  const bench = createBench();
  const { contact } = bench.someone();
  const links: Link[] = [];
  const seen = { told: null as Coordinate | null, nat: null as Nat | null };
  const place: Place = {
    get told() {
      return seen.told;
    },
    sample: () => undefined,
    roundTripTo: () => 0,
  };
  const own = createOwnContact({
    self: contact.id,
    publicKey: contact.publicKey,
    open,
    stun: null,
    place,
    nat: () => seen.nat,
    links: () => links,
  });
  const link = (since: number, url: string | null = null): Link => {
    const made: Link = Object.assign(fakeLink({ contact: bench.someone(url).contact, storeId: EMPTY }), { since });
    links.push(made);
    own.changed();
    return made;
  };
  return { own, link, links, seen };
}

test('[H2] names three links, open nodes first and then the oldest, and stays the same object until that changes', () => {
  const { own, link, links } = setup();
  const [young, old, middle] = [link(30), link(10), link(20)];
  const first = own.current();
  expect(first.via).toEqual([old?.id, middle?.id, young?.id]);
  link(40);
  expect(own.current()).toBe(first);
  const open = link(50, 'ws://a/');
  expect(own.current().via).toEqual([open.id, old?.id, middle?.id]);
  links.splice(0);
  own.changed();
  expect(own.current().via).toEqual([]);
});

test('[H2] says where it is as soon as that is known', () => {
  const { own, seen } = setup();
  expect(own.current().coordinate).toBeNull();
  seen.told = { x: 1, y: 2, height: 3 };
  expect(own.current().coordinate).toBe(seen.told);
  expect(own.current()).toBe(own.current());
});

test('[H2] of an open node names no others: it can be dialled', () => {
  const { own, link } = setup('ws://me/');
  link(1);
  expect(own.current()).toMatchObject({ open: 'ws://me/', via: [] });
});
