/** A node: the same in a tab, in an open node and in the simulator. Puts the parts together; each part is a file of its own. */
import { asKadreelError } from '../base/errors.ts';
import { type Contact, contactOf, movedTo } from '../kademlia/contact.ts';
import { hashKey, type NodeId } from '../kademlia/key.ts';
import { createRoutingTable } from '../kademlia/routing-table.ts';
import { createPlace } from '../kademlia/vivaldi.ts';
import { FAREWELL } from './absences.ts';
import { watchEntries } from './entry-watch.ts';
import { createHelpers } from './helpers.ts';
import { createHelping } from './helping.ts';
import { createItemStore } from './item-store.ts';
import { createKeeping } from './keeping.ts';
import { createLetters } from './letters.ts';
import { createMadeGroups } from './made-groups.ts';
import { createMadeMemory } from './made-memory.ts';
import { createNearerSource } from './nearer.ts';
import type { DhtNode, DhtNodeOptions } from './node-port.ts';
import { createOpenList } from './open-list.ts';
import { createOverlay } from './overlay.ts';
import { createOwnContact } from './own-contact.ts';
import { createPeers } from './peers.ts';
import { createPunching } from './punch.ts';
import { createReadBack } from './read-back.ts';
import { createRelay } from './relay.ts';
import { createRemembered } from './remembered.ts';
import { createRepublishing } from './republishing.ts';
import { createRounds } from './rounds.ts';
import { createRouteCarrier } from './route-carrier.ts';
import { createRouting } from './routing.ts';
import { createSegments } from './segments.ts';
import { createServing } from './serving.ts';
import { DEFAULT_SETTINGS, type NodeSettings } from './settings.ts';
import { createSpreading } from './spreading.ts';
import { createTokenBook } from './token-book.ts';
import { createTokens } from './tokens.ts';

export type { DhtNode, DhtNodeOptions, DhtStats } from './node-port.ts';

/** Looks in an interval at what is to be stored again. */
const REPUBLISH_ROUNDS = 12;
/** Linked nodes are written down this often, ms. */
const REMEMBER_INTERVAL = 300_000;
/** Browsers tell of one change several times, ms. */
const WAKE_PAUSE = 2_000;
/** Expired things are looked for this often, ms. */
const EXPIRE_INTERVAL = 600_000;

export function createDhtNode(options: DhtNodeOptions): DhtNode {
  const { clock, random, crypto, signer, store, dialer } = options.ports;
  const settings: NodeSettings = { ...DEFAULT_SETTINGS, ...options.settings };
  const self: NodeId = hashKey(crypto, signer.publicKey);
  const counters = { malformed: 0, calls: 0, relayed: 0, served: 0 };
  const linkListeners = new Set<() => void>();
  const place = createPlace({ random });
  const table = createRoutingTable({
    self,
    settings,
    place,
    moved: (contact, coordinate) => contactOf(crypto, movedTo(contact, coordinate)),
    onCandidate: () => routing.nudge(),
  });
  const tokens = createTokens({ clock, random, crypto });
  const items = watchEntries(createItemStore({ store, crypto, clock, self }), (key, signed) => keeping.heard(key, signed));
  const openList = createOpenList({ store, configured: options.bootstrap, own: options.open });
  const remembered = createRemembered({ clock, crypto, store, links: () => peers.links() });
  let joined = false;
  let woken = Number.NEGATIVE_INFINITY;

  const own = createOwnContact({
    self,
    publicKey: signer.publicKey,
    open: options.open,
    stun: options.stun ?? null,
    place,
    nat: () => options.ports.puncher?.nat ?? null,
    links: () => peers.links(),
  });
  const contact = own.current;
  const isBusy = (id: NodeId): boolean => {
    const link = peers.get(id);
    return link !== null && (link.receiving || link.sending);
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
    punch: (to, how) => punching.punch(to, how),
    admit: (from, { initiated, guest }) =>
      table.admit(from, { now: clock.now(), purpose: initiated ? 'own' : guest ? 'guest' : 'routing', reserved: 0, isBusy }),
    serve(call) {
      counters.calls++;
      return serving(call);
    },
    onLink(link, seen) {
      routing.linked(link, seen);
      keeping.linked(link);
      segments.arrived();
      helping.linked(link);
      changed();
      if (!joined) {
        joined = true;
        join().catch(() => {
          joined = false; // The link was lost meanwhile: the next one joins.
        });
      }
      republishing.handOver(link, rounds.signal).catch(() => undefined); // The next republishing does what this could not.
    },
    onUnlink(link, reason) {
      routing.unlinked(link, reason);
      republishing.lost(link.id);
      keeping.lost(link, reason);
      helpers.unlinked(link);
      if (peers.links().length === 0) joined = false;
      changed();
    },
    onMalformed: () => counters.malformed++,
    onWake: wake,
    onSent(bytes) {
      counters.served += bytes;
    },
  });
  const relay = createRelay({ clock, self, table, link: peers.get, deadline: settings.relayDeadline, onCarried: () => counters.relayed++ });
  const tokenBook = createTokenBook({ clock });
  const spreading = createSpreading({
    settings,
    table,
    link: peers.get,
    items,
    tokenBook,
    onNews: (...news) => republishing.news(...news),
  });
  const overlay = createOverlay({
    self,
    contact,
    clock,
    crypto,
    settings,
    table,
    peers,
    relay,
    items,
    tokenBook,
    spreading,
    onOpen: openList.hear,
  });
  const punching = createPunching({
    puncher: options.ports.puncher,
    self,
    clock,
    random,
    deadline: settings.connectDeadline,
    admits: (from, { transfer, reserved }) =>
      table.admit(from, { now: clock.now(), purpose: transfer ? 'guest' : 'routing', reserved, isBusy }).taken,
    send: (letter, { to, through }) => letters.send(letter, { to, through: through ?? table.introducer(to.id) }),
    adopt: peers.adopt,
  });
  const letters = createLetters({ crypto, signer, sealer: options.ports.sealer, call: overlay.call, deliver: punching.deliver });
  const made = createMadeGroups({ clock, crypto, signer, overlay });
  const memory = createMadeMemory({ crypto });
  const keeping = createKeeping({
    ...options.ports,
    storeId: options.storeId,
    self,
    contact,
    media: options.media,
    settings,
    table,
    items,
    peers,
    overlay,
    tokenBook,
    offered: {
      made: memory.get,
      withholds: (id, source) => helpers.withholds(id, source),
      onTaken(group, descriptor) {
        const topic = memory.topicOf(descriptor);
        if (topic) void made.vouch(topic, group).catch(() => undefined); // Others' words are there.
      },
    },
  });
  const { groups, copies, keeper, announce } = keeping;
  const fetching = {
    ...{ crypto, groups, storeId: options.storeId, holdersOf: keeping.holdersOf },
    connect: (to: Contact, limit: AbortSignal) => peers.connect(to, { signal: limit, transfer: true }),
  };
  const readBack = createReadBack({ ...fetching, random, linked: peers.get });
  const segments = createSegments({
    ...{ ...fetching, clock, settings, self, linked: peers.get },
    onComplete: (group) => void announce(group).catch(() => undefined), // Renewed within the hour.
  });
  const helpers = createHelpers({ crypto, linked: peers.get });
  const helping = createHelping({
    ...{ clock, crypto, groups, links: peers.links, find: segments.get, describe: segments.descriptor },
    onMade: (...made) => void memory.note(...made).catch(() => undefined), // It only spares a transfer.
  });
  const rounds = createRounds({ clock, random });
  const routing = createRouting({ self, clock, random, crypto, settings, table, peers, overlay, openList, isBusy });
  const republishing = createRepublishing({ self, clock, settings, table, overlay, items, tokenBook, spreading });
  const join = async (): Promise<void> => {
    await routing.join(rounds.signal);
    await remembered.save().catch(() => undefined); // The next round writes it.
    await keeping.joined(rounds.signal);
  };

  const nearer = createNearerSource({ table, tokens });
  const routes = createRouteCarrier({
    clock,
    crypto,
    settings,
    contact,
    table,
    link: peers.get,
    nearer,
    items,
    order: keeping.holderOrder.order,
    onCarried: () => counters.relayed++,
  });
  const serving = createServing({
    ...{ self, crypto, tokens, items, spreading, nearer, routes, relay, letters, keeper, copies, helpers, helping },
    order: keeping.holderOrder.order,
  });

  function wake(): void {
    if (clock.now() - woken < WAKE_PAUSE) return;
    woken = clock.now();
    peers.check();
    punching.wake();
    routing.wake();
  }

  function changed(): void {
    own.changed();
    for (const listener of [...linkListeners]) listener();
  }

  const node: DhtNode = {
    get contact() {
      return contact();
    },
    overlay,
    groups,
    segments,
    copies,
    readBack,
    helpers,
    helping,
    made,
    announce,
    start() {
      // Without what is remembered the configured addresses still serve.
      const begin = (known: readonly Contact[]): void => {
        for (const one of known) table.heard(one, clock.now());
        routing.start();
      };
      Promise.all([remembered.load(), openList.load()]).then(
        ([known]) => begin(known),
        () => begin([]),
      );
      keeping.load().catch(() => undefined); // Joining reads it again.
      rounds.every(settings.refreshInterval, routing.refresh);
      rounds.every(settings.republishInterval / REPUBLISH_ROUNDS, republishing.republish);
      rounds.every(settings.repairInterval, keeping.round);
      rounds.every(EXPIRE_INTERVAL, items.expire);
      rounds.every(REMEMBER_INTERVAL, remembered.save);
    },
    wake,
    accept(channel) {
      peers.adopt(channel, { initiated: false, expected: null }).catch((error: unknown) => {
        if (asKadreelError(error).code === 'invalid') counters.malformed++;
      });
    },
    peers,
    openNodes: routing.openNodes,
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
      routing.close();
      rounds.close();
      republishing.close();
      keeping.close();
      helping.close();
      punching.close();
      peers.close(reason);
      linkListeners.clear();
    },
    async leave({ deadline }) {
      keeper.close();
      try {
        return await keeping.handOver(deadline);
      } finally {
        node.close(FAREWELL);
      }
    },
  };
  return node;
}
