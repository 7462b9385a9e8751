/**
 * Fills the routing table: when the node joins, and again when something is missing or nothing was asked for long (Kademlia paper §2.3). Linked
 * neighbours are asked, as they share our far buckets: that takes one direct call for 20 contacts, where a lookup takes one for each hop.
 */
import type { Clock, Crypto, Random } from '../base/ports.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import { commonPrefix, type Key, keyBytes, keyInBucket, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Overlay } from './overlay.ts';
import type { NodeSettings } from './settings.ts';
import type { Tending } from './tending.ts';

export interface Refreshing {
  /** The first link stands: finds the neighbourhood, links to it, and gathers candidates for the far buckets. */
  join(signal: AbortSignal): Promise<void>;
  /** Asks for others in the far buckets, unless all were looked into within `refreshInterval`. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Asks two neighbours for nodes in the far buckets, now. */
  gather(): Promise<void>;
  /**
   * Asks a linked node for the nodes nearest to us: those of all, or those at the edge of our neighbourhood, where an answer of 20 that begins with the
   * nearest would not reach. Gives how many were news.
   */
  askForNearest(neighbour: Contact, options: { edge: boolean; signal?: AbortSignal }): Promise<number>;
  /** Looks for our own place from far links on: after a partition they may lead to nodes that none of our neighbours has heard of. */
  lookAround(): Promise<void>;
}

export interface RefreshingOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly overlay: Overlay;
  readonly tending: Tending;
  /** Others named these addresses of open nodes. */
  readonly onOpen: (urls: readonly string[]) => void;
}

/** Neighbours that a newcomer asks for their far links: three to five candidates for each quarter of a bucket come together. */
const ASKED_AT_JOIN = 3;
/** The same later: what they named before is still known. */
const ASKED_LATER = 2;
/** Far links that are asked where we belong, and nodes nearest to us that are to be found that way: they know the others. */
const ASKED_AROUND = 3;
/** Neighbours that are asked at once whom else they have as neighbours. */
const ASKED_FOR_NEAREST = 2;
/** Times that a newcomer asks its nearest for nearer ones: each time they are other nodes, and the second time seldom names news. */
const MAX_ROUNDS = 4;
/** A newcomer does not wait longer than this for links to its nearest, ms: some may be gone, which takes long to notice. */
const LINKING = 6_000;
/** Calls to one neighbour, when it has more links in far buckets than usual. */
const MAX_CALLS = 8;

export function createRefreshing(options: RefreshingOptions): Refreshing {
  const { self, clock, random, settings, table, overlay, tending } = options;

  // A call ends with its link, so what is asked now and then needs no signal of its own.

  /** The contacts that a linked node names for a key; none when it does not answer, as the next one is asked. */
  const ask = async (node: Contact, target: Key, signal?: AbortSignal): Promise<{ named: readonly Contact[]; news: number }> => {
    try {
      const answer = await overlay.call({ contact: node, namedBy: null }, 'FIND_NODE', { target }, signal);
      const named = answer.contacts.map((fields) => contactOf(options.crypto, fields));
      let news = 0;
      for (const contact of named) if (table.heard(contact, clock.now(), node.id)) news++;
      options.onOpen(answer.open);
      return { named, news };
    } catch {
      return { named: [], news: 0 };
    }
  };

  /** Far buckets in turn: what a node has nearest to the key that differs from ours in all bits from `bucket` on are its links in that bucket, then those in the next ones. */
  const askForFar = async (node: Contact, border: number, signal?: AbortSignal): Promise<void> => {
    let bucket = 0;
    for (let call = 0; call < MAX_CALLS && bucket < border && !signal?.aborted; call++) {
      const { named } = await ask(node, keyInBucket(self, bucket, keyBytes(self).map(invert)), signal);
      const last = named.at(-1);
      if (!last) return;
      bucket = Math.max(bucket + 1, commonPrefix(self, last.id));
    }
  };

  const gather = async (askers: readonly Contact[], signal?: AbortSignal): Promise<void> => {
    const farthest = table.neighbours().at(-1);
    if (!farthest) return;
    const border = commonPrefix(self, farthest.id) + 1;
    await Promise.all(askers.map((node) => askForFar(node, border, signal)));
    for (const bucket of table.staleBuckets(clock.now(), 0)) table.lookedUp(keyInBucket(self, bucket, keyBytes(self)), clock.now());
  };

  const anyOf = (contacts: readonly Contact[], count: number): readonly Contact[] => {
    const left = [...contacts];
    return Array.from(
      { length: Math.min(count, left.length) },
      () => left.splice(Math.floor(random.float() * left.length), 1)[0] as Contact,
    );
  };

  /** The key of the edge is our own mirrored into the bucket of our farthest neighbour, or into the next one, where the next neighbour may be. */
  const askForNearest: Refreshing['askForNearest'] = async (neighbour, { edge, signal }) => {
    const farthest = table.neighbours().at(-1) ?? neighbour;
    const bucket = Math.max(0, commonPrefix(self, farthest.id) - Math.floor(2 * random.float()));
    const target = edge ? keyInBucket(self, bucket, keyBytes(self)) : self;
    return (await ask(neighbour, target, signal)).news;
  };

  const findNearest = async (signal: AbortSignal): Promise<void> => {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await tending.calm(LINKING, signal);
      const neighbours = table.neighbours();
      // The nearest know the middle of the neighbourhood, the farthest its edge.
      const middle = neighbours.slice(0, ASKED_FOR_NEAREST).map((node) => askForNearest(node, { edge: false, signal }));
      const edge = neighbours.slice(-2).map((node) => askForNearest(node, { edge: true, signal }));
      const news = await Promise.all([...middle, ...edge]);
      if (news.every((count) => count === 0)) break;
    }
  };

  return {
    async join(signal) {
      tending.hold();
      try {
        await overlay.nearest(self, signal);
        await findNearest(signal);
        await gather(table.neighbours().slice(0, ASKED_AT_JOIN), signal);
      } finally {
        tending.release();
      }
      await tending.calm(LINKING, signal);
      table.settled();
    },
    async refresh(signal) {
      if (table.staleBuckets(clock.now(), settings.refreshInterval).length > 0)
        await gather(anyOf(table.neighbours(), ASKED_LATER), signal);
    },
    gather: () => gather(anyOf(table.neighbours(), ASKED_LATER)),
    askForNearest,
    async lookAround() {
      const near = new Set(table.neighbours().map(({ id }) => id));
      const far = table.contacts().filter(({ id }) => table.isLinked(id) && !near.has(id));
      const seeds = anyOf(far, ASKED_AROUND);
      if (seeds.length === 0) return;
      for await (const event of overlay.lookup(self, {
        style: 'iterative',
        seeds: seeds.map((contact) => ({ contact, namedBy: null })),
        width: ASKED_AROUND,
      })) {
        if (event.type === 'done') return;
      }
    },
  };
}

function invert(byte: number): number {
  return ~byte & 0xff;
}
