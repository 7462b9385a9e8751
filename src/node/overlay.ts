/**
 * The Kademlia half of a node: who is near, what is stored where, and calls to nodes that may or may not be linked. It knows
 * nothing of media.
 */
import { type Bytes, copy } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Clock, Crypto, Random } from '../base/ports.ts';
import { decode, encode, type Schema } from '../base/schema.ts';
import type { Contact } from '../kademlia/contact.ts';
import { compareDistance, hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Candidate } from '../kademlia/shortlist.ts';
import { openEntry, type SignedEntry, verifyEntry } from '../records/entry.ts';
import { ITEM_EXPIRY, isEntryLife, MAX_CLOCK_AHEAD } from '../records/expiry.ts';
import { newest } from '../records/merge.ts';
import { openRecord, recordKey, type SignedRecord, verifyRecord } from '../records/record.ts';
import { CALLS, type Item, type Method, type RequestOf, type ResponseOf, type Want } from '../wire/messages.ts';
import type { ItemStore } from './item-store.ts';
import { type LookupEvent, lookup, type Storer } from './lookup.ts';
import type { Peers } from './peers.ts';
import type { Relay } from './relay.ts';
import type { NodeSettings } from './settings.ts';

export interface Overlay {
  /** Calls a node: over its link, through others, or by dialling it when it is open and there is no other way. */
  call<M extends Method>(to: Candidate, method: M, request: RequestOf<M>, signal?: AbortSignal): Promise<ResponseOf<M>>;
  lookup(target: Key, options?: OverlayLookup): AsyncGenerator<LookupEvent, void, undefined>;
  /** The nodes nearest to a key that answered, nearest first. */
  nearest(target: Key, signal?: AbortSignal): Promise<readonly Storer[]>;
  /** An immutable value: the first answer that has the right hash. Null when nobody has it. */
  findValue(key: Key, signal?: AbortSignal): Promise<Bytes | null>;
  /** A record. `first` takes the first valid answer, `newest` asks everybody near. Null when nobody has it. */
  findRecord(key: Key, options: { settle: 'first' | 'newest'; signal?: AbortSignal }): Promise<SignedRecord | null>;
  /** The valid entries of a set, each once, as they are found. */
  findEntries(topic: Key, options?: { before?: number; signal?: AbortSignal }): AsyncGenerator<SignedEntry, void, undefined>;
  /** Stores an item on the nodes nearest to its key, this one included where it is near. Gives how many nodes have it now. */
  store(key: Key, item: Item, options?: { replicas?: number; signal?: AbortSignal }): Promise<number>;
  /** The same for all that is kept under one key, with one lookup. */
  storeAll(key: Key, items: readonly Item[], signal: AbortSignal): Promise<void>;
}

/** What a lookup is for. */
export interface OverlayLookup {
  /** Null or absent: only nodes are looked for. */
  readonly want?: Want;
  /** Set entries before this time, ms. */
  readonly before?: number;
  /** How many of the nearest must answer; k when absent. */
  readonly width?: number;
  readonly signal?: AbortSignal;
}

export interface OverlayOptions {
  readonly self: NodeId;
  readonly contact: () => Contact;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly peers: Peers;
  readonly relay: Relay;
  readonly items: ItemStore;
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
        { named: to.namedBy, deadline: settings.relayDeadline, ...callOptions },
      );
      const response = decode(schemas.response as Schema<ResponseOf<typeof method>>, answer);
      if (response === null) throw fail('invalid', `The answer to a relayed ${method} is malformed.`);
      return response;
    } catch (error) {
      if (!contact.open || !hasCode(error, 'unreachable')) throw error;
      return (await peers.connect(contact, callOptions)).call(method, request, callOptions);
    }
  };

  /** Without any link it is we who can't be reached, and nobody should be forgotten for it. */
  const isFault = ({ contact, error }: { contact: Contact; error: Error }): boolean =>
    isDead(error) && table.linkCount > 0 && !table.isLinked(contact.id);

  async function* runLookup(target: Key, { want, before, width = settings.k, signal }: OverlayLookup = {}) {
    const seeds = table.closestLinked(target, settings.k);
    const run = lookup({
      target,
      self,
      crypto,
      k: width,
      alpha: settings.alpha,
      seeds: seeds.length > 0 ? seeds : table.closest(target, settings.k),
      want: want ?? null,
      ...(before !== undefined && { before }),
      ...(signal && { signal }),
      call,
    });
    for await (const event of run) {
      if (event.type === 'answered') {
        for (const contact of event.learned) table.heard(contact, clock.now());
        options.onOpen(event.open);
      }
      if (event.type === 'failed' && isFault(event)) table.failed(event.contact.id, clock.now());
      if (event.type === 'done') table.lookedUp(target, clock.now());
      yield event;
    }
  }

  /** What is kept here, then what others answer. */
  async function* findItems(key: Key, options_: { want: Want; before?: number; signal?: AbortSignal }) {
    yield* await items.find(key, options_.want, options_.before);
    for await (const event of runLookup(key, options_)) if (event.type === 'answered') yield* event.items;
  }

  /** What was found is kept here too, so that it outlives those who have it. No room for it is no harm. */
  const remember = (key: Key, item: Item): void => void items.put(key, item).catch(() => undefined);

  const nearest: Overlay['nearest'] = async (target, signal) => {
    let found: readonly Storer[] = [];
    for await (const event of runLookup(target, signal && { signal })) if (event.type === 'done') found = event.nearest;
    return found;
  };

  /** Gives how many have it now. */
  const storeOn = async (
    storers: readonly Storer[],
    { key, item, replicas, signal }: { key: Key; item: Item; replicas: number; signal: AbortSignal | undefined },
  ): Promise<number> => {
    const last = storers.at(-1);
    const near = storers.length < replicas || (last && compareDistance(key, self, last.contact.id) < 0);
    const here = near ? items.put(key, item).then(...countAsOne) : 0;
    const there = storers.map(({ contact, namedBy, token }) =>
      call({ contact, namedBy }, 'STORE', { key, token, item, replicas: 1, life: ITEM_EXPIRY }, signal).then(...countAsOne),
    );
    const counts = await Promise.all([here, ...there]);
    return counts.reduce((sum, count) => sum + count, 0);
  };

  return {
    call,
    lookup: runLookup,
    nearest,
    async findValue(key, signal) {
      for await (const item of findItems(key, { want: 'value', ...(signal && { signal }) })) {
        if (item.type !== 'value' || hashKey(crypto, item.bytes) !== key) continue;
        const bytes = copy(item.bytes);
        remember(key, { type: 'value', bytes });
        return bytes;
      }
      return null;
    },
    async findRecord(key, { settle, signal }) {
      let best: SignedRecord | null = null;
      for await (const item of findItems(key, { want: 'record', ...(signal && { signal }) })) {
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
      const wanted = { want: 'entries' as const, ...(before !== undefined && { before }), ...(signal && { signal }) };
      for await (const item of findItems(topic, wanted)) {
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
      return storeOn((await nearest(key, signal)).slice(0, replicas), { key, item, replicas, signal });
    },
    async storeAll(key, stored, signal) {
      const storers = await nearest(key, signal);
      for (const item of stored) await storeOn(storers, { key, item, replicas: settings.k, signal });
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
