/** The smaller pictures of a video whose link works already: each is made, kept, and joins the video as a new version of it. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError } from '../base/errors.ts';
import type { Clock, CutEvent, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { listDuration } from '../media/index-pages.ts';
import { ladderFor, type Rung } from '../media/ladder.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { GroupStore } from '../node/group-store.ts';
import type { QualityState } from './api.ts';
import type { Library, PublishedVideo } from './library.ts';
import type { Packing } from './packing.ts';
import type { QualitySharing } from './quality-sharing.ts';
import type { Share } from './share.ts';
import type { VideoVersions } from './video-versions.ts';

/** One publication's disk space for one quality: claimed before it is written, and given back when nothing comes of it. */
export interface QualityWork {
  readonly packing: Packing;
  /** What was written stays. */
  keep(): Promise<void>;
  giveBack(): Promise<void>;
}

export interface QualitiesOptions {
  readonly clock: Clock;
  readonly transcoder: Pick<Transcoder, 'encode' | 'isQuick'>;
  readonly library: Pick<Library, 'add' | 'announce'>;
  readonly versions: VideoVersions;
  readonly groups: Pick<GroupStore, 'segment'>;
  readonly file: SourceFile;
  /** Best first. */
  readonly rungs: readonly Rung[];
  /** Microseconds at which the segments of the first picture begin: all qualities are cut there. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends. */
  readonly end: number;
  /** Begins to share the work out; null where nothing can be shared. */
  readonly openSharing: () => Promise<QualitySharing | null>;
  readonly begin: (onProgress: (fraction: number) => void) => QualityWork;
  /** The groups of a quality that has joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly onState: (states: readonly QualityState[]) => void;
  readonly signal: AbortSignal;
}

/** Resolves when each was tried: one that can't be made says why in its state, and the others go on. Rejects with `aborted` alone. */
export async function makeQualities(options: QualitiesOptions): Promise<void> {
  const { transcoder, library, versions, file, starts, end, signal, rungs } = options;
  let sharing: QualitySharing | null = null;
  const states: QualityState[] = rungs.map(({ name }) => ({ name, phase: 'waiting', fraction: 0, problem: null }));
  const tell = (index: number, change: Partial<QualityState>): void => {
    states[index] = { ...(states[index] as QualityState), ...change };
    if (!signal.aborted) options.onState([...states]);
  };

  /** Puts a rendition on the disk. */
  const pack = async (work: QualityWork, events: AsyncIterable<CutEvent>, stop: AbortSignal): Promise<readonly FinishedRendition[]> => {
    for await (const event of events) {
      if (stop.aborted) throw abortError(stop);
      await work.packing.take(event);
    }
    const { renditions } = await work.packing.finish();
    if (stop.aborted) throw abortError(stop);
    return renditions;
  };
  /** What fails here is renewed within the hour: the disk has it. */
  const announce = async (video: PublishedVideo, renditions: readonly FinishedRendition[]): Promise<void> => {
    await library.announce(video, signal).catch(() => undefined);
    options.onMade(groupsOf(renditions));
  };
  const repairing: Promise<void>[] = [];
  const durations = starts.map((start, n) => (starts[n + 1] ?? end) - start);
  const repair = async (work: QualityWork, one: FinishedRendition, repairs: ReadonlyMap<number, Bytes>): Promise<FinishedRendition> => {
    if (!sharing) return one;
    const events = sharing.repaired(one, { repairs, durations, read: options.groups.segment });
    const [after] = await pack(work, events, signal);
    return after ?? one;
  };

  const here = async (rung: Rung, onProgress: (fraction: number) => void): Promise<void> => {
    const work = options.begin(onProgress);
    const ended = sharing?.timeline.begin({ worker: 'own', quality: rung.name, segment: null });
    try {
      const { width, height, bitrate } = rung;
      const renditions = await pack(work, transcoder.encode(file, { width, height, bitrate, starts, end }, signal), signal);
      const video = await versions.next({ added: renditions }, library.add);
      await work.keep();
      ended?.('made');
      await announce(video, renditions);
    } catch (error) {
      ended?.('lost');
      await work.giveBack();
      throw error;
    }
  };

  const shared = async (share: Share, onProgress: (fraction: number) => void, stop: AbortSignal): Promise<void> => {
    stop.addEventListener('abort', share.cancel, { once: true });
    const works = [options.begin(onProgress)];
    const giveBack = async (): Promise<void> => {
      for (const work of works.splice(0)) await work.giveBack();
    };
    try {
      let renditions = await pack(works[0] as QualityWork, share.events, stop);
      const [one] = renditions;
      if (one && share.repairs.size > 0) {
        const work = options.begin(() => undefined);
        works.unshift(work);
        renditions = [await repair(work, one, share.repairs)];
      }
      const video = await versions.next({ added: renditions }, library.add);
      await works.shift()?.keep();
      await giveBack();
      await announce(video, renditions);
      share.onRepairs = () => repairing.push(quiet(repairLater(renditions, share)));
    } catch (error) {
      await giveBack();
      throw error;
    } finally {
      stop.removeEventListener('abort', share.cancel);
    }
  };
  /** A helper was found out when its work was published already. */
  const repairLater = async ([before]: readonly FinishedRendition[], share: Share): Promise<void> => {
    if (!before) return;
    const work = options.begin(() => undefined);
    try {
      const after = await repair(work, before, share.repairs);
      const video = await versions.next({ replaced: { before, after } }, library.add);
      await work.keep();
      await announce(video, [after]);
      share.onRepairs = () => repairing.push(quiet(repairLater([after], share)));
    } catch (error) {
      await work.giveBack();
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
      if (sharing && quality) await shared(sharing.begin(quality), onProgress, stop);
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
  sharing = rungs.length > 0 ? await options.openSharing().catch(() => null) : null;
  if (signal.aborted) throw abortError(signal);
  if (!sharing) {
    // Smallest first: it is made soonest, and helps those most who have none.
    for (const index of [...rungs.keys()].toReversed()) await make(index, 'here', signal);
    return;
  }
  try {
    const smallest = rungs.at(-1) as Rung;
    const quick = await transcoder.isQuick(file, { ...smallest, starts, end }, signal).catch(() => false); // Making it says what is wrong.
    await sharing.makeInOrder({
      qualities: rungs.map(({ name, width, height }) => ({ name, pixels: width * height })),
      ...{ sharing, quick, make, clock: options.clock, signal },
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
  const { width, height, frameRate } = picture.rendition;
  const segments = picture.groups.flatMap(({ descriptor }) => descriptor.segments);
  const [bytes, ms] = segments.reduce(([size, time], segment) => [size + segment.size, time + segment.duration], [0, 0]);
  return ladderFor({ width, height, frameRate, bitrate: ms > 0 ? (8_000 * bytes) / ms : null, copied: true });
}

/** The keys of all their groups. */
export function groupsOf(renditions: readonly FinishedRendition[]): readonly Key[] {
  return renditions.flatMap(({ groups }) => groups.map(({ key }) => key));
}

/** Milliseconds of the longest of them. */
export function longestOf(renditions: readonly FinishedRendition[]): number {
  return Math.max(0, ...renditions.map(({ groups }) => listDuration(groups.map(({ reference }) => reference))));
}
