/** Calls, lookups and what is stored where (docs/protocol.md, rules R4, K and S). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { hashKey, type NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createItemStore } from '../../../src/node/item-store.ts';
import type { Link } from '../../../src/node/link.ts';
import { createOverlay } from '../../../src/node/overlay.ts';
import { createRelay } from '../../../src/node/relay.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createSpreading } from '../../../src/node/spreading.ts';
import { createTokenBook } from '../../../src/node/token-book.ts';
import { recordKey, writeRecord } from '../../../src/records/record.ts';
import type { Device } from '../../../src/records/vector-clock.ts';
import type { Item, RequestOf } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

/** A node with links to `count` others, which answer lookups with `items`, name `others` and the open node `ws://x/`. */
function setup(count: number, options: { items?: (index: number) => readonly Item[]; others?: readonly Contact[]; spread?: number } = {}) {
  const bench = createBench();
  const self = bench.someone().contact;
  const table = createRoutingTable({ self: self.id });
  const links = new Map<NodeId, Link>();
  const heard: string[] = [];
  const stored: (RequestOf<'STORE'> & { index: number })[] = [];
  const dialled: NodeId[] = [];
  for (let index = 0; index < count; index++) {
    const { contact, storeId } = bench.someone();
    const call = async (method: string, request: unknown): Promise<unknown> => {
      if (method === 'RELAY') throw fail('unreachable', 'No way on.');
      if (method === 'STORE') stored.push({ index, ...(request as RequestOf<'STORE'>) });
      if (method === 'STORE') return { stored: options.spread ?? 1 };
      const contacts = (options.others ?? []).map(({ publicKey, open, via }) => ({ publicKey, open, via, coordinate: null }));
      return { contacts, token: new Uint8Array(8), open: ['ws://x/'], items: options.items?.(index) ?? [] };
    };
    links.set(contact.id, fakeLink({ contact, storeId, call }));
    table.linked(contact, bench.clock.now());
  }
  const items = createItemStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, self: self.id });
  const link = (id: NodeId): Link | null => links.get(id) ?? null;
  const tokenBook = createTokenBook({ clock: bench.clock });
  const settings = { ...DEFAULT_SETTINGS, lookupStyle: 'iterative' as const };
  const overlay = createOverlay({
    self: self.id,
    contact: () => self,
    clock: bench.clock,
    crypto: bench.crypto,
    settings,
    table,
    peers: {
      get: link,
      links: () => [...links.values()],
      connect: async (contact) => {
        dialled.push(contact.id);
        throw fail('unreachable', 'Nobody is there.');
      },
      dial: () => Promise.reject(fail('unreachable', 'Nobody is there.')),
      adopt: () => Promise.reject(fail('internal', 'Not here.')),
      check: () => undefined,
      close: () => undefined,
    },
    relay: createRelay({ clock: bench.clock, self: self.id, table, link, deadline: 8_000, onCarried: () => undefined }),
    items,
    tokenBook,
    spreading: createSpreading({ settings, table, link, items, tokenBook, onNews: () => undefined }),
    onOpen: (urls) => void heard.push(...urls),
  });
  return { bench, self, table, links, overlay, items, heard, stored, dialled };
}

describe('a lookup', () => {
  test('[R4] learns the open nodes that replies name, and the contacts', async () => {
    const { bench, table, overlay, heard } = setup(3);
    await bench.run(overlay.nearest(bench.someone().contact.id));
    expect(heard).toEqual(['ws://x/', 'ws://x/', 'ws://x/']);
    expect(table.size).toBe(3);
  });

  test('[K3] asks through who named them; only an open node that nobody reaches is dialled', async () => {
    const bench = createBench(9);
    const others = [bench.someone('ws://far/').contact, bench.someone().contact];
    const { bench: own, overlay, dialled } = setup(3, { others });
    const target = own.someone().contact.id;
    const found = await own.run(overlay.nearest(target));
    expect(found.length).toBe(3);
    expect(dialled).toEqual([others[0]?.id]);
  });
});

describe('storing', () => {
  test('[K6] asks the nearest that answers to spread it, and counts what it says; it is kept here too where we are near', async () => {
    const bytes = fromUtf8('x');
    const { bench, overlay, items, stored } = setup(5, { spread: 5 });
    const key = hashKey(bench.crypto, bytes);
    expect(await bench.run(overlay.store(key, { type: 'value', bytes }))).toBe(6);
    expect(stored).toEqual([expect.objectContaining({ replicas: 19 })]);
    expect((await items.find(key, 'value')).length).toBe(1);
  });

  test('[K6] asks the next one when the first did not get it to half of those who should have it, three at most', async () => {
    const bytes = fromUtf8('x');
    const { bench, overlay, stored } = setup(6, { spread: 1 });
    expect(await bench.run(overlay.store(hashKey(bench.crypto, bytes), { type: 'value', bytes }))).toBe(2);
    expect(new Set(stored.map(({ index }) => index)).size).toBe(3);
    expect(stored.length).toBe(3);
  });

  test('[S12] a whole set takes one lookup, and passes on what is left of its life', async () => {
    const { bench, overlay, heard, stored } = setup(4, { spread: 4 });
    const bytes = fromUtf8('x');
    const kept = { item: { type: 'value', bytes } as const, life: 5_000 };
    await bench.run(overlay.storeAll(hashKey(bench.crypto, bytes), [kept, kept, kept], new AbortController().signal));
    expect(heard.length).toBe(4);
    expect(stored.map(({ life }) => life)).toEqual([5_000, 5_000, 5_000]);
  });
});

describe('reading', () => {
  const device = 'a'.repeat(16) as Device;

  test('[S13] believes no value of another hash, and remembers the right one', async () => {
    const bytes = fromUtf8('right');
    const items = (index: number): readonly Item[] => [{ type: 'value', bytes: index === 0 ? bytes : fromUtf8('wrong') }];
    const { bench, overlay, items: kept } = setup(3, { items });
    const key = hashKey(bench.crypto, bytes);
    expect(await bench.run(overlay.findValue(key))).toEqual(bytes);
    await bench.advance(1);
    expect((await kept.find(key, 'value')).length).toBe(1);
  });

  test('[S5] [S6] [S13] takes the newest record that is signed and not from the future', async () => {
    const answers: Item[] = [];
    const { bench, overlay } = setup(4, { items: (index) => answers.slice(index, index + 1) });
    const { signer } = bench.someone();
    const now = bench.clock.now();
    const write = (text: string, at: number, previous: Parameters<typeof writeRecord>[0]['previous'] = null) =>
      writeRecord({ signer, device, name: 'n', value: fromUtf8(text), now: at, previous });
    const old = await write('old', now - 1_000);
    const fresh = await write('fresh', now, old);
    const future = await write('future', now + 48 * 3_600_000, fresh);
    const forged = { body: (await write('forged', now + 5, fresh)).signed.body, signature: new Uint8Array(64) };
    for (const signed of [old.signed, future.signed, forged, fresh.signed]) answers.push({ type: 'record', signed });
    const key = recordKey(bench.crypto, signer.publicKey, 'n');
    expect((await bench.run(overlay.findRecord(key, { settle: 'newest' })))?.body.value).toEqual(fromUtf8('fresh'));
    expect((await bench.run(overlay.findRecord(key, { settle: 'first' })))?.body.value).toEqual(fromUtf8('fresh')); // our own copy
    expect(await bench.run(overlay.findRecord(recordKey(bench.crypto, signer.publicKey, 'm'), { settle: 'first' }))).toBeNull();
  });
});
