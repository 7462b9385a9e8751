/**
 * What a message and a link cost a node, with nothing around it: links proven by the real handshake over a wire in memory that takes no time,
 * so that all of the figure is ours. The bars are what 10,000 nodes in one process can spend: 40 µs a message, 5 KB for each end of a link.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Bytes, EMPTY } from '../../src/base/bytes.ts';
import { fail } from '../../src/base/errors.ts';
import type { Channel, ChannelListener, Signer } from '../../src/base/ports.ts';
import { type Contact, contactOf } from '../../src/kademlia/contact.ts';
import { hashKey, type NodeId } from '../../src/kademlia/key.ts';
import { createRoutingTable, type RoutingTable } from '../../src/kademlia/routing-table.ts';
import { carriedContext, type Handlers, handle } from '../../src/node/handlers.ts';
import { handshake } from '../../src/node/handshake.ts';
import type { Link } from '../../src/node/link.ts';
import { createLink } from '../../src/node/proven-link.ts';
import { createQuietGaps } from '../../src/node/quiet-gaps.ts';
import { createRelay, type Relay } from '../../src/node/relay.ts';
import { CALLS } from '../../src/wire/messages.ts';
import { createSimCrypto } from '../sim/crypto.ts';
import { seededRandom } from '../sim/random.ts';
import { createScheduler } from '../sim/scheduler.ts';
import type { BenchRow } from './bench-row.ts';

/** Calls under way at once, as in a busy node, and what time passes meanwhile, virtual ms. */
const AT_ONCE = 32;
const ROUND_TRIP = 100;
const ROUNDS = 9;
const ROUND_MS = 150;
const CONTACTS = 24;
const NODES = 65;
const MESSAGE_BAR = 40;
const LINK_BAR = 5_120;

const crypto = createSimCrypto();
const random = seededRandom(1);
const { clock, advance } = createScheduler();
/** Messages that were sent and not delivered yet: each is delivered from the bottom of the stack, as everywhere. */
const wire: (() => void)[] = [];

const TOKEN = random.bytes(8);
const NO_ARGUMENTS = new Uint8Array([0x90]);

interface Participant {
  readonly signer: Signer;
  readonly contact: Contact;
  readonly links: Map<NodeId, Link>;
  readonly table: RoutingTable;
  readonly relay: Relay;
  readonly handlers: Handlers;
}

/** Microseconds for each call with its answer, both sides together; and bytes of heap for each end of a link. */
export default async function engineBench(): Promise<readonly BenchRow[]> {
  const [a, b, c] = [participant(), participant(), participant()];
  const [link] = await connect(a, b);
  await connect(b, c);
  const find = async (): Promise<void> => {
    const { contacts } = await link.call('FIND_NODE', { target: c.contact.id });
    for (const fields of contacts) contactOf(crypto, fields);
  };
  const relayed = { to: c.contact, from: a.contact, method: CALLS.PING.method, body: NO_ARGUMENTS };
  const cancels = Array.from({ length: AT_ONCE }, () => new AbortController().signal);
  const cancellable = (_: unknown, i: number): Promise<unknown> => link.call('PING', {}, { signal: cancels[i] as AbortSignal });
  const group = c.contact.id;
  return [
    await row('PING over a link', 2, () => link.call('PING', {})),
    await row('PING with a signal of the caller', 2, cancellable),
    await row(`FIND_NODE, and its ${CONTACTS} contacts made`, 2, find),
    await row('PING that one node carries', 4, () => a.relay.send(relayed, { named: b.contact.id })),
    await row('OFFER that is refused', 2, () => link.call('OFFER', { group, descriptor: EMPTY }).catch(() => undefined)),
    await bytesPerEnd(),
  ];
}

function someone(signer = crypto.signer(random)): Contact {
  const { publicKey } = signer;
  const via = [hashKey(crypto, random.bytes(32)), hashKey(crypto, random.bytes(32))];
  return {
    id: hashKey(crypto, publicKey),
    publicKey,
    open: null,
    via,
    coordinate: { x: 3.5, y: -7.1, height: 5.5 },
    nat: 'mapped',
    stun: null,
  };
}

function participant(): Participant {
  const signer = crypto.signer(random);
  const contact = someone(signer);
  const links = new Map<NodeId, Link>();
  const table = createRoutingTable({ self: contact.id });
  const relay = createRelay({
    clock,
    self: contact.id,
    table,
    link: (id) => links.get(id) ?? null,
    deadline: 8_000,
    onCarried: () => undefined,
  });
  const contacts = Array.from({ length: CONTACTS }, () => someone());
  const handlers: Partial<Handlers> = {
    PING: () => ({ token: TOKEN, open: [] }),
    FIND_NODE: () => ({ contacts, token: TOKEN, open: [] }),
    OFFER: () => {
      throw fail('refused', 'No room.');
    },
    async RELAY(call, context) {
      if (call.to !== contact.id) return { body: await relay.carry(call, { from: context.link, signal: context.signal }) };
      return { body: await handle(handlers as Handlers, call, carriedContext(contactOf(crypto, call.from), context)) };
    },
  };
  return { signer, contact, links, table, relay, handlers: handlers as Handlers };
}

/** The links at both ends, first the one's, then the other's. */
async function connect(one: Participant, other: Participant): Promise<readonly [Link, Link]> {
  const [left, right] = channelPair();
  const make = async (channel: Channel, self: Participant): Promise<Link> => {
    const proven = await handshake({
      channel,
      clock,
      random,
      crypto,
      signer: self.signer,
      contact: () => self.contact,
      storeId: random.bytes(16),
      deadline: 8_000,
    });
    const link = createLink(
      proven,
      { initiated: true },
      {
        clock,
        heartbeat: 0,
        silence: 6_000,
        quietGaps: createQuietGaps({ least: 20_000, most: 20_000 }),
        callDeadline: 5_000,
        stallDeadline: 8_000,
        serve: (call) => handle(self.handlers, call, call),
        onMalformed: () => undefined,
        onSent: () => undefined,
        onClose: () => undefined,
      },
    );
    self.links.set(link.id, link);
    self.table.linked(link.contact, clock.now());
    link.start();
    return link;
  };
  return drive(Promise.all([make(left, one), make(right, other)]));
}

/** Two ends of a wire that takes no time. */
function channelPair(): readonly [Channel, Channel] {
  const listeners: (ChannelListener | null)[] = [null, null];
  const make = (here: 0 | 1, there: 0 | 1): Channel => ({
    transport: 'memory',
    binding: EMPTY,
    queued: 0,
    send: (message: Bytes) => void wire.push(() => listeners[there]?.message(message)),
    listen(listener) {
      listeners[here] = listener;
    },
    close: () => undefined,
  });
  return [make(0, 1), make(1, 0)];
}

/** Delivers what is sent until the promise settles. */
async function drive<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  while (!settled) {
    for (const deliver of wire.splice(0)) deliver();
    await new Promise(setImmediate);
  }
  return promise;
}

/** Microseconds a call, in rounds. */
async function row(what: string, messages: number, call: (_: unknown, i: number) => Promise<unknown>): Promise<BenchRow> {
  const rounds: number[] = [];
  for (let round = -3; round < ROUNDS; round++) {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < ROUND_MS; count += AT_ONCE) {
      await drive(Promise.all(Array.from({ length: AT_ONCE }, call)));
      await advance(ROUND_TRIP);
    }
    if (round >= 0) rounds.push(((performance.now() - start) * 1000) / count);
  }
  rounds.sort((x, y) => x - y);
  const [value, min, max] = [rounds[rounds.length >> 1], rounds[0], rounds.at(-1)] as [number, number, number];
  const bar = messages * MESSAGE_BAR;
  return { what: `${what}, ${messages} messages`, value, unit: 'µs', bar: `≤ ${bar}`, ok: value <= bar, n: ROUNDS, min, max, beside: null };
}

/** What an idle link keeps at one end after it was used, in a network where each node knows all others; the channel left out. */
async function bytesPerEnd(): Promise<BenchRow> {
  const nodes = Array.from({ length: NODES }, participant);
  const pairs = nodes.flatMap((one, i) => nodes.slice(0, i).map((other) => [one, other] as const));
  const empty = heap();
  const channels = pairs.map(channelPair);
  const channel = (heap() - empty) / (2 * channels.length);
  channels.length = 0;
  const before = heap();
  for (const [one, other] of pairs) for (const link of await connect(one, other)) await drive(link.call('PING', {}));
  await advance(10_000);
  const value = (heap() - before) / (2 * pairs.length) - channel;
  return {
    what: `one end of an idle link, of ${pairs.length} links among ${nodes.length} nodes, its place in the routing table included`,
    value,
    unit: 'bytes',
    bar: `≤ ${LINK_BAR}`,
    ok: value <= LINK_BAR,
    n: 1,
    min: value,
    max: value,
    beside: `its channel ${Math.round(channel)}`,
  };
}

/** Bytes in use after collecting everything that can be. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
