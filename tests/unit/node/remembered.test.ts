/** Linked nodes that are known again after a reload. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { EMPTY } from '../../../src/base/bytes.ts';
import type { Link } from '../../../src/node/link.ts';
import { createRemembered } from '../../../src/node/remembered.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

function setup() {
  const bench = createBench();
  const store = createMemoryStore(1e6);
  const links: Link[] = [];
  const open = () => createRemembered({ clock: bench.clock, crypto: bench.crypto, store, links: () => links });
  const link = (since: number, url: string | null = null): Link => {
    const made: Link = Object.assign(fakeLink({ contact: bench.someone(url).contact, storeId: EMPTY }), { since });
    links.push(made);
    return made;
  };
  return { bench, store, links, open, link };
}

describe('who was linked', () => {
  test('is known again, the sixteen oldest closed nodes of them', async () => {
    const { links, open, link } = setup();
    link(0, 'ws://open/ws');
    for (let i = 20; i > 0; i--) link(i);
    await open().save();
    links.length = 0;
    const known = await open().load();
    expect(known.length).toBe(16);
    expect(known.every((contact) => contact.open === null)).toBe(true);
  });

  test('is not forgotten because nobody is linked now, but after two hours', async () => {
    const { bench, links, open, link } = setup();
    const one = link(1);
    await open().save();
    links.length = 0;
    await open().save();
    expect(await open().load()).toEqual([one.contact]);
    await bench.advance(2 * 3_600_000 + 1);
    expect(await open().load()).toEqual([]);
  });

  test('is nobody when the disk holds something else', async () => {
    const { store, open } = setup();
    await store.write([{ table: 'meta', key: 'peers', value: new Uint8Array(9).fill(0xc1) }]);
    expect(await open().load()).toEqual([]);
  });
});
