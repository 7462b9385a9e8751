import { fail } from '../../../../src/base/errors.ts';
import { deferred } from '../../../../src/base/timing.ts';
import type { Contact } from '../../../../src/kademlia/contact.ts';
import type { FetchRequest, Link } from '../../../../src/node/link.ts';
import type { Method } from '../../../../src/wire/messages.ts';

/** A link that answers what the test says. Calls reject with `refused` and fetches with `not-found` unless told otherwise. */
export function fakeLink(options: {
  contact: Contact;
  storeId: Link['storeId'];
  call?: (method: Method, request: unknown, signal: AbortSignal | undefined) => Promise<unknown>;
  fetch?: (request: FetchRequest, options: NonNullable<Parameters<Link['fetch']>[1]>) => ReturnType<Link['fetch']>;
}): Link {
  const { contact } = options;
  const ended = deferred<string>();
  let closed = false;
  return {
    id: contact.id,
    contact,
    storeId: options.storeId,
    transport: 'memory',
    initiated: true,
    since: 0,
    get closed() {
      return closed;
    },
    receiving: false,
    sending: false,
    ended: () => ended.promise,
    start: () => undefined,
    call: async (method, request, callOptions) => {
      if (closed) throw fail('closed', 'The link has ended.');
      if (!options.call) throw fail('refused', 'Nobody answers here.');
      return (await options.call(method, request, callOptions?.signal)) as never;
    },
    callRaw: async () => {
      throw fail('refused', 'Nobody answers here.');
    },
    transcode: async () => {
      throw fail('refused', 'Nobody works here.');
    },
    fetch: (request, fetchOptions = {}) => options.fetch?.(request, fetchOptions) ?? Promise.reject(fail('not-found', 'Not kept.')),
    tick: () => undefined,
    quieten: (gap) => gap,
    check: () => undefined,
    close(reason) {
      if (closed) return;
      closed = true;
      ended.resolve(reason);
    },
  };
}
