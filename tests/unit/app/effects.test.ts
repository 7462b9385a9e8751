import { describe, expect, it, vi } from 'vitest';
import type { CopiesReport, Kadreel, NetworkView, WatchSession } from '../../../src/app/api.ts';
import { type BrowserEffects, createEffects } from '../../../src/app/effects.ts';
import type { Event } from '../../../src/app/events.ts';
import { EMPTY_PLAN } from '../../../src/app/publish-plan.ts';
import type { Effect } from '../../../src/app/step.ts';
import type { LowerRequest } from '../../../src/app/watch-session.ts';
import { fail } from '../../../src/base/errors.ts';
import { type Deferred, deferred } from '../../../src/base/timing.ts';
import { createFakeKadreel, fakeManifest, OWN_VIDEO } from './fake-kadreel.ts';
import { CARD, FILE, HEALTH, OTHER, PROBE, VIDEO } from './states.ts';
import { createTestClock } from './test-clock.ts';

function setUp(options: { kadreel?: Promise<Kadreel>; browser?: Partial<BrowserEffects> } = {}) {
  const fake = createFakeKadreel();
  const clock = createTestClock();
  const events: Event[] = [];
  const done: string[] = [];
  const browser: BrowserEffects = {
    pushPath: (path) => done.push(`path ${path}`),
    keepTheme: (theme) => done.push(`theme ${theme}`),
    isSeen: () => true,
    address: (path) => `https://site.example${path}`,
    copy: (text) => {
      done.push(`copy ${text}`);
      return Promise.resolve();
    },
    share: (shared) => {
      done.push(`share ${shared.title} ${'url' in shared ? shared.url : shared.text}`);
      return Promise.resolve();
    },
    ...options.browser,
  };
  const effects = createEffects({
    kadreel: options.kadreel ?? Promise.resolve(fake.kadreel),
    browser,
    clock,
    dispatch: (event) => events.push(event),
  });
  return {
    fake,
    clock,
    events,
    done,
    effects,
    run: (...list: readonly Effect[]) => {
      for (const effect of list) effects.run(effect);
    },
    types: () => events.map(({ type }) => type),
  };
}

/** Everything that was settled has been told to everyone who waits. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The first call of a list, once it has been made. */
async function made<T>(calls: readonly T[], index = 0): Promise<T> {
  await vi.waitFor(() => expect(calls.length).toBeGreaterThan(index));
  return calls[index] as T;
}

function session(): WatchSession & { closed: number } {
  return {
    manifest: fakeManifest(),
    playlistUrl: '/hls/x/master.m3u8',
    sources: () => ({ store: 1, tabs: 2, openNodes: 0 }),
    lower: async () => [],
    askLower: () => ({ playhead: () => undefined, close: () => undefined }),
    closed: 0,
    onVersion: () => () => undefined,
    close() {
      this.closed++;
    },
  };
}

describe('effects: the network', () => {
  const VIEW: NetworkView = {
    tabs: 2,
    openNodes: [],
    iceServers: [],
    stunFound: [],
    nat: null,
    connections: 3,
    help: { on: false, slots: 1, checkShare: 0.05, rest: null, jobs: 0, seconds: 0 },
  };

  it('tells how the tab is linked, each second while its page is shown', async () => {
    const { fake, clock, events, run } = setUp();
    run({ type: 'watch-network' });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    fake.network.view = VIEW;
    clock.advance(1_000);
    expect(events[1]).toEqual({ type: 'network-seen', view: VIEW });
    run({ type: 'leave-network' });
    clock.advance(10_000);
    expect(events).toHaveLength(2);
  });

  it('changes the settings that are there', async () => {
    const { fake, events, run } = setUp();
    fake.network.settings = { openNodes: ['wss://a.example/ws'], iceServers: [{ urls: 'stun:a.example' }] };
    run({ type: 'change-network', change: { type: 'add-open-node', url: 'b.example' } });
    const change = await made(fake.changes);
    expect(change.argument).toEqual({ ...fake.network.settings, openNodes: ['wss://a.example/ws', 'b.example'] });
    fake.network.view = VIEW;
    change.resolve();
    await vi.waitFor(() => expect(events).toEqual([{ type: 'network-changed', view: VIEW }]));
    run({ type: 'change-network', change: { type: 'remove-ice-server', urls: 'stun:a.example' } });
    expect((await made(fake.changes, 1)).argument).toEqual({ ...fake.network.settings, iceServers: [] });
  });

  it('says why a change was refused, and which part', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'change-network', change: { type: 'add-ice-server', server: { urls: 'x' } } });
    (await made(fake.changes)).reject(fail('invalid', 'That is no address.'));
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(events[0]).toMatchObject({
      type: 'network-change-failed',
      part: 'ice-servers',
      problem: { code: 'invalid', why: 'That is no address.' },
    });
  });

  it('without a node there is nothing to look at, and nothing can be changed', async () => {
    const { clock, events, run } = setUp({ kadreel: Promise.reject(fail('missing-feature', 'No IndexedDB.')) });
    run({ type: 'watch-network' }, { type: 'change-network', change: { type: 'add-open-node', url: 'a.example' } });
    await settled();
    clock.advance(5_000);
    expect(events.map(({ type }) => type)).toEqual(['network-change-failed']);
  });
});

describe('effects: the world', () => {
  it('passes on health and ticks until it is closed', async () => {
    const { fake, clock, events, effects, run } = setUp();
    run({ type: 'follow-world' });
    await vi.waitFor(() => expect(fake.healthListeners()).toBe(1));
    fake.health(HEALTH);
    clock.advance(20_000);
    expect(events).toEqual([
      { type: 'health-changed', health: HEALTH },
      { type: 'tick', now: 10_000 },
      { type: 'tick', now: 20_000 },
    ]);
    effects.close();
    expect(fake.healthListeners()).toBe(0);
    expect(clock.pending()).toBe(0);
  });

  it('a page that nobody sees is not told the time', async () => {
    let seen = false;
    const { clock, events, run } = setUp({ browser: { isSeen: () => seen } });
    run({ type: 'follow-world' });
    clock.advance(30_000);
    expect(events).toEqual([]);
    seen = true;
    clock.advance(10_000);
    expect(events).toEqual([{ type: 'tick', now: 40_000 }]);
  });

  it('a node that can’t start fails everything that waits for it, with a reason', async () => {
    const { events, types, run } = setUp({ kadreel: Promise.reject(fail('missing-feature', 'No IndexedDB.')) });
    run(
      { type: 'follow-world' },
      { type: 'load-feed', feed: 'newest' },
      { type: 'load-feed', feed: 'mine' },
      { type: 'choose-file', file: FILE },
      { type: 'open-video', videoId: VIDEO },
      { type: 'publish', title: 'A', plan: EMPTY_PLAN },
    );
    await settled();
    expect(types().sort()).toEqual(['feed-failed', 'feed-failed', 'node-failed', 'probe-failed', 'publish-failed', 'watch-failed']);
    for (const event of events) expect(event).toMatchObject({ problem: { code: 'missing-feature', why: 'No IndexedDB.' } });
  });

  it('loads lists; a newer load of the same list silences the older one', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'load-feed', feed: 'newest' });
    const first = await made(fake.newest);
    run({ type: 'load-feed', feed: 'newest' }, { type: 'load-feed', feed: 'mine' });
    const second = await made(fake.newest, 1);
    expect(first.signal?.aborted).toBe(true);
    second.resolve([CARD]);
    (await made(fake.mine)).reject(fail('closed', 'Gone.'));
    await settled();
    expect(events).toEqual([
      { type: 'feed-loaded', feed: 'newest', videos: [CARD] },
      { type: 'feed-failed', feed: 'mine', problem: expect.objectContaining({ code: 'closed' }) },
    ]);
  });
});

describe('effects: the browser', () => {
  it('puts paths, themes, links and shares where they belong', async () => {
    const { done, types, run } = setUp();
    run(
      { type: 'push-path', path: '/publish' },
      { type: 'keep-theme', theme: 'dark' },
      { type: 'copy-link', videoId: VIDEO },
      { type: 'share-link', videoId: VIDEO, title: 'A' },
    );
    await settled();
    expect(done).toEqual([
      'path /publish',
      'theme dark',
      `copy https://site.example/watch/${VIDEO}`,
      `share A https://site.example/watch/${VIDEO}`,
    ]);
    expect(types()).toEqual(['link-copied']);
  });

  it('tells when the browser refuses', async () => {
    const no = () => Promise.reject(new Error('no'));
    const { events, run } = setUp({ browser: { copy: no, share: no } });
    run({ type: 'copy-link', videoId: VIDEO }, { type: 'share-link', videoId: VIDEO, title: 'A' });
    await settled();
    expect(events).toEqual([{ type: 'link-copy-failed', link: `https://site.example/watch/${VIDEO}` }, { type: 'link-share-failed' }]);
  });

  it('lets a notice expire once', () => {
    const { clock, events, run } = setUp();
    run({ type: 'expire-notice', id: 7 });
    clock.advance(60_000);
    expect(events).toEqual([{ type: 'notice-expired', id: 7 }]);
  });
});

describe('effects: publishing', () => {
  it('looks at the file that was chosen last, and only at that', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'choose-file', file: FILE });
    const first = await made(fake.probes);
    const second = { ...FILE, name: 'other.mp4' };
    run({ type: 'choose-file', file: second });
    (await made(fake.probes, 1)).resolve(PROBE);
    await settled();
    expect(first.signal?.aborted).toBe(true);
    expect(fake.probes[1]?.argument).toBe(second);
    expect(events[0]).toEqual({ type: 'probed', probe: PROBE });
    expect(events.slice(1)).toMatchObject([
      { type: 'plan-changed', change: { type: 'preflight' } },
      { type: 'plan-changed', change: { type: 'pictures' } },
    ]);
  });

  it('looks again at the same file, and forgets it when told', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'choose-file', file: FILE });
    (await made(fake.probes)).reject(fail('unsupported', 'Text.'));
    await settled();
    run({ type: 'probe-again' });
    const again = await made(fake.probes, 1);
    expect(again.argument).toBe(FILE);
    run({ type: 'forget-file' });
    expect(again.signal?.aborted).toBe(true);
    run({ type: 'probe-again' }, { type: 'publish', title: 'A', plan: EMPTY_PLAN });
    await settled();
    expect(fake.probes).toHaveLength(2);
    expect(fake.publications).toHaveLength(0);
    expect(events).toEqual([{ type: 'probe-failed', problem: expect.objectContaining({ code: 'unsupported', why: 'Text.' }) }]);
  });

  async function publishing(fixture = setUp()) {
    fixture.run({ type: 'choose-file', file: FILE }, { type: 'publish', title: 'A', plan: EMPTY_PLAN });
    const call = await made(fixture.fake.publications);
    return { ...fixture, call };
  }
  const publication = (done: Deferred<{ stored: number; wanted: number }>) => ({
    videoId: VIDEO,
    watchUrl: `https://site.example/watch/${VIDEO}`,
    done: done.promise,
  });

  it('tells progress, the link, and the copies', async () => {
    const { call, events } = await publishing();
    const progress = { stage: 'cut', fraction: 0.5, secondsLeft: 2 } as const;
    const copies = deferred<{ stored: number; wanted: number }>();
    expect(call.argument).toBe(FILE);
    expect(call.options.title).toBe('A');
    call.options.onProgress?.(progress);
    call.resolve(publication(copies));
    await settled();
    copies.resolve({ stored: 2, wanted: 5 });
    await settled();
    expect(events).toEqual([
      { type: 'publish-progressed', progress },
      { type: 'published', videoId: VIDEO, watchUrl: `https://site.example/watch/${VIDEO}` },
      { type: 'copies-stored', videoId: VIDEO, copies: { stored: 2, wanted: 5 } },
    ]);
  });

  it('tells of qualities as they are made, and again behind the link that they belong to', async () => {
    const { call, events } = await publishing();
    const making = [{ name: '240p', phase: 'making', fraction: 0, problem: null }] as const;
    const made = [{ name: '240p', phase: 'made', fraction: 1, problem: null }] as const;
    call.options.onQualities?.(making);
    call.resolve(publication(deferred()));
    await settled();
    call.options.onQualities?.(made);
    expect(events.slice(-2)).toEqual([
      { type: 'qualities-changed', qualities: making },
      { type: 'qualities-changed', qualities: made },
    ]);
    expect(events.map(({ type }) => type)).toEqual(['qualities-changed', 'published', 'qualities-changed', 'qualities-changed']);
  });

  it('tells failures of publishing and of copying', async () => {
    const { call, types } = await publishing();
    call.reject(fail('quota', 'Full.'));
    await settled();
    expect(types()).toEqual(['publish-failed']);

    const second = await publishing();
    const copies = deferred<{ stored: number; wanted: number }>();
    second.call.resolve(publication(copies));
    copies.reject(fail('closed', 'Closed.'));
    await settled();
    expect(second.types()).toEqual(['published', 'copies-failed']);
  });

  it('cancels: the signal fires, late progress is dropped, and the end is told', async () => {
    const { call, events, run } = await publishing();
    run({ type: 'cancel-publish' });
    expect(call.options.signal?.aborted).toBe(true);
    call.options.onProgress?.({ stage: 'cut', fraction: 0.9, secondsLeft: 1 });
    await settled();
    expect(events).toEqual([{ type: 'publish-cancelled', published: false }]);
  });

  it('says so when it was too late to cancel', async () => {
    const { call, events, run } = await publishing();
    call.resolve(publication(deferred()));
    run({ type: 'cancel-publish' });
    await settled();
    expect(events).toEqual([{ type: 'publish-cancelled', published: true }]);
  });

  it('leaves copies to go on, unseen, when another video is begun', async () => {
    const { call, run, types } = await publishing();
    const copies = deferred<{ stored: number; wanted: number }>();
    call.resolve(publication(copies));
    await settled();
    run({ type: 'forget-file' });
    copies.resolve({ stored: 1, wanted: 5 });
    await settled();
    expect(call.options.signal?.aborted).toBe(false);
    expect(types()).toEqual(['published']);
  });

  it('tells nothing after it was closed, and cancels what goes on', async () => {
    const { call, effects, events, run } = await publishing();
    effects.close();
    run({ type: 'load-feed', feed: 'newest' }, { type: 'copy-link', videoId: VIDEO });
    await settled();
    expect(call.options.signal?.aborted).toBe(true);
    expect(events).toEqual([]);
  });
});

describe('effects: watching', () => {
  it('opens, describes the video, counts its sources every second, and closes', async () => {
    const { fake, clock, events, run } = setUp();
    const own = session();
    run({ type: 'open-video', videoId: VIDEO });
    (await made(fake.watches)).resolve(own);
    await settled();
    clock.advance(2_000);
    const counted = { type: 'sources-counted', videoId: VIDEO, sources: { store: 1, tabs: 2, openNodes: 0 } };
    expect(events).toEqual([
      {
        type: 'watch-opened',
        videoId: VIDEO,
        facts: {
          title: 'A film',
          duration: 61.5,
          created: 1_000,
          hasVideo: true,
          hasAudio: true,
          width: 1280,
          height: 720,
          playlistUrl: '/hls/x/master.m3u8',
          preview: null,
          growing: null,
          offer: '',
        },
      },
      { type: 'lower-known', videoId: VIDEO, choices: [] },
      counted,
      counted,
    ]);
    run({ type: 'close-video' });
    clock.advance(60_000);
    expect(own.closed).toBe(1);
    expect(events).toHaveLength(4);
    expect(clock.pending()).toBe(0);
  });

  it('describes a video without picture', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-video', videoId: VIDEO });
    const renditions = fakeManifest().renditions.filter(({ kind }) => kind === 'audio');
    (await made(fake.watches)).resolve({ ...session(), manifest: fakeManifest({ renditions }) });
    await settled();
    expect(events[0]).toMatchObject({ facts: { hasVideo: false, hasAudio: true, width: 0, height: 0 } });
  });

  it('tells why it can’t open', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-video', videoId: VIDEO });
    (await made(fake.watches)).reject(fail('not-found', 'Nobody has it.'));
    await settled();
    expect(events).toEqual([
      { type: 'watch-failed', videoId: VIDEO, problem: expect.objectContaining({ code: 'not-found', why: 'Nobody has it.' }) },
    ]);
  });

  it('drops the answer of a video that was left, and closes it when it comes after all', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-video', videoId: VIDEO });
    const first = await made(fake.watches);
    const late = session();
    first.resolve(late);
    run({ type: 'open-video', videoId: OTHER });
    (await made(fake.watches, 1)).resolve(session());
    await settled();
    expect(first.signal?.aborted).toBe(true);
    expect(late.closed).toBe(1);
    expect(events).toMatchObject([
      { type: 'watch-opened', videoId: OTHER },
      { type: 'lower-known', videoId: OTHER },
    ]);
  });

  it('asks the open video for a lower quality, tells where the player is, and hears no more of what was left', async () => {
    const { fake, events, run } = setUp();
    const asked: { request: LowerRequest; at: number[]; closed: number }[] = [];
    const askLower: WatchSession['askLower'] = (request) => {
      const own = { request, at: [] as number[], closed: 0 };
      asked.push(own);
      return { playhead: (seconds) => own.at.push(seconds), close: () => own.closed++ };
    };
    run({ type: 'ask-lower', name: '360p', at: 1 });
    expect(asked, 'no video is open').toEqual([]);
    run({ type: 'open-video', videoId: VIDEO });
    (await made(fake.watches)).resolve({ ...session(), askLower });
    await settled();
    run({ type: 'ask-lower', name: '360p', at: 7 }, { type: 'tell-playhead', at: 8 });
    expect(asked).toMatchObject([{ request: { name: '360p', at: 7 }, at: [8], closed: 0 }]);
    const view = { name: '360p', playlistUrl: null, ahead: 0, helpers: 1, speed: null, found: false, problem: null };
    asked[0]?.request.onView(view);
    expect(events.at(-1)).toEqual({ type: 'lower-changed', videoId: VIDEO, view });
    const told = events.length;
    run({ type: 'ask-lower', name: '240p', at: 9 });
    expect(asked.map(({ closed }) => closed)).toEqual([1, 0]);
    asked[0]?.request.onView(view);
    run({ type: 'leave-lower' });
    asked[1]?.request.onView(view);
    run({ type: 'tell-playhead', at: 10 });
    expect(asked[1]).toMatchObject({ at: [], closed: 1 });
    expect(events).toHaveLength(told);
  });

  it('tells of later versions, and that it was taken off, until it is left', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-video', videoId: VIDEO });
    const heard: Parameters<WatchSession['onVersion']>[0][] = [];
    const onVersion: WatchSession['onVersion'] = (listener) => {
      heard.push(listener);
      return () => undefined;
    };
    (await made(fake.watches)).resolve({ ...session(), onVersion });
    await settled();
    const captions = [{ language: 'de', name: 'Deutsch', groups: [{ key: VIDEO, durations: [1_000] }] }];
    heard[0]?.(fakeManifest({ title: 'Another', additions: { preview: null, captions, withdrawn: [], growing: null } }));
    heard[0]?.(null);
    run({ type: 'close-video' });
    heard[0]?.(null);
    expect(events.slice(1)).toMatchObject([
      { type: 'lower-known', videoId: VIDEO },
      { type: 'watch-changed', videoId: VIDEO, facts: { title: 'Another', offer: `/de ${VIDEO}` } },
      { type: 'watch-withdrawn', videoId: VIDEO, problem: { code: 'withdrawn', why: 'Whoever published this video took it off.' } },
    ]);
    expect(events).toHaveLength(4);
  });

  it('passes on what the player gave up', async () => {
    const { fake, run } = setUp();
    run({ type: 'abandon-request', url: '/hls/x/0/3.m4s' });
    await settled();
    expect(fake.abandoned).toEqual(['/hls/x/0/3.m4s']);
  });
});

describe('effects: changing a published video', () => {
  const asked = (events: readonly Event[]) => events.flatMap((event) => (event.type === 'editing' ? [event.event] : []));
  const WISH = { title: 'Another', withoutCaptions: ['en'], withdrawn: [2], offered: [] };

  it('reads the video, proposes pictures of it, and is silent once the page is left', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-edit', videoId: VIDEO });
    (await made(fake.owns)).resolve(OWN_VIDEO);
    await settled();
    expect(asked(events)).toEqual([
      { type: 'loaded', video: OWN_VIDEO },
      { type: 'plan-changed', change: { type: 'pictures', pictures: ['data:image/jpeg;base64,/9j/'] } },
    ]);
    run({ type: 'open-edit', videoId: OTHER }, { type: 'close-edit' });
    (await made(fake.owns, 1)).reject(fail('not-found', 'Not here.'));
    await settled();
    expect(asked(events)).toHaveLength(2);
  });

  it('saves what is wished for, with the texts that were read, and tells until others have it', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'open-edit', videoId: VIDEO });
    (await made(fake.owns)).resolve(OWN_VIDEO);
    await settled();
    const text = '1\n00:00:01,000 --> 00:00:02,000\nHallo\n';
    run({ type: 'read-edit-captions', videoId: VIDEO, file: new File([text], 'film.de.srt') });
    await vi.waitFor(() => expect(asked(events)).toHaveLength(3));
    const last = asked(events)[2];
    if (last?.type !== 'plan-changed' || last.change.type !== 'captions') throw new Error('No captions came.');
    const plan = { ...EMPTY_PLAN, captions: [last.change.captions] };
    run({ type: 'edit', videoId: VIDEO, wish: WISH, plan });
    const { argument, resolve } = await made(fake.edits);
    const { title: _, ...rest } = WISH;
    expect(argument.edit).toMatchObject({ ...rest, title: 'Another', captions: [{ language: 'de', cues: [{ text: 'Hallo' }] }] });
    const copies = deferred<CopiesReport>();
    resolve({ videoId: VIDEO, done: copies.promise });
    const after = { ...OWN_VIDEO, title: 'Another' };
    (await made(fake.owns, 1)).resolve(after);
    await settled();
    argument.edit.onProgress?.(0.5);
    copies.resolve({ stored: 2, wanted: 5 });
    await settled();
    expect(asked(events).slice(3)).toEqual([
      { type: 'kept', video: after },
      { type: 'progressed', fraction: 0.5 },
      { type: 'stored', title: 'Another', copies: { stored: 2, wanted: 5 } },
    ]);
  });

  it('tells why it was not saved, or not removed', async () => {
    const { fake, events, run } = setUp();
    run({ type: 'edit', videoId: VIDEO, wish: WISH, plan: EMPTY_PLAN });
    (await made(fake.edits)).reject(fail('quota', 'It is full.'));
    run({ type: 'remove', videoId: VIDEO });
    (await made(fake.removals)).reject(fail('quota', 'It is full.'));
    await settled();
    expect(asked(events)).toMatchObject([
      { type: 'refused', problem: { what: 'Your changes were not saved.', why: 'It is full.' } },
      { type: 'refused', problem: { what: 'The video was not removed.' } },
    ]);
  });
});
