/** Lost packets, failing dials, and NATs that can not all be punched. */
import { expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { lossy } from './lossy.ts';

const SEED = Number(process.env.SEED ?? 7);

test(`100 tabs on bad lines, seed ${SEED}: every value is found, and most of the nearest`, { timeout: 300_000 }, async () => {
  const { figures, mostLinks } = await play(lossy, { nodes: 100, seed: SEED });
  console.info(`seed ${SEED}:`, figures);
  expect(figures.valuesFound).toBe(figures.valuesAsked);
  expect(figures.valuesBroken).toBe(0);
  expect(figures.lookupFailed).toBe(0);
  // Some of the nearest have no link to each other: their NATs do not let them.
  expect(figures.lookupExact).toBeGreaterThanOrEqual(0.85);
  expect(mostLinks).toBeLessThanOrEqual(64);
});
