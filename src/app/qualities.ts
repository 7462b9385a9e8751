/** The smaller pictures of a video whose link works already: each is made, kept, and joins the video as a new version of it. */
import { asKadreelError } from '../base/errors.ts';
import type { SourceFile, Transcoder } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { ladderFor, type Rung } from '../media/ladder.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { QualityState } from './api.ts';
import type { Library, PublishedVideo } from './library.ts';
import { type Packed, type Packing, packAll } from './packing.ts';
import type { VideoVersions } from './video-versions.ts';

/** One publication's disk space for one quality, with what is there of it from an earlier time. */
export interface QualityWork {
  readonly packing: Packing;
  /** What was made, when it was whole already; else null. */
  readonly packed: Packed | null;
  /** To be kept with the version of the video that the quality joins. */
  keep(video: PublishedVideo): Promise<void>;
  /** Removes what was written, and notes why nothing came of it. */
  giveBack(problem: string): Promise<void>;
}

export interface QualitiesOptions {
  readonly transcoder: Pick<Transcoder, 'encode'>;
  readonly library: Pick<Library, 'announce'>;
  readonly versions: VideoVersions;
  readonly file: SourceFile;
  /** Best first; they are made the other way round, as a small one is made soonest and helps those most who have none. */
  readonly rungs: readonly Rung[];
  /** Microseconds at which the segments of the first picture begin: all qualities are cut there. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends. */
  readonly end: number;
  /** Those that joined, or can't be made, at an earlier time. */
  readonly ended: ReadonlyMap<string, Pick<QualityState, 'phase' | 'problem'>>;
  readonly begin: (name: string, onProgress: (fraction: number) => void) => Promise<QualityWork>;
  /** The groups of a quality that has joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly onState: (states: readonly QualityState[]) => void;
  readonly signal: AbortSignal;
}

/** Resolves when each was tried: one that can't be made says why in its state, and the others go on. Rejects with `aborted` alone. */
export async function makeQualities(options: QualitiesOptions): Promise<void> {
  const { transcoder, library, versions, file, starts, end, signal } = options;
  const states: QualityState[] = options.rungs.map(({ name }) => ({
    name,
    phase: 'waiting',
    fraction: 0,
    problem: null,
    ...options.ended.get(name),
  }));
  const tell = (index: number, change: Partial<QualityState>): void => {
    states[index] = { ...(states[index] as QualityState), ...change };
    if (!signal.aborted) options.onState([...states]);
  };

  const make = async (rung: Rung, onProgress: (fraction: number) => void): Promise<void> => {
    const work = await options.begin(rung.name, onProgress);
    try {
      const { width, height, bitrate } = rung;
      const encode = ([from = 0]: readonly number[]) => transcoder.encode(file, { width, height, bitrate, starts, end, from }, signal);
      const { renditions } = work.packed ?? (await packAll(work.packing, encode, signal));
      const video = await versions.next(renditions, work.keep);
      // What fails here is renewed within the hour: the disk has it.
      await library.announce(video, signal).catch(() => undefined);
      options.onMade(groupsOf(renditions));
    } catch (error) {
      if (!signal.aborted) await work.giveBack(asKadreelError(error).message);
      throw error;
    }
  };

  options.onState([...states]);
  for (const [index, rung] of [...options.rungs.entries()].toReversed()) {
    if (options.ended.has(rung.name)) continue;
    tell(index, { phase: 'making' });
    try {
      await make(rung, (fraction) => tell(index, { fraction }));
      tell(index, { phase: 'made', fraction: 1 });
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      tell(index, { phase: 'failed', problem: asKadreelError(error).message });
    }
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
