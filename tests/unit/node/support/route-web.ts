/** Nodes that do nothing but pass recursive lookups on, each linked to whom the test says. */

import { createMemoryStore } from '../../../../signal-server/memory-store.ts';
import type { Bytes } from '../../../../src/base/bytes.ts';
import { fail } from '../../../../src/base/errors.ts';
import { abortError, wait } from '../../../../src/base/timing.ts';
import type { Contact } from '../../../../src/kademlia/contact.ts';
import type { NodeId } from '../../../../src/kademlia/key.ts';
import { createRoutingTable, type RoutingTable } from '../../../../src/kademlia/routing-table.ts';
import { createItemStore, type ItemStore } from '../../../../src/node/item-store.ts';
import type { Link } from '../../../../src/node/link.ts';
import { createNearerSource } from '../../../../src/node/nearer.ts';
import { createRouteCarrier, type RouteCarrier } from '../../../../src/node/route-carrier.ts';
import { createRouteFinder, type RouteFinder } from '../../../../src/node/route-finder.ts';
import { DEFAULT_SETTINGS } from '../../../../src/node/settings.ts';
import { createTokens, type Tokens } from '../../../../src/node/tokens.ts';
import { CALLS } from '../../../../src/wire/messages.ts';
import type { Bench } from './bench.ts';
import { fakeLink } from './fake-link.ts';

export interface WebNode {
  readonly contact: Contact;
  readonly table: RoutingTable;
  readonly tokens: Tokens;
  readonly items: ItemStore;
  readonly carrier: RouteCarrier;
  readonly finder: RouteFinder;
  /** Lookups that came here, with what became of their callers. */
  readonly asked: { readonly body: Bytes; readonly signal: AbortSignal }[];
  /** When it is not null, what happens to a lookup that comes here instead of its being served. */
  instead: ((signal: AbortSignal) => Promise<Bytes>) | null;
  /** The link to another one, as its carrier sees it. */
  link(to: WebNode): Link;
}

/** Milliseconds from one node to another. */
export const HOP = 10;

/** For `WebNode.instead`: says nothing until the caller gives up. */
export const silent = (signal: AbortSignal): Promise<Bytes> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(abortError(signal)), { once: true }));

export function createWebNode(bench: Bench, { covers = false, open = null }: { covers?: boolean; open?: string | null } = {}): WebNode {
  const { clock, crypto } = bench;
  const { contact: someone, storeId } = bench.someone();
  const contact = { ...someone, open };
  const table: RoutingTable = { ...createRoutingTable({ self: contact.id }), covers: () => covers };
  const links = new Map<NodeId, Link>();
  const tokens = createTokens(bench);
  const items = createItemStore({ store: createMemoryStore(1e9), crypto, clock, self: contact.id });
  const common = { clock, crypto, settings: DEFAULT_SETTINGS, contact: () => contact, table, link: (id: NodeId) => links.get(id) ?? null };
  const node: WebNode = {
    contact,
    table,
    tokens,
    items,
    carrier: createRouteCarrier({
      ...common,
      nearer: createNearerSource({ table, tokens }),
      items,
      order: (found) => found,
      onCarried: () => undefined,
    }),
    finder: createRouteFinder(common),
    asked: [],
    instead: null,
    link(to) {
      const present = links.get(to.contact.id);
      if (present) return present;
      const link: Link = {
        ...fakeLink({ contact: to.contact, storeId }),
        async callRaw(method, body, { deadline = 5_000, signal } = {}) {
          if (method !== CALLS.ROUTE.method) throw fail('invalid', 'Only lookups are passed on here.');
          const over = new AbortController();
          const end = (error: Error): void => over.abort(error);
          const cancel = clock.after(deadline, () => end(fail('timeout', 'No answer in time.')));
          const onAbort = (): void => end(abortError(signal as AbortSignal));
          signal?.addEventListener('abort', onAbort, { once: true });
          try {
            await wait(clock, HOP, over.signal);
            to.asked.push({ body, signal: over.signal });
            const served = to.instead?.(over.signal) ?? to.carrier.serve({ link: to.link(node), body, signal: over.signal });
            const answer = await served;
            await wait(clock, HOP, over.signal);
            return answer;
          } catch (error) {
            throw over.signal.aborted ? abortError(over.signal) : error;
          } finally {
            cancel();
            signal?.removeEventListener('abort', onAbort);
          }
        },
      };
      links.set(to.contact.id, link);
      table.linked(to.contact, clock.now());
      to.link(node);
      return link;
    },
  };
  return node;
}
