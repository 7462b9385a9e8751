/** One bar over several stages. */
import { describe, expect, test } from 'vitest';
import type { PublishProgress } from '../../../src/app/api.ts';
import { createProgress } from '../../../src/app/progress.ts';
import { createTestClock } from './test-clock.ts';

function bench() {
  const clock = createTestClock();
  const told: PublishProgress[] = [];
  const ends = { read: 0.1, transcode: 0.8, cut: 0.8, announce: 0.9, copies: 1 };
  const progress = createProgress({ clock, ends, onProgress: (one) => told.push(one) });
  return { clock, told, progress, last: () => told.at(-1) };
}

describe('the bar', () => {
  test('gives each stage its part, from where the one before it ended', () => {
    const { progress, told } = bench();
    progress.report('read', 1);
    progress.report('cut', 0.5);
    progress.report('announce', 1);
    expect(told.map(({ fraction }) => Math.round(100 * fraction))).toEqual([10, 45, 90]);
  });

  test('never falls, whatever a stage says', () => {
    const { progress, told } = bench();
    for (const fraction of [0.5, 0.2, -3, 7, 0]) progress.report('cut', fraction);
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(0.8);
  });

  test('tells no time before there is something to tell it from', () => {
    const { progress, clock, last } = bench();
    progress.report('cut', 0.01);
    clock.advance(5_000);
    progress.report('cut', 0.01);
    expect(last()?.secondsLeft).toBeNull();
    progress.report('read', 0);
    clock.advance(600);
    progress.report('read', 0.5);
    expect(last()?.secondsLeft).toBeNull();
  });

  test('tells the time that is left at this speed', () => {
    const { progress, clock, last } = bench();
    progress.report('cut', 0);
    clock.advance(10_000);
    progress.report('cut', 0.25);
    expect(last()?.secondsLeft).toBe(30);
    progress.report('cut', 1);
    expect(last()?.secondsLeft).toBe(0);
  });
});
