/** Whether a node that somebody names is there now: an entry outlives the tab that signed it. */
import type { Clock } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { trim } from './trim.ts';

export interface Liveness {
  /** True with a live link to it, or when it answered a PING of late. Never rejects. */
  isAlive(contact: Contact, signal: AbortSignal): Promise<boolean>;
}

/** An answer is believed this long, ms: many groups have the same holders. */
const BELIEVED = 30_000;
/** Nodes whose answers are remembered. */
const MAX_NODES = 1024;

export function createLiveness(options: {
  clock: Clock;
  isLinked: (id: NodeId) => boolean;
  /** Rejects when the node does not answer. */
  ping: (contact: Contact, signal: AbortSignal) => Promise<unknown>;
}): Liveness {
  const { clock } = options;
  const asked = new Map<NodeId, { readonly at: number; readonly answer: Promise<boolean> }>();
  return {
    async isAlive(contact, signal) {
      if (options.isLinked(contact.id)) return true;
      const known = asked.get(contact.id);
      if (known && clock.now() - known.at < BELIEVED) return known.answer;
      const answer = options.ping(contact, signal).then(
        () => true,
        () => false,
      );
      asked.delete(contact.id);
      asked.set(contact.id, { at: clock.now(), answer });
      trim(asked, MAX_NODES);
      return answer;
    },
  };
}
