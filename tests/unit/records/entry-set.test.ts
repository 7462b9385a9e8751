import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/base/limits.ts';
import type { SignedEntry } from '../../../src/records/entry.ts';
import { insertEntry, liveEntries } from '../../../src/records/entry-set.ts';
import { MAX_CLOCK_AHEAD, MAX_ENTRY_LIFE } from '../../../src/records/expiry.ts';
import { makeEntry } from '../support/make-entry.ts';

const NOW = 1_795_000_000_000;
const entry = (writer: number, name: string, age: number, value = ''): SignedEntry => makeEntry({ writer, name, time: NOW - age, value });
const fill = (entries: readonly SignedEntry[]): readonly SignedEntry[] =>
  entries.reduce<readonly SignedEntry[]>((set, one) => insertEntry(set, one, NOW).entries, []);
const many = (count: number, make: (i: number) => SignedEntry): SignedEntry[] => Array.from({ length: count }, (_, i) => make(i));

describe('a set', () => {
  it('keeps the entries of all writers, newest first', () => {
    const [old, middle, young] = [entry(1, 'a', 30), entry(2, 'a', 20), entry(1, 'b', 10)] as const;
    expect(fill([middle, young, old])).toEqual([young, middle, old]);
  });

  it('[S9] replaces an entry by a later one of the same writer and name', () => {
    const [old, young] = [entry(1, 'a', 30), entry(1, 'a', 10)] as const;
    expect(insertEntry([old], young, NOW)).toEqual({ entries: [young], outcome: 'stored' });
    expect(insertEntry([young], old, NOW)).toEqual({ entries: [young], outcome: 'older' });
    expect(insertEntry([young], entry(1, 'a', 10), NOW)).toEqual({ entries: [young], outcome: 'same' });
  });

  it('[S9] keeps the larger bytes of two with one time', () => {
    const [less, more] = [entry(1, 'a', 5, 'x'), entry(1, 'a', 5, 'y')] as const;
    expect(insertEntry([less], more, NOW)).toEqual({ entries: [more], outcome: 'stored' });
    expect(insertEntry([more], less, NOW)).toEqual({ entries: [more], outcome: 'older' });
  });

  it('[S8] drops what has expired, and takes in nothing that has', () => {
    const short = makeEntry({ writer: 1, name: 'a', time: NOW - 10, expires: NOW + 10 });
    const long = makeEntry({ writer: 2, name: 'a', time: NOW - 10, expires: NOW + 20 });
    const set = fill([short, long]);
    expect(liveEntries(set, NOW + 9)).toHaveLength(2);
    expect(liveEntries(set, NOW + 10)).toEqual([long]);
    expect(insertEntry([], short, NOW + 10)).toEqual({ entries: [], outcome: 'expired' });
    expect(insertEntry(set, short, NOW + 10)).toEqual({ entries: [long], outcome: 'expired' });
  });

  it('[S8] refuses a life that is too long or none, and a time far ahead', () => {
    for (const wrong of [
      makeEntry({ writer: 1, name: 'a', time: NOW, expires: NOW }),
      makeEntry({ writer: 1, name: 'a', time: NOW, expires: NOW + MAX_ENTRY_LIFE + 1 }),
      makeEntry({ writer: 1, name: 'a', time: NOW + MAX_CLOCK_AHEAD + 1 }),
    ]) {
      expect(insertEntry([], wrong, NOW)).toEqual({ entries: [], outcome: 'refused' });
    }
    expect(insertEntry([], makeEntry({ writer: 1, name: 'a', time: NOW + MAX_CLOCK_AHEAD }), NOW).outcome).toBe('stored');
  });

  it('[S10] takes the oldest entry of a writer that has too many', () => {
    const full = fill(many(LIMITS.entriesPerWriter, (i) => entry(1, `n${i}`, 1000 - i)));
    const { entries, outcome } = insertEntry(full, entry(1, 'new', 1), NOW);
    expect(outcome).toBe('stored');
    expect(entries).toHaveLength(LIMITS.entriesPerWriter);
    expect(entries.some((one) => one.body.name === 'n0')).toBe(false);
    expect(insertEntry(full, entry(1, 'old', 5000), NOW)).toEqual({ entries: full, outcome: 'refused' });
  });

  it('[S10] takes the oldest of the writer with the most when the topic is full, and lets a new writer in', () => {
    const greedy = many(LIMITS.entriesPerWriter, (i) => entry(1, `n${i}`, 100 + i));
    const others = many(LIMITS.entriesPerTopic - greedy.length, (i) => entry(1000 + (i >> 1), `n${i & 1}`, 90_000 + i));
    const full = fill([...greedy, ...others]);
    expect(full).toHaveLength(LIMITS.entriesPerTopic);
    const { entries, outcome } = insertEntry(full, entry(2, 'a', 1_000_000), NOW);
    expect(outcome).toBe('stored');
    expect(entries).toHaveLength(LIMITS.entriesPerTopic);
    expect(entries.some((one) => one.body.name === `n${LIMITS.entriesPerWriter - 1}` && one.body.time === greedy.at(-1)?.body.time)).toBe(
      false,
    );
    for (const other of others) expect(entries).toContain(other);
  });

  it('[S10] replaces within a full topic without taking anything else', () => {
    const full = fill(many(LIMITS.entriesPerTopic, (i) => entry(i, 'a', 1000)));
    const { entries, outcome } = insertEntry(full, entry(3, 'a', 1), NOW);
    expect(outcome).toBe('stored');
    expect(new Set(entries.map((one) => one.body.writer.join())).size).toBe(LIMITS.entriesPerTopic);
  });

  it('does not change the set that it was given', () => {
    const set = Object.freeze([entry(1, 'a', 5)]);
    insertEntry(set, entry(1, 'a', 1), NOW);
    expect(set).toHaveLength(1);
  });
});
