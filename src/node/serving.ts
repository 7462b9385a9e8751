/** What this node answers to the calls of others, and to lookups that it passes on. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { type Nearer, WANT, type Want } from '../wire/messages.ts';
import type { Copies } from './copies.ts';
import { type CallContext, type Handlers, handle } from './handlers.ts';
import type { ItemStore } from './item-store.ts';
import type { Keeper } from './keeper.ts';
import type { IncomingCall } from './link.ts';
import type { Punching } from './punch.ts';
import type { Relay } from './relay.ts';
import type { Tokens } from './tokens.ts';

export interface ServingOptions {
  readonly self: NodeId;
  readonly crypto: Crypto;
  readonly table: RoutingTable;
  readonly tokens: Tokens;
  readonly items: ItemStore;
  readonly relay: Relay;
  readonly punching: Punching;
  readonly keeper: Keeper;
  readonly copies: Copies;
}

/** Answers a call that came over a link: the body of the response, or a rejection with the reason. */
export function createServing(options: ServingOptions): (call: IncomingCall) => Promise<Bytes> {
  const { self, crypto, table, tokens, items, relay, punching } = options;

  const openNodes = (): readonly string[] =>
    table
      .openNodes()
      .flatMap((one) => one.open ?? [])
      .slice(0, LIMITS.openNodes);

  const nearer = (target: Key, from: Contact): Nearer => ({
    contacts: table
      .closestLinked(target, LIMITS.contacts + 1)
      .filter((one) => one.id !== from.id)
      .slice(0, LIMITS.contacts),
    token: tokens.issue(from.id),
    open: openNodes(),
  });

  const handlers: Handlers = {
    ...options.keeper.handlers,
    ...options.copies.handlers,
    PING: (_request, { from }) => ({ token: tokens.issue(from.id), open: openNodes() }),
    FIND_NODE: ({ target }, { from }) => nearer(target, from),
    async FIND_VALUE({ key, want, before }, { from }) {
      const found = await items.find(key, wantOf(want), before);
      return { ...nearer(key, from), items: found };
    },
    ROUTE: () => {
      throw fail('invalid', 'I do not pass lookups on yet.');
    },
    async STORE({ key, token, item }, { from }) {
      if (!tokens.check(from.id, token)) throw fail('refused', 'The token is not one that I gave you of late.');
      await items.put(key, item);
      return { stored: 1 };
    },
    async SIGNAL(request) {
      await punching.signalled(contactOf(crypto, request.from), request);
      return {};
    },
    async RELAY(call, { link, signal, relayed }) {
      if (relayed) throw fail('invalid', 'A relayed call carries no other one.');
      if (call.to !== self) return { body: await relay.carry(call, { from: link, signal }) };
      const from = contactOf(crypto, call.from);
      const context: CallContext = { from, relayed: true, link, signal, stream: null };
      const body = await handle(handlers, call, context);
      if (body.length > LIMITS.relayed) throw fail('too-large', 'The answer is too large for others to carry.');
      return { body };
    },
  };

  return (call) =>
    handle(handlers, call, { from: call.link.contact, relayed: false, link: call.link, signal: call.signal, stream: call.stream });
}

const WANT_NAMES = new Map<number, Want>(Object.entries(WANT).map(([name, number]) => [number, name as Want]));

function wantOf(number: number): Want {
  const want = WANT_NAMES.get(number);
  if (!want) throw fail('invalid', 'I do not know that kind of thing.');
  return want;
}
