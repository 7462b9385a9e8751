/** Which other disks hold the groups that are here, so that the end of a link leads at once to the groups that it concerns. */
import type { Clock, Crypto } from '../base/ports.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { openEntry } from '../records/entry.ts';
import type { Signed } from '../records/signed.ts';
import type { GroupRole } from './group-row.ts';
import { type Holder, readHolder, readWithdrawal } from './holders.ts';

export interface CopyIndex {
  /** A group is wholly on this disk, and why. */
  add(group: Key, role: GroupRole): void;
  remove(group: Key): void;
  /** Why a group is here; null when it is not in the index. */
  role(group: Key): GroupRole | null;
  groups(): readonly Key[];
  /** Somebody holds a group that is here; of others nothing is noted. */
  note(group: Key, holder: Holder): void;
  /** A verified entry under a group's key: a holder's word, or its withdrawal. Tells which of them it was, of a group that is here. */
  heard(group: Key, signed: Signed): 'holder' | 'withdrawn' | null;
  /** The others whose word has not expired. */
  holders(group: Key): readonly Holder[];
  /** The groups here that a node holds too. */
  groupsOf(id: NodeId): readonly Key[];
}

/** Holders of one group that are remembered: those with the latest word. Where there are so many, none is needed. */
const MAX_HOLDERS = 64;

interface Indexed {
  role: GroupRole;
  readonly holders: Map<NodeId, Holder>;
}

export function createCopyIndex(options: { self: NodeId; clock: Clock; crypto: Crypto }): CopyIndex {
  const { self, clock, crypto } = options;
  const index = new Map<Key, Indexed>();
  const groupsOf = new Map<NodeId, Set<Key>>();

  const forget = (group: Key, id: NodeId): void => {
    if (!index.get(group)?.holders.delete(id)) return;
    const theirs = groupsOf.get(id);
    theirs?.delete(group);
    if (theirs?.size === 0) groupsOf.delete(id);
  };

  const forgetExpired = (group: Key, { holders }: Indexed): void => {
    const now = clock.now();
    for (const [id, holder] of holders) if (holder.expires <= now) forget(group, id);
  };

  const note = (group: Key, holder: Holder): void => {
    const entry = index.get(group);
    const { id } = holder.contact;
    if (!entry || id === self || (entry.holders.get(id)?.expires ?? 0) >= holder.expires) return;
    entry.holders.set(id, holder);
    groupsOf.set(id, (groupsOf.get(id) ?? new Set()).add(group));
    if (entry.holders.size > MAX_HOLDERS) forget(group, oldestOf(entry.holders.values()));
  };

  return {
    add(group, role) {
      const present = index.get(group);
      if (present) present.role = role;
      else index.set(group, { role, holders: new Map() });
    },
    remove(group) {
      for (const id of [...(index.get(group)?.holders.keys() ?? [])]) forget(group, id);
      index.delete(group);
    },
    role: (group) => index.get(group)?.role ?? null,
    groups: () => [...index.keys()],
    note,
    heard(group, signed) {
      const present = index.get(group);
      const entry = present && openEntry(signed);
      if (!entry) return null;
      const holder = readHolder(crypto, entry, { group, now: clock.now() });
      if (holder) {
        note(group, holder);
        return 'holder';
      }
      const gone = readWithdrawal(crypto, entry, group);
      const word = gone && present.holders.get(gone.id);
      // An old withdrawal says nothing of a word that was given since.
      if (!word || word.expires > gone.expires) return null;
      forget(group, gone.id);
      return 'withdrawn';
    },
    holders(group) {
      const entry = index.get(group);
      if (!entry) return [];
      forgetExpired(group, entry);
      return [...entry.holders.values()];
    },
    groupsOf: (id) => [...(groupsOf.get(id) ?? [])],
  };
}

function oldestOf(holders: Iterable<Holder>): NodeId {
  let oldest: Holder | null = null;
  for (const holder of holders) if (!oldest || holder.expires < oldest.expires) oldest = holder;
  return (oldest as Holder).contact.id;
}
