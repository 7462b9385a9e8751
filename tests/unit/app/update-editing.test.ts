/** What the page of a published video does with each event. */
import { describe, expect, it } from 'vitest';
import type { OwnVideo } from '../../../src/app/api.ts';
import type { EditEvent } from '../../../src/app/edit-events.ts';
import type { Event } from '../../../src/app/events.ts';
import type { EditedVideo, State } from '../../../src/app/state.ts';
import { isChanged } from '../../../src/app/update-editing.ts';
import { OWN_VIDEO } from './fake-kadreel.ts';
import { CARD, FACTS, FILE, follow, OTHER, PROBLEM, stateAt, VIDEO } from './states.ts';

const own = (event: EditEvent): Event => ({ type: 'editing', videoId: VIDEO, event });
const GERMAN = { id: 1, fileName: 'film.de.srt', language: 'de', texts: 3, encoding: 'utf-8', leftOut: 0, problems: [] } as const;

/** The page with the video on it. */
const opened = (video: OwnVideo = OWN_VIDEO): State => follow(stateAt(`/edit/${VIDEO}`), own({ type: 'loaded', video })).state;
const edited = ({ editing }: State): EditedVideo => {
  if (editing.step !== 'open') throw new Error(`It is ${editing.step}.`);
  return editing;
};

describe('opening', () => {
  it('asks for the video, at the first address and by a link, and stops when the page is left', () => {
    expect(follow(stateAt(`/edit/${VIDEO}`), { type: 'started' }).effects).toContainEqual({ type: 'open-edit', videoId: VIDEO });
    const there = follow(stateAt('/'), { type: 'link-followed', path: `/edit/${VIDEO}` });
    expect(there.state.editing).toEqual({ step: 'loading', videoId: VIDEO });
    expect(there.effects).toContainEqual({ type: 'open-edit', videoId: VIDEO });
    const away = follow(there.state, { type: 'link-followed', path: '/' });
    expect(away.state.editing).toEqual({ step: 'none' });
    expect(away.effects).toContainEqual({ type: 'close-edit' });
    const dropped = follow(there.state, { type: 'file-chosen', file: FILE });
    expect(dropped.state.editing).toEqual({ step: 'none' });
    expect(dropped.effects).toContainEqual({ type: 'close-edit' });
  });

  it('says why it can’t be changed, and asks again at a press', () => {
    const { state } = follow(stateAt(`/edit/${VIDEO}`), own({ type: 'failed', problem: PROBLEM }));
    expect(state.editing).toEqual({ step: 'failed', videoId: VIDEO, problem: PROBLEM });
    expect(follow(state, own({ type: 'retry-pressed' })).effects).toEqual([{ type: 'open-edit', videoId: VIDEO }]);
  });

  it('begins with nothing to save, and stays so when pictures are proposed', () => {
    const state = follow(opened(), own({ type: 'plan-changed', change: { type: 'pictures', pictures: ['data:a', 'data:b'] } })).state;
    expect(edited(state).plan).toMatchObject({ pictures: ['data:a', 'data:b'], picture: null });
    expect(isChanged(edited(state))).toBe(false);
    expect(follow(state, own({ type: 'save-pressed' })).effects).toEqual([]);
  });

  it('passes over what is of another video', () => {
    const state = opened();
    const late: Event = { type: 'editing', videoId: OTHER, event: { type: 'title-typed', title: 'x' } };
    expect(follow(state, late).state).toEqual(state);
  });
});

describe('saving', () => {
  const wished = (...events: readonly EditEvent[]) => follow(opened(), ...events.map(own), own({ type: 'save-pressed' }));

  it('asks only for what differs', () => {
    const { effects, state } = wished(
      { type: 'title-typed', title: ' Another ' },
      { type: 'captions-switched', language: 'en', wanted: false },
      { type: 'quality-switched', rendition: 2, offered: false },
    );
    const wish = { title: 'Another', withoutCaptions: ['en'], withdrawn: [2], offered: [] };
    expect(effects).toMatchObject([{ type: 'edit', videoId: VIDEO, wish }]);
    expect(edited(state).saving).toBe(true);
    expect(follow(state, own({ type: 'save-pressed' })).effects).toEqual([]);
  });

  it.each([
    [
      'a title typed back',
      [
        { type: 'title-typed', title: 'x' },
        { type: 'title-typed', title: 'A film' },
      ],
    ],
    ['no title', [{ type: 'title-typed', title: '  ' }]],
    [
      'captions kept after all',
      [
        { type: 'captions-switched', language: 'en', wanted: false },
        { type: 'captions-switched', language: 'en', wanted: true },
      ],
    ],
    [
      'a quality offered after all',
      [
        { type: 'quality-switched', rendition: 0, offered: false },
        { type: 'quality-switched', rendition: 0, offered: true },
      ],
    ],
  ] satisfies [string, EditEvent[]][])('of nothing is none: %s', (_, events) => {
    expect(wished(...events).effects).toEqual([]);
  });

  it('offers a quality again', () => {
    const [first, second] = OWN_VIDEO.qualities;
    if (!first || !second) throw new Error('There are two.');
    const video = { ...OWN_VIDEO, qualities: [first, { ...second, offered: false }] };
    const { effects } = follow(
      opened(video),
      own({ type: 'quality-switched', rendition: 2, offered: true }),
      own({ type: 'save-pressed' }),
    );
    expect(effects).toMatchObject([{ wish: { withdrawn: [], offered: [2] } }]);
  });

  it('wants to know the language of each file first', () => {
    const { effects, state } = wished({ type: 'plan-changed', change: { type: 'captions', captions: { ...GERMAN, language: 'und' } } });
    expect(effects.map(({ type }) => type)).toEqual(['expire-notice']);
    expect(state.notices[0]?.text).toMatch(/which language/);
  });

  it('shows the video as it is then, and how far it has come to others', () => {
    const saving = wished({ type: 'plan-changed', change: { type: 'captions', captions: GERMAN } }).state;
    const after = { ...OWN_VIDEO, captions: [{ language: 'de', name: 'Deutsch' }] };
    const kept = follow(saving, own({ type: 'kept', video: after }));
    expect(kept.effects).toEqual([{ type: 'load-feed', feed: 'mine' }]);
    expect(edited(kept.state)).toMatchObject({ video: after, saving: false, sent: { fraction: 0, copies: null } });
    expect(isChanged(edited(kept.state))).toBe(false);
    const half = follow(kept.state, own({ type: 'progressed', fraction: 0.5 })).state;
    expect(edited(half).sent).toEqual({ fraction: 0.5, copies: null });
    const stored = follow(half, own({ type: 'stored', title: 'A film', copies: { stored: 2, wanted: 5 } })).state;
    expect(edited(stored).sent).toEqual({ fraction: 1, copies: { stored: 2, wanted: 5 } });
  });

  it('tells of the end also when the page was left, and of a refusal', () => {
    const copies = { stored: 2, wanted: 5 };
    const stored = follow(stateAt('/'), own({ type: 'stored', title: 'A film', copies })).state;
    expect(stored.notices[0]).toMatchObject({ tone: 'good', text: 'What you changed of “A film” is safe with others.' });
    const refused = follow(stateAt('/'), own({ type: 'refused', problem: PROBLEM })).state;
    expect(refused.notices[0]).toMatchObject({ tone: 'bad' });
  });

  it('that is refused keeps all that was wished for, and says why', () => {
    const saving = wished({ type: 'title-typed', title: 'Another' }).state;
    const { state } = follow(saving, own({ type: 'refused', problem: PROBLEM }));
    expect(edited(state)).toMatchObject({ title: 'Another', saving: false, problem: PROBLEM });
  });
});

describe('removing', () => {
  it('takes the video off the lists at once', () => {
    const other = { ...CARD, videoId: OTHER };
    const feed = { phase: 'ready', videos: [CARD, other], problem: null } as const;
    const asked = follow({ ...opened(), newest: feed, mine: feed }, own({ type: 'remove-confirmed' }));
    expect(asked.effects).toEqual([{ type: 'remove', videoId: VIDEO }]);
    expect(follow(asked.state, own({ type: 'remove-confirmed' })).effects).toEqual([]);
    const { state } = follow(asked.state, own({ type: 'removed' }));
    expect(state.editing).toEqual({ step: 'removed', videoId: VIDEO });
    expect([state.newest.videos, state.mine.videos]).toEqual([[other], [other]]);
  });
});

describe('removing what was published a moment ago', () => {
  it('ends its page, and nobody is told that its copies could not be stored', () => {
    const progress = { stage: 'copies', fraction: 0.9, secondsLeft: null } as const;
    const published = {
      step: 'published',
      title: 'A film',
      watchUrl: '',
      progress,
      qualities: [],
      growth: null,
      sharedWork: null,
      copies: null,
    } as const;
    const start = { ...opened(), publishing: { ...published, videoId: VIDEO } };
    const { state, effects } = follow(start, own({ type: 'removed' }), { type: 'copies-failed', videoId: VIDEO, problem: PROBLEM });
    expect(state.publishing).toEqual({ step: 'empty' });
    expect(state.notices).toEqual([]);
    expect(effects).toEqual([{ type: 'forget-file' }, { type: 'load-feed', feed: 'mine' }]);
    const another = { ...opened(), publishing: { ...published, videoId: OTHER } };
    expect(follow(another, own({ type: 'removed' })).state.publishing).toEqual(another.publishing);
  });
});

describe('a video that is watched', () => {
  const watched = follow(
    stateAt(`/watch/${VIDEO}`),
    { type: 'watch-opened', videoId: VIDEO, facts: { ...FACTS, playlistUrl: '/hls/x' } },
    { type: 'sources-counted', videoId: VIDEO, sources: { store: 1, tabs: 2, openNodes: 3 } },
  ).state;

  it('gets its later version without beginning anew', () => {
    const later = { ...FACTS, title: 'Another', offer: 'de', playlistUrl: '/hls/x' };
    const { state, effects } = follow(watched, { type: 'watch-changed', videoId: VIDEO, facts: later });
    expect(state.watching).toMatchObject({ phase: 'ready', title: 'Another', offer: 'de', sources: { store: 1, tabs: 2, openNodes: 3 } });
    expect(effects).toEqual([]);
    expect(follow(watched, { type: 'watch-changed', videoId: OTHER, facts: later }).state).toEqual(watched);
  });

  it('ends when it was taken off, and is not looked for when others come', () => {
    const problem = { ...PROBLEM, code: 'withdrawn' } as const;
    const { state, effects } = follow(watched, { type: 'watch-withdrawn', videoId: VIDEO, problem });
    expect(state.watching).toEqual({ phase: 'failed', videoId: VIDEO, problem });
    expect(effects).toEqual([{ type: 'close-video' }]);
    const health = { ...state.health, links: { tabs: 9, openNodes: 1 } };
    expect(follow(state, { type: 'health-changed', health }).effects).not.toContainEqual({ type: 'open-video', videoId: VIDEO });
  });
});
