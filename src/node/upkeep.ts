/**
 * What a node does again and again: refreshes buckets, republishes what it stores, renews its word on what it holds, copies what has
 * too few copies, forgets what expired (Kademlia paper §2.3 and §2.5, design §6).
 */
import type { Cancel, Clock, Random } from '../base/ports.ts';
import { compareDistance, KEY_BYTES, type Key, keyInBucket, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { HOLDER_RENEWAL } from '../records/expiry.ts';
import type { Copies } from './copies.ts';
import type { GroupStore } from './group-store.ts';
import type { ItemStore } from './item-store.ts';
import type { Link } from './link.ts';
import type { Overlay } from './overlay.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Upkeep {
  start(): void;
  /** The first link stands: finds the neighbourhood, then tells it what is on this disk. */
  joined(): Promise<void>;
  /** A node came near: gives it what belongs there. */
  handOver(link: Link): Promise<void>;
  close(): void;
}

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly overlay: Overlay;
  readonly items: ItemStore;
  readonly groups: GroupStore;
  readonly copies: Copies;
  readonly self: NodeId;
  readonly announce: (group: Key) => Promise<unknown>;
}

/** Groups or items that are worked on at once. */
const AT_ONCE = 4;
/** Groups whose copies are counted in one turn: at 5 minutes a turn, 1,000 groups (2 GB) in 3 hours. */
const REPAIRS = 32;
/** Nodes and groups that are remembered. */
const MAX_HANDED = 1024;
const MAX_COUNTED = 4096;
/** Nodes that must answer in a bucket's refreshing: enough to fill its links from what they name. */
const REFRESH_WIDTH = 4;
/** Expired things are looked for this often, ms. */
const EXPIRE_INTERVAL = 600_000;

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { clock, random, settings, table, overlay, items, groups } = options;
  const closing = new AbortController();
  const cancels: Cancel[] = [];
  /** Nodes that were given what belongs to them, and when. */
  const handed = new Map<NodeId, number>();
  /** When the copies of a group were last counted. */
  const counted = new Map<Key, number>();

  /** Runs again and again, the pauses spread by a quarter so that nodes which started together do not work together. */
  const repeat = (interval: number, run: () => Promise<unknown>): void => {
    const slot = cancels.push(() => undefined) - 1;
    const next = (): void => {
      cancels[slot] = clock.after(interval * (0.75 + 0.5 * random.float()), () => {
        run()
          .catch(() => undefined) // The next turn tries again; nobody waits for this one.
          .finally(() => {
            if (!closing.signal.aborted) next();
          });
      });
    };
    next();
  };

  const refresh = async (age: number): Promise<void> => {
    for (const bucket of table.staleBuckets(clock.now(), age)) {
      if (closing.signal.aborted) return;
      const target = keyInBucket(options.self, bucket, random.bytes(KEY_BYTES));
      // What the replies name is what counts; the last word on the nearest is not needed.
      for await (const event of overlay.lookup(target, { width: REFRESH_WIDTH, signal: closing.signal })) if (event.type === 'done') break;
    }
  };

  /** What somebody stored here since the last turn was stored on the others too, by the same hand (Kademlia paper §2.5). */
  const republish = async (): Promise<void> => {
    const due = (await items.keys()).filter(({ key, want }) => !items.wasStored(key, want, settings.republishInterval));
    await inTurn(due, async ({ key, want }) => overlay.storeAll(key, await items.all(key, want), closing.signal));
  };

  const complete = async (): Promise<readonly { key: Key; own: boolean; kept: boolean }[]> =>
    (await groups.list()).filter((group) => group.complete).map(({ key, role }) => ({ key, own: role === 'own', kept: role === 'kept' }));

  const renew = async (): Promise<void> => {
    await inTurn(await complete(), ({ key }) => options.announce(key));
  };

  const repair = async (): Promise<void> => {
    const all = (await complete()).filter((group) => group.own || group.kept);
    // Counting takes a lookup for each: those that waited longest come first, the others at the next turn.
    const duties = all.sort((a, b) => (counted.get(a.key) ?? 0) - (counted.get(b.key) ?? 0)).slice(0, REPAIRS);
    for (const { key } of duties) {
      counted.delete(key);
      counted.set(key, clock.now());
    }
    trim(counted, MAX_COUNTED);
    // The publisher wants so many copies besides its own; a keeper is one of them.
    await inTurn(duties, ({ key, own }) =>
      options.copies.spread(key, { wanted: own ? settings.copies : settings.copies - 1, signal: closing.signal }),
    );
  };

  async function inTurn<T>(things: readonly T[], work: (thing: T) => Promise<unknown>): Promise<void> {
    const queue = [...things];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && !closing.signal.aborted; next = queue.shift()) {
        await work(next).catch(() => undefined); // One that fails has its next turn; the others must not wait for it.
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  return {
    start() {
      repeat(settings.refreshInterval, () => refresh(settings.refreshInterval));
      repeat(settings.republishInterval, republish);
      repeat(HOLDER_RENEWAL, renew);
      repeat(settings.repairInterval, repair);
      repeat(EXPIRE_INTERVAL, () => items.expire());
    },
    async joined() {
      await overlay.nearest(options.self, closing.signal);
      await refresh(settings.refreshInterval);
      await renew();
    },
    async handOver(link) {
      const now = clock.now();
      if ((handed.get(link.id) ?? Number.NEGATIVE_INFINITY) > now - settings.republishInterval) return;
      handed.delete(link.id);
      handed.set(link.id, now);
      trim(handed, MAX_HANDED);
      for (const { key, want } of await items.keys()) {
        if (closing.signal.aborted || link.closed) return;
        if (!isNearest(table, key, { self: options.self, apart: link.id }) || !belongsTo(table, key, link.id)) continue;
        const { token } = await link.call('FIND_NODE', { target: key }, { signal: closing.signal });
        for (const item of await items.all(key, want)) await link.call('STORE', { key, token, item }).catch(() => undefined);
      }
    },
    close() {
      closing.abort();
      for (const cancel of cancels) cancel();
    },
  };

  /** True when the node is among the k nearest to a key that we know. */
  function belongsTo(known: RoutingTable, key: Key, id: NodeId): boolean {
    return known.closest(key, settings.k).some((contact) => contact.id === id);
  }
}

/** True when nobody we know, the newcomer apart, is nearer to the key than we are: so only one node hands a thing over. */
function isNearest(table: RoutingTable, key: Key, ids: { self: NodeId; apart: NodeId }): boolean {
  const [first, second] = table.closest(key, 2);
  const rival = first?.id === ids.apart ? second : first;
  return !rival || compareDistance(key, ids.self, rival.id) < 0;
}
