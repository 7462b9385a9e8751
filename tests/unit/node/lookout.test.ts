/** How nodes beyond the vicinity are found when they are missing (docs/protocol.md, rules T5 and T8). */
import { expect, test } from 'vitest';
import { createLookout } from '../../../src/node/lookout.ts';
import { createBench } from './support/bench.ts';

function setup() {
  const bench = createBench();
  const gathered: number[] = [];
  const around: number[] = [];
  const lookout = createLookout({
    clock: bench.clock,
    random: bench.random,
    gather: async () => void gathered.push(bench.clock.now()),
    lookAround: async () => void around.push(bench.clock.now()),
  });
  return { bench, lookout, gathered, around };
}

test('[T5] empty far quarters are asked about at pauses from a minute to an hour, however often that is found', async () => {
  const { bench, lookout, gathered } = setup();
  for (let i = 0; i < 6_000; i++) {
    lookout.farShort();
    await bench.advance(6_000);
  }
  expect(gathered.length).toBeGreaterThan(10);
  expect(gathered.length).toBeLessThan(18);
  expect((gathered[1] as number) - (gathered[0] as number)).toBeGreaterThanOrEqual(60_000);
  lookout.close();
});

test('[T8] many links that fall silent at once make it look around from far links, for two hours; one by one they do not', async () => {
  const { bench, lookout, around } = setup();
  for (let i = 0; i < 20; i++) {
    lookout.silenced();
    await bench.advance(11_000);
  }
  await bench.advance(600_000);
  expect(around).toEqual([]);
  const start = bench.clock.now();
  for (let i = 0; i < 5; i++) lookout.silenced();
  await bench.advance(36_000_000);
  expect(around.length).toBe(7);
  expect((around[0] as number) - start).toBeLessThan(80_000);
  expect((around[6] as number) - start).toBeGreaterThan(5_400_000);
  expect(bench.pending).toBe(0);
});

test('[T8] a second time begins anew, and closing ends it', async () => {
  const { bench, lookout, around } = setup();
  for (let i = 0; i < 4; i++) lookout.silenced();
  await bench.advance(7_200_000);
  const before = around.length;
  for (let i = 0; i < 4; i++) lookout.silenced();
  await bench.advance(80_000);
  expect(around.length).toBe(before + 1);
  lookout.close();
  expect(bench.pending).toBe(0);
});
