/** A published video is changed, and taken off: what others see of it, and what a closed tab leaves. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { Edit, NewCaptions } from '../../../src/app/api.ts';
import { toUtf8 } from '../../../src/base/bytes.ts';
import type { Store } from '../../../src/base/ports.ts';
import { groupsOfAdditions } from '../../../src/media/additions.ts';
import { decodeCatalogue } from '../../../src/media/catalogue.ts';
import type { Manifest, VideoId } from '../../../src/media/manifest.ts';
import { masterPlaylist } from '../../../src/media/playlist.ts';
import { type AppWorld, createAppWorld, type Tab } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';
import { createMemoryFiles, type MemoryFiles } from './memory-files.ts';
import { createMortalStore } from './mortal-store.ts';

const SIGNAL = new AbortController().signal;
const CUT: FakeCut = { segments: 12, size: 400 };
const said = (language: string, name: string, text: string): NewCaptions => ({
  language,
  name,
  cues: [{ start: 1_000, end: 2_000, settings: '', text }],
});
const ENGLISH = said('en', 'English', 'Hello');
const GERMAN = said('de', 'Deutsch', 'Hallo');
const PICTURE = new Uint8Array([0xff, 0xd8, 0xff, 9, 9]);

let world: AppWorld;
let keepers: readonly Tab[] = [];
afterEach(() => world.close());

interface Browser {
  readonly disk: Store;
  tab(options?: { cut?: FakeCut; store?: Store }): Tab;
}

/** An open node, two who keep copies, and the browser of a person. */
async function browser(): Promise<Browser> {
  world = createAppWorld(11);
  world.openNode();
  keepers = [world.tab(), world.tab()];
  const disk = createMemoryStore(1e9);
  const files: MemoryFiles = createMemoryFiles();
  const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(9), float: () => 0.5 });
  await world.pass(3_000);
  return { disk, tab: ({ cut = CUT, store = disk } = {}) => world.tab({ store, files, account, cut }) };
}

async function published(tab: Tab, captions: readonly NewCaptions[] = [ENGLISH]): Promise<VideoId> {
  const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea', captions }));
  await world.run(done);
  return videoId;
}

/** As a tab sees it that never saw it before. */
async function seen(videoId: VideoId): Promise<Manifest> {
  const viewer = world.tab({ keeps: false });
  await world.pass(3_000);
  const manifest = await world.run(viewer.app.manifest(videoId));
  viewer.crash();
  return manifest;
}

const languages = ({ additions }: Manifest) => additions.captions.map(({ language }) => language);
const notesOn = async (store: Store): Promise<readonly string[]> => [
  ...(await store.keys('meta', 'journal/')),
  ...(await store.keys('segments', 'open/')),
];
const finished = async (edit: Promise<Edit>) => world.run((await world.run(edit)).done);

describe('an edit', () => {
  test('[M21] changes title, picture and captions for others; old captions go from this disk, new ones are copied', async () => {
    const { disk, tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    const before = await seen(videoId);
    const report = await finished(
      owner.app.edit(videoId, { title: 'The sea', poster: PICTURE, captions: [GERMAN], withoutCaptions: ['en'] }),
    );
    expect(report).toEqual({ stored: 2, wanted: 5 });
    const after = await seen(videoId);
    expect(after).toMatchObject({ title: 'The sea', created: before.created, renditions: before.renditions });
    expect(after.poster).not.toBe(before.poster);
    expect(languages(after)).toEqual(['de']);
    const [old] = groupsOfAdditions(before.additions);
    const [now] = groupsOfAdditions(after.additions);
    expect(await owner.node.groups.get(old as NonNullable<typeof old>)).toBeNull();
    expect((await owner.node.groups.get(now as NonNullable<typeof now>))?.role).toBe('own');
    for (const keeper of keepers) expect((await keeper.node.groups.get(now as NonNullable<typeof now>))?.complete).toBe(true);
    expect(toUtf8(await world.run((keepers[0] as Tab).app.segment(now as NonNullable<typeof now>, 0, SIGNAL)))).toContain('Hallo');
    expect(await notesOn(disk)).toEqual([]);
    const viewer = world.tab({ keeps: false });
    await world.pass(3_000);
    expect((await world.run(viewer.app.newest(SIGNAL))).map(({ title }) => title)).toEqual(['The sea']);
    expect(await owner.app.own(videoId)).toMatchObject({ title: 'The sea', captions: [{ language: 'de', name: 'Deutsch' }] });
  });

  test('of the title alone tells others, and says by how many', async () => {
    const { tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    const { stored } = await finished(owner.app.edit(videoId, { title: 'The sea' }));
    expect(stored).toBeGreaterThan(0);
    expect(await seen(videoId)).toMatchObject({ title: 'The sea' });
  });

  test('a language that is there gets the new text; all captions can go', async () => {
    const { tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner, [ENGLISH, GERMAN]);
    await finished(owner.app.edit(videoId, { captions: [said('en', 'English', 'Good day')] }));
    const { additions } = await seen(videoId);
    expect(additions.captions.map(({ language }) => language).sort()).toEqual(['de', 'en']);
    const english = additions.captions.find(({ language }) => language === 'en')?.groups[0]?.key;
    expect(toUtf8(await world.run(owner.app.segment(english as NonNullable<typeof english>, 0, SIGNAL)))).toContain('Good day');
    await finished(owner.app.edit(videoId, { withoutCaptions: ['en', 'de'] }));
    expect(languages(await seen(videoId))).toEqual([]);
  });

  test('[M16, M17] a quality is offered no longer, keeps its place, and is offered again; the last one stays', async () => {
    const { tab } = await browser();
    const owner = tab({ cut: { ...CUT, height: 480 } });
    await world.pass(3_000);
    const videoId = await published(owner);
    const before = await seen(videoId);
    expect(before.renditions.map(({ height }) => height)).toEqual([480, 0, 240, 360]);
    await finished(owner.app.edit(videoId, { withdrawn: [0, 2] }));
    const after = await seen(videoId);
    expect(after.renditions).toEqual(before.renditions);
    const offered = (manifest: Manifest) => [...masterPlaylist(manifest).matchAll(/RESOLUTION=\d+x(\d+)/g)].map(([, height]) => height);
    expect(offered(after)).toEqual(['360']);
    await expect(world.run(owner.app.edit(videoId, { withdrawn: [3] }))).rejects.toMatchObject({ code: 'invalid' });
    await expect(world.run(owner.app.edit(videoId, { withdrawn: [9] }))).rejects.toMatchObject({ code: 'invalid' });
    await finished(owner.app.edit(videoId, { offered: [0], withdrawn: [3] }));
    expect(offered(await seen(videoId))).toEqual(['480']);
    expect((await owner.app.own(videoId)).qualities.map((one) => [one.height, one.offered])).toEqual([
      [480, true],
      [240, false],
      [360, false],
    ]);
  });

  test.each([
    ['no title', { title: '  ' }],
    ['a title that is too long', { title: 'é'.repeat(101) }],
    ['a language that is none', { captions: [said('"x"', 'X', 'x')] }],
    ['two captions of one language', { captions: [ENGLISH, ENGLISH] }],
    ['captions without a text', { captions: [{ ...ENGLISH, cues: [] }] }],
  ])('that makes no sense is refused and changes nothing: %s', async (_, edit) => {
    const { disk, tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    const before = await seen(videoId);
    await expect(world.run(owner.app.edit(videoId, edit))).rejects.toMatchObject({ code: 'invalid' });
    expect(await seen(videoId)).toEqual(before);
    expect(await notesOn(disk)).toEqual([]);
  });

  test('of a video that somebody else published is refused', async () => {
    const { tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    await expect(world.run((keepers[0] as Tab).app.edit(videoId, { title: 'Mine' }))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('with no network is kept, and comes to others when a link opens', async () => {
    const { disk, tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    owner.crash();
    const [first, second] = keepers as readonly [Tab, Tab];
    const alone = createAppWorld(12);
    try {
      const account = owner.account;
      const lonely = alone.tab({ store: disk, account, cut: CUT });
      const { done } = await alone.run(lonely.app.edit(videoId, { title: 'The sea', captions: [GERMAN] }));
      let isDone = false;
      void done.then(() => {
        isDone = true;
      });
      await alone.pass(60_000);
      expect(isDone).toBe(false);
      expect((await lonely.app.mine()).map(({ title }) => title)).toEqual(['The sea']);
      lonely.crash();
      // The next one goes on with it, and waits for somebody.
      const again = alone.tab({ store: disk, account, cut: CUT });
      await alone.pass(3_000);
      const shown: unknown[] = [];
      again.app.onUnfinished((all) => shown.push(...all))();
      expect(shown).toMatchObject([{ kind: 'change', title: 'The sea', videoId, phase: 'working', problem: null }]);
      again.crash();
    } finally {
      alone.close();
    }
    const next = tab();
    await world.pass(60_000);
    const manifest = await seen(videoId);
    expect([manifest.title, languages(manifest).sort()]).toEqual(['The sea', ['de', 'en']]);
    const german = manifest.additions.captions.find(({ language }) => language === 'de')?.groups[0]?.key as NonNullable<Manifest['poster']>;
    for (const keeper of [first, second]) expect((await keeper.node.groups.get(german))?.complete).toBe(true);
    expect(await notesOn(disk)).toEqual([]);
    expect(next.app).toBeDefined();
  });
});

describe('no change is lost', () => {
  test('[W5] two tabs change at once: the version that comes later has both', async () => {
    const { tab } = await browser();
    const [one, other] = [tab(), tab()];
    await world.pass(3_000);
    const videoId = await published(one);
    const edits = await world.run(
      Promise.all([
        one.app.edit(videoId, { title: 'The sea' }),
        other.app.edit(videoId, { captions: [GERMAN] }),
        one.app.edit(videoId, { poster: PICTURE }),
        other.app.edit(videoId, { withoutCaptions: ['en'] }),
      ]),
    );
    await world.run(Promise.all(edits.map(({ done }) => done)));
    const manifest = await seen(videoId);
    expect([manifest.title, languages(manifest)]).toEqual(['The sea', ['de']]);
    expect((await one.app.mine())[0]?.poster).toBe(`data:image/jpeg;base64,${btoa(String.fromCharCode(...PICTURE))}`);
  });

  test('[W5] while qualities are still being made, here or in another tab: they and the change are both there', async () => {
    const { tab } = await browser();
    let isOpen = false;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let links = 0;
    const owner = tab({
      cut: {
        ...CUT,
        height: 480,
        async before(event) {
          // The third rendition that begins is the first of the smaller pictures.
          if (event === 'rendition' && ++links > 2 && !isOpen) await gate;
        },
      },
    });
    const other = tab();
    await world.pass(3_000);
    const { videoId, done } = await world.run(owner.app.publish(fakeFile(1), { title: 'Sea', captions: [ENGLISH] }));
    await world.run(owner.app.edit(videoId, { title: 'The sea' }));
    await world.run(other.app.edit(videoId, { captions: [GERMAN], withoutCaptions: ['en'], poster: PICTURE }));
    isOpen = true;
    open();
    await world.run(done);
    const manifest = await seen(videoId);
    expect([manifest.title, languages(manifest), manifest.renditions.map(({ height }) => height)]).toEqual([
      'The sea',
      ['de'],
      [480, 0, 240, 360],
    ]);
  });
});

describe('a tab that is closed in the middle of an edit', () => {
  test('[W5] at whatever write: the next one ends with the old version or the new one, whole, and nothing is left over', async () => {
    let deaths = 0;
    const outcomes = new Set<string>();
    for (let at = 1; ; at++) {
      const { disk, tab } = await browser();
      const owner = tab();
      await world.pass(3_000);
      const videoId = await published(owner);
      const groupsBefore = (await disk.keys('groups')).length;
      owner.crash();
      const mortal = createMortalStore(disk, { at, done: at % 2 === 0 });
      const victim = tab({ store: mortal.store });
      await world.pass(5_000);
      const writesBefore = mortal.writes;
      expect(writesBefore).toBe(0);
      const edit = victim.app.edit(videoId, { title: 'The sea', captions: [GERMAN], withoutCaptions: ['en'] });
      void edit.then(({ done }) => done).catch(() => undefined);
      await Promise.race([world.run(mortal.dead), world.pass(60_000)]);
      const died = mortal.writes >= at;
      victim.crash();
      const next = tab();
      await world.pass(60_000);
      const manifest = await seen(videoId);
      const outcome = `${manifest.title} ${languages(manifest)}`;
      outcomes.add(outcome);
      expect(['Sea en', 'The sea de']).toContain(outcome);
      expect(await notesOn(disk), `died at ${at}`).toEqual([]);
      expect((await disk.keys('groups')).length).toBe(groupsBefore);
      for (const group of groupsOfAdditions(manifest.additions)) {
        expect((await next.node.groups.get(group))?.role).toBe('own');
        for (const keeper of keepers) expect((await keeper.node.groups.get(group))?.complete, `a copy, died at ${at}`).toBe(true);
      }
      await world.close();
      if (!died) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(5);
    expect([...outcomes].sort()).toEqual(['Sea en', 'The sea de']);
  }, 120_000);
});

describe('a video that is taken off', () => {
  test('[M20] its link says so to others, it leaves the list, and nothing of it stays on this disk', async () => {
    const { disk, tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    expect((await disk.keys('groups')).length).toBeGreaterThan(0);
    const { done } = await world.run(owner.app.remove(videoId));
    expect(await disk.keys('groups')).toEqual([]);
    expect(await disk.keys('segments')).toEqual([]);
    expect(await owner.app.mine()).toEqual([]);
    await world.run(done);
    const viewer = world.tab({ keeps: false });
    await world.pass(3_000);
    await expect(world.run(viewer.app.manifest(videoId))).rejects.toMatchObject({ code: 'withdrawn' });
    await expect(world.run(viewer.app.watch(videoId, SIGNAL))).rejects.toMatchObject({ code: 'withdrawn' });
    expect(await world.run(viewer.app.newest(SIGNAL))).toEqual([]);
    const works: readonly (() => Promise<unknown>)[] = [
      () => owner.app.edit(videoId, { title: 'x' }),
      () => owner.app.own(videoId),
      () => owner.app.watch(videoId, SIGNAL),
    ];
    for (const work of works) await expect(world.run(work())).rejects.toMatchObject({ code: 'withdrawn' });
    expect(await notesOn(disk)).toEqual([]);
  });

  test('[M20] with no network: it is told when a link opens, after a new start too', async () => {
    const { disk, tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    owner.crash();
    const alone = createAppWorld(13);
    const lonely = alone.tab({ store: disk, account: owner.account, cut: CUT });
    await alone.run(lonely.app.remove(videoId));
    lonely.crash();
    await alone.close();
    expect((await seen(videoId)).title).toBe('Sea');
    tab();
    await world.pass(30_000);
    const viewer = world.tab({ keeps: false });
    await world.pass(3_000);
    await expect(world.run(viewer.app.manifest(videoId))).rejects.toMatchObject({ code: 'withdrawn' });
    expect(await world.run(viewer.app.newest(SIGNAL))).toEqual([]);
  });

  test('keeps what another video of the same file needs', async () => {
    const { tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const first = await published(owner);
    const second = await published(owner, []);
    await world.run(owner.app.remove(first));
    const manifest = await world.run(owner.app.manifest(second));
    for (const { groups } of manifest.renditions)
      for (const { key } of groups.type === 'inline' ? groups.groups : []) expect((await owner.node.groups.get(key))?.complete).toBe(true);
  });

  test.each(['this tab', 'another tab'])('while %s still makes qualities of it: that ends, and nothing is left', async (where) => {
    const { disk, tab } = await browser();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let begun = 0;
    const owner = tab({
      cut: {
        ...CUT,
        height: 480,
        async before(event) {
          if (event === 'rendition' && ++begun > 3) await gate;
        },
      },
    });
    const other = tab();
    await world.pass(3_000);
    const { videoId, done } = await world.run(owner.app.publish(fakeFile(1), { title: 'Sea' }));
    const ended = expect(world.run(done)).rejects.toMatchObject({ code: 'withdrawn' });
    await world.run((where === 'this tab' ? owner : other).app.remove(videoId));
    open();
    await ended;
    await world.pass(30_000);
    expect(await disk.keys('groups')).toEqual([]);
    expect(await notesOn(disk)).toEqual([]);
    expect(owner.working()).toBe(0);
  });
});

describe('a video that is taken off by another tab', () => {
  test('while its copies are on their way leaves nothing either', async () => {
    const { disk, tab } = await browser();
    const [owner, other] = [tab(), tab()];
    await world.pass(3_000);
    const { videoId, done } = await world.run(owner.app.publish(fakeFile(1), { title: 'Sea', captions: [ENGLISH] }));
    const { done: edited } = await world.run(owner.app.edit(videoId, { captions: [GERMAN] }));
    await world.run(other.app.remove(videoId));
    await world.run(Promise.allSettled([done, edited]));
    await world.pass(5_000);
    expect(await disk.keys('groups')).toEqual([]);
    expect(await notesOn(disk)).toEqual([]);
  });
});

describe('who watches', () => {
  test('hears of later versions, and of the end, without asking', async () => {
    const { tab } = await browser();
    const owner = tab();
    await world.pass(3_000);
    const videoId = await published(owner);
    const viewer = world.tab({ keeps: false });
    await world.pass(3_000);
    const session = await world.run(viewer.app.watch(videoId, SIGNAL));
    const heard: (string | null)[] = [];
    session.onVersion((manifest) => heard.push(manifest && `${manifest.title} ${languages(manifest)}`));
    await finished(owner.app.edit(videoId, { title: 'The sea', captions: [GERMAN] }));
    await world.pass(35_000);
    expect(heard).toEqual(['The sea de,en']);
    expect(decodeCatalogue(await world.run(viewer.app.catalogue(videoId, SIGNAL)))?.manifest.title).toBe('The sea');
    await world.run(owner.app.remove(videoId));
    await world.pass(70_000);
    expect(heard).toEqual(['The sea de,en', null]);
    await expect(world.run(viewer.app.catalogue(videoId, SIGNAL))).rejects.toMatchObject({ code: 'withdrawn' });
    session.close();
  });
});
