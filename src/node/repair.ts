/** Renews this node's word on the groups that it holds, and makes new copies where some are missing (design §6). */
import type { Clock } from '../base/ports.ts';
import type { Key } from '../kademlia/key.ts';
import type { Copies } from './copies.ts';
import type { GroupStore } from './group-store.ts';
import { inTurn } from './in-turn.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Repair {
  /** Tells the network again what is wholly on this disk. */
  renew(signal: AbortSignal): Promise<void>;
  /** Counts the copies of the groups that this node answers for, and spreads what has too few. */
  repair(signal: AbortSignal): Promise<void>;
}

export interface RepairOptions {
  readonly clock: Clock;
  readonly settings: NodeSettings;
  readonly groups: GroupStore;
  readonly copies: Copies;
  readonly announce: (group: Key) => Promise<unknown>;
}

/** Groups whose copies are counted in one turn: at 5 minutes a turn, 1,000 groups (2 GB) in 3 hours. */
const REPAIRS = 32;
/** Groups that are remembered. */
const MAX_COUNTED = 4096;

export function createRepair({ clock, settings, groups, copies, announce }: RepairOptions): Repair {
  /** When the copies of a group were last counted. */
  const counted = new Map<Key, number>();

  const complete = async (): Promise<readonly { key: Key; own: boolean; kept: boolean }[]> =>
    (await groups.list()).filter((group) => group.complete).map(({ key, role }) => ({ key, own: role === 'own', kept: role === 'kept' }));

  return {
    async renew(signal) {
      await inTurn(await complete(), signal, ({ key }) => announce(key));
    },
    async repair(signal) {
      const all = (await complete()).filter((group) => group.own || group.kept);
      // Counting takes a lookup for each: those that waited longest come first, the others at the next turn.
      const duties = all.sort((a, b) => (counted.get(a.key) ?? 0) - (counted.get(b.key) ?? 0)).slice(0, REPAIRS);
      for (const { key } of duties) {
        counted.delete(key);
        counted.set(key, clock.now());
      }
      trim(counted, MAX_COUNTED);
      // The publisher wants so many copies besides its own; a keeper is one of them.
      await inTurn(duties, signal, ({ key, own }) => copies.spread(key, { wanted: own ? settings.copies : settings.copies - 1, signal }));
    },
  };
}
