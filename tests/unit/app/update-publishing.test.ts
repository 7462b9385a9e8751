import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/app/events.ts';
import { EMPTY_PLAN } from '../../../src/app/publish-plan.ts';
import { update } from '../../../src/app/update.ts';
import { titleFrom } from '../../../src/app/update-publishing.ts';
import { FILE, follow, OTHER, PROBE, PROBLEM, stateAt, VIDEO } from './states.ts';

const page = stateAt('/publish');
const chosen = follow(page, { type: 'file-chosen', file: FILE }).state;
const probed = follow(chosen, { type: 'probed', probe: PROBE }).state;
const working = follow(probed, { type: 'publish-pressed' }).state;
const PUBLISHED: Event = { type: 'published', videoId: VIDEO, watchUrl: `https://x.example/watch/${VIDEO}` };
const published = follow(working, PUBLISHED).state;
const progress = { stage: 'cut', fraction: 0.5, secondsLeft: 3 } as const;

describe('publishing: choosing', () => {
  it('takes a file, its title from its name, and looks at it', () => {
    expect(chosen.publishing).toEqual({ step: 'chosen', file: { name: FILE.name, size: 12 }, title: 'my film.final', probe: null });
    expect(update(page, { type: 'file-chosen', file: FILE }).effects).toEqual([{ type: 'choose-file', file: FILE }]);
    expect(probed.publishing).toMatchObject({ probe: PROBE });
  });

  it('a file that is dropped elsewhere leads to the publish page and stops the video', () => {
    const { state, effects } = update(stateAt(`/watch/${VIDEO}`), { type: 'file-chosen', file: FILE });
    expect(state.route).toEqual({ page: 'publish' });
    expect(state.watching).toEqual({ phase: 'idle' });
    expect(effects).toEqual([{ type: 'push-path', path: '/publish' }, { type: 'close-video' }, { type: 'choose-file', file: FILE }]);
  });

  it('refuses a second file while one is being published', () => {
    const { state, effects } = update(working, { type: 'file-chosen', file: FILE });
    expect(state.publishing).toEqual(working.publishing);
    expect(state.notices).toHaveLength(1);
    expect(effects.map(({ type }) => type)).toEqual(['expire-notice']);
  });

  it('takes the file away again, also after a failure', () => {
    for (const state of [probed, follow(chosen, { type: 'probe-failed', problem: PROBLEM }).state]) {
      expect(update(state, { type: 'file-removed' })).toEqual({ state: page, effects: [{ type: 'forget-file' }] });
    }
  });

  it('keeps titles within the 200 bytes of a manifest, without cutting a letter in half', () => {
    const title = follow(probed, { type: 'title-typed', title: 'ž'.repeat(150) }).state.publishing;
    expect(title).toMatchObject({ title: 'ž'.repeat(100) });
    expect(follow(probed, { type: 'title-typed', title: '🎞'.repeat(60) }).state.publishing).toMatchObject({ title: '🎞'.repeat(50) });
  });

  it.each([
    ['holiday_2019.mov', 'holiday 2019'],
    ['a.b.c.mkv', 'a.b.c'],
    ['no ending', 'no ending'],
    ['.mp4', 'Untitled'],
    ['', 'Untitled'],
  ])('the title of %s is %s', (name, title) => {
    expect(titleFrom(name)).toBe(title);
  });
});

describe('publishing: working', () => {
  it('starts with the trimmed title, and with the file’s name when it is empty', () => {
    const { effects } = follow(probed, { type: 'title-typed', title: '  Swifts ' }, { type: 'publish-pressed' });
    expect(effects).toEqual([{ type: 'publish', title: 'Swifts', plan: EMPTY_PLAN }]);
    expect(follow(probed, { type: 'title-typed', title: '   ' }, { type: 'publish-pressed' }).effects).toEqual([
      { type: 'publish', title: 'my film.final', plan: EMPTY_PLAN },
    ]);
  });

  it('does not start before the file has been looked at, nor twice', () => {
    expect(update(chosen, { type: 'publish-pressed' })).toEqual({ state: chosen, effects: [] });
    expect(update(working, { type: 'publish-pressed' })).toEqual({ state: working, effects: [] });
  });

  it('shows progress, also of the copies', () => {
    expect(follow(working, { type: 'publish-progressed', progress }).state.publishing).toMatchObject({ step: 'working', progress });
    const copying = { stage: 'copies', fraction: 0.9, secondsLeft: null } as const;
    expect(follow(published, { type: 'publish-progressed', progress: copying }).state.publishing).toMatchObject({
      step: 'published',
      progress: copying,
    });
  });

  it('cancelling goes back to the file and its title at once', () => {
    const { state, effects } = update(working, { type: 'cancel-pressed' });
    expect(state.publishing).toEqual(probed.publishing);
    expect(effects).toEqual([{ type: 'cancel-publish' }]);
  });

  it.each([
    [false, 'Nothing was published'],
    [true, 'too late'],
  ])('says how cancelling ended (published: %s)', (was, text) => {
    const { state, effects } = update(probed, { type: 'publish-cancelled', published: was });
    expect(state.notices[0]?.text).toContain(text);
    expect(effects).toContainEqual({ type: 'load-feed', feed: 'mine' });
  });
});

describe('publishing: the end', () => {
  it('shows the link, waits for copies, and loads the lists anew', () => {
    expect(published.publishing).toMatchObject({ step: 'published', title: 'my film.final', videoId: VIDEO, copies: null });
    expect(update(working, PUBLISHED).effects).toEqual([
      { type: 'load-feed', feed: 'mine' },
      { type: 'load-feed', feed: 'newest' },
    ]);
  });

  it('counts the copies of this video only', () => {
    const copies = { stored: 3, wanted: 5 };
    expect(follow(published, { type: 'copies-stored', videoId: VIDEO, copies }).state.publishing).toMatchObject({ copies });
    expect(follow(published, { type: 'copies-stored', videoId: OTHER, copies }).state).toEqual(published);
  });

  it('shows the smaller pictures of a video whose link works', () => {
    const qualities = [{ name: '240p', phase: 'making', fraction: 0.5, problem: null }] as const;
    expect(follow(published, { type: 'qualities-changed', qualities }).state.publishing).toMatchObject({ qualities });
    expect(follow(working, { type: 'qualities-changed', qualities }).state).toEqual(working);
  });

  it('shows who makes them', () => {
    const work = { workers: [{ id: 'own', made: 1, dropped: false, spans: [] }], speedUp: 1.5, secondsLeft: 3 } as const;
    expect(follow(published, { type: 'shared-work-changed', work }).state.publishing).toMatchObject({ sharedWork: work });
    expect(follow(working, { type: 'shared-work-changed', work }).state).toEqual(working);
  });

  it('tells when copies can’t be stored, and keeps the link', () => {
    const { state } = follow(published, { type: 'copies-failed', videoId: VIDEO, problem: PROBLEM });
    expect(state.publishing).toEqual({ ...published.publishing, copies: { stored: 0, wanted: 0 } });
    expect(state.notices[0]?.tone).toBe('bad');
  });

  it('a failure keeps file, title and what is known of the file; one press tries again', () => {
    const failed = follow(working, { type: 'publish-failed', problem: PROBLEM }).state;
    expect(failed.publishing).toEqual({
      step: 'failed',
      file: { name: FILE.name, size: 12 },
      title: 'my film.final',
      probe: PROBE,
      problem: PROBLEM,
    });
    expect(update(failed, { type: 'publish-retry-pressed' })).toEqual({
      state: working,
      effects: [{ type: 'publish', title: 'my film.final', plan: EMPTY_PLAN }],
    });
  });

  it('a file that can’t be looked at is looked at again, not published', () => {
    const failed = follow(chosen, { type: 'probe-failed', problem: PROBLEM }).state;
    expect(failed.publishing).toMatchObject({ step: 'failed', probe: null, problem: PROBLEM, title: 'my film.final' });
    expect(update(failed, { type: 'publish-retry-pressed' })).toEqual({ state: chosen, effects: [{ type: 'probe-again' }] });
  });

  it('begins anew after a publication', () => {
    expect(update(published, { type: 'publish-another-pressed' })).toEqual({
      state: { ...published, publishing: { step: 'empty' } },
      effects: [{ type: 'forget-file' }],
    });
  });

  it('late events of a step that is over change nothing', () => {
    const late: readonly Event[] = [
      { type: 'probed', probe: PROBE },
      { type: 'probe-failed', problem: PROBLEM },
      { type: 'publish-progressed', progress },
      { type: 'publish-failed', problem: PROBLEM },
      { type: 'copies-stored', videoId: VIDEO, copies: { stored: 1, wanted: 1 } },
      { type: 'copies-failed', videoId: VIDEO, problem: PROBLEM },
      { type: 'cancel-pressed' },
      { type: 'file-removed' },
      { type: 'publish-another-pressed' },
      { type: 'publish-pressed' },
      { type: 'publish-retry-pressed' },
      { type: 'title-typed', title: 'x' },
    ];
    for (const event of late) expect(update(page, event), event.type).toEqual({ state: page, effects: [] });
  });
});
