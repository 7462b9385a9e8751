/** Carries small calls to nodes that their caller has no link to, hop by hop towards the target's id (docs/protocol.md, rules L). */
import type { Bytes } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock } from '../base/ports.ts';
import type { Contact, ContactFields } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { CallOptions } from './calls.ts';
import type { Link } from './link.ts';
import { createRate, type Rate } from './rate.ts';
import { trim } from './trim.ts';

/** Hops that a call may still take. 10,000 nodes need 3 or 4. */
export const MAX_HOPS = 16;
/** Calls that we carry for one neighbour at once. */
const MAX_CARRIED = 64;
/**
 * And over time: so many at once, and then one in so many ms. A newcomer sends some 200 in its first seconds, and one that carries for others brings theirs;
 * 50 a second of 16 KiB each is the most that one neighbour can make us send.
 */
const CARRY_RATE = { burst: 512, interval: 20 };
/** Neighbours whose rate is remembered. */
const MAX_RATES = 1_024;
/** Linked nodes near the target that are tried one after the other by who calls. Carriers try one: else a dead end would fan out. */
const MAX_WAYS = 2;
/** Ways that are tried at all: a node that has gone can't be reached by any of them, and each takes others' time. */
const MAX_TRIED = 4;

/** A call on its way to a node that the caller has no link to. */
export interface RelayedCall {
  readonly to: NodeId;
  readonly via: NodeId | null;
  readonly hops: number;
  readonly from: ContactFields;
  readonly method: number;
  readonly body: Bytes;
}

export interface Relay {
  /**
   * Sends a call on its way. `named` is a node that is known to have a link to the target; the target's own `via` are others.
   * Rejects with `unreachable` when there is no way, and with whatever the target answered.
   */
  send(call: { to: Contact; from: ContactFields; method: number; body: Bytes }, options?: SendOptions): Promise<Bytes>;
  /** Passes on what came over `from` for somebody else. */
  carry(call: RelayedCall, options: { from: Link; signal: AbortSignal }): Promise<Bytes>;
}

/** How a call is sent on its way. */
export interface SendOptions extends CallOptions {
  readonly named?: NodeId | null;
  /**
   * Milliseconds after which another way is tried, for calls that do no harm when they come twice; without it the first way that does not break at
   * once has all the time there is.
   */
  readonly patience?: number;
}

export interface RelayOptions {
  readonly clock: Clock;
  readonly self: NodeId;
  readonly table: RoutingTable;
  readonly link: (id: NodeId) => Link | null;
  /** Milliseconds. */
  readonly deadline: number;
  readonly onCarried: () => void;
}

/** A first hop, if we are linked to it, and the `via` to name to it. */
interface Way {
  readonly hop: Link | null;
  readonly via: NodeId | null;
}

const NOBODY: ReadonlySet<NodeId> = new Set();

export function createRelay(options: RelayOptions): Relay {
  const { self, table } = options;
  const carried = new Map<NodeId, number>();
  const rates = new Map<NodeId, Rate>();

  const isTooFast = (from: NodeId): boolean => {
    let rate = rates.get(from);
    if (!rate) {
      rate = createRate({ clock: options.clock, ...CARRY_RATE });
      rates.set(from, rate);
      trim(rates, MAX_RATES);
    }
    return !rate.take();
  };

  /** The linked node to pass a call on to on its way to `goal`: the goal itself, else the nearest to it, if nearer than we are. Never `from`. */
  const wayTo = (goal: NodeId, from: NodeId | null): Link | null => {
    if (goal === from) return null;
    const direct = options.link(goal);
    if (direct) return direct;
    const nearest = table.nextHop(goal, from ? new Set([from]) : NOBODY);
    return nearest && options.link(nearest.id);
  };

  /** What a caller tries, best first, some of it twice. What is not needed, as the first has answered, is not looked for. */
  function* waysFor(to: Contact, named: NodeId | null): Generator<Way> {
    const direct = (id: NodeId): Way => ({ hop: options.link(id), via: null });
    const isOpen = ({ hop }: Way): boolean => hop !== null && hop.contact.open !== null;
    // They have a link to it. Open nodes are linked to everybody, and should carry only what no tab can.
    const introducer = table.introducer(to.id);
    const linked = [...(named ? [named] : []), ...(introducer ? [introducer] : []), ...to.via].map(direct);
    yield* linked.filter((way) => !isOpen(way));
    yield* linked.filter(isOpen);
    for (const contact of table.closestLinked(to.id, MAX_WAYS)) yield direct(contact.id);
    for (const via of to.via) if (!options.link(via)) yield { hop: wayTo(via, null), via };
  }

  const pass = async (hop: Link, call: RelayedCall, callOptions: CallOptions): Promise<Bytes> => {
    const { body } = await hop.call('RELAY', call, { deadline: options.deadline, ...callOptions });
    return body;
  };

  return {
    async send({ to, ...call }, { named = null, patience, ...callOptions } = {}) {
      if (call.body.length > LIMITS.relayed) throw fail('too-large', 'The message is too large for others to carry.');
      let problem: Error | null = null;
      const tried = new Set<string>();
      for (const { hop, via } of waysFor(to, named)) {
        const way = `${hop?.id} ${via}`;
        if (!hop || tried.has(way)) continue;
        if (tried.size >= MAX_TRIED) break;
        tried.add(way);
        try {
          return await pass(hop, { ...call, to: to.id, via, hops: MAX_HOPS }, { ...callOptions, ...(patience && { deadline: patience }) });
        } catch (error) {
          const another =
            hasCode(error, 'unreachable') || hasCode(error, 'closed') || (patience !== undefined && hasCode(error, 'timeout'));
          if (!another) throw error;
          problem = error;
        }
      }
      throw problem ?? fail('unreachable', `No linked node knows a way to ${to.id.slice(0, 8)}.`);
    },
    async carry(call, { from, signal }) {
      if (call.hops === 0) throw fail('unreachable', 'The call took too many hops.');
      const via = call.via === self ? null : call.via;
      const hop = wayTo(via !== null && !options.link(call.to) ? via : call.to, from.id);
      if (!hop) throw fail('unreachable', `No linked node of ${self.slice(0, 8)} is nearer.`);
      const busy = carried.get(from.id) ?? 0;
      if (busy >= MAX_CARRIED || isTooFast(from.id)) throw fail('refused', 'I carry as much for you as I can.');
      carried.set(from.id, busy + 1);
      options.onCarried();
      try {
        return await pass(hop, { ...call, via, hops: call.hops - 1 }, { signal });
      } finally {
        const left = (carried.get(from.id) ?? 1) - 1;
        if (left === 0) carried.delete(from.id);
        else carried.set(from.id, left);
      }
    },
  };
}
