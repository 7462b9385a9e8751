/** A node: the same in a tab, in an open node and in the simulator. Puts the parts together; each part is a file of its own. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Channel, Clock, Crypto, Dialer, Puncher, Random, Signer, Store } from '../base/ports.ts';
import { type Contact, contactOf, MAX_VIA } from '../kademlia/contact.ts';
import { hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import { createRoutingTable } from '../kademlia/routing-table.ts';
import { WANT, type Want } from '../wire/messages.ts';
import { type Copies, createCopies } from './copies.ts';
import { createGroupStore, type GroupStore } from './group-store.ts';
import { type CallContext, type Handlers, handle } from './handlers.ts';
import { createHolderSearch } from './holder-search.ts';
import { holderEntry } from './holders.ts';
import { createItemStore } from './item-store.ts';
import { createKeeper } from './keeper.ts';
import type { IncomingCall, Link } from './link.ts';
import { createLiveness } from './liveness.ts';
import { createOpenList } from './open-list.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { createPeers, type Peers } from './peers.ts';
import { createPunching } from './punch.ts';
import { createRelay } from './relay.ts';
import { createSegments, type Segments } from './segments.ts';
import { DEFAULT_SETTINGS, type NodeSettings } from './settings.ts';
import { createTending } from './tending.ts';
import { createTokens } from './tokens.ts';
import { createUpkeep } from './upkeep.ts';

export interface DhtNodeOptions {
  readonly ports: {
    readonly clock: Clock;
    readonly random: Random;
    readonly crypto: Crypto;
    readonly signer: Signer;
    readonly store: Store;
    readonly dialer: Dialer;
    /** Null where nothing can be punched to, as in an open node. */
    readonly puncher: Puncher | null;
  };
  /** 16 bytes that name the disk. */
  readonly storeId: Bytes;
  /** Our own `ws:` or `wss:` address when others can dial us. */
  readonly open: string | null;
  /** Addresses of open nodes to start from. */
  readonly bootstrap: readonly string[];
  readonly media: {
    /** False: this node keeps nobody's video. */
    readonly keeps: boolean;
    /** Bytes of others' media at most. */
    readonly quota: number;
  };
  readonly settings?: Partial<NodeSettings>;
}

export interface DhtNode {
  readonly contact: Contact;
  readonly overlay: Overlay;
  readonly groups: GroupStore;
  readonly segments: Segments;
  readonly copies: Copies;
  /** Tells the network that this node holds a group. */
  announce(group: Key, signal?: AbortSignal): Promise<number>;
  /** Starts joining. Never fails: it goes on trying. */
  start(): void;
  /** A channel that somebody opened to us. */
  accept(channel: Channel): void;
  readonly peers: Peers;
  links(): readonly Link[];
  /** Called after each change of the links. */
  onLinks(listener: () => void): Cancel;
  stats(): DhtStats;
  /** Says goodbye to everybody and ends. Idempotent. */
  close(reason?: string): void;
}

export interface DhtStats {
  readonly links: { readonly tabs: number; readonly openNodes: number };
  /** Contacts in the routing table. */
  readonly contacts: number;
  readonly malformed: number;
  /** Calls answered, and calls carried for others, since start. */
  readonly calls: number;
  readonly relayed: number;
  /** Media bytes sent. */
  readonly served: number;
  readonly received: Segments['received'];
  readonly corruptHolders: number;
}

/** Nodes that keep a group's holders' set: more than keep its copies, so that the set outlives them. */
const HOLDER_REPLICAS = 8;

export function createDhtNode(options: DhtNodeOptions): DhtNode {
  const { clock, random, crypto, signer, store, dialer } = options.ports;
  const settings: NodeSettings = { ...DEFAULT_SETTINGS, ...options.settings };
  const self: NodeId = hashKey(crypto, signer.publicKey);
  const counters = { malformed: 0, calls: 0, relayed: 0, served: 0 };
  const linkListeners = new Set<() => void>();
  const table = createRoutingTable({ self, settings });
  const tokens = createTokens({ clock, random, crypto });
  const items = createItemStore({ store, crypto, clock, self });
  const groups = createGroupStore({ store, crypto, clock, quota: () => options.media.quota });
  const openList = createOpenList({ store, configured: options.bootstrap, own: options.open });
  let joined = false;

  const contact = (): Contact => {
    // Open nodes first, then the oldest links: they will be there longest.
    const links = [...peers.links()].sort((a, b) => Number(a.contact.open === null) - Number(b.contact.open === null) || a.since - b.since);
    const via = options.open ? [] : links.slice(0, MAX_VIA).map((link) => link.id);
    return { id: self, publicKey: signer.publicKey, open: options.open, via };
  };

  const peers = createPeers({
    clock,
    random,
    crypto,
    signer,
    dialer,
    settings,
    contact,
    self,
    storeId: options.storeId,
    punch: (to, signal) => punching.punch(to, signal),
    serve: (call) => serve(call),
    onLink(link) {
      table.linked(link.contact, clock.now());
      const { open } = link.contact;
      // Only who was dialled has shown that its address leads to it.
      if (open && link.initiated && link.transport !== 'webrtc') openList.proven(open);
      else if (open) openList.hear([open]);
      segments.arrived();
      changed();
      if (!joined) {
        joined = true;
        upkeep.joined().catch(() => {
          joined = false; // The link was lost meanwhile: the next one joins.
        });
      }
      upkeep.handOver(link).catch(() => undefined); // The next republishing does what this could not.
    },
    onUnlink(link) {
      table.unlinked(link.id, clock.now());
      if (peers.links().length === 0) joined = false;
      changed();
    },
    onMalformed: () => counters.malformed++,
    onSent(bytes) {
      counters.served += bytes;
    },
  });
  const relay = createRelay({ self, table, link: peers.get, deadline: settings.relayDeadline, onCarried: () => counters.relayed++ });
  const overlay = createOverlay({ self, contact, clock, random, crypto, settings, table, peers, relay, items, onOpen: openList.hear });
  const punching = createPunching({
    puncher: options.ports.puncher,
    self,
    clock,
    random,
    deadline: settings.connectDeadline,
    send: (to, request) => overlay.call({ contact: to, namedBy: null }, 'SIGNAL', { ...request, from: contact() }),
    adopt: peers.adopt,
  });
  const announce: DhtNode['announce'] = async (group, signal) => {
    const entry = await holderEntry({ signer, clock, group, contact: contact(), storeId: options.storeId });
    return overlay.store(group, { type: 'entry', signed: entry.signed }, { replicas: HOLDER_REPLICAS, ...(signal && { signal }) });
  };
  const { claimsOf, holdersOf } = createHolderSearch({ self, clock, crypto, overlay, links: peers.links });
  const connect = (to: Contact, signal: AbortSignal): Promise<Link> => peers.connect(to, { signal });
  const keeper = createKeeper({ clock, crypto, groups, keeps: options.media.keeps, announce });
  const liveness = createLiveness({
    clock,
    isLinked: (id) => peers.get(id) !== null,
    ping: (to, signal) => overlay.call({ contact: to, namedBy: null }, 'PING', {}, signal),
  });
  const copies = createCopies({
    clock,
    storeId: options.storeId,
    groups,
    nearest: overlay.nearest,
    holdersOf: claimsOf,
    connect,
    isAlive: liveness.isAlive,
  });
  const segments = createSegments({
    clock,
    crypto,
    settings,
    groups,
    storeId: options.storeId,
    self,
    holdersOf,
    connect,
    linked: peers.get,
    onComplete: (group) => void announce(group).catch(() => undefined), // Renewed within the hour.
  });
  const upkeep = createUpkeep({ clock, random, settings, table, overlay, items, groups, copies, self, announce });
  const tending = createTending({
    clock,
    random,
    settings,
    table,
    peers,
    openList,
    busy: () => new Set(peers.links().flatMap((link) => (link.receiving ? link.id : []))),
  });

  const nearer = (target: Key, from: Contact) => ({
    contacts: table
      .closestLinked(target, settings.k + 1)
      .filter((one) => one.id !== from.id)
      .slice(0, LIMITS.contacts),
    token: tokens.issue(from.id),
    open: openNodes(),
  });
  const openNodes = (): readonly string[] =>
    table
      .openNodes()
      .flatMap((one) => one.open ?? [])
      .slice(0, LIMITS.openNodes);

  const handlers: Handlers = {
    ...keeper.handlers,
    ...copies.handlers,
    PING: () => ({ open: openNodes() }),
    FIND_NODE: ({ target }, { from }) => nearer(target, from),
    async FIND_VALUE({ key, want, before }, { from }) {
      const found = await items.find(key, wantOf(want), before);
      return { ...nearer(key, from), items: found };
    },
    async STORE({ key, token, item }, { from }) {
      if (!tokens.check(from.id, token)) throw fail('refused', 'The token is not one that I gave you of late.');
      await items.put(key, item);
      return {};
    },
    async SIGNAL(request) {
      await punching.signalled(contactOf(crypto, request.from), request);
      return {};
    },
    async RELAY(call, { link, signal, relayed }) {
      if (relayed) throw fail('invalid', 'A relayed call carries no other one.');
      if (call.to !== self) return { body: await relay.carry(call, { from: link, signal }) };
      const from = contactOf(crypto, call.from);
      const context: CallContext = { from, relayed: true, link, signal, stream: null };
      const body = await handle(handlers, call, context);
      if (body.length > LIMITS.relayed) throw fail('too-large', 'The answer is too large for others to carry.');
      return { body };
    },
  };

  async function serve(call: IncomingCall): Promise<Bytes> {
    counters.calls++;
    const { link, signal, stream } = call;
    return handle(handlers, call, { from: link.contact, relayed: false, link, signal, stream });
  }

  function changed(): void {
    tending.nudge();
    for (const listener of [...linkListeners]) listener();
  }

  return {
    get contact() {
      return contact();
    },
    overlay,
    groups,
    segments,
    copies,
    announce,
    start() {
      // Without the remembered addresses the configured ones still serve.
      openList.load().then(tending.start, tending.start);
      upkeep.start();
    },
    accept(channel) {
      peers.adopt(channel, { initiated: false, expected: null }).catch((error: unknown) => {
        if (asKadreelError(error).code === 'invalid') counters.malformed++;
      });
    },
    peers,
    links: peers.links,
    onLinks(listener) {
      linkListeners.add(listener);
      return () => linkListeners.delete(listener);
    },
    stats() {
      const links = peers.links();
      const open = links.filter((link) => link.contact.open !== null).length;
      return {
        links: { tabs: links.length - open, openNodes: open },
        contacts: table.size,
        ...counters,
        received: segments.received,
        corruptHolders: segments.corrupt,
      };
    },
    close(reason = 'leaving') {
      tending.close();
      upkeep.close();
      keeper.close();
      punching.close();
      peers.close(reason);
      linkListeners.clear();
    },
  };
}

const WANT_NAMES = new Map<number, Want>(Object.entries(WANT).map(([name, number]) => [number, name as Want]));

function wantOf(number: number): Want {
  const want = WANT_NAMES.get(number);
  if (!want) throw fail('invalid', 'I do not know that kind of thing.');
  return want;
}
