/** Makes new copies of the groups that this node keeps where some are missing, and keeps its word on them fresh (design §6). */
import type { Clock, Random } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import { compareDistance, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Signed } from '../records/signed.ts';
import type { Absences } from './absences.ts';
import { createAgenda } from './agenda.ts';
import { type Announcing, HOLDER_REPLICAS, renewalAge } from './announcing.ts';
import type { Copies } from './copies.ts';
import type { CopyCount, CountCopies } from './copy-count.ts';
import type { CopyIndex } from './copy-index.ts';
import type { GroupRole, GroupStore } from './group-store.ts';
import type { Holder } from './holders.ts';
import type { ItemStore } from './item-store.ts';
import type { Liveness } from './liveness.ts';
import type { Overlay } from './overlay.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Repair {
  /** Reads from the disk what is here, and who is known to hold it too. */
  load(): Promise<void>;
  /** The node has found its neighbours: says what it has, and looks whether enough others have it. */
  joined(signal: AbortSignal): Promise<void>;
  /** A link ended: looks at the groups that the other node holds too. */
  lost(id: NodeId): void;
  /** A link opened: where nobody took a copy, this node may. */
  linked(id: NodeId): void;
  /** A group is wholly on this disk now, or is here for another reason. */
  added(group: Key, role: GroupRole): Promise<void>;
  /** A group is no longer wholly on this disk. Never rejects. */
  removed(group: Key): Promise<void>;
  /** An entry was stored with this node: it may be a holder's word. */
  heard(key: Key, signed: Signed): void;
  /** The slow safety net: what other tabs changed on the disk, words that grow old, groups that can't be counted from here. */
  round(signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface RepairOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly index: CopyIndex;
  readonly count: CountCopies;
  readonly absences: Absences;
  readonly groups: GroupStore;
  readonly items: Pick<ItemStore, 'all'>;
  readonly copies: Copies;
  readonly announcing: Announcing;
  readonly overlay: Pick<Overlay, 'nearest'>;
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly liveness: Liveness;
}

/** Groups that are worked on at once: each may be a lookup or a transfer. */
const AT_ONCE = 3;
/** After a link has ended, ms: others that end with it are seen at once, and one that is replaced stands again. */
const SETTLE = 2_000;
/** The i-th nearest live holder acts so much later than the one before it, ms: in that time the copy has begun to show. */
const TURN = 30_000;
/** Later turns than this one are no later: who watches holds a group too, and may be nearest without having the duty. */
const LAST_TURN = 4;
/** After copies were made and some are still missing, ms: four times as long each time, up to the longest. Each look is a lookup that others carry. */
const RETRY = 60_000;
const LONGER = 4;
const LONGEST_RETRY = 1_800_000;
/** After joining, until the first look, ms, and so much again by chance: the links to neighbours stand by then, and old holders have returned too. */
const FIRST_LOOK = 45_000;
/** What was said within this time, ms, is not said again after a short break. */
const SAID = 300_000;
/** A group that was counted by asking, and found to have enough, is not counted so again for this long, ms, unless a holder leaves. */
const RECOUNT = 1_800_000;
/** Groups that a round counts by asking: each costs a lookup and some PINGs, and holders notice a loss without it. */
const ASKED_EACH_ROUND = 2;
/** Watched groups that are announced: those of the last hours; older ones serve who happens to ask. */
const MAX_SEEN = 64;
/** Groups that are remembered. */
const MAX_COUNTED = 4096;

export function createRepair(options: RepairOptions): Repair {
  const { self, clock, settings, table, index, count, absences, groups, announcing } = options;
  const closing = new AbortController();
  const { signal } = closing;
  /** Since when copies of a group are known to be missing, ms. */
  const missingSince = new Map<Key, number>();
  /** Groups for which not enough takers were found: how often in a row, and when last, ms. */
  const vain = new Map<Key, { readonly times: number; readonly at: number }>();
  /** When a group was last counted by asking, and had enough, ms. */
  const counted = new Map<Key, number>();

  const hasDuty = (group: Key): boolean => index.role(group) === 'kept' || index.role(group) === 'own';
  /** True where the holders' set is stored with us: its entries come here by themselves. */
  const isNear = (group: Key): boolean => {
    const nearest = table.closestLinked(group, HOLDER_REPLICAS);
    const last = nearest[HOLDER_REPLICAS - 1];
    return !last || compareDistance(group, self, last.id) < 0;
  };
  const countLinked = (group: Key): CopyCount => count(group, table.isLinked);

  /** Asks who holds the group, and those of them to whom there is no link whether they are there, until enough are. */
  const countByAsking = async (group: Key): Promise<CopyCount> => {
    for await (const holder of options.holdersOf(group, signal)) index.note(group, holder);
    const there = new Set<NodeId>();
    const isThere = (id: NodeId): boolean => table.isLinked(id) || there.has(id);
    const doubtful = index.holders(group).filter(({ contact: { id } }) => !table.isLinked(id) && !absences.isForGood(id));
    doubtful.sort((a, b) => b.expires - a.expires);
    for (let result = count(group, isThere); ; result = count(group, isThere)) {
      const asked = doubtful.splice(0, Math.max(0, result.missing));
      if (asked.length === 0) return result;
      await Promise.all(
        asked.map(async ({ contact }) => {
          const alive = await options.liveness.isAlive(contact, signal);
          if (alive) there.add(contact.id);
          if (alive) absences.returned(contact.id);
          else absences.missed(contact.id);
        }),
      );
    }
  };

  /** True when nothing is to be done now; who is away is looked for again when it should be back. */
  const isSettled = (group: Key, { missing, waitsUntil }: CopyCount): boolean => {
    if (missing > 0) return false;
    missingSince.delete(group);
    vain.delete(group);
    if (waitsUntil < Number.POSITIVE_INFINITY) agenda.plan(group, waitsUntil);
    return true;
  };

  const check = async (group: Key): Promise<void> => {
    if (!hasDuty(group)) return;
    const linked = countLinked(group);
    if (isSettled(group, linked)) return;
    const since = missingSince.get(group) ?? clock.now();
    missingSince.set(group, since);
    const turn = since + TURN * Math.min(linked.nearer, LAST_TURN);
    if (clock.now() < turn) return agenda.plan(group, turn);

    const found = await countByAsking(group);
    if (isSettled(group, found)) {
      counted.delete(group);
      counted.set(group, clock.now());
      trim(counted, MAX_COUNTED);
      return;
    }
    const wanted = found.others.size + found.missing;
    const present = await copy(group, { disks: found.others, wanted });
    missingSince.delete(group);
    if (present < wanted) tryLater(group);
    else vain.delete(group);
  };

  /** Where nobody takes what is missing, as in a network of three, it is tried again after pauses that grow, and when somebody comes. */
  const tryLater = (group: Key): void => {
    const times = vain.get(group)?.times ?? 0;
    const pause = Math.min(RETRY * LONGER ** times, LONGEST_RETRY);
    vain.set(group, { times: times + 1, at: clock.now() });
    agenda.plan(group, clock.now() + pause);
  };

  /** Offers the group to those nearest to its key that have none. Near the key they are our neighbours; else they are looked up. */
  const copy = async (group: Key, holders: { disks: ReadonlySet<string>; wanted: number }): Promise<number> => {
    const candidates: readonly Contact[] = isNear(group)
      ? table.closestLinked(group, settings.k)
      : (await options.overlay.nearest(group, signal)).map(({ contact }) => contact);
    return options.copies.offer(group, { ...holders, candidates, signal });
  };

  const agenda = createAgenda({
    clock,
    atOnce: AT_ONCE,
    // What failed here failed on the way to others, or the group was removed meanwhile.
    work: (group) => check(group).catch(() => tryLater(group)),
  });

  /** Takes into the index what is on the disk: another tab may have added to it, or removed something. Gives what is worth announcing, the duties first. */
  const readDisk = async (): Promise<readonly Key[]> => {
    const here = (await groups.list()).filter((group) => group.complete);
    const keys = new Set(here.map(({ key }) => key));
    for (const group of index.groups()) {
      if (keys.has(group) || (await groups.get(group))?.complete) continue; // it came while the list was read
      await removed(group);
    }
    for (const { key, role } of here) await added(key, role);
    const [seen, duties] = [here.filter(({ role }) => role === 'seen'), here.filter(({ role }) => role !== 'seen')];
    const latest = seen.sort((a, b) => b.used - a.used).slice(0, MAX_SEEN);
    return [...duties, ...latest].map(({ key }) => key);
  };

  const added = async (group: Key, role: GroupRole): Promise<void> => {
    const isNew = index.role(group) === null;
    index.add(group, role);
    if (!isNew) return;
    // Near the key the holders' set was here before the group.
    for (const { item } of await options.items.all(group, 'entries')) if (item.type === 'entry') index.heard(group, item.signed);
  };

  const removed = async (group: Key): Promise<void> => {
    if (index.role(group) === null) return;
    index.remove(group);
    agenda.drop(group);
    for (const map of [missingSince, vain, counted]) map.delete(group);
    await announcing.withdraw(group).catch(() => undefined); // the word expires by itself, too
  };

  /** A holder has gone: with those that went at the same time. */
  const lookSoon = (group: Key): void => {
    if (!hasDuty(group)) return;
    counted.delete(group);
    agenda.plan(group, clock.now() + SETTLE);
  };

  return {
    async load() {
      await readDisk();
    },
    async joined(joining) {
      await announcing.renew(await readDisk(), { age: () => SAID, signal: joining });
      // Those far away wait for their round: a publisher that returns has many.
      for (const group of index.groups()) {
        if (hasDuty(group) && isNear(group)) agenda.plan(group, clock.now() + FIRST_LOOK * (1 + options.random.float()));
      }
    },
    lost(id) {
      for (const group of index.groupsOf(id)) lookSoon(group);
    },
    linked(id) {
      const now = clock.now();
      for (const [group, { at }] of vain) {
        const isTaker = table.closestLinked(group, settings.k).some((contact) => contact.id === id);
        if (isTaker) agenda.plan(group, Math.max(now + SETTLE, at + SETTLE * 5));
      }
    },
    added,
    removed,
    heard(key, signed) {
      if (index.heard(key, signed) === 'withdrawn') lookSoon(key);
    },
    async round(until) {
      await announcing.renew(await readDisk(), { age: renewalAge, signal: until });
      const now = clock.now();
      const due = index.groups().filter((group) => {
        if (!hasDuty(group) || vain.has(group) || (counted.get(group) ?? Number.NEGATIVE_INFINITY) > now - RECOUNT) return false;
        return !isSettled(group, countLinked(group));
      });
      due.sort((a, b) => (counted.get(a) ?? 0) - (counted.get(b) ?? 0));
      for (const group of due.slice(0, ASKED_EACH_ROUND)) agenda.plan(group, now);
    },
    close() {
      closing.abort();
      agenda.close();
    },
  };
}
