/** A third and a half of all tabs go at once, without a word. */
import { describe, expect, test } from 'vitest';
import { play } from '../scenario.ts';
import { vanish } from './vanish.ts';

const SEED = Number(process.env.SEED ?? 7);

describe(`seed ${SEED}`, () => {
  test('[K6] [M7] 90 of 300 tabs vanish: every value is found right after, and every group when some have come back', {
    timeout: 600_000,
  }, async () => {
    const { figures } = await play(vanish({ share: 0.3, values: 100, groups: 60 }), { nodes: 300, seed: SEED });
    console.info(`seed ${SEED}:`, figures);
    expect(figures.valuesAtOnce).toBe(100);
    expect(figures.valuesBroken).toBe(0);
    // What somebody holds is found.
    expect(figures.groupsAtOnce).toBe(figures.groupsHeldAtOnce);
    expect(figures.groupsLater).toBe(60);
  });

  test('[K6] [M7] half of 150 tabs vanish: the same', { timeout: 600_000 }, async () => {
    const { figures } = await play(vanish({ share: 0.5, values: 60, groups: 40 }), { nodes: 150, seed: SEED });
    console.info(`seed ${SEED}:`, figures);
    expect(figures.valuesAtOnce).toBe(60);
    expect(figures.valuesBroken).toBe(0);
    expect(figures.groupsAtOnce).toBeGreaterThanOrEqual((figures.groupsHeldAtOnce as number) - 1);
    expect(figures.groupsLater).toBe(40);
  });
});
