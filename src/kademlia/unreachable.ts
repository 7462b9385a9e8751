/** Nodes that could not be reached and were forgotten: remembered by name, so that others who still name them do not make us try again at once. */
import type { NodeId } from './key.ts';
import type { Known } from './known.ts';

export interface Unreachable {
  add(known: Known): void;
  delete(id: NodeId): void;
  /** Failures in a row before it was forgotten. */
  failures(id: NodeId): number;
  /** True while its pause lasts. */
  isPaused(id: NodeId, now: number): boolean;
}

/** Nodes that are remembered: some 50 KB. */
const MOST = 512;

export function createUnreachable(): Unreachable {
  /** Oldest first. */
  const nodes = new Map<NodeId, { failures: number; retryAt: number }>();
  return {
    add({ contact: { id }, failures, retryAt }) {
      nodes.delete(id);
      nodes.set(id, { failures, retryAt });
      const [oldest] = nodes.keys();
      if (nodes.size > MOST && oldest !== undefined) nodes.delete(oldest);
    },
    delete: (id) => void nodes.delete(id),
    failures: (id) => nodes.get(id)?.failures ?? 0,
    isPaused: (id, now) => now < (nodes.get(id)?.retryAt ?? now),
  };
}
