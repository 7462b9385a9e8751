/** Who has left us, when, and whether for good: a holder that may come back with its disk is offline, not lost. */
import type { Clock } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import { trim } from './trim.ts';

export interface Absences {
  /** The link to a node ended, for the reason that the link gives. */
  left(id: NodeId, reason: string): void;
  /** A node did not answer that should have: its absence begins now, unless it is known since earlier. */
  missed(id: NodeId): void;
  /** It is there: linked, or it answered. */
  returned(id: NodeId): void;
  /** Since when it is away, ms; null when it is there as far as we know. */
  since(id: NodeId): number | null;
  /** True when it said that it does not come back. */
  isForGood(id: NodeId): boolean;
}

/** The reason in the goodbye of a node that leaves for good, its disk with it (docs/protocol.md, M14). */
export const FAREWELL = 'moving out';

/** Nodes whose absence is remembered: those that were linked in some hours. */
const MAX_ABSENT = 4096;

export function createAbsences({ clock }: { clock: Clock }): Absences {
  const absent = new Map<NodeId, { readonly since: number; readonly forGood: boolean }>();

  const note = (id: NodeId, forGood: boolean): void => {
    absent.delete(id);
    absent.set(id, { since: clock.now(), forGood });
    trim(absent, MAX_ABSENT);
  };

  return {
    // The link's own words stand before those of the other node.
    left: (id, reason) => note(id, reason.endsWith(`: ${FAREWELL}`)),
    missed(id) {
      if (!absent.has(id)) note(id, false);
    },
    returned: (id) => void absent.delete(id),
    since: (id) => absent.get(id)?.since ?? null,
    isForGood: (id) => absent.get(id)?.forGood ?? false,
  };
}
