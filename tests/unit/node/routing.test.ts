/** Whole nodes and their links: the budget holds, what is full lets newcomers in, and what is settled stays so (docs/protocol.md, rules T2, T3 and R4). */
import { describe, expect, test } from 'vitest';
import { compareDistance } from '../../../src/kademlia/key.ts';
import { createWorld, type SimNode } from '../../sim/world.ts';

const SEED = Number(process.env.SEED ?? 7);

/** Counts links as they come and go, and how many any node ever had at once. */
function counter() {
  const seen = { opened: 0, most: 0, openMost: 0 };
  const watch = ({ node }: SimNode): void => {
    let before = new Set<string>();
    node.onLinks(() => {
      const now = new Set<string>(node.links().map(({ id }) => id));
      for (const id of now) if (!before.has(id)) seen.opened += 0.5; // each is seen from both its ends
      if (node.contact.open) seen.openMost = Math.max(seen.openMost, now.size);
      else seen.most = Math.max(seen.most, now.size);
      before = now;
    });
  };
  return { seen, watch };
}

describe(`a network of small budgets (seed ${SEED})`, () => {
  const TABS = 60;
  const [BUDGET, OPEN_BUDGET] = [18, 20];

  test('[T3] is never over them, lets everybody in through an open node that is full, and comes to rest', {
    timeout: 120_000,
  }, async () => {
    const world = createWorld({ seed: SEED, settings: { budget: BUDGET, neighbours: 8 }, openBudget: OPEN_BUDGET });
    const { seen, watch } = counter();
    watch(world.add({ open: 'ws://open-0/ws' }));
    for (let i = 0; i < TABS; i++) {
      watch(world.add());
      await world.scheduler.advance(500);
    }
    await world.scheduler.advance(10_800_000);
    const tabs = world.nodes.slice(1);
    for (const { node } of tabs) {
      const { id } = node.contact;
      const others = world.nodes.filter((one) => one.node !== node).map((one) => one.node.contact.id);
      const nearest = others.sort((a, b) => compareDistance(id, a, b)).slice(0, 4);
      const linked = new Set(node.links().map((link) => link.id));
      expect(nearest.filter((one) => linked.has(one)).length).toBeGreaterThanOrEqual(3);
    }
    const before = seen.opened;
    await world.scheduler.advance(1_800_000);
    console.info(
      `seed ${SEED}: ${before / TABS} links opened for each node, then ${(seen.opened - before) / TABS} in half an hour; at most ${seen.most}`,
    );
    expect((seen.opened - before) / TABS).toBeLessThan(2);
    expect(seen.most).toBeLessThanOrEqual(BUDGET);
    expect(seen.openMost).toBeLessThanOrEqual(OPEN_BUDGET);
    world.close();
  });
});

describe('a second open node', () => {
  test('[R4] that nobody configured is heard of in replies, and found after the first one died and the tab began anew', async () => {
    const world = createWorld({ seed: SEED });
    const first = world.add({ open: 'ws://open-0/ws' });
    world.add({ open: 'ws://open-1/ws' });
    await world.scheduler.advance(5_000);
    const tabs = Array.from({ length: 6 }, () => world.add());
    await world.scheduler.advance(120_000);
    first.crash();
    await world.scheduler.advance(120_000);
    const hasSecond = ({ node }: SimNode): boolean => node.links().some(({ contact }) => contact.open === 'ws://open-1/ws');
    expect(tabs.every(hasSecond)).toBe(true);
    const [alone] = tabs as [SimNode, ...SimNode[]];
    for (const tab of tabs) tab.crash();
    alone.comeBack();
    await world.scheduler.advance(60_000);
    expect(hasSecond(alone)).toBe(true);
    world.close();
  });
});
