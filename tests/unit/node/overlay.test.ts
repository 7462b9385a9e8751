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
import { recordKey, writeRecord } from '../../../src/records/record.ts';
import type { Device } from '../../../src/records/vector-clock.ts';
import type { Item } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

/** A node with links to `count` others, which answer lookups with `items`, name `others` and the open node `ws://x/`. */
function setup(
  count: number,
  options: { items?: (index: number) => readonly Item[]; others?: readonly Contact[]; dead?: ReadonlySet<number> } = {},
) {
  const bench = createBench();
  const self = bench.someone().contact;
  const table = createRoutingTable({ self: self.id });
  const links = new Map<NodeId, Link>();
  const heard: string[] = [];
  const stored: number[] = [];
  const dialled: NodeId[] = [];
  for (let index = 0; index < count; index++) {
    const { contact, storeId } = bench.someone();
    const call = async (method: string): Promise<unknown> => {
      if (options.dead?.has(index)) throw fail('timeout', 'No answer.');
      if (method === 'RELAY') throw fail('unreachable', 'No way on.');
      if (method === 'STORE') stored.push(index);
      if (method === 'STORE') return {};
      const contacts = (options.others ?? []).map(({ publicKey, open, via }) => ({ publicKey, open, via }));
      return { contacts, token: new Uint8Array(8), open: ['ws://x/'], items: options.items?.(index) ?? [] };
    };
    links.set(contact.id, fakeLink({ contact, storeId, call }));
    table.linked(contact, bench.clock.now());
  }
  const items = createItemStore({ store: createMemoryStore(1e9), crypto: bench.crypto, clock: bench.clock, self: self.id });
  const link = (id: NodeId): Link | null => links.get(id) ?? null;
  const overlay = createOverlay({
    self: self.id,
    contact: () => self,
    clock: bench.clock,
    random: bench.random,
    crypto: bench.crypto,
    settings: DEFAULT_SETTINGS,
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
      close: () => undefined,
    },
    relay: createRelay({ self: self.id, table, link, deadline: 8_000, onCarried: () => undefined }),
    items,
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
  test('[K6] goes to those that answered, and here where we are near; what fails does not count', async () => {
    const bytes = fromUtf8('x');
    const { bench, overlay, items, stored } = setup(5, { dead: new Set([2]) });
    const key = hashKey(bench.crypto, bytes);
    expect(await bench.run(overlay.store(key, { type: 'value', bytes }))).toBe(5);
    expect(stored.toSorted()).toEqual([0, 1, 3, 4]);
    expect((await items.find(key, 'value')).length).toBe(1);
  });

  test('[S12] a whole set takes one lookup', async () => {
    const { bench, overlay, heard, stored } = setup(4);
    const bytes = fromUtf8('x');
    const item: Item = { type: 'value', bytes };
    await bench.run(overlay.storeAll(hashKey(bench.crypto, bytes), [item, item, item], new AbortController().signal));
    expect(heard.length).toBe(4);
    expect(stored.length).toBe(12);
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
