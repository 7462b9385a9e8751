/** Looks up nodes and what they keep: recursively over live links, or iteratively where that leads nowhere (design §4). */
import type { Clock, Crypto } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import { compareDistance, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Candidate } from '../kademlia/shortlist.ts';
import type { Item, Want } from '../wire/messages.ts';
import type { ItemStore } from './item-store.ts';
import { type LookupEvent, type LookupOptions, lookup, type Storer } from './lookup.ts';
import type { RouteAnswer, RouteFinder } from './route-finder.ts';
import type { NodeSettings } from './settings.ts';

export interface Lookups {
  /** The nodes nearest to a key; see `OverlayLookup`. */
  nodes(target: Key, options?: OverlayLookup): AsyncGenerator<LookupEvent, void, undefined>;
  /** What is kept under a key: here, then elsewhere, as it is found and unchecked. */
  items(key: Key, options: ItemSearch): AsyncGenerator<Item, void, undefined>;
}

/** How nodes are looked for. */
export interface OverlayLookup {
  /** The node's setting when absent. */
  readonly style?: NodeSettings['lookupStyle'];
  /** How many of the nearest are looked for; k when absent. */
  readonly width?: number;
  /** Where an iterative lookup begins; the linked nodes nearest to the target when absent. */
  readonly seeds?: readonly Candidate[];
  readonly signal?: AbortSignal;
}

/** How items are looked for. */
export interface ItemSearch {
  readonly want: Want;
  /** Set entries before this time, ms. */
  readonly before?: number;
  /** `first`: any node on the way that has something will do. `nearest`: what the node nearest to the key has, then others near. `all`: the same by several paths. */
  readonly reach: 'first' | 'nearest' | 'all';
  readonly signal?: AbortSignal;
}

export interface LookupsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly items: ItemStore;
  readonly routes: RouteFinder;
  readonly call: LookupOptions['call'];
  /** Whether a call that failed shows that its node is gone. */
  readonly isFault: (contact: Contact, error: Error) => boolean;
  /** Others named these addresses of open nodes. */
  readonly onOpen: (urls: readonly string[]) => void;
}

/** Nodes near a key that are asked one by one when its nearest had nothing, or not all: one in so many of k. */
const DIRECT_SHARE = 2;

type Search = Partial<ItemSearch> & OverlayLookup & { readonly known?: readonly Contact[] };

export function createLookups(options: LookupsOptions): Lookups {
  const { self, clock, crypto, settings, table } = options;

  const learn = (contacts: readonly Contact[], open: readonly string[]): void => {
    for (const contact of contacts) table.heard(contact, clock.now());
    options.onOpen(open);
  };

  async function* iterative(target: Key, { want, before, width = settings.k, seeds, known, signal }: Search) {
    const linked = table.closestLinked(target, settings.k);
    const own = linked.length > 0 ? linked : table.closest(target, settings.k);
    const run = lookup({
      target,
      self,
      crypto,
      k: width,
      alpha: settings.alpha,
      seeds: seeds ?? own.map((contact) => ({ contact, namedBy: null })),
      want: want ?? null,
      ...(known && { known }),
      ...(before !== undefined && { before }),
      ...(signal && { signal }),
      call: options.call,
    });
    for await (const event of run) {
      if (event.type === 'answered') learn(event.learned, event.open);
      if (event.type === 'failed' && options.isFault(event.contact, event.error)) table.failed(event.contact.id, clock.now());
      if (event.type === 'done') table.lookedUp(target, clock.now());
      yield event;
    }
  }

  /** An answer that names nobody as near as the nearest that we are linked to ourselves is a dead end, or a lie. */
  const leadsNearer = (target: Key, { by, contacts }: RouteAnswer): boolean => {
    const [own] = table.closestLinked(target, 1);
    return !own || [by, ...contacts].some(({ id }) => id !== self && compareDistance(target, id, own.id) <= 0);
  };

  /** Nodes that somebody linked named, and those that we are linked to ourselves. */
  const nearestOf = (target: Key, { answers, width }: { answers: readonly RouteAnswer[]; width: number }): readonly Storer[] => {
    const found = new Map<NodeId, Storer>();
    for (const { by, token } of answers) found.set(by.id, { contact: by, token, namedBy: null });
    for (const { by, contacts } of answers) {
      for (const contact of contacts) if (!found.has(contact.id)) found.set(contact.id, { contact, token: null, namedBy: by.id });
    }
    for (const contact of table.closestLinked(target, width)) {
      if (!found.has(contact.id)) found.set(contact.id, { contact, token: null, namedBy: null });
    }
    found.delete(self);
    return [...found.values()].sort((a, b) => compareDistance(target, a.contact.id, b.contact.id)).slice(0, width);
  };

  async function* recursive(target: Key, search: Search): AsyncGenerator<LookupEvent, void, undefined> {
    const { want = null, before, reach, width = settings.k, signal } = search;
    const answers: RouteAnswer[] = [];
    let good = want === null && target !== self && table.covers(target, width);
    if (!good) {
      const question = { target, want, early: reach === 'first', ...(before !== undefined && { before }), ...(signal && { signal }) };
      for await (const event of options.routes.find(question)) {
        if (event.type === 'asked') yield { type: 'asked', contact: event.first };
        if (event.type === 'failed') yield { type: 'failed', contact: event.first, error: event.error };
        if (event.type !== 'answered') continue;
        const { by, contacts: learned, open, items } = event.answer;
        learn([by, ...learned], open);
        answers.push(event.answer);
        yield { type: 'answered', contact: by, learned, open, items };
        good ||= leadsNearer(target, event.answer);
        if (good && (want === null || reach === 'nearest')) break;
      }
    }
    if (!good) {
      yield* iterative(target, search);
      return;
    }
    table.lookedUp(target, clock.now());
    yield { type: 'done', nearest: nearestOf(target, { answers, width }) };
  }

  const run = (target: Key, search: Search): AsyncGenerator<LookupEvent, void, undefined> =>
    (search.style ?? settings.lookupStyle) === 'recursive' ? recursive(target, search) : iterative(target, search);

  return {
    nodes: (target, search = {}) => run(target, search),
    async *items(key, search) {
      const { want, before, signal } = search;
      yield* await options.items.find(key, want, before);
      const known: Contact[] = [];
      let nearest: readonly Storer[] = [];
      for await (const event of run(key, search)) {
        if (event.type === 'done') nearest = event.nearest;
        if (event.type !== 'answered') continue;
        known.push(event.contact);
        yield* event.items;
      }
      // The nearest may be a newcomer that was not given everything yet.
      const width = Math.ceil(settings.k / DIRECT_SHARE);
      const seeds = nearest.slice(0, width);
      if (seeds.length === 0) return;
      const direct = { want, width, seeds, known, ...(before !== undefined && { before }), ...(signal && { signal }) };
      for await (const event of iterative(key, direct)) if (event.type === 'answered') yield* event.items;
    },
  };
}
