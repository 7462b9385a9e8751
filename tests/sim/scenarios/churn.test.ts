/** Three hundred tabs with 30-minute sessions: lookups stay exact and nothing that is kept is missed. */
import { expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { churn } from './churn.ts';

const SEED = Number(process.env.SEED ?? 7);

test(`[K6] [S12] 300 tabs that come and go, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const { figures, mostLinks, mostEvents } = await play(churn({ warmUp: 5, rounds: 5, lookups: 60, values: 60 }), {
    nodes: 300,
    seed: SEED,
  });
  console.info(`seed ${SEED}:`, figures);
  expect(figures.lookupExact).toBeGreaterThanOrEqual(0.97);
  expect(figures.lookupFailed).toBe(0);
  expect(figures.valuesFound).toBe(figures.valuesAsked);
  expect(figures.valuesBroken).toBe(0);
  // A run in which hardly anybody comes or goes shows nothing.
  expect(figures.crash).toBeGreaterThan(15);
  expect(figures.leave).toBeGreaterThan(15);
  expect(figures.join).toBeGreaterThan(30);
  expect(mostLinks).toBeLessThanOrEqual(64);
  expect(mostEvents).toBeLessThan(50);
});
