/** One publication, from what its journal says to the end: cut, announced, its qualities made, its copies stored. */

import { fail } from '../base/errors.ts';
import type { SourceFile } from '../base/ports.ts';
import { orAbort, quiet, wait } from '../base/timing.ts';
import type { VideoId } from '../media/manifest.ts';
import { addPreview, previewEnded } from './additions.ts';
import type { CopiesReport, GrowthState, PublishStage, QualityState, SharedWork } from './api.ts';
import { makeFirstQuality } from './first-quality.ts';
import type { JournalEntry } from './journal.ts';
import { FIRST_PART } from './journal-rows.ts';
import { readOwnManifest } from './own-manifest.ts';
import type { Packed } from './packing.ts';
import { beginQuality, endedRungs, removeRepaired } from './part-work.ts';
import { type PublicationParts, videoIdOf } from './publication-parts.ts';
import { makeQualities, rungsFor } from './qualities.ts';
import { createSpread } from './spread.ts';
import { createVideoVersions, type VideoVersions } from './video-versions.ts';
import { takenOff, whilePublished } from './withdrawal.ts';

export interface PublicationOptions extends PublicationParts {
  readonly entry: JournalEntry;
  /** The file, once it is there; asked for when something is to be made of it. */
  readonly file: () => Promise<SourceFile>;
  readonly signal: AbortSignal;
  /** `making` stands for all that is done before the link works, whatever it is called. */
  readonly onProgress: (stage: Extract<PublishStage, 'announce' | 'copies'> | 'making', fraction: number) => void;
  /** Told only where the link works before all of the first quality is made. */
  readonly onGrowth: (growth: GrowthState) => void;
  readonly onQualities: (states: readonly QualityState[]) => void;
  /** Who makes them, when others help. */
  readonly onSharedWork: (work: SharedWork) => void;
}

/** A converter that was told to end does so at once; nobody waits longer (ms) for one that hangs. */
const ENDING = 2_000;

/**
 * Resolves when the link works; `done` when it is safe to close. Whoever aborts it before the link works removes what it wrote. The journal is still
 * there at its end. Rejects with `withdrawn` when the video is taken off meanwhile.
 */
export async function runPublication(options: PublicationOptions): Promise<{ videoId: VideoId; done: Promise<CopiesReport> }> {
  const videoId = videoIdOf(options, options.entry);
  const { signal, failed, done: ended } = whilePublished(options.library, videoId, options.signal);
  /** Another tab may have taken it off. */
  const watched = (versions: VideoVersions): VideoVersions => ({
    async next(change, keep) {
      const video = await versions.next(change, keep).catch(failed);
      options.onVersion(videoId);
      return video;
    },
  });
  try {
    const { done } = await goThrough({ ...options, signal }, watched);
    return { videoId, done: quiet(done.finally(ended)) };
  } catch (error) {
    ended();
    throw error;
  }
}

async function goThrough(
  options: PublicationOptions,
  watched: (versions: VideoVersions) => VideoVersions,
): Promise<{ done: Promise<CopiesReport> }> {
  const { clock, crypto, node, library, transcoder, entry, signal, onProgress } = options;
  const first = entry.part(FIRST_PART);
  const videoId = videoIdOf(options, entry);
  const known = await library.get(videoId);
  if (first.facts.status === 'joined' && !known) {
    if (await library.withdrawn(videoId)) throw takenOff();
    throw fail('not-found', 'The video is no longer among those of this browser.');
  }
  const { title, created, name } = entry.facts;
  const versions = watched(createVideoVersions({ ...options, name, first: known ? null : { title, created } }));

  let isWhole = false;
  const spread = createSpread({
    ...{ clock, node, signal, stored: entry.copies },
    onStored: (group, copies) => entry.noteCopies(group, copies).catch(() => undefined), // Offered again after the next start.
    onProgress: (fraction) => isWhole && onProgress('copies', fraction),
  });
  const quality = makeFirstQuality({
    ...{ clock, crypto, node, library, transcoder, versions, entry, known, signal },
    file: options.file,
    onProgress: (fraction) => onProgress('making', fraction),
    onGrowth: options.onGrowth,
    onAdded: spread.add,
  });

  const make = async (packed: Packed): Promise<void> => {
    const all = rungsFor(packed.renditions);
    const { rungs } = entry.facts;
    const wanted = rungs ? all.filter(({ name }) => rungs.includes(name)) : all.filter(({ name }) => !entry.choices.without.includes(name));
    if (!rungs) await entry.change({ rungs: wanted.map(({ name }) => name) });
    const ended = endedRungs(entry);
    const isWhole = wanted.every(({ name }) => ended.has(name));
    if (isWhole && previewEnded(entry)) return options.onQualities(wanted.flatMap(({ name }) => ended.get(name) ?? []));
    const file = await options.file();
    const picture = packed.renditions.find(({ rendition }) => rendition.kind === 'video') ?? null;
    const { starts, end } = packed;
    const joining = { transcoder, library, versions, file, onMade: spread.add, signal };
    const making = makeQualities({
      ...joining,
      ...{ clock, groups: node.groups, rungs: wanted, starts, end, ended },
      begin: (name, onPart) => beginQuality(options, name, onPart),
      onState: options.onQualities,
      // Loaded when the link works: nobody waits for it.
      openSharing: async () =>
        picture &&
        (await import('./quality-sharing.ts')).openQualitySharing({
          ...{ ...options, bad: await options.bad, picture, starts, end, onWork: options.onSharedWork },
        }),
    });
    await Promise.all([making, ...(previewEnded(entry) ? [] : [addPreview({ ...joining, crypto, entry })])]);
  };

  const finish = async (): Promise<CopiesReport> => {
    const packed = await quality.whole;
    onProgress('announce', 1);
    isWhole = true;
    // Those that came with other qualities, before this page.
    const video = await library.get(videoId);
    spread.add(video ? (await readOwnManifest(crypto, video)).groups : []);
    await make(packed);
    const report = await spread.whole();
    await removeRepaired(entry).catch(() => undefined); // It takes room, and does no harm.
    return report;
  };
  /** Whoever removes what was written must not be ahead of it. */
  const afterAll = async (error: unknown): Promise<never> => {
    await Promise.race([quality.ended, wait(clock, ENDING)]);
    throw error;
  };
  await orAbort(quality.live, signal).catch(afterAll);
  spread.begin();
  return { done: quiet(orAbort(finish(), signal).catch(afterAll)) };
}
