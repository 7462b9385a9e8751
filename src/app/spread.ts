/** Brings all groups of a video to other disks, and waits for somebody to come when there is nobody. */
import type { Clock } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { DEFAULT_SETTINGS } from '../node/settings.ts';
import type { CopiesReport } from './api.ts';
import { untilLinksChange } from './joining.ts';

/** Groups offered at once: the line is shared anyway, and each has offers of its own under way. */
const AT_ONCE = 3;
/** While there is nobody to keep a copy, it is tried again this often (ms), and whenever a link opens. */
const RETRY = 10_000;

/** Resolves when each group is on one other disk at least, and all who are near were asked. `onProgress` gets 0 to 1. */
export async function spreadAll(options: {
  clock: Clock;
  node: DhtNode;
  groups: readonly Key[];
  signal: AbortSignal;
  onProgress: (fraction: number) => void;
}): Promise<CopiesReport> {
  const { node, signal } = options;
  const wanted = DEFAULT_SETTINGS.copies;
  const stored = new Map<Key, number>(options.groups.map((group) => [group, 0]));
  const report = (): void => options.onProgress([...stored.values()].filter((copies) => copies > 0).length / Math.max(1, stored.size));
  const announced = new Set<Key>();

  const round = async (): Promise<void> => {
    const queue = [...stored].filter(([, copies]) => copies === 0).map(([group]) => group);
    const worker = async (): Promise<void> => {
      for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
        if (signal.aborted) throw abortError(signal);
        if (!announced.has(group)) await node.announce(group, signal);
        announced.add(group);
        stored.set(group, await node.copies.spread(group, { wanted, signal }));
        report();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  };

  report();
  for (;;) {
    await round();
    const least = Math.min(...stored.values());
    if (least > 0) return { stored: least, wanted };
    await untilLinksChange(node, { clock: options.clock, ms: RETRY, signal });
  }
}
