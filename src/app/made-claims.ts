/** What other nodes say was made of a group in a quality (docs/protocol.md, J12): which words there are, and what stands behind them. */
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/ports.ts';
import { deadline } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { isMadeOf } from '../media/lower-quality.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { MadeClaim } from '../node/made-groups.ts';

/** A made group that somebody has. */
export interface ClaimedGroup {
  readonly key: Key;
  readonly descriptor: GroupDescriptor;
}

export interface MadeClaims {
  /** Those that were not refused, most words first: a few. Never rejects. */
  list(): Promise<readonly MadeClaim[]>;
  /** The group behind one, if it has the right form and a header that fits; else null. Never rejects. */
  read(claim: MadeClaim): Promise<ClaimedGroup | null>;
  /** It turned out wrong, or is not to be had. */
  refuse(group: Key): void;
}

export interface MadeClaimsOptions {
  readonly clock: Clock;
  readonly node: Pick<DhtNode, 'segments' | 'made'>;
  readonly topic: Key;
  /** Of the group's segments (ms). */
  readonly durations: readonly number[];
  /** The initialisation segment of the quality; false when it is another one already. */
  readonly takeHeader: (init: Bytes) => boolean;
  readonly signal: AbortSignal;
}

/** To find out who made it before (ms): a lookup that takes longer is not worth waiting for. */
const FINDING = 4_000;
/** Different words of what came out that are looked at. */
const MAX_CLAIMS = 3;
/** The first picture comes before what is only prepared. */
const URGENCY = 5;

export function createMadeClaims({ clock, node, topic, durations, takeHeader, signal }: MadeClaimsOptions): MadeClaims {
  const refused = new Set<Key>();
  return {
    async list() {
      const limit = deadline(clock, FINDING, signal);
      const all = await node.made.find(topic, limit.signal).catch(() => []);
      limit.done();
      return all.filter((claim) => !refused.has(claim.group)).slice(0, MAX_CLAIMS);
    },
    async read({ group: key }) {
      const limit = deadline(clock, FINDING, signal);
      try {
        const { descriptor } = await node.segments.descriptor(key, limit.signal);
        if (!isMadeOf(descriptor, durations)) return null;
        // It stands behind the pieces.
        const header = await node.segments.get({ group: key, segment: durations.length, urgency: URGENCY }, limit.signal);
        return takeHeader(header) ? { key, descriptor } : null;
      } catch {
        return null; // Nobody has it any more: it is made anew.
      } finally {
        limit.done();
      }
    },
    refuse: (group) => void refused.add(group),
  };
}
