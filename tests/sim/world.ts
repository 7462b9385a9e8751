/** A network of real nodes in virtual time. */

import { createMemoryStore } from '../../signal-server/memory-store.ts';
import type { Store } from '../../src/base/ports.ts';
import { createDhtNode, type DhtNode } from '../../src/node/dht-node.ts';
import type { NodeSettings } from '../../src/node/settings.ts';
import { createSimCrypto, type SimCrypto } from './crypto.ts';
import { createNetwork, type Host, type Network } from './network.ts';
import { seededRandom } from './random.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';

export interface SimNode {
  readonly node: DhtNode;
  readonly host: Host;
  readonly store: Store;
  /** Vanishes without a word. */
  crash(): void;
}

export interface World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly crypto: SimCrypto;
  readonly nodes: SimNode[];
  /** A tab, or an open node when `open` names its address. */
  add(options?: { open?: string; keeps?: boolean; quota?: number; store?: Store; storeId?: Uint8Array<ArrayBuffer> }): SimNode;
  /** Runs until the promise settles; fails loudly when nothing happens for a virtual hour. */
  run<T>(promise: Promise<T>): Promise<T>;
  close(): void;
}

/** Disk of a simulated node, bytes. */
const STORE_BYTES = 1e9;
/** Links of a simulated open node: as many as of a real one. */
const OPEN_BUDGET = 10_000;
/** One way, ms: 10 to 60, as between homes of one continent; the tail to 200 as over an ocean. */
const LATENCY = { least: 10, spread: 50, farShare: 0.1, far: 140 };

export function createWorld(options: { seed: number; bootstrap?: readonly string[]; settings?: Partial<NodeSettings> }): World {
  const random = seededRandom(options.seed);
  const scheduler = createScheduler();
  const crypto = createSimCrypto();
  const bootstrap = options.bootstrap ?? ['ws://open-0/ws'];
  const settings: Partial<NodeSettings> = { heartbeat: 0, ...options.settings };
  const network = createNetwork({
    clock: scheduler.clock,
    random,
    latency: (draw) => LATENCY.least + LATENCY.spread * draw.float() + (draw.float() < LATENCY.farShare ? LATENCY.far * draw.float() : 0),
    silence: 7_000,
  });
  const nodes: SimNode[] = [];

  return {
    scheduler,
    network,
    crypto,
    nodes,
    add({ open, keeps = !open, quota = 1e9, store = createMemoryStore(STORE_BYTES), storeId = random.bytes(16) } = {}) {
      const host = network.host();
      const node = createDhtNode({
        ports: {
          clock: scheduler.clock,
          random: seededRandom(Math.floor(random.float() * 2 ** 32)),
          crypto,
          signer: crypto.signer(random),
          store,
          dialer: host.dialer,
          puncher: open ? null : host.puncher,
        },
        storeId,
        open: open ?? null,
        bootstrap: bootstrap.filter((url) => url !== open),
        media: { keeps, quota },
        settings: open ? { ...settings, budget: OPEN_BUDGET } : settings,
      });
      if (open) host.listen(open, (channel) => node.accept(channel));
      node.start();
      const simNode: SimNode = {
        node,
        host,
        store,
        crash() {
          host.crash();
          node.close('crashed');
        },
      };
      nodes.push(simNode);
      return simNode;
    },
    async run(promise) {
      const outcome = { settled: false };
      promise.then(
        () => {
          outcome.settled = true;
        },
        () => {
          outcome.settled = true;
        },
      );
      await scheduler.advance(3_600_000, () => outcome.settled);
      if (!outcome.settled) throw new Error('Nothing came of it within a virtual hour.');
      return promise;
    },
    close() {
      for (const { node } of nodes) node.close();
    },
  };
}
