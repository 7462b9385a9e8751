/** Brings all groups of a video to other disks, and waits for somebody to come when there is nobody. */
import { hasCode } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { abortError, deferred, orAbort, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { DEFAULT_SETTINGS } from '../node/settings.ts';
import type { CopiesReport } from './api.ts';
import { untilLinksChange } from './joining.ts';

/** Groups offered at once: the line is shared anyway, and each has offers of its own under way. */
const AT_ONCE = 3;
/** While there is nobody to keep a copy, it is tried again this often (ms), and soon after a link opens: links come in bursts. */
const RETRY = 10_000;
const SOON = 1_000;

export interface SpreadOptions {
  readonly clock: Clock;
  readonly node: Pick<DhtNode, 'announce' | 'copies' | 'readBack' | 'links' | 'onLinks'>;
  /** Copies that other disks took at an earlier time: those groups are not offered again. */
  readonly stored?: ReadonlyMap<Key, number>;
  /** Other disks took copies of a group: to be waited for. */
  readonly onStored?: (group: Key, copies: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** 0 to 1 of the groups that were added so far. */
  readonly onProgress: (fraction: number) => void;
}

/** Groups on their way to other disks. */
export interface Spread {
  /** Nothing is told or offered before. */
  begin(): void;
  /** More of them; those that are known are not added again. */
  add(groups: readonly Key[]): void;
  /**
   * No more will be added. Resolves when each group is on one other disk at least and was read back from one, and all who are near were asked. Rejects with
   * `aborted`, or `not-found` when a group is no longer here.
   */
  whole(): Promise<CopiesReport>;
}

/** All that is known from the start: see `Spread.whole`. */
export function spreadAll({ groups, ...options }: SpreadOptions & { readonly groups: readonly Key[] }): Promise<CopiesReport> {
  const spread = createSpread(options);
  spread.add(groups);
  spread.begin();
  return spread.whole();
}

export function createSpread(options: SpreadOptions): Spread {
  const { node, signal } = options;
  const wanted = DEFAULT_SETTINGS.copies;
  /** Those that nobody took come last: the next round begins with others. */
  const stored = new Map<Key, number>();
  let isOver = false;
  let running: Promise<CopiesReport> | null = null;
  let more = deferred<void>();
  const wake = (): void => {
    more.resolve();
    more = deferred();
  };
  const report = (): void => options.onProgress([...stored.values()].filter((copies) => copies > 0).length / Math.max(1, stored.size));

  /** Whoever watches in the meantime must find the groups that wait for their turn, too. What fails is renewed within the hour. */
  const untold: Key[] = [];
  let tellers = 0;
  const tell = async (): Promise<void> => {
    tellers++;
    for (let group = untold.shift(); group !== undefined && !signal.aborted; group = untold.shift())
      await node.announce(group, signal).catch(() => undefined);
    tellers--;
  };
  const announce = (): void => {
    for (let n = tellers; n < AT_ONCE && untold.length > 0; n++) void tell();
  };

  /** A lookup that failed, or a disk that is too full to note the copies: it is tried again. */
  const spread = async (group: Key): Promise<number> => {
    try {
      const copies = await node.copies.spread(group, { wanted, signal });
      return copies > 0 && (await node.readBack(group, signal)) ? copies : 0;
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (hasCode(error, 'not-found')) throw error;
      return 0;
    }
  };

  const round = async (): Promise<void> => {
    const queue = [...stored].filter(([, copies]) => copies === 0).map(([group]) => group);
    let inVain = 0; // in a row; when nobody took so many groups, nobody is there for the others
    const work = async (group: Key): Promise<void> => {
      const copies = await spread(group);
      inVain = copies > 0 ? 0 : inVain + 1;
      stored.delete(group);
      stored.set(group, copies);
      if (copies > 0) await options.onStored?.(group, copies);
      if (!signal.aborted) report();
    };
    await inTurn(queue, async (group) => {
      if (inVain < AT_ONCE) await work(group);
    });
  };

  const run = async (): Promise<CopiesReport> => {
    for (;;) {
      let changed = false;
      const unlisten = node.onLinks(() => {
        changed = true;
      });
      await round().finally(unlisten);
      if (signal.aborted) throw abortError(signal);
      const least = Math.min(...stored.values());
      if (least > 0 && isOver) return { stored: least, wanted };
      if (least > 0) await orAbort(more.promise, signal);
      else await untilLinksChange(node, { clock: options.clock, ms: changed ? SOON : RETRY, signal });
    }
  };
  const begin = (): Promise<CopiesReport> => {
    report();
    announce();
    running ??= quiet(run());
    return running;
  };

  return {
    begin: () => void begin(),
    add(groups) {
      for (const group of groups) {
        if (stored.has(group)) continue;
        stored.set(group, options.stored?.get(group) ?? 0);
        untold.push(group);
      }
      if (!running) return;
      report();
      announce();
      wake();
    },
    whole() {
      isOver = true;
      wake();
      return begin();
    },
  };
}

/** A few at once. The first failure is everybody's, and the rest is not begun. */
async function inTurn(groups: readonly Key[], work: (group: Key) => Promise<void>): Promise<void> {
  const queue = [...groups];
  const worker = async (): Promise<void> => {
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
      await work(group).catch((error: unknown) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
