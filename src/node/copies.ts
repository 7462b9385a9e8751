/** Sees to it that enough disks keep a group: offers it to the nodes nearest to its key, and again when copies are missing. */
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { type Deferred, deadline, deferred, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { GroupStore } from './group-store.ts';
import type { Handlers } from './handlers.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';
import type { Storer } from './lookup.ts';

export interface Copies {
  readonly handlers: Pick<Handlers, 'KEPT'>;
  /**
   * Offers a group that is wholly here to the nodes nearest to its key until `wanted` other disks have it or nobody is left to
   * ask. Resolves with how many other disks have it whose nodes are there now. Rejects with `aborted`, or `not-found` when it is not here.
   */
  spread(group: Key, options: { wanted: number; signal: AbortSignal }): Promise<number>;
}

export interface CopiesOptions {
  readonly clock: Clock;
  readonly storeId: Bytes;
  readonly groups: GroupStore;
  readonly nearest: (target: Key, signal: AbortSignal) => Promise<readonly Storer[]>;
  /** Who has said, signed, that it holds the group. */
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly connect: (contact: Contact, signal: AbortSignal) => Promise<Link>;
  /** Whether a node is there now. */
  readonly isAlive: (contact: Contact, signal: AbortSignal) => Promise<boolean>;
}

/** From OFFER to KEPT, ms: for a group of 16 MiB over a slow line of 1 Mbit/s, behind others that wait there. */
export const KEEP_DEADLINE = 300_000;
/** Nodes that are offered one group at once. */
const OFFERS_AT_ONCE = 3;

export function createCopies(options: CopiesOptions): Copies {
  const ownStore = toHex(options.storeId);
  /** All who wait for a KEPT, by group and node. */
  const promised = new Map<string, Set<Deferred<void>>>();

  /** Resolves when the node has the group on its disk. */
  const offer = async (link: Link, group: { key: Key; encoded: Bytes }, signal: AbortSignal): Promise<void> => {
    const name = nameOf(group.key, link.id);
    const kept = deferred<void>();
    const waiters = promised.get(name) ?? new Set();
    promised.set(name, waiters.add(kept));
    quiet(kept.promise);
    const limit = deadline(options.clock, KEEP_DEADLINE, signal);
    try {
      const answer = await link.call('OFFER', { group: group.key, descriptor: group.encoded }, { signal: limit.signal });
      if (!answer.kept) await orAbort(Promise.race([kept.promise, broken(link)]), limit.signal);
    } finally {
      limit.done();
      waiters.delete(kept);
      if (waiters.size === 0) promised.delete(name);
    }
  };

  return {
    handlers: {
      async KEPT({ group, kept, reason }, { from, relayed }) {
        const waiters = relayed ? undefined : promised.get(nameOf(group, from.id));
        if (!waiters) throw fail('refused', 'I did not offer you that.');
        for (const waiter of waiters) {
          if (kept) waiter.resolve();
          else waiter.reject(fail('refused', `It could not keep the group: ${reason}`));
        }
        return {};
      },
    },
    async spread(key, { wanted, signal }) {
      const stored = await options.groups.get(key);
      if (!stored?.complete) throw fail('not-found', 'The group is not wholly on this disk.');
      const disks = new Set<string>();
      const claims: Holder[] = [];
      for await (const holder of options.holdersOf(key, signal)) if (holder.storeId !== ownStore) claims.push(holder);
      // A claim outlives the tab that made it by hours: only who is there now counts.
      await Promise.all(
        claims.map(async ({ contact, storeId }) => {
          if (await options.isAlive(contact, signal)) disks.add(storeId);
        }),
      );
      const queue = disks.size < wanted ? [...(await options.nearest(key, signal))] : [];
      const asking = new Set<string>();

      const work = async (): Promise<void> => {
        while (disks.size + asking.size < wanted) {
          const next = queue.shift();
          if (!next) return;
          const link = await options.connect(next.contact, signal).catch(() => null);
          if (signal.aborted) throw fail('aborted', 'Storing copies was cancelled.');
          if (!link) continue;
          const disk = toHex(link.storeId);
          if (disk === ownStore || disks.has(disk) || asking.has(disk)) continue;
          // Others were asked while this link opened.
          if (disks.size + asking.size >= wanted) {
            queue.unshift(next);
            return;
          }
          asking.add(disk);
          const kept = await offer(link, { key, encoded: stored.encoded }, signal).then(
            () => true,
            () => false,
          );
          asking.delete(disk);
          if (kept) disks.add(disk);
        }
      };
      // A worker that stops because enough are being asked is not there when one of those says no: so, again until nothing is left to do.
      do {
        await Promise.all(Array.from({ length: Math.min(OFFERS_AT_ONCE, wanted) }, work));
      } while (disks.size < wanted && queue.length > 0 && !signal.aborted);
      if (signal.aborted) throw fail('aborted', 'Storing copies was cancelled.');
      await options.groups.touch(key, disks.size);
      return disks.size;
    },
  };
}

function nameOf(group: Key, node: NodeId): string {
  return `${group}/${node}`;
}

async function broken(link: Link): Promise<never> {
  throw fail('closed', `The link ended before the copy was kept: ${await link.ended}`);
}
