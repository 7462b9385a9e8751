/** The smaller pictures of a video whose link works already: each is made, kept, and joins the video as a new version of it. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { Clock, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { listDuration } from '../media/index-pages.ts';
import { ladderFor, playsEverywhere, type Rung } from '../media/ladder.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { GroupStore } from '../node/group-store.ts';
import type { QualityState } from './api.ts';
import { repairPart } from './journal-rows.ts';
import type { Library, PublishedVideo } from './library.ts';
import { type Packed, type Packing, packAll } from './packing.ts';
import type { QualitySharing } from './quality-sharing.ts';
import type { Share } from './share.ts';
import type { VideoVersions } from './video-versions.ts';

/** One publication's disk space for one quality, with what is there of it from an earlier time. */
export interface QualityWork {
  readonly packing: Packing;
  /** What was made, when it was whole already; else null. */
  readonly packed: Packed | null;
  /** To be kept with the version of the video that the quality joins. */
  keep(video: PublishedVideo): Promise<void>;
  /** Removes what was written, and notes why nothing came of it; null: it is made by other means. */
  giveBack(problem: string | null): Promise<void>;
}

export interface QualitiesOptions {
  readonly clock: Clock;
  readonly transcoder: Pick<Transcoder, 'encode' | 'isQuick'>;
  readonly library: Pick<Library, 'announce'>;
  readonly versions: VideoVersions;
  readonly groups: Pick<GroupStore, 'segment'>;
  readonly file: SourceFile;
  /** Best first. */
  readonly rungs: readonly Rung[];
  /** Microseconds at which the segments of the first picture begin: all qualities are cut there. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends. */
  readonly end: number;
  /** Those that joined, or can't be made, at an earlier time. */
  readonly ended: ReadonlyMap<string, Pick<QualityState, 'phase' | 'problem'>>;
  /** Begins to share the work out; null where nothing can be shared. */
  readonly openSharing: () => Promise<QualitySharing | null>;
  readonly begin: (name: string, onProgress: (fraction: number) => void) => Promise<QualityWork>;
  /** The groups of a quality that has joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly onState: (states: readonly QualityState[]) => void;
  readonly signal: AbortSignal;
}

interface SharedMaking {
  readonly onProgress: (fraction: number) => void;
  /** Ends it: the quality is then made by other means. */
  readonly stop: AbortSignal;
}

/** Resolves when each was tried: one that can't be made says why in its state, and the others go on. Rejects with `aborted` alone. */
export async function makeQualities(options: QualitiesOptions): Promise<void> {
  const { transcoder, library, versions, file, starts, end, signal, rungs, ended } = options;
  let sharing: QualitySharing | null = null;
  const states: QualityState[] = rungs.map(({ name }) => {
    const { phase = 'waiting', problem = null } = ended.get(name) ?? {};
    return { name, phase, fraction: phase === 'made' ? 1 : 0, problem };
  });
  const tell = (index: number, change: Partial<QualityState>): void => {
    states[index] = { ...(states[index] as QualityState), ...change };
    if (!signal.aborted) options.onState([...states]);
  };

  /** What fails here is renewed within the hour: the disk has it. */
  const announce = async (video: PublishedVideo, renditions: readonly FinishedRendition[]): Promise<void> => {
    await library.announce(video, signal).catch(() => undefined);
    options.onMade(groupsOf(renditions));
  };
  const repairing: Promise<void>[] = [];
  const durations = starts.map((start, n) => (starts[n + 1] ?? end) - start);
  let repairs = 0;
  /** The same rendition with what turned out wrong made anew, in a part of its own. */
  const repair = async (rung: Rung, one: FinishedRendition, share: Share) => {
    const work = await options.begin(repairPart(rung.name, ++repairs), () => undefined);
    try {
      if (!sharing) throw fail('internal', 'Nothing was shared out.');
      const { repaired } = sharing;
      const read = options.groups.segment;
      const packed = await packAll(work.packing, () => repaired(one, { repairs: share.repairs, durations, read }), signal);
      return { work, after: packed.renditions[0] ?? one };
    } catch (error) {
      if (!signal.aborted) await work.giveBack(null);
      throw error;
    }
  };

  const here = async (rung: Rung, onProgress: (fraction: number) => void): Promise<void> => {
    const work = await options.begin(rung.name, onProgress);
    const over = sharing?.timeline.begin({ worker: 'own', quality: rung.name, segment: null });
    try {
      const { width, height, bitrate } = rung;
      const encode = ([from = 0]: readonly number[]) => transcoder.encode(file, { width, height, bitrate, starts, end, from }, signal);
      const { renditions } = work.packed ?? (await packAll(work.packing, encode, signal));
      const video = await versions.next({ added: renditions }, work.keep);
      over?.('made');
      await announce(video, renditions);
    } catch (error) {
      over?.('lost');
      if (!signal.aborted) await work.giveBack(asKadreelError(error).message);
      throw error;
    }
  };

  /** By several: what is on the disk of it is not made again where its header is the same. */
  const shared = async (rung: Rung, begin: (from: number) => Share, { onProgress, stop }: SharedMaking): Promise<void> => {
    const work = await options.begin(rung.name, onProgress);
    let share: Share | null = null;
    const cancel = (): void => share?.cancel();
    stop.addEventListener('abort', cancel, { once: true });
    const events = ([from = 0]: readonly number[]) => {
      share = begin(from);
      if (stop.aborted) share.cancel();
      return share.events;
    };
    try {
      const { renditions } = work.packed ?? (await packAll(work.packing, events, stop));
      const [one] = renditions;
      const made = share as Share | null;
      let joined = { work, renditions };
      if (one && made && made.repairs.size > 0) {
        const { work: other, after } = await repair(rung, one, made);
        joined = { work: other, renditions: [after] };
      }
      const video = await versions.next({ added: joined.renditions }, joined.work.keep);
      await announce(video, joined.renditions);
      if (made) made.onRepairs = () => repairing.push(quiet(repairLater(rung, joined.renditions, made)));
    } catch (error) {
      if (!signal.aborted) await work.giveBack(null);
      throw error;
    } finally {
      stop.removeEventListener('abort', cancel);
    }
  };
  /** A helper was found out when its work was published already. */
  const repairLater = async (rung: Rung, [before]: readonly FinishedRendition[], share: Share): Promise<void> => {
    if (!before) return;
    const { work, after } = await repair(rung, before, share);
    try {
      const video = await versions.next({ replaced: { before, after } }, work.keep);
      await announce(video, [after]);
      share.onRepairs = () => repairing.push(quiet(repairLater(rung, [after], share)));
    } catch (error) {
      if (!signal.aborted) await work.giveBack(null);
      throw error;
    }
  };

  const make = async (index: number, how: 'here' | 'shared', stop: AbortSignal): Promise<boolean> => {
    const rung = rungs[index] as Rung;
    const quality = how === 'shared' && sharing ? sharing.qualityOf(rung) : null;
    if (how === 'shared' && !quality) return false;
    tell(index, { phase: 'making', fraction: 0 });
    const onProgress = (fraction: number): void => tell(index, { fraction });
    try {
      const { begin } = sharing ?? {};
      if (begin && quality) await shared(rung, (from) => begin(quality, from), { onProgress, stop });
      else await here(rung, onProgress);
      tell(index, { phase: 'made', fraction: 1 });
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (quality) tell(index, { phase: 'waiting', fraction: 0 });
      else tell(index, { phase: 'failed', problem: asKadreelError(error).message });
      return quality === null;
    }
    return true;
  };

  options.onState([...states]);
  // Without it this tab makes all by itself.
  const left = [...rungs.keys()].filter((index) => !ended.has(rungs[index]?.name ?? ''));
  if (left.length === 0) return;
  sharing = await options.openSharing().catch(() => null);
  if (signal.aborted) throw abortError(signal);
  if (!sharing) {
    // Smallest first: it is made soonest, and helps those most who have none.
    for (const index of left.toReversed()) await make(index, 'here', signal);
    return;
  }
  try {
    const smallest = rungs[left.at(-1) as number] as Rung;
    const quick = await transcoder.isQuick(file, { ...smallest, starts, end }, signal).catch(() => false); // Making it says what is wrong.
    await sharing.makeInOrder({
      qualities: left.map((index) => rungs[index] as Rung).map(({ name, width, height }) => ({ name, pixels: width * height })),
      make: (n, how, stop) => make(left[n] as number, how, stop),
      ...{ sharing, quick, clock: options.clock, signal },
    });
    await sharing.settled();
    await Promise.allSettled(repairing); // What can't be made anew stays as it was published.
  } finally {
    sharing.close();
  }
}

/** What is worth making besides the picture that there is. */
export function rungsFor(renditions: readonly FinishedRendition[]): readonly Rung[] {
  const picture = renditions.find(({ rendition }) => rendition.kind === 'video');
  if (!picture) return [];
  const { width, height, frameRate, codecs } = picture.rendition;
  const segments = picture.groups.flatMap(({ descriptor }) => descriptor.segments);
  const [bytes, ms] = segments.reduce(([size, time], segment) => [size + segment.size, time + segment.duration], [0, 0]);
  return ladderFor({ width, height, frameRate, bitrate: ms > 0 ? (8_000 * bytes) / ms : null, copied: playsEverywhere(codecs) });
}

/** The keys of all their groups. */
export function groupsOf(renditions: readonly FinishedRendition[]): readonly Key[] {
  return renditions.flatMap(({ groups }) => groups.map(({ key }) => key));
}

/** Milliseconds of the longest of them. */
export function longestOf(renditions: readonly FinishedRendition[]): number {
  return Math.max(0, ...renditions.map(({ groups }) => listDuration(groups.map(({ reference }) => reference))));
}
