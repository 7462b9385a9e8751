/** Sees to it that enough disks keep a group: offers it to one node after the other, and waits until they have it. */
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { abortError, type Deferred, deadline, deferred, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { HOLDER_LIFE } from '../records/expiry.ts';
import type { GroupStore } from './group-store.ts';
import type { Handlers } from './handlers.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';
import type { Storer } from './lookup.ts';
import { trim } from './trim.ts';

export interface Copies {
  readonly handlers: Pick<Handlers, 'KEPT'>;
  /**
   * Offers a group that is wholly here to the nodes nearest to its key until `wanted` other disks have it or nobody is left to
   * ask. Resolves with how many other disks have it whose nodes are there now. Rejects with `aborted`, or `not-found` when it is not here.
   */
  spread(group: Key, options: { wanted: number; signal: AbortSignal }): Promise<number>;
  /** The same for who knows already which other disks have it, and whom to ask: it looks nothing up. */
  offer(group: Key, options: OfferOptions): Promise<number>;
}

export interface OfferOptions {
  /** Store ids of the others that hold it now. */
  readonly disks: Iterable<string>;
  /** Nearest to the group's key first. */
  readonly candidates: readonly Contact[];
  /** Other disks in all. */
  readonly wanted: number;
  readonly signal: AbortSignal;
}

export interface CopiesOptions {
  readonly clock: Clock;
  readonly storeId: Bytes;
  readonly groups: GroupStore;
  readonly nearest: (target: Key, signal: AbortSignal) => Promise<readonly Storer[]>;
  /** Who has said, signed, that it holds the group. */
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly connect: (contact: Contact, signal: AbortSignal) => Promise<Link>;
  readonly linked: (id: NodeId) => Link | null;
  /** Whether a node is there now. */
  readonly isAlive: (contact: Contact, signal: AbortSignal) => Promise<boolean>;
  /** A node that was offered a group has it now. */
  readonly onKept: (group: Key, holder: Holder) => void;
}

/** From OFFER to KEPT, ms: for a group of 16 MiB over a slow line of 1 Mbit/s, behind others that wait there. */
export const KEEP_DEADLINE = 300_000;
/** Nodes that are offered one group at once. */
const OFFERS_AT_ONCE = 3;
/** Links that are opened beyond those needed: of closed nodes that are named, some can't be reached, and show it only after seconds. */
const SPARE_LINKS = 2;
/** The first so many of the nearest come before all others, linked or not: they keep the holders' set, so they see each other's copies. */
const NEAREST_FIRST = 8;
/** A node that refused is asked after all others for this long, ms: it keeps nobody's videos, or is full. */
const REFUSAL = 600_000;
/** Nodes whose refusals are remembered. */
const MAX_REFUSALS = 1024;

export function createCopies(options: CopiesOptions): Copies {
  const { clock } = options;
  const ownStore = toHex(options.storeId);
  /** All who wait for a KEPT, by group and node. */
  const promised = new Map<string, Set<Deferred<void>>>();
  /** When a node refused, ms. */
  const refusals = new Map<NodeId, number>();

  /** Resolves when the node has the group on its disk. */
  const offerTo = async (link: Link, group: { key: Key; encoded: Bytes }, signal: AbortSignal): Promise<void> => {
    const name = nameOf(group.key, link.id);
    const kept = deferred<void>();
    const waiters = promised.get(name) ?? new Set();
    promised.set(name, waiters.add(kept));
    quiet(kept.promise);
    const limit = deadline(clock, KEEP_DEADLINE, signal);
    try {
      const answer = await link.call('OFFER', { group: group.key, descriptor: group.encoded }, { signal: limit.signal });
      if (!answer.kept) await orAbort(Promise.race([kept.promise, broken(link)]), limit.signal);
      options.onKept(group.key, { contact: link.contact, storeId: toHex(link.storeId), expires: clock.now() + HOLDER_LIFE });
    } catch (error) {
      if (hasCode(error, 'refused')) refuse(link.id);
      throw error;
    } finally {
      limit.done();
      waiters.delete(kept);
      if (waiters.size === 0) promised.delete(name);
    }
  };

  const refuse = (id: NodeId): void => {
    refusals.delete(id);
    refusals.set(id, clock.now());
    trim(refusals, MAX_REFUSALS);
  };

  /** Where a copy belongs, and of those that are as good first whom a link leads to already. */
  const inOrder = (candidates: readonly Contact[]): Contact[] => {
    const now = clock.now();
    const rank = ({ id }: Contact, index: number): number =>
      4 * Number((refusals.get(id) ?? Number.NEGATIVE_INFINITY) > now - REFUSAL) +
      2 * Number(index >= NEAREST_FIRST) +
      Number(!options.linked(id));
    const ranked = candidates.map((contact, index) => ({ contact, rank: rank(contact, index) }));
    return ranked.sort((a, b) => a.rank - b.rank).map(({ contact }) => contact); // stable: near before far
  };

  const offer: Copies['offer'] = async (key, { disks: present, candidates, wanted, signal }) => {
    const stored = await options.groups.get(key);
    if (!stored?.complete) throw fail('not-found', 'The group is not wholly on this disk.');
    const queue = inOrder(candidates);
    const opened: Link[] = [];
    const disks = new Set(present);
    const asking = new Set<string>();
    let opening = 0;
    let change = deferred<void>();

    const open = async (contact: Contact): Promise<void> => {
      opening++;
      const link = options.linked(contact.id) ?? (await options.connect(contact, signal).catch(() => null)); // the next one is asked instead
      opening--;
      if (link) opened.push(link);
      change.resolve();
    };
    const ask = async (link: Link, disk: string): Promise<void> => {
      asking.add(disk);
      const kept = await offerTo(link, { key, encoded: stored.encoded }, signal).then(
        () => true,
        () => false, // why does not matter: the next one is asked
      );
      asking.delete(disk);
      if (kept) disks.add(disk);
      change.resolve();
    };

    for (;;) {
      change = deferred();
      const missing = wanted - disks.size - asking.size;
      for (let free = Math.min(missing, OFFERS_AT_ONCE - asking.size); free > 0 && opened.length > 0; ) {
        const link = opened.shift() as Link;
        const disk = toHex(link.storeId);
        if (link.closed || disk === ownStore || disks.has(disk) || asking.has(disk)) continue;
        free--;
        void ask(link, disk);
      }
      const short = (): number => wanted - disks.size - asking.size - opened.length;
      while (queue.length > 0 && short() > 0 && opening < short() + SPARE_LINKS) void open(queue.shift() as Contact);
      const idle = asking.size === 0 && opening === 0 && opened.length === 0;
      if (signal.aborted) throw fail('aborted', 'Storing copies was cancelled.');
      if (disks.size >= wanted || idle) break;
      await orAbort(change.promise, signal).catch(() => undefined); // the next turn sees why
    }
    await options.groups.touch(key, disks.size);
    return disks.size;
  };

  /** Others' disks that hold it and are there now: a claim outlives the tab that made it by hours. */
  const count = async (group: Key, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const disks = new Set<string>();
    const asked: Promise<void>[] = [];
    for await (const { contact, storeId } of options.holdersOf(group, signal)) {
      if (storeId === ownStore) continue;
      asked.push(options.isAlive(contact, signal).then((alive) => void (alive && disks.add(storeId))));
    }
    await Promise.all(asked);
    return disks;
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
    offer,
    async spread(group, { wanted, signal }) {
      if (!(await options.groups.get(group))?.complete) throw fail('not-found', 'The group is not wholly on this disk.');
      const [disks, storers] = await Promise.all([count(group, signal), options.nearest(group, signal)]);
      if (signal.aborted) throw abortError(signal);
      return offer(group, { disks, candidates: storers.map(({ contact }) => contact), wanted, signal });
    },
  };
}

function nameOf(group: Key, node: NodeId): string {
  return `${group}/${node}`;
}

async function broken(link: Link): Promise<never> {
  throw fail('closed', `The link ended before the copy was kept: ${await link.ended()}`);
}
