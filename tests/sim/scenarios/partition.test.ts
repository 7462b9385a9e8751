/** Two halves that could not hear each other come together again, and nothing that either side did is lost. */
import { expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { partition } from './partition.ts';

const SEED = Number(process.env.SEED ?? 7);

test(`[S5] [S9] 100 tabs in two halves for 10 minutes, seed ${SEED}: records and sets converge`, { timeout: 600_000 }, async () => {
  const { figures } = await play(partition, { nodes: 100, seed: SEED });
  console.info(`seed ${SEED}:`, figures);
  expect(figures.lookupExact).toBeGreaterThanOrEqual(0.99);
  expect(figures.minutesToHeal).toBeLessThanOrEqual(20);
  expect(figures.valuesFound).toBe(figures.valuesAsked);
  expect(figures.versions).toBe(1);
  expect(figures.incomplete).toBe(0);
  expect(figures.fewestReplicas).toBeGreaterThanOrEqual(10);
});
