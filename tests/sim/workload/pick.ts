/** Chooses among tabs that are up. */
import type { Random } from '../../../src/base/ports.ts';
import type { SimNode, World } from '../world.ts';

/** A tab that is up; throws when there is none. */
export function anyTab(world: World, random: Random): SimNode {
  // Most are up, so a few tries do; a list of all would cost too much in a large world.
  for (let tries = 0; tries < 100; tries++) {
    const one = world.nodes[Math.floor(random.float() * world.nodes.length)];
    if (one?.up && one.open === null) return one;
  }
  const tabs = world.tabs();
  const one = tabs[Math.floor(random.float() * tabs.length)];
  if (!one) throw new Error('No tab is up.');
  return one;
}

/** A random share of the tabs that are up. */
export function someTabs(world: World, random: Random, share: number): readonly SimNode[] {
  const tabs = [...world.tabs()];
  const count = Math.round(share * tabs.length);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random.float() * (tabs.length - i));
    [tabs[i], tabs[other]] = [tabs[other] as SimNode, tabs[i] as SimNode];
  }
  return tabs.slice(0, count);
}
