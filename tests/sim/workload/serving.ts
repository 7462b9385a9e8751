/** Counts the media bytes that all nodes send, also those that have gone. */
import type { World } from '../world.ts';

export interface ServedCount {
  /** Bytes since it began. */
  total(): number;
}

export function countServed(world: World): ServedCount {
  const before = servedNow(world);
  let gone = 0;
  world.onChange((simNode) => {
    if (!simNode.up) gone += simNode.node.stats().served;
  });
  return { total: () => gone + servedNow(world) - before };
}

function servedNow(world: World): number {
  return world.nodes.reduce((sum, { up, node }) => sum + (up ? node.stats().served : 0), 0);
}
