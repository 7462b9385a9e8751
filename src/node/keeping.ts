/** Everything that a node does so that groups are never lost: keeps copies, says so, counts those of others, and makes new ones (design §6). */
import type { Bytes } from '../base/bytes.ts';
import type { Clock, Crypto, Random, Signer, Store } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Signed } from '../records/signed.ts';
import { createAbsences } from './absences.ts';
import { type Announcing, createAnnouncing } from './announcing.ts';
import { type Copies, createCopies } from './copies.ts';
import { createCopyCount } from './copy-count.ts';
import { createCopyIndex } from './copy-index.ts';
import { createDeparture, type Departure } from './departure.ts';
import { createGroupStore, type GroupStore } from './group-store.ts';
import { createHolderOrder, type HolderOrder } from './holder-order.ts';
import { createHolderSearch, type HolderSearch } from './holder-search.ts';
import type { ItemStore } from './item-store.ts';
import { createKeeper, type Keeper, type KeeperOptions } from './keeper.ts';
import type { Link } from './link.ts';
import { createLiveness } from './liveness.ts';
import type { Overlay } from './overlay.ts';
import type { Peers } from './peers.ts';
import { createRepair } from './repair.ts';
import type { NodeSettings } from './settings.ts';
import type { TokenBook } from './token-book.ts';

export interface Keeping {
  readonly groups: GroupStore;
  readonly copies: Copies;
  readonly keeper: Keeper;
  readonly holderOrder: HolderOrder;
  readonly holdersOf: HolderSearch['holdersOf'];
  readonly announce: Announcing['announce'];
  readonly handOver: Departure['handOver'];
  /** Reads what is on the disk. */
  load(): Promise<void>;
  joined(signal: AbortSignal): Promise<void>;
  round(signal: AbortSignal): Promise<void>;
  linked(link: Link): void;
  lost(link: Link, reason: string): void;
  /** An entry was stored with this node. */
  heard(key: Key, signed: Signed): void;
  close(): void;
}

export interface KeepingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly store: Store;
  readonly storeId: Bytes;
  readonly self: NodeId;
  readonly contact: () => Contact;
  readonly media: { readonly keeps: boolean; readonly quota: number };
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly items: ItemStore;
  readonly peers: Peers;
  readonly overlay: Overlay;
  readonly tokenBook: TokenBook;
  /** What is known here of groups that others offer. */
  readonly offered?: Pick<KeeperOptions, 'made' | 'onTaken' | 'withholds'>;
}

export function createKeeping(options: KeepingOptions): Keeping {
  const { clock, crypto, self, settings, table, items, peers, overlay } = options;
  const absences = createAbsences({ clock });
  const index = createCopyIndex({ self, clock, crypto });
  const count = createCopyCount({ ...options, index, absences });
  const { announce, ...announcing } = createAnnouncing(options);
  const { claimsOf, holdersOf } = createHolderSearch({ self, clock, crypto, overlay, links: peers.links });
  const liveness = createLiveness({
    clock,
    isLinked: (id) => peers.get(id) !== null,
    ping: (to, signal) => overlay.call({ contact: to, namedBy: null }, 'PING', {}, signal),
  });
  const groups = createGroupStore({
    store: options.store,
    crypto,
    clock,
    quota: () => options.media.quota,
    enough: settings.copies,
    others: (group) => {
      if (index.role(group) === null) return null;
      const there = index.holders(group).filter(({ contact }) => absences.since(contact.id) === null);
      return new Set(there.map(({ storeId }) => storeId)).size;
    },
    onComplete: (group, role) => void repair.added(group, role).catch(() => undefined), // A lookup tells who else has it.
    onRemoved: (group) => void repair.removed(group),
  });
  const keeper = createKeeper({ ...{ clock, crypto, groups, announce, keeps: options.media.keeps }, ...options.offered });
  const copies = createCopies({
    clock,
    storeId: options.storeId,
    groups,
    nearest: overlay.nearest,
    holdersOf: claimsOf,
    connect: (to, signal) => peers.connect(to, { signal, transfer: true }),
    linked: peers.get,
    isAlive: liveness.isAlive,
    onKept: index.note,
  });
  const repair = createRepair({
    ...options,
    index,
    count,
    absences,
    groups,
    copies,
    announcing: { announce, ...announcing },
    holdersOf: claimsOf,
    liveness,
  });
  const departure = createDeparture({ ...options, index, count, copies, link: peers.get, items });

  return {
    groups,
    copies,
    keeper,
    holderOrder: createHolderOrder({ self, clock, crypto, isLinked: table.isLinked, absences }),
    holdersOf,
    announce,
    handOver: departure.handOver,
    load: repair.load,
    joined: repair.joined,
    round: repair.round,
    linked({ id }) {
      absences.returned(id);
      repair.linked(id);
    },
    lost({ id }, reason) {
      absences.left(id, reason);
      repair.lost(id);
    },
    heard: repair.heard,
    close() {
      keeper.close();
      repair.close();
    },
  };
}
