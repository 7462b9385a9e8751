/** The state machine behind every lookup (Maymounkov and Mazières, "Kademlia", 2002, §2.3): whom to ask next, and when it is over. */
import type { Contact } from './contact.ts';
import { distance, type Key, type NodeId } from './key.ts';

export interface Candidate {
  readonly contact: Contact;
  /** Who named it first, through whom it is reached when there is no link to it; null for our own table. */
  readonly namedBy: NodeId | null;
}

export interface Shortlist {
  /** Nodes that `namedBy` (null: our own table) knows. We ourselves and those already named are passed over. */
  add(contacts: readonly Contact[], namedBy: NodeId | null): void;
  /** The nearest one not yet asked among the k nearest that have not failed, now counted as asked; null when there is none or alpha are in flight. */
  next(): Candidate | null;
  /** It answered, now or before this lookup began. */
  answered(id: NodeId): void;
  failed(id: NodeId): void;
  /** Nothing is in flight and all of the k nearest that have not failed were asked. */
  readonly done: boolean;
  /** Those that answered, nearest first. */
  nearest(count: number): readonly Contact[];
  /** How many were asked so far. */
  readonly asked: number;
}

interface Entry extends Candidate {
  readonly distance: string;
  state: 'new' | 'asked' | 'answered' | 'failed';
}

/** `k`: how many of the nearest must have answered · `alpha`: how many are asked at once. */
export function createShortlist(options: { target: Key; self: NodeId; k: number; alpha: number }): Shortlist {
  const { target, self, k, alpha } = options;
  const byId = new Map<NodeId, Entry>();
  /** Nearest first. */
  const entries: Entry[] = [];
  let inFlight = 0;
  let asked = 0;

  function nextEntry(): Entry | null {
    let alive = 0;
    for (const entry of entries) {
      if (entry.state === 'new') return entry;
      if (entry.state !== 'failed' && ++alive === k) break;
    }
    return null;
  }

  function settle(id: NodeId, state: 'answered' | 'failed'): void {
    const entry = byId.get(id);
    if (!entry || entry.state === 'answered') return;
    if (entry.state === 'asked') inFlight--;
    entry.state = state;
  }

  return {
    add(contacts, namedBy) {
      for (const contact of contacts) {
        if (contact.id === self || byId.has(contact.id)) continue;
        const entry: Entry = { contact, namedBy, distance: distance(target, contact.id), state: 'new' };
        byId.set(contact.id, entry);
        entries.splice(placeOf(entries, entry.distance), 0, entry);
      }
    },
    next() {
      if (inFlight >= alpha) return null;
      const entry = nextEntry();
      if (!entry) return null;
      entry.state = 'asked';
      inFlight++;
      asked++;
      return entry;
    },
    answered: (id) => settle(id, 'answered'),
    failed: (id) => settle(id, 'failed'),
    get done() {
      return inFlight === 0 && nextEntry() === null;
    },
    nearest(count) {
      const found: Contact[] = [];
      for (const entry of entries) {
        if (found.length >= count) break;
        if (entry.state === 'answered') found.push(entry.contact);
      }
      return found;
    },
    get asked() {
      return asked;
    },
  };
}

/** Where an entry at this distance goes. */
function placeOf(entries: readonly Entry[], at: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).distance < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
