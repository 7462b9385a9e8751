/** Parts of a publication as those use them who fill them. */
import type { Crypto } from '../base/ports.ts';
import type { QualityState } from './api.ts';
import type { JournalEntry } from './journal.ts';
import type { JournalPart } from './journal-part.ts';
import { repairedBy } from './journal-rows.ts';
import type { Library } from './library.ts';
import { openPacking, type Packed, type Packing, packedOf } from './packing.ts';
import type { QualityWork } from './qualities.ts';

export interface PartWorkOptions {
  readonly crypto: Crypto;
  readonly entry: JournalEntry;
  readonly library: Pick<Library, 'add'>;
}

/** Characters of a reason that are noted. */
const MOST_REASON = 1000;

/** What there is of a part; `packed` is null when more is to be made of it. */
export async function openPart(
  { crypto, entry }: Pick<PartWorkOptions, 'crypto' | 'entry'>,
  part: JournalPart,
  onProgress: (fraction: number) => void,
): Promise<{ packing: Packing; packed: Packed | null }> {
  const noted = part.segments;
  const packing = await openPacking({ crypto, entry, part, onProgress });
  // What somebody removed meanwhile is made once more.
  if (part.facts.status === 'whole' && part.segments < noted) await part.change({ status: 'open' });
  return { packing, packed: part.facts.status === 'open' ? null : packedOf(part) };
}

/** A quality, or a repair of one, which begins afresh: what it is made of is only known to the tab that noticed. */
export async function beginQuality(
  { crypto, entry, library }: PartWorkOptions,
  name: string,
  onProgress: (fraction: number) => void,
): Promise<QualityWork> {
  const part = entry.part(name);
  const repaired = repairedBy(name);
  const empty = async (): Promise<void> => {
    await entry.clear(part);
    if (part.facts.status !== 'open') await part.change({ status: 'open' });
  };
  if (repaired !== null) await empty();
  return {
    ...(await openPart({ crypto, entry }, part, onProgress)),
    async keep(video) {
      const changes = [part, ...(repaired === null ? [] : [entry.part(repaired)])].map((one) => one.changing({ status: 'joined' }));
      await library.add(
        video,
        changes.map(({ row }) => row),
      );
      for (const { done } of changes) done();
    },
    async giveBack(problem) {
      if (problem === null) return empty();
      await entry.clear(part);
      await part.change({ status: 'failed', problem: problem.slice(0, MOST_REASON) });
    },
  };
}

/** Removes the groups of qualities that came out wrong, and of repairs that came to nothing. To be called when nobody brings them to others any more. */
export async function removeRepaired(entry: JournalEntry): Promise<void> {
  for (const part of entry.parts) {
    const repaired = repairedBy(part.name);
    if (repaired === null) continue;
    // What is in the video stays.
    await entry.clear(part);
    await entry.clear(entry.part(repaired));
  }
}

/** Qualities of which nothing is to be made any more. */
export function endedRungs({ parts }: JournalEntry): ReadonlyMap<string, QualityState> {
  return new Map(
    parts.flatMap(({ name, facts }): [string, QualityState][] => {
      if (facts.status === 'joined') return [[name, { name, phase: 'made', fraction: 1, problem: null }]];
      return facts.status === 'failed' ? [[name, { name, phase: 'failed', fraction: 0, problem: facts.problem }]] : [];
    }),
  );
}
