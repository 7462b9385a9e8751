/** How many copies of a group there are, as far as one can tell without asking anybody. */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/ports.ts';
import { compareDistance, type Key, type NodeId } from '../kademlia/key.ts';
import type { Absences } from './absences.ts';
import type { CopyIndex } from './copy-index.ts';
import type { NodeSettings } from './settings.ts';

export interface CopyCount {
  /** Other disks that hold it and whose nodes are there. */
  readonly others: ReadonlySet<string>;
  /** Copies to make now; 0 or less when none is missing, or when it is waited for those who are away. */
  readonly missing: number;
  /** Live holders whose node is nearer to the group's key than we are: they act before us. */
  readonly nearer: number;
  /** When the first of those who are waited for has been away for long enough, ms; infinite when nobody is. */
  readonly waitsUntil: number;
}

export interface CopyCountOptions {
  readonly self: NodeId;
  readonly storeId: Bytes;
  readonly clock: Clock;
  readonly settings: Pick<NodeSettings, 'copies' | 'returnWait'>;
  readonly index: CopyIndex;
  readonly absences: Absences;
}

/** With so few copies left, ours included, it is not waited for those who may return: the last ones may leave meanwhile. */
const FEW = 2;

/** Counts the copies of a group by who is there. */
export type CountCopies = (group: Key, isThere: (id: NodeId) => boolean) => CopyCount;

export function createCopyCount({ self, storeId, clock, settings, index, absences }: CopyCountOptions): CountCopies {
  const ownStore = toHex(storeId);
  return (group, isThere) => {
    const now = clock.now();
    const others = new Set<string>();
    const away = new Map<string, number>();
    let nearer = 0;
    for (const { contact, storeId: store } of index.holders(group)) {
      const { id } = contact;
      if (store === ownStore) continue;
      if (isThere(id)) {
        others.add(store);
        if (compareDistance(group, id, self) < 0) nearer++;
        continue;
      }
      const since = absences.since(id);
      const until = since === null || absences.isForGood(id) ? 0 : since + settings.returnWait;
      if (until > now) away.set(store, Math.max(until, away.get(store) ?? 0));
    }
    for (const store of others) away.delete(store);
    // The publisher wants so many copies besides its own; a keeper is one of them.
    const wanted = index.role(group) === 'own' ? settings.copies : settings.copies - 1;
    const missing = wanted - others.size;
    const waited = missing > 0 && others.size >= FEW ? away.size : 0;
    return { others, missing: missing - waited, nearer, waitsUntil: waited > 0 ? Math.min(...away.values()) : Number.POSITIVE_INFINITY };
  };
}
