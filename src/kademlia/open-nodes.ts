/** The open nodes that a node knows: in their order, and when it is worth asking one of them for room. */
import type { Contact } from './contact.ts';
import { type Known, pauseAfterRebuffs } from './known.ts';

export interface OpenNodes {
  readonly all: ReadonlySet<Known>;
  /** Linked ones first, then by merit. */
  sorted(): readonly Contact[];
  /** Until then none is asked for a link that could also be another's: one of them had no room, and where one is full others are. */
  readonly again: number;
  /** Takes it in if it is one, and out if it no longer is. */
  note(known: Known): void;
  delete(known: Known): void;
  /** What their order depends on has changed, if it is one of them. */
  changed(known: Known): void;
  /** One of the two had no room for the other. */
  rebuffed(known: Known, now: number): void;
  /** A link to it lasted. */
  welcomed(known: Known): void;
}

export function createOpenNodes(): OpenNodes {
  const all = new Set<Known>();
  /** Null when it must be made again. Every answer names the first of them. */
  let sorted: readonly Contact[] | null = null;
  let rebuffs = 0;
  let again = 0;
  const isOpen = (known: Known): boolean => known.contact.open !== null;

  return {
    all,
    sorted() {
      sorted ??= [...all].sort(byMerit).map(({ contact }) => contact);
      return sorted;
    },
    get again() {
      return again;
    },
    note(known) {
      if (isOpen(known)) all.add(known);
      else if (!all.delete(known)) return;
      sorted = null;
    },
    delete(known) {
      if (all.delete(known)) sorted = null;
    },
    changed(known) {
      if (isOpen(known)) sorted = null;
    },
    rebuffed(known, now) {
      // While the pause lasts, others that say the same are no news.
      if (isOpen(known) && now >= again) again = now + pauseAfterRebuffs(++rebuffs);
    },
    welcomed(known) {
      if (isOpen(known)) rebuffs = 0;
    },
  };
}

function byMerit(a: Known, b: Known): number {
  return Number(b.linkedAt !== null) - Number(a.linkedAt !== null) || a.failures - b.failures || a.since - b.since;
}
