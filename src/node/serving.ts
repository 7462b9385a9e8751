/** What this node answers to the calls of others, and to lookups that it passes on. */
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { contactOf } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { CALLS } from '../wire/messages.ts';
import type { Answer } from './answering.ts';
import type { Copies } from './copies.ts';
import { carriedContext, type Handlers, handle } from './handlers.ts';
import type { Helpers } from './helpers.ts';
import type { Helping } from './helping.ts';
import type { HolderOrder } from './holder-order.ts';
import type { ItemStore } from './item-store.ts';
import type { Keeper } from './keeper.ts';
import type { Letters } from './letters.ts';
import type { IncomingCall } from './link.ts';
import type { NearerSource } from './nearer.ts';
import type { Relay } from './relay.ts';
import type { RouteCarrier } from './route-carrier.ts';
import type { Spreading } from './spreading.ts';
import type { Tokens } from './tokens.ts';
import { wantOf } from './wants.ts';

export interface ServingOptions {
  readonly self: NodeId;
  readonly crypto: Crypto;
  readonly tokens: Tokens;
  readonly items: ItemStore;
  readonly spreading: Spreading;
  readonly nearer: NearerSource;
  readonly routes: RouteCarrier;
  readonly relay: Relay;
  readonly letters: Letters;
  readonly keeper: Keeper;
  readonly copies: Copies;
  readonly helpers: Helpers;
  readonly helping: Helping;
  readonly order: HolderOrder['order'];
}

/** Answers a call that came over a link: the body of the response. Throws or rejects with the reason why there is none. */
export function createServing(options: ServingOptions): (call: IncomingCall) => Answer {
  const { self, crypto, tokens, nearer, items, relay } = options;

  const handlers: Handlers = {
    ...options.keeper.handlers,
    ...options.copies.handlers,
    ...options.helpers.handlers,
    ...options.helping.handlers,
    PING: (_request, { from }) => ({ token: tokens.issue(from.id), open: nearer.open() }),
    FIND_NODE: ({ target }, { from }) => nearer.about(target, from),
    async FIND_VALUE({ key, want, before }, { from }) {
      const found = options.order(await items.find(key, wantOf(want), before), { key, from });
      return { ...nearer.about(key, from, { items: found }), items: found };
    },
    QUIET({ gap }, { link, relayed }) {
      if (relayed) throw fail('refused', 'Signs of life are a matter of one link.');
      return { gap: link.quieten(gap) };
    },
    ROUTE: () => {
      throw fail('invalid', 'A relayed call carries no lookup that others carry.');
    },
    async STORE({ token, ...stored }, { from, link }) {
      if (!tokens.check(from.id, token)) throw fail('refused', 'The token is not one that I gave you of late.');
      return { stored: await options.spreading.take(stored, { id: from.id, link }) };
    },
    async SIGNAL({ letter }, { from, link }) {
      return { letter: await options.letters.receive(letter, { from, carrier: link.id }) };
    },
    async RELAY(call, context) {
      if (context.relayed) throw fail('invalid', 'A relayed call carries no other one.');
      if (call.to !== self) return { body: await relay.carry(call, { from: context.link, signal: context.signal }) };
      const body = await handle(handlers, call, carriedContext(contactOf(crypto, call.from), context));
      if (body.length > LIMITS.relayed) throw fail('too-large', 'The answer is too large for others to carry.');
      return { body };
    },
  };

  return (call) => (call.method === CALLS.ROUTE.method ? options.routes.serve(call) : handle(handlers, call, call));
}
