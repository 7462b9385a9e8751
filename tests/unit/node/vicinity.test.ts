/** How the list of our nearest nodes is kept whole (docs/protocol.md, rule T5). */
import { expect, test } from 'vitest';
import type { NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createVicinity } from '../../../src/node/vicinity.ts';
import { createBench } from './support/bench.ts';

function setup(options: { news?: () => number } = {}) {
  const bench = createBench();
  const table = createRoutingTable({ self: bench.someone().contact.id });
  for (let i = 0; i < 30; i++) table.linked(bench.someone().contact, 0);
  const asked: { id: NodeId; at: number }[] = [];
  const vicinity = createVicinity({
    clock: bench.clock,
    random: bench.random,
    table,
    async ask({ id }) {
      asked.push({ id, at: bench.clock.now() });
      return options.news?.() ?? 0;
    },
  });
  return { bench, table, vicinity, asked };
}

test('[T5] a neighbour is asked every half minute while there is news, and every ten minutes while there is none', async () => {
  let news = 1;
  const { bench, table, vicinity, asked } = setup({ news: () => news });
  vicinity.start();
  await bench.advance(600_000);
  expect(asked.length).toBeGreaterThan(14);
  expect(asked.length).toBeLessThan(28);
  const near = new Set(table.neighbours().map(({ id }) => id));
  for (const { id } of asked) expect(near.has(id)).toBe(true);
  news = 0;
  await bench.advance(1_800_000);
  const before = asked.length;
  await bench.advance(36_000_000);
  expect(asked.length - before).toBeGreaterThan(45);
  expect(asked.length - before).toBeLessThan(82);
  vicinity.close();
  expect(bench.pending).toBe(0);
});

test('[T5] a neighbour that comes or goes makes the next question come soon', async () => {
  const { bench, vicinity, asked } = setup();
  vicinity.start();
  await bench.advance(7_200_000);
  const before = asked.length;
  vicinity.changed();
  await bench.advance(40_000);
  expect(asked.length).toBe(before + 1);
  vicinity.close();
});

test('[T5] neighbours that are missing are asked for at once, once for each loss', async () => {
  const { bench, table, vicinity, asked } = setup();
  vicinity.short();
  expect(asked.length).toBe(0);
  vicinity.changed();
  for (let i = 0; i < 5; i++) vicinity.short();
  expect(asked.map(({ id }) => id)).toEqual(
    table
      .neighbours()
      .slice(0, 2)
      .map(({ id }) => id),
  );
  vicinity.close();
  await bench.advance(100_000);
  expect(asked.length).toBe(2);
});
