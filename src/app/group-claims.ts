/** Which groups the publications under way are writing: one that fails gives back what it wrote, and nothing that another one needs. */
import type { Key } from '../kademlia/key.ts';
import type { GroupStore } from '../node/group-store.ts';

/** What one publication writes. */
export interface GroupClaim {
  /** To be called, and waited for, before the group is written. */
  add(group: Key): Promise<void>;
  /** The publication stands: its groups stay, whatever becomes of others. */
  keep(): void;
  /** The publication failed: removes its groups that were not published before, and that no other publication writes. Never rejects. */
  giveBack(): Promise<void>;
}

export interface GroupClaims {
  open(): GroupClaim;
}

/** The same file gives the same groups: two publications of it share them. */
export function createGroupClaims(groups: Pick<GroupStore, 'get' | 'remove'>): GroupClaims {
  const claimed = new Map<Key, { users: number; stays: boolean }>();
  /** One after the other: a group must not be removed while somebody else begins to write it. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  return {
    open() {
      const own = new Set<Key>();
      /** Ends our claim; true when nobody has any use for the group now. */
      const release = (group: Key, stays: boolean): boolean => {
        const entry = claimed.get(group);
        if (!entry) return false;
        entry.users--;
        entry.stays ||= stays;
        if (entry.users === 0) claimed.delete(group);
        return entry.users === 0 && !entry.stays;
      };
      return {
        add: (group) =>
          inTurn(async () => {
            if (own.has(group)) return;
            const entry = claimed.get(group) ?? { users: 0, stays: (await groups.get(group))?.role === 'own' };
            entry.users++;
            claimed.set(group, entry);
            own.add(group);
          }),
        keep() {
          for (const group of own) release(group, true);
          own.clear();
        },
        giveBack: () =>
          inTurn(async () => {
            for (const group of own) if (release(group, false)) await groups.remove(group).catch(() => undefined);
            own.clear();
          }),
      };
    },
  };
}
