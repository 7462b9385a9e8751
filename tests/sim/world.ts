/** A network of real nodes in virtual time. */
import { createMemoryStore } from '../../signal-server/memory-store.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Signer, Store } from '../../src/base/ports.ts';
import { rememberContacts } from '../../src/kademlia/contact.ts';
import { hashKey, type NodeId } from '../../src/kademlia/key.ts';
import { createDhtNode, type DhtNode } from '../../src/node/dht-node.ts';
import type { NodeSettings } from '../../src/node/settings.ts';
import { createSimCrypto, type SimCrypto } from './crypto.ts';
import type { Place } from './latency.ts';
import type { Nat, NatShares } from './nat.ts';
import { createNetwork, type Host, type Network } from './network.ts';
import { seededRandom } from './random.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';

/** Somebody's computer: at most one node at a time, which may go and come back. */
export interface SimNode {
  /** The same for all its nodes. */
  readonly id: NodeId;
  /** Its address, for an open node. */
  readonly open: string | null;
  /** The node that runs, or that ran last. */
  readonly node: DhtNode;
  readonly host: Host;
  /** The disk of the node that runs, or that ran last. */
  readonly store: Store;
  /** False after a crash or a goodbye. */
  readonly up: boolean;
  /** Vanishes without a word. */
  crash(): void;
  /** Says goodbye; before that, hands over what it keeps for `handOver` ms at most. Until then it is up. */
  leave(options?: { handOver?: number }): Promise<void>;
  /** Starts again after a crash or a goodbye, as the same node on the same disk; `disk: false` has lost what it kept. */
  comeBack(options?: { disk?: boolean }): void;
}

export interface AddOptions {
  /** Its address, for an open node. */
  readonly open?: string;
  readonly keeps?: boolean;
  readonly quota?: number;
  readonly store?: Store;
  readonly storeId?: Bytes;
}

export interface World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly crypto: SimCrypto;
  /** In the order of their coming; those that are down are among them until they are forgotten. */
  readonly nodes: SimNode[];
  /** A tab, or an open node when `open` names its address. */
  add(options?: AddOptions): SimNode;
  /** It will not come back. */
  forget(simNode: SimNode): void;
  /** Calls `listener` whenever a node has started, also one that comes back, and when one has ended. */
  onChange(listener: (simNode: SimNode) => void): void;
  /** Those that are up, and which are closed. */
  tabs(): readonly SimNode[];
  /** Runs until the promise settles; fails loudly when nothing happens for a virtual hour. */
  run<T>(promise: Promise<T>): Promise<T>;
  close(): void;
}

export interface WorldOptions {
  readonly seed: number;
  /** Open nodes that everybody knows of; `ws://open-0/ws` by default. */
  readonly bootstrap?: readonly string[];
  /** For all nodes. Heartbeats are off by default: a simulated link tells its end by itself when it has been silent, and events are saved. */
  readonly settings?: Partial<NodeSettings>;
  /** Links of an open node at most; as many as a real one has by default. */
  readonly openBudget?: number;
  /** As in NetworkOptions. */
  readonly loss?: number;
  readonly failures?: number;
  readonly nats?: NatShares | null;
}

/** Disk of a simulated node, bytes. */
const STORE_BYTES = 1e9;
const OPEN_BUDGET = 10_000;
/** Of each contact, known by one node or another: with one remembered, nodes held 3.6 copies of each. */
const CONTACT_VERSIONS = 16;
/** Ms until the end of a silent link is noticed: the protocol's 6 s, and half of the pause between two looks. */
const SILENCE = 6_500;

export function createWorld(options: WorldOptions): World {
  const random = seededRandom(options.seed);
  const scheduler = createScheduler();
  const crypto = createSimCrypto();
  rememberContacts(crypto, { versions: CONTACT_VERSIONS });
  const bootstrap = options.bootstrap ?? ['ws://open-0/ws'];
  const settings: Partial<NodeSettings> = { heartbeat: 0, ...options.settings };
  const network = createNetwork({
    scheduler,
    random,
    silence: SILENCE,
    loss: options.loss ?? 0,
    failures: options.failures ?? 0,
    nats: options.nats ?? null,
  });
  const nodes: SimNode[] = [];
  const listeners: ((simNode: SimNode) => void)[] = [];
  const changed = (simNode: SimNode): void => {
    for (const listener of listeners) listener(simNode);
  };

  interface Identity {
    readonly signer: Signer;
    readonly options: AddOptions;
  }

  const start = ({ signer, options: own }: Identity, { store, storeId, host }: { store: Store; storeId: Bytes; host: Host }): DhtNode => {
    const { open, keeps = !open, quota = 1e9 } = own;
    const node = createDhtNode({
      ports: {
        clock: scheduler.clock,
        random: seededRandom(Math.floor(random.float() * 2 ** 32)),
        crypto,
        signer,
        store,
        dialer: host.dialer,
        puncher: open ? null : host.puncher,
        sealer: open ? null : crypto.sealer(signer.publicKey),
      },
      storeId,
      open: open ?? null,
      bootstrap: bootstrap.filter((url) => url !== open),
      media: { keeps, quota },
      settings: open ? { ...settings, budget: options.openBudget ?? OPEN_BUDGET } : settings,
    });
    if (open) host.listen(open, (channel) => node.accept(channel));
    node.start();
    return node;
  };

  const freshDisk = (): { store: Store; storeId: Bytes } => ({ store: createMemoryStore(STORE_BYTES), storeId: random.bytes(16) });

  return {
    scheduler,
    network,
    crypto,
    nodes,
    add(own = {}) {
      const identity: Identity = { signer: crypto.signer(random), options: own };
      const begin = ({ store, storeId }: { store: Store; storeId: Bytes }, at?: { place: Place; nat: Nat }) => {
        const host = network.host(at);
        return { host, store, storeId, node: start(identity, { store, storeId, host }) };
      };
      const fresh = freshDisk();
      let now = begin({ store: own.store ?? fresh.store, storeId: own.storeId ?? fresh.storeId });
      const simNode: SimNode = {
        id: hashKey(crypto, identity.signer.publicKey),
        open: own.open ?? null,
        get node() {
          return now.node;
        },
        get host() {
          return now.host;
        },
        get store() {
          return now.store;
        },
        get up() {
          return now.host.up;
        },
        crash() {
          if (!now.host.up) return;
          now.host.crash();
          now.node.close('crashed'); // nobody hears it any more
          changed(simNode);
        },
        async leave({ handOver = 0 } = {}) {
          const { host, node } = now;
          if (handOver > 0) await node.leave({ deadline: handOver });
          else node.close();
          if (!host.up) return;
          host.crash();
          changed(simNode);
        },
        comeBack({ disk = true } = {}) {
          if (now.host.up) throw new Error('It is there already.');
          now = begin(disk ? now : freshDisk(), now.host);
          changed(simNode);
        },
      };
      nodes.push(simNode);
      changed(simNode);
      return simNode;
    },
    forget(simNode) {
      const index = nodes.indexOf(simNode);
      if (index >= 0) nodes.splice(index, 1);
    },
    onChange(listener) {
      listeners.push(listener);
    },
    tabs: () => nodes.filter((one) => one.up && one.open === null),
    async run(promise) {
      const outcome = { settled: false };
      const note = (): void => {
        outcome.settled = true;
      };
      promise.then(note, note);
      await scheduler.advance(3_600_000, () => outcome.settled);
      if (!outcome.settled) throw new Error('Nothing came of it within a virtual hour.');
      return promise;
    },
    close() {
      for (const { node } of nodes) node.close();
    },
  };
}
