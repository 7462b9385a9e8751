/** Replicas of a set that got the same entries in any order end with the same set, as long as none of its limits is reached. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import type { SignedEntry } from '../../src/records/entry.ts';
import { insertEntry } from '../../src/records/entry-set.ts';
import { makeEntry } from '../unit/support/make-entry.ts';

const NOW = 1_795_000_000_000;

/** Few writers, names and times, so that entries replace each other and times are equal. Some have expired, some are not allowed. */
const entry = fc
  .record({
    writer: fc.nat(3),
    name: fc.constantFrom('a', 'b', 'c'),
    time: fc.integer({ min: NOW - 5, max: NOW }),
    life: fc.constantFrom(0, 3, 1000, 8 * 86_400_000),
    value: fc.constantFrom('', 'x', 'y'),
  })
  .map(({ life, ...rest }) => makeEntry({ ...rest, expires: rest.time + life }));
const entries = fc.array(entry, { maxLength: 30 });

const fill = (arrivals: readonly SignedEntry[]): readonly SignedEntry[] =>
  arrivals.reduce<readonly SignedEntry[]>((set, one) => insertEntry(set, one, NOW).entries, []);

describe('a set', () => {
  it('[S9] ends the same in whatever order its entries come, and however often', () => {
    fc.assert(
      fc.property(
        entries.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length })),
        ),
        ([arrivals, other]) => {
          expect(fill(other)).toEqual(fill(arrivals));
        },
      ),
    );
  });

  it('[S9] has one entry of each writer and name, the latest that may be kept, newest first', () => {
    fc.assert(
      fc.property(entries, (arrivals) => {
        const set = fill(arrivals);
        const nameOf = (one: SignedEntry): string => `${one.body.writer.join()}/${one.body.name}`;
        expect(new Set(set.map(nameOf)).size).toBe(set.length);
        const allowed = arrivals.filter(({ body }) => body.expires > NOW && body.expires <= body.time + 7 * 86_400_000);
        expect(new Set(set.map(nameOf))).toEqual(new Set(allowed.map(nameOf)));
        for (const kept of set) {
          for (const rival of allowed) if (nameOf(rival) === nameOf(kept)) expect(rival.body.time).toBeLessThanOrEqual(kept.body.time);
        }
        for (const [i, kept] of set.entries()) if (i > 0) expect(kept.body.time).toBeLessThanOrEqual((set[i - 1] as SignedEntry).body.time);
      }),
    );
  });

  it('[S10] never exceeds its limits, and a writer with few entries keeps them whatever one with many does', () => {
    const flood = fc.array(fc.record({ writer: fc.integer({ min: 100, max: 130 }), name: fc.nat(60), age: fc.nat(1000) }), {
      minLength: 700,
      maxLength: 900,
    });
    fc.assert(
      fc.property(flood, (attack) => {
        const modest = Array.from({ length: 5 }, (_, i) => makeEntry({ writer: i, name: 'mine', time: NOW - 2000 - i }));
        const set = fill([...modest, ...attack.map(({ writer, name, age }) => makeEntry({ writer, name: `${name}`, time: NOW - age }))]);
        expect(set.length).toBeLessThanOrEqual(LIMITS.entriesPerTopic);
        const counts = new Map<string, number>();
        for (const { body } of set) counts.set(body.writer.join(), (counts.get(body.writer.join()) ?? 0) + 1);
        expect(Math.max(...counts.values())).toBeLessThanOrEqual(LIMITS.entriesPerWriter);
        for (const own of modest) expect(set).toContain(own);
      }),
      { numRuns: 5 },
    );
  });
});
