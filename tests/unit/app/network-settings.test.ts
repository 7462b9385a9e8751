/** A person's settings of the network: kept, checked, and in use at once. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { NetworkSettings } from '../../../src/app/api.ts';
import { createIceServers } from '../../../src/app/ice-servers.ts';
import { createNetwork } from '../../../src/app/network.ts';
import { type NetworkKeeper, openNetworkSettings } from '../../../src/app/network-settings.ts';
import { EMPTY } from '../../../src/base/bytes.ts';
import type { Store } from '../../../src/base/ports.ts';
import type { Link } from '../../../src/node/link.ts';
import { createBench } from '../node/support/bench.ts';
import { fakeLink } from '../node/support/fake-link.ts';
import { createMemorySiblings } from './memory-siblings.ts';

const disk = (bytes = 1e6): Store => createMemoryStore(bytes);
const open = (store: Store = disk(), siblings = createMemorySiblings().tab()): Promise<NetworkKeeper> =>
  openNetworkSettings({ store, siblings, secure: false });
const TURN = { urls: 'turn:example.org:3478?transport=tcp', username: 'me', credential: 'word' };
const SETTINGS: NetworkSettings = { openNodes: ['wss://example.org/ws'], iceServers: [{ urls: 'stun:example.org' }, TURN] };
const NONE: NetworkSettings = { openNodes: [], iceServers: [] };

describe('network settings', () => {
  test('are none at first, and there again at the next start', async () => {
    const store = disk();
    const keeper = await open(store);
    expect(keeper.current).toEqual(NONE);
    await keeper.change({ ...SETTINGS, openNodes: ['example.org'] });
    expect(keeper.current).toEqual(SETTINGS);
    expect((await open(store)).current).toEqual(SETTINGS);
    await keeper.change(NONE);
    expect((await open(store)).current).toEqual(NONE);
  });

  test('that can not be read are as if there were none', async () => {
    const store = disk();
    await (await open(store)).change(SETTINGS);
    const [row] = (await store.entries('meta')) as [readonly [string, Uint8Array<ArrayBuffer>]];
    await store.write([{ table: 'meta', key: row[0], value: row[1].subarray(1) }]);
    expect((await open(store)).current).toEqual(NONE);
    const closed = disk();
    closed.close();
    expect((await open(closed)).current).toEqual(NONE);
  });

  test.each<[string, unknown, RegExp]>([
    ['a wrong address', { ...NONE, openNodes: ['example.org', 'no address'] }, /“no address” is not the address of an open node/],
    ['one twice', { ...NONE, openNodes: ['example.org', 'https://example.org/'] }, /wss:\/\/example\.org\/ws is in the list already/],
    ['one server twice', { ...NONE, iceServers: [TURN, { ...TURN, username: 'you' }] }, /is in the list already/],
    ['too many open nodes', { ...NONE, openNodes: Array.from({ length: 9 }, (_, i) => `a${i}.example`) }, /At most 8 open nodes/],
    ['too many servers', { ...NONE, iceServers: Array.from({ length: 5 }, (_, i) => ({ urls: `stun:a${i}.example` })) }, /At most 4 STUN/],
    ['no lists', {}, /^Network settings are/],
    ['texts that are none', { openNodes: [3], iceServers: [] }, /^Network settings are/],
    ['servers that are none', { openNodes: [], iceServers: [null] }, /^Network settings are/],
    ['a password that is none', { openNodes: [], iceServers: [{ ...TURN, credential: 1 }] }, /^Network settings are/],
  ])('with %s are refused, and nothing changes', async (_, settings, message) => {
    const store = disk();
    const keeper = await open(store);
    await keeper.change(SETTINGS);
    await expect(keeper.change(settings as NetworkSettings)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
    expect(keeper.current).toEqual(SETTINGS);
    expect((await open(store)).current).toEqual(SETTINGS);
  });

  test('that the disk does not take are not used either', async () => {
    const keeper = await open(disk(100));
    await expect(keeper.change(SETTINGS)).rejects.toMatchObject({ code: 'quota' });
    expect(keeper.current).toEqual(NONE);
  });

  test('that one tab changes are in use in the others, which hear of each change once', async () => {
    const [browser, store] = [createMemorySiblings(), disk()];
    const tabs = [await open(store, browser.tab()), await open(store, browser.tab()), await open(store, browser.tab())] as const;
    const heard: (readonly [NetworkSettings, NetworkSettings])[] = [];
    tabs[1].onChange((now, before) => void heard.push([now, before]));
    await tabs[0].change(SETTINGS);
    await expect.poll(() => [tabs[1].current, tabs[2].current]).toEqual([SETTINGS, SETTINGS]);
    await tabs[2].change(NONE);
    await expect.poll(() => [tabs[0].current, tabs[1].current]).toEqual([NONE, NONE]);
    expect(heard).toEqual([
      [SETTINGS, NONE],
      [NONE, SETTINGS],
    ]);
  });

  test('the longest of all fit', async () => {
    const long = `${'a'.repeat(60)}.`.repeat(4);
    const keeper = await open();
    await keeper.change({
      openNodes: Array.from({ length: 8 }, (_, i) => `https://${long}example${i}/${'p'.repeat(20)}`),
      iceServers: Array.from({ length: 4 }, (_, i) => ({
        urls: `turn:${long}${i}a`,
        username: '✓'.repeat(256),
        credential: '✓'.repeat(256),
      })),
    });
    expect(keeper.current.openNodes).toHaveLength(8);
  });
});

describe('the network of a tab', () => {
  const setup = async (before: NetworkSettings = NONE) => {
    const bench = createBench();
    const links: Link[] = [];
    const calls: string[] = [];
    const keeper = await open();
    await keeper.change(before);
    const network = createNetwork({
      node: {
        contact: { ...bench.someone().contact, nat: 'mapped' },
        links: () => links,
        openNodes: {
          add: (url) => void calls.push(`add ${url}`),
          remove: (url) => void calls.push(`remove ${url}`),
          reaches: (url) => links.some((link) => link.contact.open === url),
        },
      },
      network: keeper,
      iceServers: createIceServers({ network: keeper, links: () => links }),
      connections: () => 7,
    });
    const link = (open?: string): void => void links.push(fakeLink({ contact: bench.someone(open).contact, storeId: EMPTY }));
    return { network, calls, link };
  };

  test('has the open nodes of the settings from the start, and then what is changed', async () => {
    const { network, calls } = await setup({ ...NONE, openNodes: ['a.example', 'b.example'] });
    await network.api.change({ ...NONE, openNodes: ['b.example', 'c.example'] });
    expect(calls).toEqual(['add wss://a.example/ws', 'add wss://b.example/ws', 'remove wss://a.example/ws', 'add wss://c.example/ws']);
    expect(network.api.settings().openNodes).toEqual(['wss://b.example/ws', 'wss://c.example/ws']);
  });

  test('is shown with what is linked, what should be, and no password', async () => {
    const { network, link } = await setup({ openNodes: ['a.example', 'b.example'], iceServers: [TURN] });
    for (const open of ['wss://b.example/ws', 'wss://met.example/ws', undefined, undefined]) link(open);
    const view = network.view();
    expect(view).toEqual({
      tabs: 2,
      openNodes: [
        { url: 'wss://a.example/ws', linked: false, added: true },
        { url: 'wss://b.example/ws', linked: true, added: true },
        { url: 'wss://met.example/ws', linked: true, added: false },
      ],
      iceServers: [{ urls: TURN.urls, username: 'me' }],
      stunFound: [],
      nat: 'mapped',
      connections: 7,
    });
    expect(JSON.stringify(view)).not.toContain(TURN.credential);
  });
});
