/** Everything that keeps this node's place in the network: its links, its neighbourhood, its far buckets. Puts the parts together. */
import type { Clock, Crypto, Random } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Link } from './link.ts';
import { endOf } from './link-end.ts';
import { createLookout } from './lookout.ts';
import type { OpenList } from './open-list.ts';
import type { Overlay } from './overlay.ts';
import type { Peers } from './peers.ts';
import { createRefreshing } from './refreshing.ts';
import type { NodeSettings } from './settings.ts';
import { createTending } from './tending.ts';
import { createVicinity } from './vicinity.ts';

export interface Routing {
  start(): void;
  /** A link is there: it goes into the table. `roundTrip`: ms. */
  linked(link: Link, seen: { guest: boolean; roundTrip: number }): void;
  unlinked(link: Link, reason: string): void;
  /** Somebody became known who may be worth a link. */
  nudge(): void;
  /** After sleep or a change of network: what failed before is tried at once. */
  wake(): void;
  readonly openNodes: OpenNodeWishes;
  /** The first link stands. */
  join(signal: AbortSignal): Promise<void>;
  /** To be called every `refreshInterval`. */
  refresh(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Open nodes that a person named: this node links to each at once, and again whenever the link is lost. */
export interface OpenNodeWishes {
  /** Throws `invalid` for what has not the form of an address (`wss://example.org/ws`). */
  add(url: string): void;
  /** Neither dials it again for the person's sake nor remembers it. A link that stands is left to the routing table. */
  remove(url: string): void;
  /** Whether there is a link to the node that the address leads to. */
  reaches(url: string): boolean;
}

export interface RoutingOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly peers: Peers;
  readonly overlay: Overlay;
  readonly openList: OpenList;
  /** Links that carry something now. */
  readonly isBusy: (id: NodeId) => boolean;
}

export function createRouting(options: RoutingOptions): Routing {
  const { clock, table, openList } = options;
  const tending = createTending({
    ...options,
    onShort(short) {
      if (short.neighbours) vicinity.short();
      if (short.far) lookout.farShort();
    },
  });
  const refreshing = createRefreshing({ ...options, tending, onOpen: openList.hear });
  const vicinity = createVicinity({ ...options, ask: refreshing.askForNearest });
  const lookout = createLookout({ ...options, gather: refreshing.gather, lookAround: refreshing.lookAround });
  const isNeighbour = (id: NodeId): boolean => table.neighbours().some((one) => one.id === id);

  let started = false;

  return {
    start() {
      started = true;
      tending.start();
    },
    linked(link, { guest, roundTrip }) {
      table.linked(link.contact, clock.now(), { guest, ours: link.initiated });
      table.measured(link.id, roundTrip);
      const { open } = link.contact;
      // Only who was dialled has shown that its address leads to it.
      if (open && link.initiated && link.transport !== 'webrtc') openList.proven(open);
      else if (open) openList.hear([open]);
      if (isNeighbour(link.id)) vicinity.changed();
      tending.nudge();
    },
    unlinked(link, reason) {
      if (isNeighbour(link.id)) vicinity.changed();
      const end = endOf(reason);
      if (end === 'silent') lookout.silenced();
      table.unlinked(link.id, clock.now(), end);
      tending.nudge();
    },
    nudge: tending.nudge,
    wake: tending.wake,
    openNodes: {
      add(url) {
        openList.add(url);
        if (started) tending.dial(url);
      },
      remove: openList.remove,
      reaches: tending.reaches,
    },
    async join(signal) {
      await refreshing.join(signal);
      vicinity.start();
    },
    refresh: refreshing.refresh,
    close() {
      tending.close();
      vicinity.close();
      lookout.close();
    },
  };
}
