/** One publication, from what its journal says to the end: cut, announced, its qualities made, its copies stored. */

import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Clock, Crypto, FileKeeper, Locks, Random, Signer, SourceFile, Transcoder } from '../base/ports.ts';
import { orAbort, quiet, wait } from '../base/timing.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { openRecord, recordKey } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { addPreview, previewEnded } from './additions.ts';
import type { CopiesReport, GrowthState, PublishStage, QualityState, SharedWork } from './api.ts';
import type { BadHelpers } from './bad-helpers.ts';
import { makeFirstQuality } from './first-quality.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { FIRST_PART } from './journal-rows.ts';
import type { Library } from './library.ts';
import { readOwnManifest } from './own-manifest.ts';
import type { Packed } from './packing.ts';
import { beginQuality, endedRungs, removeRepaired } from './part-work.ts';
import { makeQualities, rungsFor } from './qualities.ts';
import { createSpread } from './spread.ts';
import { createVideoVersions, lockVideo, type VideoVersions } from './video-versions.ts';
import { takenOff, whilePublished } from './withdrawal.ts';

/** What all publications of a tab share. */
export interface PublicationParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly transcoder: Transcoder;
  readonly node: DhtNode;
  readonly library: Library;
  readonly locks: Locks;
  /** Helpers that are not asked. */
  readonly bad: Promise<BadHelpers>;
  /** A video has a later version on this disk. */
  readonly onVersion: (videoId: VideoId) => void;
  /** The share of helpers' work that is made twice, as it is set now. */
  readonly checkShare: () => number;
}

/** What giving one up needs. */
export interface GivingUp extends Pick<PublicationParts, 'clock' | 'crypto' | 'account' | 'device' | 'locks' | 'library'> {
  readonly journal: Pick<Journal, 'discard' | 'ids' | 'open'>;
  readonly files: FileKeeper;
}

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

/** The name of the lock of a publication: whoever holds it writes to its journal. */
export function lockOf(id: string): string {
  return `publication/${id}`;
}

/** The address of the video that an entry becomes. */
export function videoIdOf({ crypto, account }: Pick<PublicationParts, 'crypto' | 'account'>, entry: JournalEntry): VideoId {
  return recordKey(crypto, account.publicKey, entry.facts.name);
}

/** Whether a file is needed to go on: something is to be made of it yet. */
export function needsFile({ facts, parts }: JournalEntry): boolean {
  if (facts.stage === 'changing') return false;
  if (!previewEnded({ parts })) return true;
  if (parts.every(({ name, facts }) => name !== FIRST_PART || facts.status === 'open')) return true;
  if (facts.rungs === null) return true;
  return facts.rungs.some((rung) => parts.every(({ name, facts }) => name !== rung || facts.status === 'open'));
}

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

/** The end of a publication that is whole: its notes go, and all that it wrote when the video was taken off meanwhile. */
export async function conclude(parts: GivingUp, entry: JournalEntry): Promise<void> {
  if (await parts.library.withdrawn(videoIdOf(parts, entry))) return giveUp(parts, entry);
  await parts.files.remove(entry.id);
  await entry.end();
}

/** Removes what a publication wrote; a video whose link works stays as it is. What can't be removed now is shown after the next start. */
export async function giveUp(parts: GivingUp, entry: JournalEntry): Promise<void> {
  // Should the tab be closed in the middle, the next one goes on with it.
  if (entry.facts.stage === 'cutting') await entry.change({ stage: 'leaving' }).catch(() => undefined);
  const videoId = videoIdOf(parts, entry);
  if (entry.facts.stage !== 'listed') {
    const release = await lockVideo(parts.locks, videoId, NEVER);
    try {
      // A video that was never kept needs no write, which a disk in trouble may refuse.
      if (await parts.library.get(videoId)) await parts.library.remove(videoId);
    } finally {
      release();
    }
  }
  const poster = entry.parts.find(({ name }) => name === FIRST_PART)?.facts.poster ?? null;
  // Room first: a full disk takes no other version.
  await parts.files.remove(entry.id);
  await parts.journal.discard(entry.id);
  if (entry.facts.stage === 'listed') await endGrowth(parts, { name: entry.facts.name, poster });
}

/** What is over soon. */
const NEVER = new AbortController().signal;

/** A video of which there is the beginning ends there when the rest will not be made: nobody shall wait for it. */
async function endGrowth(
  parts: Omit<GivingUp, 'journal' | 'files'>,
  { name, poster }: { name: string; poster: Bytes | null },
): Promise<void> {
  const known = await parts.library.get(recordKey(parts.crypto, parts.account.publicKey, name));
  if (!known || !(await readOwnManifest(parts.crypto, known)).additions.growing) return;
  const versions = createVideoVersions({ ...parts, name, first: null, signal: NEVER });
  const video = await versions.next({ growing: null, otherwisePoster: poster }, (next) => parts.library.add(next));
  quiet(parts.library.announce(video).then(() => parts.library.list(video))); // What fails is renewed within the hour.
}

/** Ends those that grow and that nobody goes on with: a tab was closed while it gave one up. */
export async function endGrowths(parts: Omit<GivingUp, 'files'>): Promise<void> {
  const going = new Set<string>();
  const videos = await parts.library.all();
  for (const id of await parts.journal.ids()) {
    const entry = await parts.journal.open(id);
    if (entry === 'unreadable') return; // It may be of any of them.
    if (entry) going.add(videoIdOf(parts, entry));
  }
  for (const { videoId, record } of videos) {
    const name = openRecord(record)?.body.name;
    if (name !== undefined && !going.has(videoId)) await endGrowth(parts, { name, poster: null });
  }
}
