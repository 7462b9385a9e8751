/** The smaller pictures of a video whose link works already: each is made, kept, and joins the video as a new version of it. */
import { asKadreelError } from '../base/errors.ts';
import type { SourceFile, Transcoder } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { listDuration } from '../media/index-pages.ts';
import { ladderFor, type Rung } from '../media/ladder.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import type { QualityState } from './api.ts';
import type { Library } from './library.ts';
import type { Packing } from './packing.ts';
import type { VideoVersions } from './video-versions.ts';

/** One publication's disk space for one quality: claimed before it is written, and given back when nothing comes of it. */
export interface QualityWork {
  readonly packing: Packing;
  /** What was written stays. */
  keep(): Promise<void>;
  giveBack(): Promise<void>;
}

export interface QualitiesOptions {
  readonly transcoder: Pick<Transcoder, 'encode'>;
  readonly library: Pick<Library, 'add' | 'announce'>;
  readonly versions: VideoVersions;
  readonly file: SourceFile;
  /** Best first; they are made the other way round, as a small one is made soonest and helps those most who have none. */
  readonly rungs: readonly Rung[];
  /** Microseconds at which the segments of the first picture begin: all qualities are cut there. */
  readonly starts: readonly number[];
  /** Microseconds at which the last of them ends. */
  readonly end: number;
  readonly begin: (onProgress: (fraction: number) => void) => QualityWork;
  /** The groups of a quality that has joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly onState: (states: readonly QualityState[]) => void;
  readonly signal: AbortSignal;
}

/** Resolves when each was tried: one that can't be made says why in its state, and the others go on. Rejects with `aborted` alone. */
export async function makeQualities(options: QualitiesOptions): Promise<void> {
  const { transcoder, library, versions, file, starts, end, signal } = options;
  const states: QualityState[] = options.rungs.map(({ name }) => ({ name, phase: 'waiting', fraction: 0, problem: null }));
  const tell = (index: number, change: Partial<QualityState>): void => {
    states[index] = { ...(states[index] as QualityState), ...change };
    if (!signal.aborted) options.onState([...states]);
  };

  const make = async (rung: Rung, onProgress: (fraction: number) => void): Promise<void> => {
    const work = options.begin(onProgress);
    try {
      const { width, height, bitrate } = rung;
      for await (const event of transcoder.encode(file, { width, height, bitrate, starts, end }, signal)) {
        if (signal.aborted) throw abortError(signal);
        await work.packing.take(event);
      }
      const { renditions } = await work.packing.finish();
      if (signal.aborted) throw abortError(signal);
      const video = await versions.next({ added: renditions }, library.add);
      await work.keep();
      // What fails here is renewed within the hour: the disk has it.
      await library.announce(video, signal).catch(() => undefined);
      options.onMade(groupsOf(renditions));
    } catch (error) {
      await work.giveBack();
      throw error;
    }
  };

  options.onState([...states]);
  for (const [index, rung] of [...options.rungs.entries()].toReversed()) {
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

/** Milliseconds of the longest of them. */
export function longestOf(renditions: readonly FinishedRendition[]): number {
  return Math.max(0, ...renditions.map(({ groups }) => listDuration(groups.map(({ reference }) => reference))));
}
