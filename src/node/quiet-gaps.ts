/**
 * How long both sides of a WebSocket are quiet between signs of life (docs/protocol.md, rule A5). NATs and proxies in between forget a connection that
 * says nothing, and tell nobody; how soon is found out by trying.
 */
import type { NodeId } from '../kademlia/key.ts';
import { trim } from './trim.ts';

/** What is known of the ways to open nodes, for all links of a node. */
export interface QuietGaps {
  /** The gap that a link begins with, ms. */
  readonly least: number;
  /** The longest that any link may have, ms. */
  readonly most: number;
  /** The longest that is asked of this node, ms. */
  mostOf(id: NodeId): number;
  /** Not longer than this (ms) from now on: a link ended in a longer one, or the node knows no other. */
  limit(id: NodeId, gap: number): void;
}

/** Nodes whose limit is remembered. */
const MAX_NODES = 64;
/** A link is dead after so many gaps without a sign of life: two may be lost, or late. */
const SILENT_GAPS = 20 / 9;
/** Who did not ask for the gap waits so many: the other's call and its answer are signs of both. */
const LATER = 10 / 9;
/** For a sign of life to be late and for its lack to be noticed, ms: a link that ends later than that after its gap ended of something else. */
const NOTICED = 15_000;

export function createQuietGaps({ least, most }: Pick<QuietGaps, 'least' | 'most'>): QuietGaps {
  const limits = new Map<NodeId, number>();
  return {
    least,
    most,
    mostOf: (id) => limits.get(id) ?? most,
    limit(id, gap) {
      limits.delete(id);
      limits.set(id, gap);
      trim(limits, MAX_NODES);
    },
  };
}

/** The gap of one WebSocket. Times are milliseconds. */
export class QuietGap {
  private readonly id: NodeId;
  private readonly initiated: boolean;
  private readonly gaps: QuietGaps;
  private gap: number;
  /** The longest that the link has outlived. */
  private outlived: number;

  constructor(id: NodeId, initiated: boolean, gaps: QuietGaps) {
    this.id = id;
    this.initiated = initiated;
    this.gaps = gaps;
    this.gap = gaps.least;
    this.outlived = gaps.least;
  }

  /** After so long without a word of ours a sign of life is due. */
  get heartbeat(): number {
    return this.initiated || this.gap === this.gaps.least ? this.gap : LATER * this.gap;
  }

  /** After so long without a word of the other side the link is dead. */
  get silence(): number {
    return SILENT_GAPS * this.gap;
  }

  /** What to ask for with the next sign of life; null where there is nothing to ask for. */
  get wanted(): number | null {
    const most = this.gaps.mostOf(this.id);
    return this.initiated && most > this.gaps.least ? Math.min(2 * this.gap, most) : null;
  }

  /** The other side has answered what we asked for at the end of the gap. */
  answered(gap: number, wanted: number): void {
    this.outlived = this.gap;
    this.gap = Math.max(this.gaps.least, Math.min(gap, wanted));
  }

  /** The other side does not know what was asked for. */
  unknown(): void {
    this.gaps.limit(this.id, this.gaps.least);
  }

  /** The other side asks for this one. Gives the one that holds. */
  asked(gap: number): number {
    this.gap = Math.max(this.gaps.least, Math.min(gap, this.gaps.most));
    this.outlived = this.gap;
    return this.gap;
  }

  /** The link has ended after so long without a word, and nobody said why. */
  broke(quiet: number): void {
    const tried = this.gap > this.outlived && quiet > this.outlived && quiet < this.gap + NOTICED;
    if (tried) this.gaps.limit(this.id, this.outlived);
  }
}
