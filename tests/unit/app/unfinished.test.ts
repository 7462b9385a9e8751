/** What becomes of publications that an earlier page began: what goes on by itself, and what a person is asked. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { Unfinished } from '../../../src/app/api.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import { type AppWorld, createAppWorld, leftOn, type Tab } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';
import { createMemoryFiles, type MemoryFiles } from './memory-files.ts';
import { createMortalStore } from './mortal-store.ts';

const CUT: FakeCut = { height: 360, segments: 12, size: 400 };
const SEGMENTS = 36;

let world: AppWorld;
afterEach(() => world.close());

interface Browser {
  readonly disk: Store;
  readonly files: MemoryFiles;
  tab(options?: { cut?: FakeCut; store?: Store }): Tab;
}

function browser(manner: MemoryFiles['manner']): Browser {
  world = createAppWorld(5);
  world.openNode();
  world.tab();
  const disk = createMemoryStore(1e9);
  const files = createMemoryFiles(manner);
  const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0.5 });
  return { disk, files, tab: ({ cut = CUT, store = disk } = {}) => world.tab({ store, files, account, cut }) };
}

/** A browser whose tab died at this write of a publication. */
async function died(at: number, manner: MemoryFiles['manner'] = 'ready'): Promise<Browser> {
  const place = browser(manner);
  const mortal = createMortalStore(place.disk, { at, done: false });
  const victim = place.tab({ store: mortal.store });
  await world.pass(3_000);
  void victim.app.publish(fakeFile(1), { title: 'Sea' }).catch(() => undefined);
  await world.run(mortal.dead);
  victim.crash();
  return place;
}

/** At writes of the three parts: cutting, making the small picture, storing copies. */
const CUTTING = 12;
const MAKING = 45;

const seen = (tab: Tab): readonly Unfinished[] => {
  let last: readonly Unfinished[] = [];
  tab.app.onUnfinished((unfinished) => {
    last = unfinished;
  })();
  return last;
};
const only = (tab: Tab): Unfinished => {
  const [one, ...others] = seen(tab);
  expect(others).toEqual([]);
  return one as Unfinished;
};
const notesOn = async (store: Store): Promise<readonly string[]> => [
  ...(await store.keys('meta', 'journal/')),
  ...(await store.keys('segments', 'open/')),
];

describe('the file', () => {
  test('is asked for when the browser kept nothing; the right one goes on, another is refused', async () => {
    const { disk, tab } = await died(CUTTING, 'forgets');
    const next = tab();
    await world.pass(5_000);
    const { id, fraction } = only(next);
    expect(only(next)).toMatchObject({ title: 'Sea', fileName: 'holiday.mp4', phase: 'needs-file', videoId: null, problem: null });
    expect(fraction).toBeGreaterThan(0.1);
    expect(fraction).toBeLessThan(0.6);
    await expect(world.run(next.app.goOn(id, fakeFile(2, 'work.mp4')))).rejects.toMatchObject({ code: 'invalid' });
    expect(only(next)).toMatchObject({
      phase: 'needs-file',
      problem: expect.stringMatching(/“work.mp4” is another file than “holiday.mp4”/),
    });
    await expect(world.run(next.app.goOn(id, fakeFile(2)))).rejects.toMatchObject({ code: 'invalid' });
    expect(only(next).problem).toMatch(/has changed since/);
    await world.run(next.app.goOn(id, fakeFile(1)));
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
    expect(await notesOn(disk)).toEqual([]);
    expect((await next.app.mine()).map(({ title }) => title)).toEqual(['Sea']);
    expect(next.transcoder.made).toBeLessThan(SEGMENTS);
  });

  test('needs a press where the browser asks for leave; no is no, until the next press', async () => {
    const { files, tab } = await died(CUTTING, 'asks');
    const next = tab();
    await world.pass(5_000);
    const { id, phase } = only(next);
    expect(phase).toBe('asks');
    files.answer = 'no';
    await expect(world.run(next.app.goOn(id))).rejects.toMatchObject({ code: 'refused' });
    expect(only(next)).toMatchObject({ phase: 'asks', problem: expect.stringContaining('may not read') });
    files.answer = 'yes';
    await world.run(next.app.goOn(id));
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
  });

  test('that is gone, or has changed, says so, and can be chosen again', async () => {
    const { files, tab } = await died(CUTTING);
    for (const name of files.kept.keys()) files.kept.set(name, fakeFile(9));
    const next = tab();
    await world.pass(5_000);
    expect(only(next)).toMatchObject({ phase: 'needs-file', problem: expect.stringContaining('has changed') });
    files.kept.clear();
    await expect(world.run(next.app.goOn(only(next).id))).rejects.toMatchObject({ code: 'not-found' });
    expect(only(next)).toMatchObject({ phase: 'needs-file', problem: expect.stringContaining('gone') });
    await world.run(next.app.goOn(only(next).id, fakeFile(1)));
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
  });

  test('is not needed for announcing and copies: they go on at once, while what is to be made waits', async () => {
    const { disk, tab } = await died(MAKING, 'forgets');
    const next = tab();
    await world.pass(60_000);
    const { phase, videoId, fraction } = only(next);
    expect(phase).toBe('needs-file');
    expect(fraction).toBeGreaterThan(0.6);
    const notes = await disk.keys('meta', 'journal/');
    expect(notes.filter((key) => key.includes('/copies/'))).toHaveLength(4);
    const viewer = world.tab({ keeps: false });
    await world.pass(5_000);
    expect((await world.run(viewer.app.manifest(videoId as NonNullable<typeof videoId>))).renditions).toHaveLength(2);
    expect(next.transcoder.made).toBe(0);
  });
});

describe('what can’t be gone on with', () => {
  test.each([
    ['an initialisation segment that came out another', { ...CUT, init: new Uint8Array(20) }],
    ['a transcoder that begins afresh', { ...CUT, resumes: false }],
  ])('%s: that rendition is made anew, and nothing is mixed', async (_, cut) => {
    const { disk, tab } = await died(CUTTING);
    const next = tab({ cut });
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
    expect(next.transcoder.made).toBe(SEGMENTS);
    const [mine] = await next.app.mine();
    const manifest = await world.run(next.app.manifest((mine as NonNullable<typeof mine>).videoId));
    expect(manifest.renditions).toHaveLength(3);
    const init = 'init' in cut ? cut.init : null;
    for (const rendition of manifest.renditions) if (init) expect(rendition.init).toEqual(init);
    expect(await notesOn(disk)).toEqual([]);
    // Each group there is belongs to the video: four of the first cut, two of the quality.
    expect(await disk.keys('groups')).toHaveLength(6);
  });

  test('a group that was removed meanwhile: it is made again, with all behind it', async () => {
    const { disk, tab } = await died(29);
    const groups = await disk.keys('groups');
    expect(groups.length).toBeGreaterThan(0);
    await disk.write([{ table: 'groups', key: groups[0] as string, value: null }]);
    const next = tab();
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
    expect(await disk.keys('groups')).toHaveLength(6);
    expect(await notesOn(disk)).toEqual([]);
  });

  test.each([
    [
      'its first row is damaged',
      async (disk: Store, facts: string) => disk.write([{ table: 'meta', key: facts, value: new Uint8Array([1, 2]) }]),
    ],
    ['its first row is gone', async (disk: Store, facts: string) => disk.write([{ table: 'meta', key: facts, value: null }])],
    [
      'a row is of a kind that is not known',
      async (disk: Store, facts: string) => disk.write([{ table: 'meta', key: `${facts}/sprite/1`, value: new Uint8Array(1) }]),
    ],
    [
      'it has another form',
      async (disk: Store, facts: string) => {
        const row = (await disk.get('meta', facts)) as Uint8Array<ArrayBuffer>;
        row[1] = 2;
        await disk.write([{ table: 'meta', key: facts, value: row }]);
      },
    ],
  ])('[W3] one of which %s stays as it is until the person discards it', async (_, harm) => {
    const { disk, tab } = await died(29);
    const [facts = ''] = await disk.keys('meta', 'journal/');
    await harm(disk, facts);
    const before = [await notesOn(disk), await leftOn(disk)];
    const next = tab();
    await world.pass(30_000);
    expect(only(next)).toMatchObject({ phase: 'unreadable', problem: expect.stringContaining('another version') });
    expect([await notesOn(disk), await leftOn(disk)]).toEqual(before);
    await expect(world.run(next.app.goOn(only(next).id))).rejects.toMatchObject({ code: 'unsupported' });
    await world.run(next.app.discard(only(next).id));
    expect(seen(next)).toEqual([]);
    expect([await notesOn(disk), await leftOn(disk)]).toEqual([[], []]);
  });

  test('a full disk stops it with the reason; when there is room again, a press goes on', async () => {
    const { disk, tab } = await died(CUTTING);
    let isFull = true;
    const store: Store = {
      ...disk,
      async write(changes) {
        if (isFull && changes.some(({ key, value }) => key.startsWith('open/') && value)) throw fail('quota', 'The disk is full.');
        await disk.write(changes);
      },
    };
    const next = tab({ store });
    await world.pass(5_000);
    expect(only(next)).toMatchObject({ phase: 'failed', problem: 'The disk is full.' });
    isFull = false;
    await world.run(next.app.goOn(only(next).id));
    await world.pass(60_000);
    expect(seen(next)).toEqual([]);
    expect(await notesOn(disk)).toEqual([]);
    expect(next.transcoder.made).toBeLessThan(SEGMENTS);
  });
});

describe('discarding', () => {
  test('one whose link does not work yet leaves nothing', async () => {
    const { disk, files, tab } = await died(29, 'asks');
    const next = tab();
    await world.pass(5_000);
    await world.run(next.app.discard(only(next).id));
    expect(seen(next)).toEqual([]);
    expect([await notesOn(disk), await leftOn(disk), [...files.kept]]).toEqual([[], [], []]);
  });

  test('one that goes on ends it', async () => {
    const { disk, tab } = await died(CUTTING);
    const next = tab({ cut: { ...CUT, before: (event) => (event === 'segment' ? new Promise(() => undefined) : undefined) } });
    await world.pass(5_000);
    expect(only(next).phase).toBe('working');
    void next.app.discard(only(next).id);
    await world.pass(3_000);
    expect(seen(next)).toEqual([]);
    expect([await notesOn(disk), await leftOn(disk)]).toEqual([[], []]);
  });

  test('one whose link works leaves the video as it is', async () => {
    const { disk, tab } = await died(MAKING, 'asks');
    const next = tab();
    await world.pass(5_000);
    await world.run(next.app.discard(only(next).id));
    expect(await notesOn(disk)).toEqual([]);
    expect(await disk.keys('groups')).toHaveLength(4);
    expect(await next.app.mine()).toHaveLength(1);
  });

  test('takes nothing from the same video published before', async () => {
    const { disk, tab } = await died(29, 'asks');
    const next = tab();
    await world.pass(5_000);
    await world.run(next.app.publish(fakeFile(1), { title: 'Again' }));
    const groups = await disk.keys('groups');
    await world.run(next.app.discard(only(next).id));
    expect(await disk.keys('groups')).toEqual(groups);
  });

  test('goes on after a tab that died in the middle of it', async () => {
    const { disk, files, tab } = await died(29, 'asks');
    const mortal = createMortalStore(disk, { at: 1, done: true });
    const victim = tab({ store: mortal.store });
    await world.pass(5_000);
    void victim.app.discard(only(victim).id);
    await world.run(mortal.dead);
    victim.crash();
    const next = tab();
    await world.pass(5_000);
    expect(seen(next)).toEqual([]);
    expect([await notesOn(disk), await leftOn(disk), [...files.kept]]).toEqual([[], [], []]);
  });
});

describe('two tabs of a browser', () => {
  test('one has it, the other says so, and takes over when that one is closed', async () => {
    const { disk, tab } = await died(CUTTING, 'asks');
    const first = tab();
    await world.pass(2_000);
    const second = tab();
    await world.pass(2_000);
    expect([only(first).phase, only(second).phase]).toEqual(['asks', 'elsewhere']);
    const { id } = only(second);
    await expect(world.run(second.app.goOn(id))).rejects.toMatchObject({ code: 'refused' });
    await expect(world.run(second.app.discard(id))).rejects.toMatchObject({ code: 'refused' });
    first.app.close('the tab was closed');
    first.crash();
    await world.pass(2_000);
    expect(only(second).phase).toBe('asks');
    await world.run(second.app.goOn(id));
    await world.pass(60_000);
    expect(seen(second)).toEqual([]);
    expect(await notesOn(disk)).toEqual([]);
  });

  test('what one begins, and leaves, the other finds', async () => {
    const place = browser('ready');
    const other = place.tab();
    const publisher = place.tab({ cut: { ...CUT, before: (event) => (event === 'done' ? new Promise(() => undefined) : undefined) } });
    await world.pass(3_000);
    void publisher.app.publish(fakeFile(1), { title: 'Sea' }).catch(() => undefined);
    await world.pass(40_000);
    expect(only(other)).toMatchObject({ phase: 'elsewhere', title: 'Sea' });
    expect(seen(publisher)).toEqual([]);
    publisher.app.close('the tab was closed');
    publisher.crash();
    await world.pass(60_000);
    expect(seen(other)).toEqual([]);
    expect(await other.app.mine()).toHaveLength(1);
    expect(await notesOn(place.disk)).toEqual([]);
  });
});

test('several wait, each for itself', async () => {
  const place = await died(CUTTING, 'asks');
  const mortal = createMortalStore(place.disk, { at: CUTTING + 8, done: false });
  const victim = place.tab({ store: mortal.store });
  await world.pass(3_000);
  void victim.app.publish(fakeFile(2, 'work.mp4'), { title: 'Work' }).catch(() => undefined);
  await world.run(mortal.dead);
  victim.crash();
  const next = place.tab();
  await world.pass(5_000);
  expect(
    seen(next)
      .map(({ title, phase }) => `${title} ${phase}`)
      .sort(),
  ).toEqual(['Sea asks', 'Work asks']);
  const work = seen(next).find(({ title }) => title === 'Work') as Unfinished;
  await world.run(next.app.goOn(work.id));
  await world.pass(60_000);
  expect(only(next)).toMatchObject({ title: 'Sea', phase: 'asks' });
  expect((await next.app.mine()).map(({ title }) => title)).toEqual(['Work']);
});
