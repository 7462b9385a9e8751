/** The unit in which lookups are measured. */
import type { Random } from '../../../src/base/ports.ts';
import { mean } from '../figures.ts';
import type { World } from '../world.ts';
import { anyTab } from './pick.ts';

const PAIRS = 5_000;

/** Virtual ms: the mean round trip between two random tabs that are up. */
export function meanRoundTrip(world: World, random: Random): number {
  const trips = Array.from({ length: PAIRS }, () => {
    const [a, b] = [anyTab(world, random), anyTab(world, random)];
    return a === b ? null : 2 * world.network.oneWay(a.host, b.host);
  });
  return mean(trips.filter((trip) => trip !== null));
}
