/** Hours of coming and going: no group is lost, and neither timers nor memory grow. */
import { expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { day } from './day.ts';

const SEED = Number(process.env.SEED ?? 7);

test(`[M7] 30 tabs with 30-minute sessions for 3 hours keep 20 groups, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const { figures, mostEvents } = await play(day({ hours: 3, videos: 20 }), { nodes: 30, seed: SEED });
  console.info(`seed ${SEED}:`, figures);
  expect(figures.lost).toBe(0);
  expect(figures.found).toBe(20);
  expect(figures.copies).toBeGreaterThanOrEqual(4);
  expect(figures.copied).toBeGreaterThan(20);
  expect(figures.crash).toBeGreaterThan(15);
  expect(figures.lookupExact).toBeGreaterThanOrEqual(0.97);
  expect(figures.timersLast).toBeLessThanOrEqual((figures.timersFirst as number) + 5);
  expect(mostEvents).toBeLessThan(60);
});
