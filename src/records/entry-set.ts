/** What a storing node keeps under one topic: bounded, with a fair share for each writer. The caller has verified what it puts in. */
import { compare, equal, toHex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { SignedEntry } from './entry.ts';
import { isEntryLife, MAX_CLOCK_AHEAD } from './expiry.ts';

export interface Insertion {
  /** Newest first. */
  readonly entries: readonly SignedEntry[];
  /**
   * `same`: it was there · `older`: its writer has a later one of that name · `expired`: its end has come ·
   * `refused`: its times are not allowed, or it is the first that would have to go.
   */
  readonly outcome: 'stored' | 'same' | 'older' | 'expired' | 'refused';
}

/**
 * The set with `entry` in it, and without what expired before `now` (ms). A later entry of the same writer and name replaces the earlier one; of two with
 * one time the larger bytes win, so that replicas agree. A writer with too many loses its oldest; a full topic takes the oldest
 * of the writer that has most.
 */
export function insertEntry(entries: readonly SignedEntry[], entry: SignedEntry, now: number): Insertion {
  const live = liveEntries(entries, now);
  if (!isEntryLife(entry.body.time, entry.body.expires) || entry.body.time > now + MAX_CLOCK_AHEAD)
    return { entries: live, outcome: 'refused' };
  if (entry.body.expires <= now) return { entries: live, outcome: 'expired' };

  const previous = live.find((one) => one.body.name === entry.body.name && isBySame(one, entry));
  if (previous) {
    const order = byAge(previous, entry);
    if (order === 0) return { entries: live, outcome: 'same' };
    if (order < 0) return { entries: live, outcome: 'older' };
  }
  const bounded = dropOne(
    insertSorted(
      live.filter((one) => one !== previous),
      entry,
    ),
    entry,
  );
  return { entries: bounded, outcome: bounded.includes(entry) ? 'stored' : 'refused' };
}

/** Those that have not expired, in the same order. */
export function liveEntries(entries: readonly SignedEntry[], now: number): readonly SignedEntry[] {
  return entries.filter((entry) => entry.body.expires > now);
}

function isBySame(a: SignedEntry, b: SignedEntry): boolean {
  return equal(a.body.writer, b.body.writer);
}

/** Newest first; by their bytes where the times are equal. */
function byAge(a: SignedEntry, b: SignedEntry): number {
  return b.body.time - a.body.time || compare(b.signed.body, a.signed.body);
}

function insertSorted(entries: readonly SignedEntry[], entry: SignedEntry): readonly SignedEntry[] {
  const at = entries.findIndex((one) => byAge(one, entry) > 0);
  return at < 0 ? [...entries, entry] : entries.toSpliced(at, 0, entry);
}

/** Keeps the limits after `added` came in: there is at most one too many. */
function dropOne(entries: readonly SignedEntry[], added: SignedEntry): readonly SignedEntry[] {
  const own = entries.filter((one) => isBySame(one, added));
  if (own.length > LIMITS.entriesPerWriter) return entries.filter((one) => one !== own.at(-1));
  if (entries.length <= LIMITS.entriesPerTopic) return entries;
  const first = oldestOfGreediest(entries);
  return entries.filter((one) => one !== first);
}

/** The oldest entry of the writer with the most entries; of several such writers, the oldest of all. */
function oldestOfGreediest(entries: readonly SignedEntry[]): SignedEntry | undefined {
  const writers = entries.map((entry) => toHex(entry.body.writer));
  const counts = new Map<string, number>();
  for (const writer of writers) counts.set(writer, (counts.get(writer) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return entries.findLast((_, i) => counts.get(writers[i] as string) === most);
}
