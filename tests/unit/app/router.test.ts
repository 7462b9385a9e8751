import { describe, expect, it } from 'vitest';
import { parsePath, pathOf, titleOf } from '../../../src/app/router.ts';
import { NO_LOWER } from '../../../src/app/update-lower.ts';
import { FACTS, HEALTH, PROBE, stateAt, VIDEO } from './states.ts';

describe('router', () => {
  it.each([
    ['/', 'home'],
    ['/publish', 'publish'],
    ['/publish/', 'publish'],
    ['/network', 'network'],
    ['/network/', 'network'],
    ['/network/more', 'missing'],
    ['/invite', 'invite'],
    ['/join', 'join'],
    ['/join/', 'join'],
    ['/join/now', 'missing'],
    [`/watch/${VIDEO}`, 'watch'],
    [`/watch/${VIDEO}/`, 'watch'],
    [`/watch/${VIDEO.toUpperCase()}`, 'watch'],
    [`/watch/${VIDEO.slice(1)}`, 'missing'],
    [`/watch/${VIDEO}0`, 'missing'],
    [`/watch/${VIDEO}/more`, 'missing'],
    ['/watch', 'missing'],
    ['/watch/', 'missing'],
    ['//', 'missing'],
    ['/publish/now', 'missing'],
    ['/toString', 'missing'],
  ])('%s is the page %s', (path, page) => {
    expect(parsePath(path).page).toBe(page);
  });

  it('gives each page a path that leads back to it', () => {
    for (const path of ['/', '/publish', '/network', '/invite', '/join', `/watch/${VIDEO}`, '/nowhere/at/all']) {
      const route = parsePath(path);
      expect(pathOf(route)).toBe(path);
      expect(parsePath(pathOf(route))).toEqual(route);
    }
  });

  it('takes an id in capital letters for the same video', () => {
    expect(parsePath(`/watch/${VIDEO.toUpperCase()}`)).toEqual({ page: 'watch', videoId: VIDEO });
  });

  it('names the tab after what it shows', () => {
    expect(titleOf(stateAt('/'))).toContain('Kadreel');
    expect(titleOf(stateAt('/nowhere'))).toContain('Not found');
    expect(titleOf(stateAt('/network'))).toBe('Network · Kadreel');
    expect(titleOf(stateAt(`/watch/${VIDEO}`))).toBe('Watch · Kadreel');
    expect(titleOf(stateAt(`/watch/${VIDEO}`, { watching: ready('Swifts') }))).toBe('Swifts · Kadreel');
    expect(titleOf(stateAt('/publish'))).toBe('Publish · Kadreel');
    const working = {
      step: 'working',
      file: { name: 'a', size: 1 },
      title: 'a',
      probe: PROBE,
      progress: { stage: 'cut', fraction: 0.428, secondsLeft: null },
    } as const;
    expect(titleOf(stateAt('/publish', { publishing: working, health: HEALTH }))).toBe('42 % · Kadreel');
  });
});

function ready(title: string) {
  return {
    phase: 'ready',
    videoId: VIDEO,
    ...FACTS,
    title,
    sources: { store: 0, tabs: 0, openNodes: 0 },
    lower: NO_LOWER,
    problem: null,
  } as const;
}
