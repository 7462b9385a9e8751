/** A network of real nodes in virtual time. */
import { createMemoryStore } from '../../signal-server/memory-store.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Signer, Store } from '../../src/base/ports.ts';
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
  /** The node that runs, or that ran last. */
  readonly node: DhtNode;
  readonly host: Host;
  /** The disk of the node that runs, or that ran last. */
  readonly store: Store;
  /** False after a crash or a goodbye. */
  readonly up: boolean;
  /** Vanishes without a word. */
  crash(): void;
  /** Says goodbye as a tab does that is closed. */
  leave(): void;
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
  /** Calls `started` whenever a node starts, also one that comes back. */
  onStart(started: (simNode: SimNode) => void): void;
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
/** Ms until the end of a silent link is noticed: the protocol's 6 s, and half of the pause between two looks. */
const SILENCE = 6_500;

export function createWorld(options: WorldOptions): World {
  const random = seededRandom(options.seed);
  const scheduler = createScheduler();
  const crypto = createSimCrypto();
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
      const go = (reason: string, silently: boolean): void => {
        // A crash says nothing to anybody; after a goodbye the host has nothing more to say.
        if (silently) now.host.crash();
        now.node.close(reason);
        now.host.crash();
      };
      const simNode: SimNode = {
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
        crash: () => go('crashed', true),
        leave: () => go('leaving', false),
        comeBack({ disk = true } = {}) {
          if (now.host.up) throw new Error('It is there already.');
          now = begin(disk ? now : freshDisk(), now.host);
          for (const listener of listeners) listener(simNode);
        },
      };
      nodes.push(simNode);
      for (const listener of listeners) listener(simNode);
      return simNode;
    },
    forget(simNode) {
      const index = nodes.indexOf(simNode);
      if (index >= 0) nodes.splice(index, 1);
    },
    onStart(started) {
      listeners.push(started);
    },
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
