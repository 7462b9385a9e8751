/** From an id to a catalogue and to segments: what is fetched when, and what hostile descriptions come to. */
import { afterEach, describe, expect, test } from 'vitest';
import { videoRecordSchema } from '../../../src/app/library.ts';
import { createWatcher, type WatcherOptions } from '../../../src/app/watch.ts';
import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey, type Key } from '../../../src/kademlia/key.ts';
import { type Manifest, manifestSchema, pageSchema } from '../../../src/media/manifest.ts';
import { recordKey, writeRecord } from '../../../src/records/record.ts';
import { deviceOf } from '../../../src/records/vector-clock.ts';
import { type AppWorld, createAppWorld, type Tab } from './app-world.ts';
import { fakeFile } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
let world: AppWorld;

afterEach(() => world.close());

/** An open node and so many tabs, all joined. */
async function tabs(count: number): Promise<Tab[]> {
  world.openNode();
  const all = Array.from({ length: count }, () => world.tab());
  await world.pass(5_000);
  return all;
}

/** Stores a record of the tab's with this value; gives the id of the "video". */
async function pointTo(tab: Tab, value: Bytes): Promise<Key> {
  const [now, name] = [world.scheduler.clock.now(), 'video/1'];
  const device = deviceOf(new Uint8Array(8));
  const record = await writeRecord({ signer: tab.account, device, name, value, now, previous: null });
  const videoId = recordKey(world.crypto, tab.account.publicKey, name);
  await world.run(tab.node.overlay.store(videoId, { type: 'record', signed: record.signed }));
  return videoId;
}

async function storeValue(tab: Tab, bytes: Bytes): Promise<Key> {
  const key = hashKey(world.crypto, bytes);
  await world.run(tab.node.overlay.store(key, { type: 'value', bytes }));
  return key;
}

const pointer = (manifest: Key): Bytes => encode(videoRecordSchema, { manifest });

/** A manifest of the tab's own, made after an honest one. */
async function forge(tab: Tab, change: (honest: Manifest) => Manifest): Promise<Key> {
  const { videoId } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
  const honest = await world.run(tab.app.manifest(videoId));
  return pointTo(tab, pointer(await storeValue(tab, encode(manifestSchema, change(honest)))));
}

describe('a description that is not right', () => {
  test('of a manifest that belongs to somebody else is corrupt', async () => {
    world = createAppWorld(40);
    const [publisher, thief, viewer] = (await tabs(3)) as [Tab, Tab, Tab];
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    const stolen = encode(manifestSchema, await world.run(thief.app.manifest(videoId)));
    const id = await pointTo(thief, pointer(hashKey(world.crypto, stolen)));
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('that points to a value which nobody has is not found, within half a minute', async () => {
    world = createAppWorld(41);
    const [liar, viewer] = (await tabs(2)) as [Tab, Tab];
    const id = await pointTo(liar, pointer(hashKey(world.crypto, fromUtf8('nowhere'))));
    const before = world.scheduler.clock.now();
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code: 'not-found' });
    expect(world.scheduler.clock.now() - before).toBeLessThan(26_000);
  });

  test.each([
    ['nonsense', 'not-found', (_: Tab) => Promise.resolve(fromUtf8('nonsense'))],
    ['a value that is no manifest', 'corrupt', async (tab: Tab) => pointer(await storeValue(tab, fromUtf8('nonsense')))],
  ] as const)('that points to %s is %s', async (_, code, value) => {
    world = createAppWorld(42);
    const [liar, viewer] = (await tabs(2)) as [Tab, Tab];
    const id = await pointTo(liar, await value(liar));
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code });
  });

  test('whose list on a page does not last as long as it says is corrupt', async () => {
    world = createAppWorld(43);
    const [liar, viewer] = (await tabs(2)) as [Tab, Tab];
    const page = await storeValue(liar, encode(pageSchema, [{ key: hashKey(world.crypto, fromUtf8('a group')), durations: [1] }]));
    const id = await forge(liar, (honest) => ({
      ...honest,
      renditions: honest.renditions.map((rendition) => ({ ...rendition, groups: { type: 'pages', pages: [page] } })),
    }));
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('with pages without end is refused before they are looked up', async () => {
    world = createAppWorld(44);
    const [liar, viewer] = (await tabs(2)) as [Tab, Tab];
    const id = await forge(liar, (honest) => {
      const [video] = honest.renditions;
      if (!video) throw new Error('no picture');
      const renditions = Array.from({ length: 8 }, (_, n) => {
        const pages = Array.from({ length: 50 }, (__, m) => hashKey(world.crypto, fromUtf8(`${n}/${m}`)));
        return { ...video, groups: { type: 'pages' as const, pages } };
      });
      return { ...honest, renditions };
    });
    const before = world.network.messages;
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code: 'corrupt' });
    expect(world.network.messages - before).toBeLessThan(100);
  });

  test('with more segments than its groups have: the rest plays, those reject', async () => {
    world = createAppWorld(45);
    const [liar, viewer] = (await tabs(2)) as [Tab, Tab];
    const id = await forge(liar, (honest) => ({
      ...honest,
      duration: honest.duration + 4_000,
      renditions: honest.renditions.map((rendition) =>
        rendition.groups.type === 'inline'
          ? {
              ...rendition,
              groups: {
                type: 'inline',
                groups: rendition.groups.groups.map((group, n) => (n === 1 ? { ...group, durations: [...group.durations, 4_000] } : group)),
              },
            }
          : rendition,
      ),
    }));
    const session = await world.run(viewer.app.watch(id, SIGNAL));
    const groups = session.manifest.renditions[0]?.groups;
    const last = groups?.type === 'inline' ? groups.groups[1] : undefined;
    if (!last) throw new Error('no second group');
    expect((await world.run(viewer.app.segment(last.key, 0, SIGNAL))).length).toBe(2_000);
    await expect(world.run(viewer.app.segment(last.key, last.durations.length - 1, SIGNAL))).rejects.toMatchObject({
      name: 'KadreelError',
    });
    session.close();
  });
});

describe('a later version of a video', () => {
  test('is asked for after 30 s, then twice as long each time that there is none; and one that came is there for who asks next', async () => {
    world = createAppWorld(47);
    const [publisher, viewer] = (await tabs(2)) as [Tab, Tab];
    const id = await forge(publisher, (honest) => honest);
    let asked = 0;
    const overlay: typeof viewer.node.overlay = {
      ...viewer.node.overlay,
      findRecord(...args) {
        asked++;
        return viewer.node.overlay.findRecord(...args);
      },
    };
    const node = { ...viewer.node, overlay };
    const watcher = createWatcher({
      clock: world.scheduler.clock,
      crypto: world.crypto,
      node,
      library: { get: async () => null, withdrawn: async () => null },
    });
    const look = async (): Promise<string> => (await world.run(watcher.catalogue(id, SIGNAL))).manifest.title;
    const times: number[] = [];
    for (let second = 0; second < 1_200; second++) {
      const before = asked;
      expect(await look()).toBe('Sea');
      if (asked > before) times.push(second);
      await world.pass(1_000);
    }
    expect(times).toHaveLength(6);
    for (const [index, at] of [0, 30, 90, 210, 450, 930].entries()) expect(Math.abs((times[index] as number) - at)).toBeLessThan(5);

    await forge(publisher, (honest) => ({ ...honest, title: 'Sea, again' }));
    await world.pass(480_000);
    expect(await look()).toBe('Sea');
    await world.pass(5_000);
    expect(await look()).toBe('Sea, again');
  });
});

describe('a video that is not found', () => {
  test('is looked for anew the next time', async () => {
    world = createAppWorld(46);
    const [publisher, viewer] = (await tabs(2)) as [Tab, Tab];
    const name = 'video/1';
    const id = recordKey(world.crypto, publisher.account.publicKey, name);
    await expect(world.run(viewer.app.manifest(id))).rejects.toMatchObject({ code: 'not-found' });
    expect(await forge(publisher, (honest) => honest)).toBe(id);
    expect((await world.run(viewer.app.manifest(id))).title).toBe('Sea');
  });

  test('is not found without any network, in the end', async () => {
    world = createAppWorld(47);
    const alone = world.tab();
    await expect(world.run(alone.app.watch(hashKey(world.crypto, fromUtf8('x')), SIGNAL))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('two who want the same video', () => {
  test('share one search, which goes on when the first has gone', async () => {
    world = createAppWorld(48);
    const [publisher, viewer] = (await tabs(2)) as [Tab, Tab];
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    const abort = new AbortController();
    const first = viewer.app.watch(videoId, abort.signal);
    const second = viewer.app.watch(videoId, SIGNAL);
    abort.abort();
    await expect(world.run(first)).rejects.toMatchObject({ code: 'aborted' });
    expect((await world.run(second)).manifest.title).toBe('Sea');
  });
});

describe('a page that can’t play', () => {
  test('says why, and fetches nothing ahead', async () => {
    world = createAppWorld(49);
    const [publisher] = (await tabs(1)) as [Tab];
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    const playable = Promise.reject(fail('missing-feature', 'no service worker'));
    playable.catch(() => undefined);
    const viewer = world.tab({ playable, keeps: false });
    await expect(world.run(viewer.app.watch(videoId, SIGNAL))).rejects.toMatchObject({ code: 'missing-feature' });
    const { renditions } = await world.run(viewer.app.manifest(videoId));
    await world.pass(5_000);
    const [groups] = renditions.map((rendition) => (rendition.groups.type === 'inline' ? rendition.groups.groups : []));
    await world.run(viewer.app.segment(groups?.[0]?.key as Key, 0, SIGNAL));
    await world.pass(5_000);
    const { bytes } = await viewer.node.groups.usage();
    expect(bytes).toBeLessThanOrEqual(2 * 2_000); // what was begun for the start, of either rendition
  });
});

describe('fetching ahead', () => {
  interface Asked {
    readonly what: 'get' | 'prefetch' | 'read';
    readonly group: Key;
    readonly segment: number;
    readonly urgency: number | null;
    readonly signal: AbortSignal | null;
  }

  /** A watcher whose segments are only asked for, with a video of its own of twelve segments in two groups a rendition. */
  async function bench() {
    world = createAppWorld(50);
    const tab = world.tab();
    const { videoId } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    const row = (await tab.store.entries('library'))[0];
    if (!row) throw new Error('nothing published');
    const manifest = await world.run(tab.app.manifest(videoId));
    const asked: Asked[] = [];
    const received = { store: 0, tabs: 0, openNodes: 0 };
    const library: WatcherOptions['library'] = {
      ...({} as WatcherOptions['library']),
      withdrawn: async () => null,
      get: async () => null,
    };
    const node: WatcherOptions['node'] = {
      overlay: tab.node.overlay,
      links: tab.node.links,
      onLinks: tab.node.onLinks,
      segments: {
        ...tab.node.segments,
        received,
        async get({ group, segment, urgency }, signal) {
          asked.push({ what: 'get', group, segment, urgency, signal });
          return new Uint8Array(1);
        },
        async prefetch({ group, segment, urgency }, signal) {
          asked.push({ what: 'prefetch', group, segment, urgency, signal });
          throw fail('not-found', 'nobody has it');
        },
        readElsewhere({ group, segment }) {
          asked.push({ what: 'read', group, segment, urgency: null, signal: null });
        },
      },
    };
    const watcher = createWatcher({ clock: world.scheduler.clock, crypto: world.crypto, node, library });
    const lists = manifest.renditions.map(({ groups }) => (groups.type === 'inline' ? groups.groups.map(({ key }) => key) : []));
    const [video = [], audio = []] = lists;
    const session = await world.run(watcher.watch(videoId, SIGNAL));
    const take = () => asked.splice(0).map(({ what, group, segment, urgency }) => [what, group, segment, urgency]);
    return { watcher, session, video, audio, asked, take, received };
  }

  test('starts with the first segment of each kind', async () => {
    const { take, video, audio, session } = await bench();
    expect(take()).toEqual([
      ['prefetch', video[0], 0, 0],
      ['prefetch', audio[0], 0, 0],
    ]);
    session.close();
  });

  test('goes on over the end of a group, the farther the later, and never before what is needed now', async () => {
    const { take, watcher, video } = await bench();
    take();
    await watcher.segment(video[0] as Key, 8, SIGNAL);
    expect(take()).toEqual([
      ['get', video[0], 8, 0],
      ['prefetch', video[0], 9, 10],
      ['prefetch', video[1], 0, 20],
      ['prefetch', video[1], 1, 30],
    ]);
    watcher.read({ group: video[1] as Key, index: 0, bytes: 1 });
    expect(take()).toEqual([
      ['read', video[1], 0, null],
      ['prefetch', video[1], 1, 10],
    ]);
    await watcher.segment(video[1] as Key, 1, SIGNAL);
    expect(take()).toEqual([['get', video[1], 1, 0]]);
  });

  test('ends when the video is left, what is under way included; closing twice is once', async () => {
    const { asked, session, watcher, video } = await bench();
    session.close();
    session.close();
    expect(asked.every(({ signal }) => signal?.aborted)).toBe(true);
    asked.length = 0;
    await watcher.segment(video[0] as Key, 0, SIGNAL);
    expect(asked.map(({ what }) => what)).toEqual(['get']);
  });

  test('sources are counted from when the video was opened', async () => {
    const { session, received } = await bench();
    received.tabs += 70;
    received.store += 30;
    expect(session.sources()).toEqual({ store: 30, tabs: 70, openNodes: 0 });
  });
});

describe('bytes by source', () => {
  test('count each segment once: fetched ahead, asked for, and read again from the disk', async () => {
    world = createAppWorld(51);
    const [publisher] = (await tabs(1)) as [Tab];
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    const viewer = world.tab({ keeps: false });
    await world.pass(5_000);
    const session = await world.run(viewer.app.watch(videoId, SIGNAL));
    const groups = session.manifest.renditions.flatMap((rendition) => (rendition.groups.type === 'inline' ? rendition.groups.groups : []));
    for (let round = 0; round < 2; round++) {
      for (const { key, durations } of groups) {
        for (let index = 0; index < durations.length; index++) {
          const { length } = await world.run(viewer.app.segment(key, index, SIGNAL));
          viewer.app.read({ group: key, index, bytes: length });
        }
      }
    }
    expect(session.sources()).toEqual({ store: 0, tabs: 24 * 2_000, openNodes: 0 });
    session.close();
    viewer.app.close('reload');
    const again = world.tab({ store: viewer.store, account: viewer.account, keeps: false });
    for (const { key } of groups) await world.run(again.app.segment(key, 0, SIGNAL));
    expect(again.app.node.stats().received).toEqual({ store: 4 * 2_000, tabs: 0, openNodes: 0 });
    expect(publisher.app.node.stats().served).toBe(24 * 2_000);
  });
});
