/** The answering half of recursive lookups: passes each to the linked node nearest to its target, or answers it (docs/protocol.md, rules K7 to K9). */
import type { Bytes } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import { hashKey, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { lifeAt } from '../records/expiry.ts';
import { CALLS, type Item, type RequestOf, WANT } from '../wire/messages.ts';
import type { Answer } from './answering.ts';
import type { HolderOrder } from './holder-order.ts';
import type { ItemStore } from './item-store.ts';
import type { IncomingCall, Link } from './link.ts';
import type { NearerSource } from './nearer.ts';
import { placementOf } from './placement.ts';
import type { NodeSettings } from './settings.ts';
import { wantOf } from './wants.ts';

/** Hops of a recursive lookup at most: 10,000 nodes need 3 or 4, and each hop gains 3 bits or more. */
export const MAX_ROUTE_HOPS = 12;
/** Lookups that we carry for one neighbour at once. */
const MAX_CARRIED = 64;
/** Nodes that a carrier tries for one lookup. More would fan out at each hop. */
const MAX_TRIES = 2;
/** The deadline falls with each hop, so that who is nearer to the asker waits longer: by this many parts of the whole, of which the last hop has some left. */
const LAST_PARTS = 4;

export interface RouteCarrier {
  /** Answers a ROUTE that came over a link: the body of the response. Throws or rejects with the reason why there is none. */
  serve(call: RouteCall): Answer;
}

export interface RouteCarrierOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly contact: () => Contact;
  readonly table: RoutingTable;
  readonly link: (id: NodeId) => Link | null;
  readonly nearer: NearerSource;
  readonly items: ItemStore;
  readonly order: HolderOrder['order'];
  readonly onCarried: () => void;
}

type RouteCall = Pick<IncomingCall, 'link' | 'body' | 'signal'>;
type Route = RequestOf<'ROUTE'>;

/** How long (ms) somebody waits for the answer to a lookup that he passed on with so many hops left. */
export function routeDeadline(hops: number, settings: NodeSettings): number {
  return (settings.routeDeadline * (Math.min(hops, MAX_ROUTE_HOPS) + LAST_PARTS)) / (MAX_ROUTE_HOPS + LAST_PARTS);
}

export function createRouteCarrier(options: RouteCarrierOptions): RouteCarrier {
  const { clock, crypto, settings, table, items } = options;
  const carried = new Map<NodeId, number>();

  /** The way is over where the nodes nearest to the target are known for certain. Things, though, lie on those nodes themselves. */
  const isOver = ({ target, want, hops }: Route): boolean => hops === 0 || (want === null && table.covers(target, settings.k));

  /** The answer of a nearer node; null when there is none but those that failed. */
  const pass = async (route: Route, way: { without: Set<NodeId>; dead: Set<NodeId>; signal: AbortSignal }): Promise<Bytes | null> => {
    const { without, dead, signal } = way;
    const hops = route.hops - 1;
    const end = clock.now() + routeDeadline(hops, settings);
    const body = encode(CALLS.ROUTE.request, { ...route, hops });
    for (let tries = MAX_TRIES; tries > 0; tries--) {
      const next = table.nextHop(route.target, without);
      const hop = next && options.link(next.id);
      if (!hop) return null;
      without.add(hop.id);
      try {
        // Half of the time is for the second one.
        const answer = await hop.callRaw(CALLS.ROUTE.method, body, { deadline: (end - clock.now()) / tries, signal });
        if (answer.length > LIMITS.relayed) throw fail('refused', 'The answer is too large for others to carry.');
        if (route.want === WANT.value) keepCopy(route, hop.id, answer);
        return answer;
      } catch (error) {
        if (signal.aborted || !isNoWay(error)) throw error;
        if (!hasCode(error, 'refused')) dead.add(hop.id);
      }
    }
    throw fail('unreachable', 'The nodes that are nearer do not answer.');
  };

  /**
   * A value that passes here on its way back from the one that had it is kept for a while: of those on the path that did not have it, we are the
   * nearest (Kademlia paper §2.3). Records are not: an old version would go on being found after a new one is written.
   */
  const keepCopy = ({ target }: Route, from: NodeId, answer: Bytes): void => {
    const response = decode(CALLS.ROUTE.response, answer);
    const item = response?.items[0];
    if (!response || item?.type !== 'value' || hashKey(crypto, item.bytes) !== target || contactOf(crypto, response.by).id !== from) return;
    const life = lifeAt(placementOf(table, target, settings.k).bits);
    void items.put(target, item, { life, spare: true }).catch(() => undefined); // No room for it is no harm.
  };

  const find = async ({ target, want, before }: Route, from: Contact): Promise<readonly Item[]> =>
    want === null ? [] : options.order(await items.find(target, wantOf(want), before), { key: target, from });

  const answer = (route: Route, parts: { from: Contact; items: readonly Item[]; dead: ReadonlySet<NodeId> }): Bytes =>
    encode(CALLS.ROUTE.response, {
      ...options.nearer.about(route.target, parts.from, { without: parts.dead, items: parts.items }),
      by: options.contact(),
      left: route.hops,
      items: parts.items,
    });

  /** What is here, else what a nearer node answers, else who is near. */
  const search = async (route: Route, { call, from }: { call: RouteCall; from: Contact }): Promise<Bytes> => {
    const dead = new Set<NodeId>();
    const held = route.early ? await find(route, from) : [];
    if (held.length > 0 || isOver(route)) return answer(route, { from, items: route.early ? held : await find(route, from), dead });
    const { link } = call;
    const busy = carried.get(link.id) ?? 0;
    if (busy >= MAX_CARRIED) throw fail('refused', 'I carry as much for you as I can.');
    carried.set(link.id, busy + 1);
    try {
      const passed = await pass(route, { without: new Set([link.id, from.id]), dead, signal: call.signal });
      if (passed) options.onCarried();
      return passed ?? answer(route, { from, items: await find(route, from), dead });
    } finally {
      const left = (carried.get(link.id) ?? 1) - 1;
      if (left === 0) carried.delete(link.id);
      else carried.set(link.id, left);
    }
  };

  return {
    serve(call) {
      const route = decode(CALLS.ROUTE.request, call.body);
      if (!route) throw fail('invalid', 'The arguments of ROUTE are malformed.');
      const from = contactOf(crypto, route.from);
      // The last of a lookup for nodes answers at once.
      if (route.want === null && isOver(route)) return answer(route, { from, items: [], dead: new Set() });
      return search(route, { call, from });
    },
  };
}

/** Another node may still know a way. */
function isNoWay(error: unknown): boolean {
  return hasCode(error, 'closed') || hasCode(error, 'unreachable') || hasCode(error, 'timeout') || hasCode(error, 'refused');
}
