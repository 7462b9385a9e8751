/** Fills a world: open nodes first, then tabs one after the other. */
import type { World } from './world.ts';

export interface Population {
  readonly tabs: number;
  readonly open?: number;
  /** Tabs that come in a virtual second. */
  readonly rate?: number;
  /** Virtual ms for the last one to settle, from when all have a link. */
  readonly settling?: number;
  /** Hears of every thousandth one that comes: ten thousand take an hour. */
  readonly tell?: (line: string) => void;
}

/** Virtual ms in which everybody must have got in. */
const PATIENCE = 600_000;
const TOLD = 1_000;
/** Between two looks whether they have. */
const STEP = 1_000;

/** The address of an open node of a simulated network. */
export function openAddress(index: number): string {
  return `ws://open-${index}/ws`;
}

/** The addresses of as many. */
export function openAddresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => openAddress(index));
}

/** Gives how many virtual ms passed from the last one's coming until all had a link. Throws when that takes too long. */
export async function populate(
  world: World,
  { tabs, open = 1, rate = 20, settling = 30_000, tell = () => undefined }: Population,
): Promise<number> {
  const { scheduler } = world;
  for (let i = 0; i < open; i++) world.add({ open: openAddress(i) });
  for (let i = 0; i < tabs; i++) {
    world.add();
    await scheduler.advance(1000 / rate);
    if ((i + 1) % TOLD === 0 && i + 1 < tabs) tell(`${i + 1} of ${tabs} tabs have come`);
  }
  const last = scheduler.time();
  const outside = (): number => world.tabs().filter(({ node }) => node.links().length === 0).length;
  while (outside() > 0) {
    if (scheduler.time() - last > PATIENCE) throw new Error(`${outside()} of ${tabs} tabs did not get in within ${PATIENCE} virtual ms.`);
    await scheduler.advance(STEP);
  }
  const waited = scheduler.time() - last;
  await scheduler.advance(settling);
  return waited;
}
