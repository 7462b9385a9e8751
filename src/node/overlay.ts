/**
 * The Kademlia half of a node: who is near, what is stored where, and calls to nodes that may or may not be linked. It knows
 * nothing of media.
 */
import { type Bytes, copy } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import { decode, encode, type Schema } from '../base/schema.ts';
import type { Contact } from '../kademlia/contact.ts';
import { compareDistance, hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Candidate } from '../kademlia/shortlist.ts';
import { openEntry, type SignedEntry, verifyEntry } from '../records/entry.ts';
import { ITEM_LIFE, isEntryLife, lifeAt, MAX_CLOCK_AHEAD, RECORD_COPY_LIFE } from '../records/expiry.ts';
import { newest } from '../records/merge.ts';
import { openRecord, recordKey, type SignedRecord, verifyRecord } from '../records/record.ts';
import { CALLS, type Item, type Method, type RequestOf, type ResponseOf } from '../wire/messages.ts';
import type { ItemStore, KeptItem } from './item-store.ts';
import type { LookupEvent, Storer } from './lookup.ts';
import { createLookups, type OverlayLookup } from './lookups.ts';
import type { Peers } from './peers.ts';
import { placementOf } from './placement.ts';
import type { Relay } from './relay.ts';
import { createRouteFinder } from './route-finder.ts';
import type { NodeSettings } from './settings.ts';
import type { Spreading, StoredItem } from './spreading.ts';
import type { TokenBook } from './token-book.ts';

/** A letter that is not answered within this time, ms, goes another way as well: several hops and the browser's 60 ms are over by then. */
const SIGNAL_PATIENCE = 3_000;
/** Nodes that are asked to store and spread a thing, the next one when the one before did not get it to half of those who should have it. */
const MAX_STORERS = 3;

export interface Overlay {
  /** Calls a node: over its link, through others, or by dialling it when it is open and there is no other way. */
  call<M extends Method>(to: Candidate, method: M, request: RequestOf<M>, signal?: AbortSignal): Promise<ResponseOf<M>>;
  /** The nodes nearest to a key, by events. Breaking out cancels it. */
  lookup(target: Key, options?: OverlayLookup): AsyncGenerator<LookupEvent, void, undefined>;
  /** The nodes nearest to a key, nearest first. */
  nearest(target: Key, signal?: AbortSignal): Promise<readonly Storer[]>;
  /** An immutable value: the first answer that has the right hash. Null when nobody has it. */
  findValue(key: Key, signal?: AbortSignal): Promise<Bytes | null>;
  /** A record. `first` takes the first valid answer, `newest` asks everybody near. Null when nobody has it. */
  findRecord(key: Key, options: { settle: 'first' | 'newest'; signal?: AbortSignal }): Promise<SignedRecord | null>;
  /** The valid entries of a set, each once, as they are found. */
  findEntries(topic: Key, options?: { before?: number; signal?: AbortSignal }): AsyncGenerator<SignedEntry, void, undefined>;
  /** Stores an item on the nodes nearest to its key, this one included where it is near. Gives how many nodes have it now. */
  store(key: Key, item: Item, options?: { replicas?: number; signal?: AbortSignal }): Promise<number>;
  /** The same for all that is kept under one key, with one lookup and what is left of its life. Gives how many nodes have all of it now. */
  storeAll(key: Key, items: readonly KeptItem[], signal: AbortSignal): Promise<number>;
}

export interface OverlayOptions {
  readonly self: NodeId;
  readonly contact: () => Contact;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly peers: Peers;
  readonly relay: Relay;
  readonly items: ItemStore;
  readonly tokenBook: TokenBook;
  readonly spreading: Spreading;
  /** Others named these addresses of open nodes. */
  readonly onOpen: (urls: readonly string[]) => void;
}

export function createOverlay(options: OverlayOptions): Overlay {
  const { self, crypto, clock, settings, table, peers, relay, items } = options;

  const call: Overlay['call'] = async (to, method, request, signal) => {
    const { contact } = to;
    const callOptions = signal && { signal };
    const link = peers.get(contact.id);
    if (link) {
      const sent = clock.now();
      const response = await link.call(method, request, callOptions);
      table.measured(contact.id, clock.now() - sent);
      return response;
    }
    const schemas = CALLS[method];
    try {
      const body = encode(schemas.request as Schema<typeof request>, request);
      const from = options.contact();
      const answer = await relay.send(
        { to: contact, from, method: schemas.method, body },
        { named: to.namedBy, deadline: settings.relayDeadline, ...(method === 'SIGNAL' && { patience: SIGNAL_PATIENCE }), ...callOptions },
      );
      const response = decode(schemas.response as Schema<ResponseOf<typeof method>>, answer);
      if (response === null) throw fail('invalid', `The answer to a relayed ${method} is malformed.`);
      return response;
    } catch (error) {
      if (!contact.open || !hasCode(error, 'unreachable') || table.isPaused(contact.id, clock.now())) throw error;
      return (await peers.connect(contact, callOptions)).call(method, request, callOptions);
    }
  };

  /** Without any link it is we who can't be reached, and nobody should be forgotten for it. */
  const isFault = (contact: Contact, error: Error): boolean => isDead(error) && table.linkCount > 0 && !table.isLinked(contact.id);

  const lookups = createLookups({
    self,
    clock,
    crypto,
    settings,
    table,
    items,
    routes: createRouteFinder({ clock, crypto, settings, contact: options.contact, table, link: peers.get }),
    call,
    isFault,
    onOpen: options.onOpen,
  });

  /** What was found is kept here for a while, so that it outlives those who have it. No room for it is no harm. */
  const remember = (key: Key, item: Item): void => {
    const life = item.type === 'record' ? RECORD_COPY_LIFE : lifeAt(placementOf(table, key, settings.k).bits);
    void items.put(key, item, { life, spare: true }).catch(() => undefined);
  };

  const nearest: Overlay['nearest'] = async (target, signal) => {
    let found: readonly Storer[] = [];
    for await (const event of lookups.nodes(target, signal && { signal })) if (event.type === 'done') found = event.nearest;
    return found;
  };

  /** STORE at a node that may or may not be linked; it spreads the item itself. */
  const storeAt = async ({ contact, namedBy, token }: Storer, stored: StoredItem, signal?: AbortSignal): Promise<number> => {
    const link = peers.get(contact.id);
    if (link && !token) return options.tokenBook.store(link, stored, signal ? { signal } : {});
    const known = token ?? copy((await call({ contact, namedBy }, 'PING', {}, signal)).token);
    return (await call({ contact, namedBy }, 'STORE', { ...stored, token: known }, signal)).stored;
  };

  /** Gives how many have it now. */
  const storeNear = async (storers: readonly Storer[], stored: StoredItem, signal?: AbortSignal): Promise<number> => {
    const { key, item, replicas, life } = stored;
    const nearer = storers.filter(({ contact }) => compareDistance(key, contact.id, self) < 0).length;
    const here = nearer < replicas ? await items.put(key, item, { life }).then(...countAsOne) : 0;
    const rest = { ...stored, replicas: Math.min(replicas, LIMITS.replicas) - here };
    // Who is linked to them all, or is the nearest itself, does the spreading.
    let there = nearer === 0 || table.covers(key, settings.k) ? await options.spreading.spread(rest) : 0;
    // Who was asked itself gave us a token already.
    const order = [...storers].sort((a, b) => Number(a.token === null) - Number(b.token === null));
    const enough = Math.min(rest.replicas, storers.length) / 2;
    for (const storer of order.slice(0, MAX_STORERS)) {
      if (there >= enough) break;
      const count = await storeAt(storer, rest, signal).catch((error: unknown) => {
        if (signal?.aborted) throw error;
        return 0; // The next one may take it.
      });
      there = Math.max(there, count);
    }
    return here + there;
  };

  return {
    call,
    lookup: lookups.nodes,
    nearest,
    async findValue(key, signal) {
      for await (const item of lookups.items(key, { want: 'value', reach: 'first', ...(signal && { signal }) })) {
        if (item.type !== 'value' || hashKey(crypto, item.bytes) !== key) continue;
        const bytes = copy(item.bytes);
        remember(key, { type: 'value', bytes });
        return bytes;
      }
      return null;
    },
    async findRecord(key, { settle, signal }) {
      let best: SignedRecord | null = null;
      const reach = settle === 'first' ? 'first' : 'all';
      for await (const item of lookups.items(key, { want: 'record', reach, ...(signal && { signal }) })) {
        const record = item.type === 'record' ? openRecord(item.signed) : null;
        if (!record || recordKey(crypto, record.body.owner, record.body.name) !== key) continue;
        if (record.body.time > clock.now() + MAX_CLOCK_AHEAD || !(await verifyRecord(crypto, record))) continue;
        best = best ? newest(crypto, best, record) : record;
        if (settle === 'first') break;
      }
      if (best) remember(key, { type: 'record', signed: best.signed });
      return best;
    },
    async *findEntries(topic, { before, signal } = {}) {
      const seen = new Map<string, number>();
      const wanted = { want: 'entries', reach: 'nearest', ...(before !== undefined && { before }), ...(signal && { signal }) } as const;
      for await (const item of lookups.items(topic, wanted)) {
        const entry = item.type === 'entry' ? openEntry(item.signed) : null;
        if (!entry || entry.body.topic !== topic || !isValidNow(entry, clock.now())) continue;
        const name = `${hashKey(crypto, entry.body.writer)}/${entry.body.name}`;
        if ((seen.get(name) ?? -1) >= entry.body.time) continue;
        if (!(await verifyEntry(crypto, entry))) continue;
        seen.set(name, entry.body.time);
        yield entry;
      }
    },
    async store(key, item, { replicas = settings.k, signal } = {}) {
      return storeNear(await nearest(key, signal), { key, item, replicas, life: ITEM_LIFE }, signal);
    },
    async storeAll(key, stored, signal) {
      const storers = await nearest(key, signal);
      const counts: number[] = [];
      for (const { item, life } of stored) counts.push(await storeNear(storers, { key, item, replicas: settings.k, life }, signal));
      return Math.min(...counts, settings.k);
    },
  };
}

const countAsOne: [() => number, () => number] = [() => 1, () => 0];

/** True when the entry has not ended, and its times are ones that a storing node would have taken. */
function isValidNow({ body }: SignedEntry, now: number): boolean {
  return body.expires > now && isEntryLife(body.time, body.expires) && body.time <= now + MAX_CLOCK_AHEAD;
}

/** An answer, even a no, shows that a node lives. */
function isDead(error: Error): boolean {
  return hasCode(error, 'timeout') || hasCode(error, 'unreachable') || hasCode(error, 'closed');
}
