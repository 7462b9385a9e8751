/** A node as those who make one and use one see it: the page, the open node, the simulator. */
import type { Bytes } from '../base/bytes.ts';
import type { Cancel, Channel, Clock, Crypto, Dialer, Puncher, Random, Sealer, Signer, Store } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key } from '../kademlia/key.ts';
import type { Copies } from './copies.ts';
import type { GroupStore } from './group-store.ts';
import type { Helpers } from './helpers.ts';
import type { Helping } from './helping.ts';
import type { Link } from './link.ts';
import type { MadeGroups } from './made-groups.ts';
import type { Overlay } from './overlay.ts';
import type { Peers } from './peers.ts';
import type { ReadBack } from './read-back.ts';
import type { OpenNodeWishes } from './routing.ts';
import type { Segments } from './segments.ts';
import type { NodeSettings } from './settings.ts';

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
    /** For what others carry between us and those that we punch to; null where there is no puncher. */
    readonly sealer: Sealer | null;
  };
  /** 16 bytes that name the disk. */
  readonly storeId: Bytes;
  /** Our own `ws:` or `wss:` address when others can dial us. */
  readonly open: string | null;
  /** The UDP port at which we answer STUN, as an open node may. */
  readonly stun?: number | null;
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
  readonly readBack: ReadBack;
  /** Linked nodes that do jobs for us. */
  readonly helpers: Helpers;
  /** Jobs that this node does for others. */
  readonly helping: Helping;
  /** Who says what groups came out as in other qualities. */
  readonly made: MadeGroups;
  /** Tells the network that this node holds a group. */
  announce(group: Key, signal?: AbortSignal): Promise<number>;
  /** Starts joining. Never fails: it goes on trying. */
  start(): void;
  /** The computer slept, or its network changed: looks at once which links still live, and mends what is missing. */
  wake(): void;
  /** A channel that somebody opened to us. */
  accept(channel: Channel): void;
  readonly peers: Peers;
  readonly openNodes: OpenNodeWishes;
  links(): readonly Link[];
  /** Called after each change of the links. */
  onLinks(listener: () => void): Cancel;
  stats(): DhtStats;
  /** Says goodbye to everybody and ends. Idempotent. */
  close(reason?: string): void;
  /**
   * Leaves for good: gives others what would have too few copies without this node, for `deadline` ms at most, then says goodbye and ends. Tells
   * how many groups were here, and how many of them have enough copies elsewhere.
   */
  leave(options: { deadline: number }): Promise<{ readonly groups: number; readonly safe: number }>;
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
