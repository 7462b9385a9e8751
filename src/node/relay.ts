/** Carries small calls to nodes that their caller has no link to, hop by hop towards the target's id (docs/protocol.md, rules L). */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Contact, ContactFields } from '../kademlia/contact.ts';
import { compareDistance, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { CallOptions } from './calls.ts';
import type { Link } from './link.ts';

/** Hops that a call may still take. 10,000 nodes need 3 or 4. */
export const MAX_HOPS = 16;
/** Calls that we carry for one neighbour at once. */
const MAX_CARRIED = 64;
/** Ways that are tried one after the other when a hop has none further. */
const MAX_WAYS = 3;

export interface RelayedCall {
  readonly to: NodeId;
  readonly hops: number;
  readonly from: ContactFields;
  readonly method: number;
  readonly body: Bytes;
}

export interface Relay {
  /**
   * Sends a call on its way. `first` is a linked node that is known to have a link to the target. Rejects with `unreachable`
   * when there is no way, and with whatever the target answered.
   */
  send(call: Omit<RelayedCall, 'hops'>, options?: CallOptions & { first?: NodeId | null }): Promise<Bytes>;
  /** Passes on what came over `from` for somebody else. */
  carry(call: RelayedCall, options: { from: Link; signal: AbortSignal }): Promise<Bytes>;
}

export interface RelayOptions {
  readonly self: NodeId;
  readonly table: RoutingTable;
  readonly link: (id: NodeId) => Link | null;
  /** Milliseconds. */
  readonly deadline: number;
  readonly onCarried: () => void;
}

export function createRelay(options: RelayOptions): Relay {
  const { self, table } = options;
  const carried = new Map<NodeId, number>();

  /** Linked nodes to pass a call for `to` on to, best first: the target itself, else those nearer to it than we are. */
  const ways = (to: NodeId, exclude: NodeId | null): readonly Link[] => {
    const direct = options.link(to);
    if (direct) return [direct];
    return table.closestLinked(to, MAX_WAYS + 1).flatMap((contact: Contact) => {
      const link = contact.id === exclude ? null : options.link(contact.id);
      return link ? [link] : [];
    });
  };

  const pass = async (links: readonly Link[], call: RelayedCall, callOptions: CallOptions): Promise<Bytes> => {
    if (call.body.length > LIMITS.relayed) throw fail('too-large', 'The message is too large for others to carry.');
    let problem = fail('unreachable', `No linked node is nearer to ${call.to.slice(0, 8)}.`);
    for (const link of links.slice(0, MAX_WAYS)) {
      try {
        const { body } = await link.call('RELAY', call, { deadline: options.deadline, ...callOptions });
        return body;
      } catch (error) {
        const code = (error as { code?: string }).code;
        if (code !== 'unreachable' && code !== 'closed') throw error;
        problem = error as typeof problem;
      }
    }
    throw problem;
  };

  return {
    send(call, { first, ...callOptions } = {}) {
      const named = first && !options.link(call.to) ? options.link(first) : null;
      const others = ways(call.to, first ?? null);
      return pass(named ? [named, ...others] : others, { ...call, hops: MAX_HOPS }, callOptions);
    },
    async carry(call, { from, signal }) {
      if (call.hops === 0) throw fail('unreachable', 'The call took too many hops.');
      const busy = carried.get(from.id) ?? 0;
      if (busy >= MAX_CARRIED) throw fail('refused', 'I carry as much for you as I can.');
      const links = ways(call.to, from.id).filter((link) => link.id === call.to || compareDistance(call.to, link.id, self) < 0);
      carried.set(from.id, busy + 1);
      options.onCarried();
      try {
        return await pass(links, { ...call, hops: call.hops - 1 }, { signal });
      } finally {
        const left = (carried.get(from.id) ?? 1) - 1;
        if (left === 0) carried.delete(from.id);
        else carried.set(from.id, left);
      }
    },
  };
}
