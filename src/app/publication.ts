/** One publication, from what its journal says to the end: cut, announced, its qualities made, its copies stored. */

import { fail } from '../base/errors.ts';
import type { Clock, Crypto, FileKeeper, Signer, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, orAbort, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { recordKey } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import type { CopiesReport, PublishStage, QualityState } from './api.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { JournalPart } from './journal-part.ts';
import { FIRST_PART } from './journal-rows.ts';
import type { Library } from './library.ts';
import { openPacking, type Packed, type Packing, packAll, packedOf } from './packing.ts';
import { groupsOf, makeQualities, type QualityWork, rungsFor } from './qualities.ts';
import { spreadAll } from './spread.ts';
import { createVideoVersions } from './video-versions.ts';

/** What all publications of a tab share. */
export interface PublicationParts {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly transcoder: Transcoder;
  readonly node: DhtNode;
  readonly library: Library;
}

/** What giving one up needs. */
export interface GivingUp extends Pick<PublicationParts, 'crypto' | 'account' | 'library'> {
  readonly journal: Pick<Journal, 'discard'>;
  readonly files: FileKeeper;
}

export interface PublicationOptions extends PublicationParts {
  readonly entry: JournalEntry;
  /** The file, once it is there; asked for when something is to be made of it. */
  readonly file: () => Promise<SourceFile>;
  readonly signal: AbortSignal;
  /** `making` stands for all that is done before the link works, whatever it is called. */
  readonly onProgress: (stage: Extract<PublishStage, 'announce' | 'copies'> | 'making', fraction: number) => void;
  readonly onQualities: (states: readonly QualityState[]) => void;
}

/** Characters of a reason that are noted. */
const MOST_REASON = 1000;

/** The address of the video that an entry becomes. */
export function videoIdOf({ crypto, account }: Pick<PublicationParts, 'crypto' | 'account'>, entry: JournalEntry): VideoId {
  return recordKey(crypto, account.publicKey, entry.facts.name);
}

/** Whether a file is needed to go on: something is to be made of it yet. */
export function needsFile({ facts, parts }: JournalEntry): boolean {
  if (parts.every(({ name, facts }) => name !== FIRST_PART || facts.status === 'open')) return true;
  if (facts.rungs === null) return true;
  return facts.rungs.some((rung) => parts.every(({ name, facts }) => name !== rung || facts.status === 'open'));
}

/**
 * Resolves when the link works; `done` when it is safe to close. Whoever aborts it before the link works removes what it wrote. The journal is still
 * there at its end.
 */
export async function runPublication(options: PublicationOptions): Promise<{ videoId: VideoId; done: Promise<CopiesReport> }> {
  const { clock, crypto, node, library, transcoder, entry, signal, onProgress } = options;
  const first = entry.part(FIRST_PART);
  const videoId = videoIdOf(options, entry);

  /** What there is of a part; `packed` is null when more is to be made of it. */
  const open = async (part: JournalPart, onPart: (fraction: number) => void): Promise<{ packing: Packing; packed: Packed | null }> => {
    const noted = part.segments;
    const packing = await openPacking({ crypto, entry, part, onProgress: onPart });
    // What somebody removed meanwhile is made once more.
    if (part.facts.status === 'whole' && part.segments < noted) await part.change({ status: 'open' });
    return { packing, packed: part.facts.status === 'open' ? null : packedOf(part) };
  };

  const cut = async (): Promise<Packed> => {
    if (first.facts.status === 'joined') return packedOf(first);
    const { packing, packed } = await open(first, (fraction) => onProgress('making', fraction));
    if (packed) return packed;
    const file = await options.file();
    return packAll(packing, (kept) => transcoder.cut(file, signal, kept), signal);
  };

  const begin = async (name: string, onPart: (fraction: number) => void): Promise<QualityWork> => {
    const part = entry.part(name);
    return {
      ...(await open(part, onPart)),
      async keep(video) {
        const { row, done } = part.changing({ status: 'joined', order: joined(entry).length });
        await library.add(video, [row]);
        done();
      },
      async giveBack(problem) {
        await entry.clear(part);
        await part.change({ status: 'failed', problem: problem.slice(0, MOST_REASON) });
      },
    };
  };

  const packed = await cut();
  if (signal.aborted) throw abortError(signal);
  const known = first.facts.status === 'joined' ? await library.get(videoId) : null;
  if (first.facts.status === 'joined' && !known) throw fail('not-found', 'The video is no longer among those of this browser.');
  const added = joined(entry).flatMap((part) => packedOf(part).renditions);
  const versions = createVideoVersions({
    ...{ ...options, ...entry.facts, poster: packed.poster, first: packed.renditions },
    last: known && { video: known, added },
  });
  const video =
    known ??
    (await versions.next([], async (next) => {
      const { row, done } = first.changing({ status: 'joined' });
      await library.add(next, [row]);
      done();
    }));
  onProgress('making', 1);
  if (entry.facts.stage === 'cutting') {
    const starts = packed.renditions.flatMap((rendition) => rendition.groups[0]?.key ?? []);
    await Promise.all([library.announce(video, signal), ...starts.map((group) => node.announce(group, signal))]);
    if (signal.aborted) throw abortError(signal);
    // The link works. A listing can't be called back from the nodes that have it, so from here on there is no cancelling.
    await entry.change({ stage: 'listed' });
    await library.list(video).catch(() => undefined); // Listed within the hour.
  }
  onProgress('announce', 1);

  const spread = (groups: readonly Key[], onShare: (fraction: number) => void): Promise<CopiesReport> =>
    quiet(
      spreadAll({
        ...{ clock, node, groups, signal, onProgress: onShare },
        stored: entry.copies,
        onStored: (group, copies) => entry.noteCopies(group, copies).catch(() => undefined), // Offered again after the next start.
      }),
    );
  const spreading = [spread(groupsOf(packed.renditions), (fraction) => onProgress('copies', fraction))];
  const onMade = (groups: readonly Key[]): void => void spreading.push(spread(groups, () => undefined));
  if (added.length > 0) onMade(groupsOf(added));

  const make = async (): Promise<void> => {
    const all = rungsFor(packed.renditions);
    const { rungs } = entry.facts;
    const wanted = rungs ? all.filter(({ name }) => rungs.includes(name)) : all;
    if (!rungs) await entry.change({ rungs: wanted.map(({ name }) => name) });
    const ended = endedRungs(entry);
    const file = wanted.every(({ name }) => ended.has(name)) ? null : await options.file();
    if (file === null) return options.onQualities(wanted.flatMap(({ name }) => ended.get(name) ?? []));
    await makeQualities({
      ...{ transcoder, library, versions, file, begin, onMade, signal, ended },
      ...{ rungs: wanted, starts: packed.starts, end: packed.end },
      onState: options.onQualities,
    });
  };

  const finish = async (): Promise<CopiesReport> => {
    await make();
    const reports = await Promise.all(spreading);
    return { stored: Math.min(...reports.map(({ stored }) => stored)), wanted: Math.max(...reports.map(({ wanted }) => wanted)) };
  };
  return { videoId, done: quiet(orAbort(finish(), signal)) };
}

/** Removes what a publication wrote; a video whose link works stays as it is. What can't be removed now is shown after the next start. */
export async function giveUp(parts: GivingUp, entry: JournalEntry): Promise<void> {
  // Should the tab be closed in the middle, the next one goes on with it.
  if (entry.facts.stage === 'cutting') await entry.change({ stage: 'leaving' }).catch(() => undefined);
  if (entry.facts.stage !== 'listed') await parts.library.remove(videoIdOf(parts, entry));
  await parts.files.remove(entry.id);
  await parts.journal.discard(entry.id);
}

/** Qualities that have joined the video, in the order in which they did. */
function joined({ parts }: JournalEntry): readonly JournalPart[] {
  const those = parts.filter(({ name, facts }) => name !== FIRST_PART && facts.status === 'joined');
  return those.sort((a, b) => a.facts.order - b.facts.order);
}

/** Qualities of which nothing is to be made any more. */
function endedRungs({ parts }: JournalEntry): ReadonlyMap<string, QualityState> {
  return new Map(
    parts.flatMap(({ name, facts }): [string, QualityState][] => {
      if (facts.status === 'joined') return [[name, { name, phase: 'made', fraction: 1, problem: null }]];
      return facts.status === 'failed' ? [[name, { name, phase: 'failed', fraction: 0, problem: facts.problem }]] : [];
    }),
  );
}
