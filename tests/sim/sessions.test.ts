/** Who comes and goes: the law of session lengths, and a population that stays. */
import { expect, test } from 'vitest';
import { quantile } from './figures.ts';
import { populate } from './population.ts';
import { seededRandom } from './random.ts';
import { type Change, createSessions, weibull } from './sessions.ts';
import { createTruth } from './truth.ts';
import { createWorld } from './world.ts';

const MINUTE = 60_000;

test('sessions have the median that they should, many short ones and a long tail', () => {
  const random = seededRandom(1);
  const lengths = Array.from({ length: 20_000 }, () => weibull(random, 30));
  expect(quantile(lengths, 0.5)).toBeGreaterThan(29);
  expect(quantile(lengths, 0.5)).toBeLessThan(31);
  expect(quantile(lengths, 0.1)).toBeLessThan(2);
  expect(quantile(lengths, 0.95)).toBeGreaterThan(5 * 60);
});

test('the population stays while its members change, half of those who go crash, and who returns is the same with its disk', {
  timeout: 120_000,
}, async () => {
  const world = createWorld({ seed: 4 });
  await populate(world, { tabs: 20, settling: 5_000 });
  const truth = createTruth(world);
  const changes: Change[] = [];
  const before = new Map(world.tabs().map((one) => [one, one.store]));
  const sessions = createSessions({
    world,
    random: seededRandom(5),
    population: 20,
    returning: 1,
    onChange: (change) => changes.push(change),
  });
  for (let i = 0; i < 40; i++) {
    await world.scheduler.advance(2 * MINUTE);
    expect(world.tabs().length).toBeGreaterThanOrEqual(15);
    const [target] = world.tabs();
    const nearest = truth.nearest(target?.id as never, 100);
    expect(new Set(nearest)).toEqual(new Set(world.nodes.filter((one) => one.up).map((one) => one.id)));
    expect(nearest[0]).toBe(target?.id);
  }
  const { join, leave, crash, return: returned } = sessions.counts;
  expect(changes.length).toBe(join + leave + crash + returned);
  expect(leave + crash - returned).toBe(sessions.absent);
  expect(Math.min(leave, crash, returned)).toBeGreaterThan(5);
  for (const [one, store] of before) expect(one.store).toBe(store);
  sessions.stop();
  world.close();
});
