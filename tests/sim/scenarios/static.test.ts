/** Three hundred tabs that stay: all is found, exactly, and the same seed does the same again. */
import { expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { still } from './static.ts';

const SEED = Number(process.env.SEED ?? 7);
const sizes = { recursive: 100, iterative: 60, rate: 20, values: 60 };

test(`[K3] [K6] [K7] 300 tabs find the nearest and what is stored, seed ${SEED}; the same seed leaves the same trace`, {
  timeout: 600_000,
}, async () => {
  const { figures, trace, mostLinks } = await play(still(sizes), { nodes: 300, seed: SEED });
  console.info(`seed ${SEED}: trace ${trace.slice(0, 16)}`, figures);
  expect(figures.recursiveExact).toBeGreaterThanOrEqual(0.999);
  expect(figures.iterativeExact).toBeGreaterThanOrEqual(0.999);
  expect([figures.recursiveFailed, figures.iterativeFailed]).toEqual([0, 0]);
  expect(figures.recursiveMedian).toBeLessThanOrEqual(2 * (figures.meanRoundTrip as number));
  expect(figures.recursiveMessages).toBeLessThanOrEqual(16);
  expect(figures.storedLeast).toBeGreaterThanOrEqual(20);
  expect(figures.valuesFound).toBe(figures.valuesAsked);
  expect(figures.malformed).toBe(0);
  expect(figures.leastLinks).toBeGreaterThanOrEqual(12);
  expect(mostLinks).toBeLessThanOrEqual(64);
  const again = await play(still(sizes), { nodes: 300, seed: SEED });
  expect(again.trace).toBe(trace);
});
