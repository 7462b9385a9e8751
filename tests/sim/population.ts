/** Fills a world: open nodes first, then tabs one after the other. */
import type { World } from './world.ts';

export interface Population {
  readonly tabs: number;
  readonly open?: number;
  /** Tabs that come in a virtual second. */
  readonly rate?: number;
  /** Virtual ms for the last one to settle. */
  readonly settling?: number;
}

/** The address of an open node of a simulated network. */
export function openAddress(index: number): string {
  return `ws://open-${index}/ws`;
}

/** The addresses of as many. */
export function openAddresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => openAddress(index));
}

export async function populate(world: World, { tabs, open = 1, rate = 20, settling = 30_000 }: Population): Promise<void> {
  for (let i = 0; i < open; i++) world.add({ open: openAddress(i) });
  for (let i = 0; i < tabs; i++) {
    world.add();
    await world.scheduler.advance(1000 / rate);
  }
  await world.scheduler.advance(settling);
}
