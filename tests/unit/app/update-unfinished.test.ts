/** What follows from events of publications that an earlier page began. */
import { describe, expect, test } from 'vitest';
import type { Unfinished } from '../../../src/app/api.ts';
import { follow, PROBLEM, stateAt, VIDEO } from './states.ts';

const ONE: Unfinished = {
  kind: 'video',
  id: '00112233aabbccdd',
  title: 'A film',
  fileName: 'film.mp4',
  fraction: 0.43,
  videoId: null,
  phase: 'working',
  problem: null,
};
const changed = (...unfinished: readonly Unfinished[]) => ({ type: 'unfinished-changed', unfinished }) as const;

describe('unfinished publications', () => {
  test('are shown as they are told; progress alone loads nothing', () => {
    const { state, effects } = follow(stateAt('/'), changed(ONE), changed({ ...ONE, fraction: 0.5 }));
    expect(state.unfinished).toEqual([{ ...ONE, fraction: 0.5 }]);
    expect(effects).toEqual([]);
  });

  test('whose link begins to work are among mine', () => {
    const { effects } = follow(stateAt('/'), changed(ONE), changed({ ...ONE, videoId: VIDEO }));
    expect(effects).toEqual([{ type: 'load-feed', feed: 'mine' }]);
  });

  test('that end are told of once, by name', () => {
    const { state, effects } = follow(stateAt('/'), changed({ ...ONE, videoId: VIDEO }), changed());
    expect(state.notices.map(({ text }) => text)).toEqual(['“A film” is whole now, and safe with others.']);
    expect(effects).toMatchObject([{ type: 'load-feed', feed: 'mine' }, { type: 'expire-notice' }]);
  });

  test('that were discarded, or ended in another tab, go without a word', () => {
    for (const phase of ['asks', 'needs-file', 'elsewhere', 'failed', 'unreadable'] as const) {
      expect(follow(stateAt('/'), changed({ ...ONE, phase }), changed()).state.notices).toEqual([]);
    }
  });

  test('go on, and are discarded, by a press', () => {
    const { id } = ONE;
    expect(follow(stateAt('/'), { type: 'go-on-pressed', id, file: null }).effects).toEqual([{ type: 'go-on', id, file: null }]);
    expect(follow(stateAt('/'), { type: 'discard-pressed', id }).effects).toEqual([{ type: 'discard', id }]);
    const { state } = follow(stateAt('/'), { type: 'discard-failed', problem: PROBLEM });
    expect(state.notices).toMatchObject([{ tone: 'bad', text: expect.stringContaining('Nobody answered.') }]);
  });
});
