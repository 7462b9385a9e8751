/** Groups that are looked at at their time. */
import { expect, test } from 'vitest';
import { keyOf } from '../../../src/kademlia/key.ts';
import { createAgenda } from '../../../src/node/agenda.ts';
import { createBench } from './support/bench.ts';

const key = (n: number) => keyOf(new Uint8Array(20).fill(n));

function setup(ms: number, atOnce = 2) {
  const bench = createBench();
  const start = bench.clock.now();
  const begun: [number, number][] = [];
  let working = 0;
  let most = 0;
  const agenda = createAgenda({
    clock: bench.clock,
    atOnce,
    async work(group) {
      begun.push([Number.parseInt(group.slice(0, 2), 16), bench.clock.now() - start]);
      most = Math.max(most, ++working);
      await new Promise<void>((resolve) => void bench.clock.after(ms, resolve));
      working--;
    },
  });
  const plan = (n: number, at: number): void => agenda.plan(key(n), start + at);
  return { bench, agenda, begun, plan, most: () => most };
}

test('each group has its turn at its time; planned earlier it comes earlier, planned later it stays', async () => {
  const { bench, begun, plan } = setup(1);
  plan(1, 5_000);
  plan(2, 3_000);
  plan(1, 1_000);
  plan(2, 9_000);
  await bench.advance(20_000);
  expect(begun).toEqual([
    [1, 1_000],
    [2, 3_000],
  ]);
  expect(bench.pending).toBe(0);
});

test('a few are worked on at once, and never one of them twice at a time', async () => {
  const { bench, begun, plan, most } = setup(1_000);
  for (let n = 1; n <= 5; n++) plan(n, 100);
  await bench.advance(150);
  plan(1, 200);
  await bench.advance(10_000);
  expect(most()).toBe(2);
  expect(begun.map(([n]) => n).toSorted()).toEqual([1, 1, 2, 3, 4, 5]);
  const [first, second] = begun.filter(([n]) => n === 1).map(([, at]) => at);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test('what is dropped, or planned when it has closed, is not done', async () => {
  const { bench, agenda, begun, plan } = setup(1);
  plan(1, 1_000);
  plan(2, 2_000);
  agenda.drop(key(1));
  await bench.advance(1_500);
  agenda.close();
  plan(3, 3_000);
  await bench.advance(10_000);
  expect(begun).toEqual([]);
  expect(bench.pending).toBe(0);
});
