/** A node: the same in a tab, in an open node and in the simulator. Puts the parts together; each part is a file of its own. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError } from '../base/errors.ts';
import type { Cancel, Channel, Clock, Crypto, Dialer, Puncher, Random, Signer, Store } from '../base/ports.ts';
import { type Contact, MAX_VIA } from '../kademlia/contact.ts';
import { hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import { createRoutingTable } from '../kademlia/routing-table.ts';
import { HOLDER_RENEWAL } from '../records/expiry.ts';
import { type Copies, createCopies } from './copies.ts';
import { createGroupStore, type GroupStore } from './group-store.ts';
import { createHolderSearch } from './holder-search.ts';
import { holderEntry } from './holders.ts';
import { createItemStore } from './item-store.ts';
import { createKeeper } from './keeper.ts';
import type { Link } from './link.ts';
import { createLiveness } from './liveness.ts';
import { createOpenList } from './open-list.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { createPeers, type Peers } from './peers.ts';
import { createPunching } from './punch.ts';
import { createRefreshing } from './refreshing.ts';
import { createRelay } from './relay.ts';
import { createRepair } from './repair.ts';
import { createRepublishing } from './republishing.ts';
import { createRounds } from './rounds.ts';
import { createSegments, type Segments } from './segments.ts';
import { createServing } from './serving.ts';
import { DEFAULT_SETTINGS, type NodeSettings } from './settings.ts';
import { createTending } from './tending.ts';
import { createTokens } from './tokens.ts';

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
/** Expired things are looked for this often, ms. */
const EXPIRE_INTERVAL = 600_000;

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
    return { id: self, publicKey: signer.publicKey, open: options.open, via, coordinate: null };
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
    serve(call) {
      counters.calls++;
      return serving(call);
    },
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
        join().catch(() => {
          joined = false; // The link was lost meanwhile: the next one joins.
        });
      }
      republishing.handOver(link, rounds.signal).catch(() => undefined); // The next republishing does what this could not.
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
  const rounds = createRounds({ clock, random });
  const refreshing = createRefreshing({ self, clock, random, settings, table, overlay });
  const republishing = createRepublishing({ self, clock, settings, table, overlay, items });
  const repair = createRepair({ clock, settings, groups, copies, announce });
  const join = async (): Promise<void> => {
    await refreshing.join(rounds.signal);
    await repair.renew(rounds.signal);
  };
  const tending = createTending({
    clock,
    random,
    settings,
    table,
    peers,
    openList,
    busy: () => new Set(peers.links().flatMap((link) => (link.receiving ? link.id : []))),
  });

  const serving = createServing({ self, crypto, table, tokens, items, relay, punching, keeper, copies });

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
      rounds.every(settings.refreshInterval, refreshing.refresh);
      rounds.every(settings.republishInterval, republishing.republish);
      rounds.every(HOLDER_RENEWAL, repair.renew);
      rounds.every(settings.repairInterval, repair.repair);
      rounds.every(EXPIRE_INTERVAL, items.expire);
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
      rounds.close();
      keeper.close();
      punching.close();
      peers.close(reason);
      linkListeners.clear();
    },
  };
}
