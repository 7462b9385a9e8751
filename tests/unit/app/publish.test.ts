/** Publishing: what is left behind when it ends early, titles, and when `done` settles. */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { PublishProgress } from '../../../src/app/api.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import { deferred } from '../../../src/base/timing.ts';
import { type AppWorld, createAppWorld, leftOn, type Tab } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
let world: AppWorld;

afterEach(() => world.close());

/** A tab that knows an open node, and what was published before. */
async function joined(options: Parameters<AppWorld['tab']>[0] = {}): Promise<Tab> {
  world.openNode();
  const tab = world.tab(options);
  await world.pass(5_000);
  return tab;
}

async function titleOf(tab: Tab, title: string, name?: string): Promise<string> {
  const { videoId } = await world.run(tab.app.publish(fakeFile(1, name), { title }));
  return (await world.run(tab.app.manifest(videoId))).title;
}

describe('a publication that is cancelled leaves nothing', () => {
  const stages = ['probe', 'poster', 'rendition', 'segment', 'progress', 'done'] as const;

  test.each(stages)('when the transcoder gives %s', async (stage) => {
    world = createAppWorld(2);
    const cancel = new AbortController();
    const before: FakeCut['before'] = (event) => {
      if (event === stage) cancel.abort();
    };
    const tab = await joined({ cut: { before } });
    const publishing = tab.app.publish(fakeFile(1), { title: 'Sea', signal: cancel.signal });
    await expect(world.run(publishing)).rejects.toMatchObject({ code: 'aborted' });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('when its first group is on the disk', async () => {
    world = createAppWorld(2);
    const cancel = new AbortController();
    const tab: Tab = await joined({
      cut: {
        segments: 30,
        async before() {
          if ((await tab.node.groups.usage()).groups > 1) cancel.abort();
        },
      },
    });
    const publishing = tab.app.publish(fakeFile(1), { title: 'Sea', signal: cancel.signal });
    await expect(world.run(publishing)).rejects.toMatchObject({ code: 'aborted' });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('when it is being announced, the library included', async () => {
    world = createAppWorld(2);
    const cancel = new AbortController();
    const store = createMemoryStore(1e9);
    const onLibrary: Store = {
      ...store,
      async write(changes) {
        await store.write(changes);
        if (changes.some(({ table }) => table === 'library')) cancel.abort();
      },
    };
    const tab = await joined({ store: onLibrary });
    const publishing = tab.app.publish(fakeFile(1), { title: 'Sea', signal: cancel.signal });
    await expect(world.run(publishing)).rejects.toMatchObject({ code: 'aborted' });
    expect(await leftOn(store)).toEqual([]);
    expect(await world.run(tab.app.mine())).toEqual([]);
    const other = world.tab();
    await world.pass(5_000);
    expect(await world.run(other.app.newest(SIGNAL))).toEqual([]);
  });

  test('when it had been cancelled before it began', async () => {
    world = createAppWorld(2);
    const tab = await joined();
    await expect(world.run(tab.app.publish(fakeFile(1), { title: '', signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('and ends the transcoder', async () => {
    world = createAppWorld(2);
    const cancel = new AbortController();
    const reached = deferred<void>();
    const tab = await joined({
      cut: {
        before(event) {
          if (event !== 'segment') return;
          cancel.abort();
          reached.resolve();
        },
      },
    });
    const fractions: number[] = [];
    const publishing = tab.app.publish(fakeFile(1), {
      title: '',
      signal: cancel.signal,
      onProgress: ({ fraction }) => fractions.push(fraction),
    });
    await expect(world.run(publishing)).rejects.toMatchObject({ code: 'aborted' });
    await world.run(reached.promise);
    const told = fractions.length;
    await world.pass(60_000);
    expect(fractions).toHaveLength(told);
  });
});

describe('a publication that fails leaves nothing', () => {
  test('when the disk is full', async () => {
    world = createAppWorld(3);
    const store = createMemoryStore(30_000);
    const tab = await joined({ store });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'quota' });
    expect(await leftOn(store)).toEqual([]);
  });

  test('when there is no room for it in the library', async () => {
    world = createAppWorld(3);
    const store = createMemoryStore(1e9);
    const full: Store = {
      ...store,
      async write(changes) {
        if (changes.some(({ table, value }) => table === 'library' && value)) throw fail('quota', 'full');
        await store.write(changes);
      },
    };
    const tab = await joined({ store: full });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'quota' });
    expect(await leftOn(store)).toEqual([]);
  });

  test('when the transcoder breaks, and says it as an error of ours', async () => {
    world = createAppWorld(3);
    const before: FakeCut['before'] = (event) => {
      if (event === 'done') throw new TypeError('broken');
    };
    const tab = await joined({ cut: { before } });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'internal', message: 'broken' });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('when the video has no segments', async () => {
    world = createAppWorld(3);
    const tab = await joined({ cut: { segments: 0 } });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'invalid' });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('when its description is too large to be stored', async () => {
    world = createAppWorld(3);
    const tab = await joined({ cut: { init: new Uint8Array(5_000) } });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'too-large' });
    expect(await leftOn(tab.store)).toEqual([]);
  });

  test('when a segment is larger than any group', async () => {
    world = createAppWorld(3);
    const tab = await joined({ cut: { segments: 1, size: 16 * 1024 * 1024 + 1 } });
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }))).rejects.toMatchObject({ code: 'too-large' });
    expect(await leftOn(tab.store)).toEqual([]);
  });
});

describe('the same bytes published twice', () => {
  /** Publishes twice at once; the named one is cancelled at its end, when both have written. */
  async function twiceAtOnce(cancelled: number): Promise<Tab> {
    const cancels = [new AbortController(), new AbortController()];
    const atEnd = [deferred<void>(), deferred<void>()];
    let ending = 0;
    const tab = await joined({
      cut: {
        segments: 30,
        async before(event) {
          if (event !== 'done') return;
          const own = ending++;
          atEnd[own]?.resolve();
          // Whoever is cancelled ends first; the other one then goes on.
          await atEnd[1 - own]?.promise;
        },
      },
    });
    const both = cancels.map(({ signal }, n) => tab.app.publish(fakeFile(1), { title: `Sea ${n}`, signal }));
    const settled = Promise.allSettled(both);
    await world.run(Promise.all(atEnd.map(({ promise }) => promise)).then(() => cancels[cancelled]?.abort()));
    const outcomes = await world.run(settled);
    expect(outcomes.map(({ status }) => status)).toEqual(cancelled === 0 ? ['rejected', 'fulfilled'] : ['fulfilled', 'rejected']);
    return tab;
  }

  test.each([0, 1])('at once: cancelling number %i takes nothing from the other', async (cancelled) => {
    world = createAppWorld(4);
    const tab = await twiceAtOnce(cancelled);
    const groups = await tab.node.groups.list();
    expect(groups.length).toBeGreaterThan(2);
    expect(groups.every(({ complete, role }) => complete && role === 'own')).toBe(true);
    expect(await world.run(tab.app.mine())).toHaveLength(1);
  });

  test('one after the other: two videos, one set of groups, and a cancelled third takes nothing', async () => {
    world = createAppWorld(4);
    const cancel = new AbortController();
    let cuts = 0;
    const before: FakeCut['before'] = (event) => {
      if (event === 'done' && ++cuts === 3) cancel.abort();
    };
    const tab = await joined({ cut: { before } });
    const first = await world.run(tab.app.publish(fakeFile(1), { title: 'one' }));
    const kept = await leftOn(tab.store);
    const second = await world.run(tab.app.publish(fakeFile(1), { title: 'two' }));
    expect(second.videoId).not.toBe(first.videoId);
    expect(await leftOn(tab.store)).toHaveLength(kept.length + 1); // its row in the library
    await expect(world.run(tab.app.publish(fakeFile(1), { title: 'three', signal: cancel.signal }))).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(await leftOn(tab.store)).toHaveLength(kept.length + 1);
  });

  test('at once, both cancelled: nothing is left', async () => {
    world = createAppWorld(4);
    const cancel = new AbortController();
    let ends = 0;
    const before: FakeCut['before'] = (event) => {
      if (event === 'done' && ++ends === 2) cancel.abort();
    };
    const tab = await joined({ cut: { before, segments: 30 } });
    const both = [1, 2].map((n) => tab.app.publish(fakeFile(1), { title: `${n}`, signal: cancel.signal }));
    const outcomes = await world.run(Promise.allSettled(both));
    expect(outcomes.map(({ status }) => status)).toContain('rejected');
    expect((await leftOn(tab.store)).length === 0).toBe(outcomes.every(({ status }) => status === 'rejected'));
  });

  test('a copy that was kept for others becomes ours', async () => {
    world = createAppWorld(4);
    const tab = await joined();
    const other = world.tab();
    await world.pass(5_000);
    const { done } = await world.run(tab.app.publish(fakeFile(1), { title: 'theirs' }));
    await world.run(done);
    expect((await other.node.groups.list()).map(({ role }) => role)).toContain('kept');
    await world.run(other.app.publish(fakeFile(1), { title: 'ours' }));
    expect(new Set((await other.node.groups.list()).map(({ role }) => role))).toEqual(new Set(['own']));
  });
});

describe('a title', () => {
  test('is what the person wrote, without the space around it', async () => {
    world = createAppWorld(5);
    expect(await titleOf(await joined(), '  Sea  ')).toBe('Sea');
  });

  test.each([
    ['holiday.in.rome.mp4', 'holiday.in.rome'],
    ['.mp4', 'Untitled'],
    ['   .mp4', 'Untitled'],
    ['', 'Untitled'],
  ])('that is empty comes from the file’s name: %j', async (name, expected) => {
    world = createAppWorld(5);
    expect(await titleOf(await joined(), ' ', name)).toBe(expected);
  });

  test.each([
    ['🌊'.repeat(60), '🌊'.repeat(50)],
    [`a${'🌊'.repeat(60)}`, `a${'🌊'.repeat(49)}`],
    [`${'é'.repeat(99)}🌊`, 'é'.repeat(99)],
  ])('of more than 200 bytes is cut between two characters: %s', async (title, expected) => {
    world = createAppWorld(5);
    expect(await titleOf(await joined(), title)).toBe(expected);
  });

  test('with half a character in it is still text', async () => {
    world = createAppWorld(5);
    expect(await titleOf(await joined(), 'sea \ud83c')).toBe('sea \ufffd');
  });
});

describe('progress', () => {
  test('goes through the stages and never falls', async () => {
    world = createAppWorld(6);
    const tab = await joined({ cut: { plan: 'transcode' } });
    world.tab();
    await world.pass(5_000);
    const told: PublishProgress[] = [];
    const { done } = await world.run(tab.app.publish(fakeFile(1), { title: '', onProgress: (progress) => told.push(progress) }));
    await world.run(done);
    expect([...new Set(told.map(({ stage }) => stage))]).toEqual(['read', 'transcode', 'announce', 'copies']);
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });
});

describe('a poster', () => {
  test('that no node would store is left out', async () => {
    world = createAppWorld(7);
    const tab = await joined({ cut: { poster: new Uint8Array(12 * 1024 + 1).fill(0xff) } });
    const { videoId } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    expect((await world.run(tab.app.manifest(videoId))).poster).toBeNull();
  });
});

describe('done', () => {
  test('waits while nobody is there, and resolves when tabs come', async () => {
    world = createAppWorld(8);
    const tab = await joined();
    const { done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    let settled = false;
    void done.finally(() => {
      settled = true;
    });
    await world.pass(300_000);
    expect(settled).toBe(false);
    world.tab();
    expect(await world.run(done)).toEqual({ stored: 1, wanted: 5 });
  });

  test('comes also to who published without any link at all', async () => {
    world = createAppWorld(8);
    const tab = world.tab();
    const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.pass(60_000);
    world.openNode();
    const other = world.tab();
    expect((await world.run(done)).stored).toBe(1);
    expect((await world.run(other.app.manifest(videoId))).title).toBe('Sea');
  });

  test('rejects with aborted when the person does not want the copies, and the video stays', async () => {
    world = createAppWorld(8);
    const cancel = new AbortController();
    const tab = await joined();
    const { videoId, done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea', signal: cancel.signal }));
    cancel.abort();
    await expect(world.run(done)).rejects.toMatchObject({ code: 'aborted' });
    expect((await world.run(tab.app.mine())).map((card) => card.videoId)).toEqual([videoId]);
    expect((await tab.node.groups.list()).every(({ complete }) => complete)).toBe(true);
  });

  test('rejects with closed when the tab leaves', async () => {
    world = createAppWorld(8);
    const tab = await joined();
    const { done } = await world.run(tab.app.publish(fakeFile(1), { title: 'Sea' }));
    tab.app.close('the tab was closed');
    await expect(world.run(done)).rejects.toMatchObject({ code: 'closed' });
  });
});
