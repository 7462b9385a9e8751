/** An open node: the same node as in a tab, behind a WebSocket port, which also serves the site. It never takes video. */

import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fail } from '../src/base/errors.ts';
import { quiet } from '../src/base/timing.ts';
import { isOpenUrl, MAX_URL_BYTES } from '../src/kademlia/contact.ts';
import { createDhtNode, type DhtNode } from '../src/node/dht-node.ts';
import type { NodeSettings } from '../src/node/settings.ts';
import { STORE_ID_BYTES } from '../src/wire/messages.ts';
import { nodeClock } from './clock.ts';
import { createNodeCrypto, openSigner } from './crypto.ts';
import { createHttp } from './http.ts';
import { createMemoryStore } from './memory-store.ts';
import { nodeRandom } from './random.ts';
import { createStunResponder, type StunResponder } from './stun.ts';
import { createNodeDialer, createSocketDoor, SOCKET_LIMITS, SOCKET_PATH, type SocketLimits } from './websocket.ts';

export interface OpenNodeOptions {
  /** 0 takes any free one. */
  readonly port: number;
  /** The address to listen on; all of them when it is not given. */
  readonly host?: string;
  /** The folder of the built site; none is served when it is not given. */
  readonly siteDir?: string | null;
  /** The address by which others reach this node (`https://example.org`), when it is not the one that this machine sees. */
  readonly publicUrl?: string | null;
  /** `ws:` addresses of other open nodes. */
  readonly bootstrap?: readonly string[];
  /** Where the node's key is kept; without it the node has a new id at each start. */
  readonly dataDir?: string | null;
  /** The UDP port on which STUN is answered: 0 takes any free one, null (as when it is not given) answers none. */
  readonly stunPort?: number | null;
  readonly limits?: Partial<SocketLimits>;
  readonly settings?: Partial<NodeSettings>;
  /** For people: one line at a time. */
  readonly log?: (line: string) => void;
}

/** What `GET /status` answers. */
export interface Status {
  /** The NodeId: 40 hexadecimal digits. */
  readonly id: string;
  readonly version: string;
  /** Live links. */
  readonly links: number;
  /** Seconds since it began to listen. */
  readonly uptime: number;
  /** What happened since then, and what is kept now. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface OpenNode {
  /** Resolves when it listens. Rejects with `unreachable` when the port can't be had, and with `invalid` for an address or a key that is none. */
  readonly ready: Promise<OpenNodeAddress>;
  /** The node itself, from the moment that `ready` has resolved; throws before. */
  readonly node: DhtNode;
  status(): Status;
  /** Says goodbye to all links and frees the port. Idempotent. */
  close(): Promise<void>;
}

export interface OpenNodeAddress {
  /** The site, for a browser on this machine. */
  readonly url: string;
  readonly port: number;
  /** What other nodes dial. */
  readonly wsUrl: string;
  /** The UDP port on which STUN is answered, or null. */
  readonly stunPort: number | null;
}

/** Small items that others store here (bytes): 20,000 records with everything around them. */
const STORE_BYTES = 256 * 1024 * 1024;
/** Connections for pages and `/status`, beside the sockets (items): a browser opens up to six. */
const PAGE_CONNECTIONS = 2_000;
/** For giving the small items that are kept here to others (ms): whoever stops a process waits some seconds before it is killed. */
const HAND_OVER_TIMEOUT = 1_000;
/** For what is still being answered at the end (ms); then connections are cut. */
const GOODBYE_TIMEOUT = 1_000;

// A node's one closing signal is listened to by each dial and call under way: hundreds are no leak, and need no warning.
setMaxListeners(0);

/** Starts one. Throws nothing: what goes wrong comes by `ready`. */
export function createOpenNode(options: OpenNodeOptions): OpenNode {
  let node: DhtNode | null = null;
  let started = 0;
  let closing: Promise<void> | null = null;

  const limits = { ...SOCKET_LIMITS, ...options.limits };
  const door = createSocketDoor(limits, (channel) => (node ? node.accept(channel) : channel.close()));
  let http: Server | null = null;
  let stun: StunResponder | null = null;

  const running = (): DhtNode => {
    if (node) return node;
    throw fail('internal', 'The open node is used before it is ready.');
  };
  const status = (): Status => ({
    id: running().contact.id,
    version: __KADREEL_VERSION__,
    links: running().links().length,
    uptime: Math.round((nodeClock.now() - started) / 1000),
    counters: { ...numbersIn(running().stats()), ...numbersIn({ door: door.counters(), ...(stun && { stun: stun.counters() }) }) },
  });

  const start = async (): Promise<OpenNodeAddress> => {
    const publicUrl = options.publicUrl ? new URL(socketAddress(options.publicUrl)) : null;
    const signer = openSigner(options.dataDir ?? null);
    http = createHttp({ siteDir: options.siteDir ?? null, status });
    http.on('upgrade', door.upgrade);
    http.maxConnections = limits.sockets + PAGE_CONNECTIONS;
    const port = await listen(http, options);
    const stunPort = options.stunPort ?? null;
    if (stunPort !== null) stun = createStunResponder({ port: stunPort, clock: nodeClock });
    const boundStunPort = stun ? await stun.ready : null;
    const name = nameOf(options.host);
    const wsUrl = publicUrl?.href ?? `ws://${name}:${port}${SOCKET_PATH}`;
    node = createDhtNode({
      ports: {
        clock: nodeClock,
        random: nodeRandom,
        crypto: createNodeCrypto(),
        signer,
        store: createMemoryStore(STORE_BYTES),
        dialer: createNodeDialer(),
        puncher: null,
        sealer: null,
      },
      storeId: nodeRandom.bytes(STORE_ID_BYTES),
      open: wsUrl,
      stun: boundStunPort,
      bootstrap: (options.bootstrap ?? []).filter((address) => address !== wsUrl),
      media: { keeps: false, quota: 0 },
      // Whoever was let in keeps its link: it has no other way in, and it is what an open node is for.
      settings: { budget: limits.sockets, ...options.settings },
    });
    started = nodeClock.now();
    node.start();
    options.log?.(`Node ${node.contact.id} listens on port ${port}, known to others as ${wsUrl}.`);
    return { url: `http://${name}:${port}`, port, wsUrl, stunPort: boundStunPort };
  };

  const ready = quiet(start());

  const stop = async (): Promise<void> => {
    await ready.catch(() => undefined); // half a start can't be stopped
    await node?.leave({ deadline: HAND_OVER_TIMEOUT });
    door.close();
    await stun?.close();
    const server = http;
    if (!server?.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      after(GOODBYE_TIMEOUT).then(() => server.closeAllConnections());
    });
  };

  return {
    ready,
    get node() {
      return running();
    },
    status,
    close() {
      closing ??= stop();
      return closing;
    },
  };
}

/** The numbers in a tree, each under its path: `{ calls: { sent: 3 } }` gives `{ 'calls.sent': 3 }`. */
function numbersIn(tree: object, path = ''): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(tree) as [string, unknown][]) {
    if (typeof value === 'number') numbers[path + name] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(numbers, numbersIn(value, `${path}${name}.`));
  }
  return numbers;
}

/** `https://example.org` → `wss://example.org/ws`. Throws `invalid`. */
function socketAddress(publicUrl: string): string {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : null;
  if (url && /^(https?|wss?):$/.test(url.protocol) && !url.search && !url.hash) {
    const path = url.pathname.replace(/\/+$/, '');
    const address = `${url.protocol.replace('http', 'ws')}//${url.host}${path.endsWith(SOCKET_PATH) ? path : path + SOCKET_PATH}`;
    if (isOpenUrl(address) && address.length <= MAX_URL_BYTES) return address;
  }
  throw fail('invalid', `“${publicUrl}” can't be this node's public address. Give it as https://example.org or http://192.0.2.1:8080.`);
}

/** The name for an address that was listened on, as this machine sees it. */
function nameOf(host: string | undefined): string {
  if (!host || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, { port, host }: OpenNodeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port)));
    server.listen({ port, ...(host && { host }) }, () => resolve((server.address() as AddressInfo).port));
  });
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return fail(
      'unreachable',
      `Port ${port} is in use by another program. End that program, or choose another port: PORT=${port + 1} npm start`,
    );
  if (error.code === 'EACCES')
    return fail('unreachable', `Port ${port} needs rights that this user lacks. Choose one above 1023: PORT=8080 npm start`);
  return fail('unreachable', `Can't listen on port ${port}: ${error.message}`, error);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
