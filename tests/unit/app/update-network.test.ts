import { describe, expect, it } from 'vitest';
import type { NetworkView } from '../../../src/app/api.ts';
import type { Event } from '../../../src/app/events.ts';
import { FILE, follow, PROBLEM, stateAt } from './states.ts';

const VIEW: NetworkView = {
  tabs: 1,
  openNodes: [],
  iceServers: [],
  stunFound: [],
  nat: null,
  connections: 2,
  help: { on: false, slots: 1, checkShare: 0.05, rest: null, jobs: 0, seconds: 0 },
};
const ADD: Event = { type: 'network-change-pressed', change: { type: 'add-open-node', url: 'a.example' } };

describe('the page about the network', () => {
  it('is looked at from when it is opened until it is left, by whatever way', () => {
    const effectsOf = (path: string, ...events: readonly Event[]) => follow(stateAt(path), ...events).effects.map(({ type }) => type);
    expect(effectsOf('/network', { type: 'started' })).toContain('watch-network');
    expect(effectsOf('/', { type: 'started' })).not.toContain('watch-network');
    expect(effectsOf('/', { type: 'link-followed', path: '/network' })).toEqual(['push-path', 'watch-network']);
    expect(effectsOf('/network', { type: 'path-changed', path: '/' })).toContain('leave-network');
    expect(effectsOf('/network', { type: 'file-chosen', file: FILE })).toContain('leave-network');
  });

  it('shows the latest that was seen', () => {
    const { state } = follow(stateAt('/network'), { type: 'network-seen', view: VIEW });
    expect(state.network).toEqual({ view: VIEW, changing: null, refused: null });
  });

  it('switches helping on, once, and shows what came of it', () => {
    const on: Event = { type: 'help-switched', on: true };
    const { state, effects } = follow(stateAt('/network'), on, on);
    expect(state.network.changing).toBe('help');
    expect(effects).toEqual([{ type: 'switch-help', on: true }]);
    const view = { ...VIEW, help: { ...VIEW.help, on: true } };
    expect(follow(state, { type: 'help-changed', view }).state.network).toEqual({ view, changing: null, refused: null });
  });

  it('changes how it helps, once, and shows what came of it', () => {
    const two: Event = { type: 'help-tuned', tuning: { slots: 2 } };
    const { state, effects } = follow(stateAt('/network'), two, { type: 'help-switched', on: true }, two);
    expect(state.network.changing).toBe('help');
    expect(effects).toEqual([{ type: 'tune-help', tuning: { slots: 2 } }]);
  });

  it('makes one change at a time', () => {
    const { state, effects } = follow(stateAt('/network'), ADD, ADD);
    expect(state.network.changing).toBe('open-nodes');
    expect(effects).toEqual([{ type: 'change-network', change: { type: 'add-open-node', url: 'a.example' } }]);
    const changed = follow(state, { type: 'network-changed', view: VIEW });
    expect(changed.state.network).toEqual({ view: VIEW, changing: null, refused: null });
    expect(changed.state.notices.map(({ text }) => text)).toEqual(['Changed, and in use.']); // read aloud, too
  });

  it('keeps the reason of a refusal until the next try, or until it is left', () => {
    const { state } = follow(stateAt('/network'), ADD, { type: 'network-change-failed', part: 'open-nodes', problem: PROBLEM });
    expect(state.network).toMatchObject({ changing: null, refused: { part: 'open-nodes', problem: PROBLEM } });
    expect(follow(state, ADD).state.network.refused).toBeNull();
    expect(follow(state, { type: 'link-followed', path: '/' }).state.network.refused).toBeNull();
  });
});
