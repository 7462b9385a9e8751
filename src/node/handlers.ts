/** Answers calls: the body is read by its schema, the method's handler runs, and its answer is written. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { decode, encode, type Schema } from '../base/schema.ts';
import type { Contact } from '../kademlia/contact.ts';
import { CALLS, type Method, methodOf, type RequestOf, type ResponseOf } from '../wire/messages.ts';
import type { Answer } from './answering.ts';
import type { IncomingCall, Link } from './link.ts';

/** Who calls, and over which link. */
export interface CallContext {
  /** The caller. Proven when the call came over its own link; only claimed when others carried it. */
  readonly from: Contact;
  readonly relayed: boolean;
  /** The link that the call came in on: the caller's own, or its last carrier's. */
  readonly link: Link;
  /** Costs something when it is looked at, as in `ReceivedCall`. */
  readonly signal: AbortSignal;
  /** Sends bulk bytes behind the answer; null for a relayed call, which can't have any. */
  readonly stream: IncomingCall['stream'] | null;
}

export type Handler<M extends Method> = (request: RequestOf<M>, context: CallContext) => ResponseOf<M> | Promise<ResponseOf<M>>;

export type Handlers = { readonly [M in Method]: Handler<M> };

/** The answer's body. Throws or rejects with `invalid` for an unknown method or a body that does not check, else with what the handler said. */
export function handle(handlers: Handlers, call: { method: number; body: Bytes }, context: CallContext): Answer {
  const method = methodOf(call.method);
  if (!method) throw fail('invalid', 'I do not know that method.');
  return answer(method, handlers[method] as Handler<typeof method>, call.body, context);
}

function answer<M extends Method>(method: M, handler: Handler<M>, body: Bytes, context: CallContext): Answer {
  const schemas = CALLS[method];
  const request = decode(schemas.request as Schema<RequestOf<M>>, body);
  if (request === null) throw fail('invalid', `The arguments of ${method} are malformed.`);
  const write = (response: ResponseOf<M>): Bytes => encode(schemas.response as Schema<ResponseOf<M>>, response);
  const response = handler(request, context);
  return response instanceof Promise ? response.then(write) : write(response);
}

/** The context of a call that came inside another one, from who is only said to have sent it. */
export function carriedContext(from: Contact, carrier: CallContext): CallContext {
  return new Carried(from, carrier);
}

/** A class for its getter, as `Work` in answering.ts. */
class Carried implements CallContext {
  readonly relayed = true;
  readonly stream = null;
  readonly from: Contact;
  readonly link: Link;
  private readonly carrier: CallContext;

  constructor(from: Contact, carrier: CallContext) {
    this.from = from;
    this.link = carrier.link;
    this.carrier = carrier;
  }

  get signal(): AbortSignal {
    return this.carrier.signal;
  }
}
