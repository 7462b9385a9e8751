/** Whole nodes in the simulated world: what one stores, keeps and serves for another (docs/protocol.md, rules R, K, S and M). */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import { hasCode } from '../../../src/base/errors.ts';
import { encode, list } from '../../../src/base/schema.ts';
import { compareDistance, hashKey, type Key } from '../../../src/kademlia/key.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import { signedSchema } from '../../../src/records/signed.ts';
import { CALLS } from '../../../src/wire/messages.ts';
import { createWorld, type SimNode, type World } from '../../sim/world.ts';
import { makeGroup, type TestGroup } from './support/make-group.ts';

const OPEN = 'ws://open-0/ws';
const HOUR = 3_600_000;
const patient = new AbortController().signal;

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** An open node and so many tabs that have found each other. */
async function network(
  seed: number,
  tabs: number,
  settings: Parameters<typeof createWorld>[0]['settings'] = {},
): Promise<World & { crowd: SimNode[] }> {
  const world = createWorld({ seed, settings: settings ?? {} });
  worlds.push(world);
  world.add({ open: OPEN });
  for (let i = 0; i < tabs; i++) {
    world.add();
    await world.scheduler.advance(200);
  }
  await world.scheduler.advance(20_000);
  return Object.assign(world, { crowd: world.nodes.slice(1) });
}

const tab = (world: { crowd: SimNode[] }, index: number): SimNode => world.crowd.at(index) as SimNode;

async function publish(world: World, at: SimNode, group: TestGroup): Promise<void> {
  for (const [index, bytes] of group.segments.entries()) {
    await world.run(at.node.groups.put({ group: group.key, encoded: group.encoded, index, bytes, role: 'own' }));
  }
  await world.run(at.node.announce(group.key));
}

async function codeOf(world: World, promise: Promise<unknown>): Promise<string | null> {
  try {
    await world.run(promise);
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

async function keepers(world: World, group: Key): Promise<SimNode[]> {
  const kept = await Promise.all(world.nodes.map(async ({ node }) => (await node.groups.get(group))?.complete ?? false));
  return world.nodes.filter((_, i) => kept[i]);
}

describe('a network', () => {
  test('[K6] [S1] a value that one stores is found by all, also when its writer and the open node have gone', async () => {
    const world = await network(1, 12);
    const bytes = fromUtf8('a value');
    const key = hashKey(world.crypto, bytes);
    expect(await world.run(tab(world, 3).node.overlay.store(key, { type: 'value', bytes }))).toBeGreaterThanOrEqual(10);
    tab(world, 3).crash();
    world.nodes[0]?.crash();
    await world.scheduler.advance(30_000);
    expect(await world.run(tab(world, 9).node.overlay.findValue(key))).toEqual(bytes);
    expect(await world.run(tab(world, 9).node.overlay.findValue(hashKey(world.crypto, fromUtf8('no value'))))).toBeNull();
  });

  test('[K4] a STORE without a token of ours is refused', async () => {
    const world = await network(2, 4);
    const [a] = world.crowd as [SimNode];
    const link = a.node.links().find((one) => one.contact.open === null);
    if (!link) throw new Error('no link between tabs');
    const bytes = fromUtf8('a value');
    const key = hashKey(world.crypto, bytes);
    const item = { type: 'value', bytes } as const;
    const rest = { item, replicas: 1, life: 60_000 };
    expect(await codeOf(world, link.call('STORE', { key, token: new Uint8Array(8), ...rest }))).toBe('refused');
    const { token } = await world.run(link.call('FIND_NODE', { target: key }));
    expect(await codeOf(world, link.call('STORE', { key, token, ...rest }))).toBeNull();
    expect(await codeOf(world, link.call('STORE', { key: a.node.contact.id, token, ...rest }))).toBe('invalid');
  });

  test('[K2] a FIND_NODE reply names linked nodes, nearest first, without the asker', async () => {
    const world = await network(3, 10);
    const [a, b] = world.crowd as [SimNode, SimNode];
    const target = tab(world, 5).node.contact.id;
    const { contacts, open } = await world.run(a.node.overlay.call({ contact: b.node.contact, namedBy: null }, 'FIND_NODE', { target }));
    const ids = contacts.map(({ publicKey }) => hashKey(world.crypto, publicKey));
    expect(ids).toEqual([...ids].sort((x, y) => compareDistance(target, x, y)));
    expect(ids).not.toContain(a.node.contact.id);
    expect(ids.every((id) => b.node.links().some((link) => link.id === id))).toBe(true);
    expect(open).toEqual([OPEN]);
  });

  test('[L4] inside a RELAY, RELAY is invalid and what needs a link is refused', async () => {
    const world = await network(4, 4);
    const [a, b] = world.crowd as [SimNode, SimNode];
    const link = world.nodes[0]?.node.peers.get(a.node.contact.id);
    if (!link) throw new Error('no link');
    const call = (method: number, body: Bytes) =>
      link.call('RELAY', { to: b.node.contact.id, via: null, hops: 3, from: b.node.contact, method, body });
    expect(await codeOf(world, call(6, new Uint8Array(3)))).toBe('invalid');
    expect(await codeOf(world, call(200, new Uint8Array(0)))).toBe('invalid');
    const { key: group, encoded: descriptor } = makeGroup(1, [10]);
    for (const [method, body] of [
      [CALLS.FETCH.method, encode(CALLS.FETCH.request, { group, segment: 0, offset: 0, window: 1, urgency: 0 })],
      [CALLS.OFFER.method, encode(CALLS.OFFER.request, { group, descriptor })],
      [CALLS.KEPT.method, encode(CALLS.KEPT.request, { group, kept: true, reason: '' })],
    ] as const) {
      expect(await codeOf(world, call(method, body))).toBe('refused');
    }
    expect(await codeOf(world, call(CALLS.PING.method, encode(CALLS.PING.request, {})))).toBeNull();
  });

  test('[S7] [S13] [S8] entries are found by all; forged, expired and far-future ones that a storing node gives are not believed', async () => {
    const world = await network(5, 6);
    const topic = topicKey(world.crypto, 'talk');
    const signer = world.crypto.signer({ bytes: (n) => new Uint8Array(n).fill(5), float: () => 0.5 });
    const now = world.scheduler.clock.now();
    const write = (name: string, time: number) => writeEntry({ signer, topic, name, value: fromUtf8(name), time, expires: time + HOUR });
    const good = await write('good', now);
    await world.run(tab(world, 1).node.overlay.store(topic, { type: 'entry', signed: good.signed }));
    const future = await write('future', now + 48 * HOUR);
    const forged = { body: (await write('forged', now)).signed.body, signature: new Uint8Array(64) };
    // A hostile disk: what it holds was never checked.
    const rows = await tab(world, 2).store.entries('items', 'e/');
    const hostile = encode(list(signedSchema, 9), [future.signed, forged, good.signed]);
    await tab(world, 2).store.write([{ table: 'items', key: rows[0]?.[0] ?? `e/${topic}`, value: hostile }]);
    const found: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { body } of tab(world, 4).node.overlay.findEntries(topic)) found.push(body.name);
    };
    await world.run(read());
    expect(found).toEqual(['good']);
  });

  test('offline, nobody is forgotten for lookups that lead nowhere', async () => {
    const world = await network(7, 8);
    const [a] = world.crowd as [SimNode];
    const before = a.node.stats().contacts;
    for (const one of world.nodes) if (one !== a) one.host.crash();
    for (const link of [...a.node.links()]) link.close('offline');
    for (let i = 0; i < 4; i++) await world.run(a.node.overlay.nearest(tab(world, 4).node.contact.id));
    expect(a.node.stats().contacts).toBe(before);
  });
});

describe('groups', () => {
  test('[M7] are copied to r disks, found and played by a newcomer when the publisher has gone', async () => {
    const world = await network(11, 12);
    const publisher = tab(world, 0);
    const group = makeGroup(1, [200_000, 150_000]);
    await publish(world, publisher, group);
    expect(await world.run(publisher.node.copies.spread(group.key, { wanted: 5, signal: patient }))).toBe(5);
    expect((await keepers(world, group.key)).length).toBe(6);
    expect(publisher.node.stats().served).toBe(5 * 350_000);
    publisher.crash();
    const viewer = world.add();
    await world.scheduler.advance(30_000);
    for (const segment of [0, 1]) {
      const bytes = await world.run(viewer.node.segments.get({ group: group.key, segment, urgency: 0 }, patient));
      expect(bytes).toEqual(group.segments[segment]);
    }
    expect(viewer.node.stats().received).toEqual({ store: 0, tabs: 350_000, openNodes: 0 });
    expect((await viewer.node.groups.get(group.key))?.complete).toBe(true);
  });

  test('[M7] open nodes keep none', async () => {
    const world = await network(12, 1);
    const group = makeGroup(1, [1_000]);
    await publish(world, tab(world, 0), group);
    expect(await world.run(tab(world, 0).node.copies.spread(group.key, { wanted: 5, signal: patient }))).toBe(0);
    expect((await world.nodes[0]?.node.groups.usage())?.groups).toBe(0);
  });

  test('[M6] tabs that share a disk are one copy, and both serve it', async () => {
    const world = createWorld({ seed: 13 });
    worlds.push(world);
    world.add({ open: OPEN });
    const [store, storeId] = [createMemoryStore(1e9), new Uint8Array(16).fill(1)];
    const publisher = world.add();
    const twins = [world.add({ store, storeId }), world.add({ store, storeId })] as const;
    await world.scheduler.advance(20_000);
    const group = makeGroup(1, [1_000]);
    await publish(world, publisher, group);
    expect(await world.run(publisher.node.copies.spread(group.key, { wanted: 5, signal: patient }))).toBe(1);
    expect(await world.run(twins[0].node.groups.segment(group.key, 0))).toEqual(group.segments[0]);
    expect(await world.run(twins[1].node.groups.segment(group.key, 0))).toEqual(group.segments[0]);
    expect((await twins[1].node.groups.usage()).bytes).toBe(1_000);
  });

  test('[M2] a holder whose disk changed the bytes is dropped, and another one serves', async () => {
    const world = await network(14, 6);
    const publisher = tab(world, 0);
    const group = makeGroup(1, [5_000]);
    await publish(world, publisher, group);
    await world.run(publisher.node.copies.spread(group.key, { wanted: 2, signal: patient }));
    for (const one of await keepers(world, group.key)) {
      if (one !== publisher) await one.store.write([{ table: 'segments', key: `${group.key}/00`, value: new Uint8Array(5_000) }]);
    }
    const viewer = world.add();
    await world.scheduler.advance(20_000);
    const bytes = await world.run(viewer.node.segments.get({ group: group.key, segment: 0, urgency: 0 }, patient));
    expect(bytes).toEqual(group.segments[0]);
    expect((await viewer.node.groups.segment(group.key, 0)) ?? null).toEqual(group.segments[0]);
    expect(viewer.node.stats().corruptHolders).toBeLessThanOrEqual(2);
  });

  test('a full quota refuses offers, and the publisher goes to the next', async () => {
    const world = createWorld({ seed: 15 });
    worlds.push(world);
    world.add({ open: OPEN });
    const publisher = world.add();
    const small = Array.from({ length: 4 }, () => world.add({ quota: 500 }));
    const large = world.add();
    await world.scheduler.advance(20_000);
    const group = makeGroup(1, [1_000]);
    await publish(world, publisher, group);
    expect(await world.run(publisher.node.copies.spread(group.key, { wanted: 5, signal: patient }))).toBe(1);
    expect((await large.node.groups.get(group.key))?.complete).toBe(true);
    for (const one of small) expect((await one.node.groups.usage()).bytes).toBe(0);
  });
});

describe('upkeep', () => {
  test('[S12] what its first keepers lose is stored again on those who came since', async () => {
    const world = await network(21, 25, { k: 4 });
    const bytes = fromUtf8('for long');
    const key = hashKey(world.crypto, bytes);
    await world.run(tab(world, 0).node.overlay.store(key, { type: 'value', bytes }));
    const holding = async (): Promise<SimNode[]> => {
      const rows = await Promise.all(world.crowd.map((one) => one.store.get('items', `v/${key}`).catch(() => null)));
      return world.crowd.filter((_, i) => rows[i]);
    };
    const first = await holding();
    for (const one of first.slice(1)) one.crash();
    await world.scheduler.advance(2.6 * HOUR);
    const now = await holding();
    expect(now.filter((one) => !first.includes(one)).length).toBeGreaterThanOrEqual(2);
    const reader = world.crowd.find((one) => !first.includes(one) && !now.includes(one)) as SimNode;
    expect(await world.run(reader.node.overlay.findValue(key))).toEqual(bytes);
  });

  test('a newcomer that is nearer is given what belongs to it', async () => {
    const world = await network(22, 10);
    const keys: Key[] = [];
    for (let i = 0; i < 10; i++) {
      const bytes = fromUtf8(`value ${i}`);
      keys.push(hashKey(world.crypto, bytes));
      await world.run(tab(world, i).node.overlay.store(keys[i] as Key, { type: 'value', bytes }));
    }
    const newcomer = world.add();
    await world.scheduler.advance(60_000);
    const has = await Promise.all(keys.map((key) => newcomer.store.get('items', `v/${key}`)));
    expect(has.filter(Boolean).length).toBe(10); // fewer than k nodes: all of it belongs to everybody
  });

  test('[M5] holders renew their word, and a copy that is lost is made again', async () => {
    const world = await network(23, 12);
    const publisher = tab(world, 0);
    const group = makeGroup(1, [2_000]);
    await publish(world, publisher, group);
    await world.run(publisher.node.copies.spread(group.key, { wanted: 5, signal: patient }));
    const lost = (await keepers(world, group.key)).filter((one) => one !== publisher).slice(0, 3);
    for (const one of lost) one.crash();
    await world.scheduler.advance(4 * HOUR);
    const alive = (await keepers(world, group.key)).filter((one) => !lost.includes(one));
    expect(alive.length).toBeGreaterThanOrEqual(6);
    const viewer = tab(world, -1);
    const holders = await world.run(viewer.node.segments.locate(group.key, patient));
    expect(holders.length).toBeGreaterThanOrEqual(4);
    expect(holders.every(({ expires }) => expires > world.scheduler.clock.now())).toBe(true);
  }, 60_000);
});

describe('closing', () => {
  test('[A3] says goodbye, ends every call, and leaves nothing running', async () => {
    const world = await network(31, 5);
    const [a, b] = world.crowd as [SimNode, SimNode];
    const pending = [
      a.node.overlay.findValue(b.node.contact.id),
      a.node.segments.get({ group: b.node.contact.id, segment: 0, urgency: 0 }, patient),
    ];
    for (const one of pending) one.catch(() => undefined);
    await world.scheduler.advance(5);
    a.node.close();
    a.node.close();
    expect(a.node.links()).toEqual([]);
    for (const one of pending) {
      const outcome = await world.run(
        one.then(
          () => null,
          (error: unknown) => error,
        ),
      );
      expect(outcome === null || hasCode(outcome, 'closed') || hasCode(outcome, 'not-found') || hasCode(outcome, 'unreachable')).toBe(true);
    }
    await world.scheduler.advance(500);
    expect(b.node.links().some((link) => link.id === a.node.contact.id)).toBe(false);
    for (const one of world.nodes) one.node.close();
    await world.scheduler.advance(2 * HOUR);
    expect(world.scheduler.pending).toBe(0);
  });

  test('listeners hear of each change of the links until they leave', async () => {
    const world = await network(32, 3);
    const { node } = tab(world, 0);
    let heard = 0;
    const leave = node.onLinks(() => heard++);
    node.links()[0]?.close('test');
    expect(heard).toBe(1);
    leave();
    leave();
    node.links()[0]?.close('test');
    expect(heard).toBe(1);
  });
});
