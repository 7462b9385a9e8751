/** The first quality of a publication, and how it comes before others: whole where that is soon, else from its beginning on, and longer with each version (M22). */
import { asKadreelError, fail } from '../base/errors.ts';
import type { Clock, Crypto, CutEvent, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, deferred, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { keepCaptions } from './additions.ts';
import type { GrowthState } from './api.ts';
import type { JournalEntry } from './journal.ts';
import { CAPTIONS_PART, FIRST_PART } from './journal-rows.ts';
import type { Library, PublishedVideo } from './library.ts';
import { readOwnManifest } from './own-manifest.ts';
import { type Packed, type Packing, packAll, packedOf } from './packing.ts';
import { openPart } from './part-work.ts';
import { groupsOf, longestOf } from './qualities.ts';
import type { VideoChange } from './video-change.ts';
import type { VideoVersions } from './video-versions.ts';

export interface FirstQuality {
  /** Resolves when the link works. Rejects when nothing could be made, or nobody could be told. */
  readonly live: Promise<void>;
  /** What was made, once all of it is in the video. */
  readonly whole: Promise<Packed>;
  /** Nothing is written any more: `whole` has settled, and all that it began has ended. Never rejects. */
  readonly ended: Promise<void>;
}

export interface FirstQualityOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly node: Pick<DhtNode, 'announce'>;
  readonly library: Pick<Library, 'add' | 'announce' | 'list'>;
  readonly transcoder: Pick<Transcoder, 'cut' | 'probe'>;
  readonly versions: VideoVersions;
  readonly entry: JournalEntry;
  /** What an earlier page made of it. */
  readonly known: PublishedVideo | null;
  readonly file: () => Promise<SourceFile>;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  /** Told only where the link works before all of it is made. */
  readonly onGrowth: (growth: GrowthState) => void;
  /** Groups that are in the video now. */
  readonly onAdded: (groups: readonly Key[]) => void;
  readonly signal: AbortSignal;
}

/** What takes longer than this (ms) is published from its beginning on: a file that is copied mostly takes less. */
const PATIENCE = 2_000;
/** Segments of each rendition that a video has at least: a player that has begun needs the next one soon. */
const LEAST = 2;
/**
 * Each version costs some 100 KiB that nodes near its key take: the next one comes after an eighth of the time that the work took so far, within these
 * bounds (ms). Three hours of converting are some 120 versions.
 */
const SHARE = 1 / 8;
const [SOONEST, LATEST] = [10_000, 120_000];

/** Begins at once. */
export function makeFirstQuality(options: FirstQualityOptions): FirstQuality {
  const { clock, crypto, node, library, transcoder, versions, entry, known } = options;
  const first = entry.part(FIRST_PART);
  const live = deferred<void>();
  let isLive = known !== null && entry.facts.stage !== 'cutting';
  if (isLive) live.resolve();
  /** There is a version of the video, and it was written before all of it was made. */
  let isThere = known !== null;
  let hasGrown = isThere;
  /** What was begun ends with the making itself. */
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  let telling: Promise<void> = Promise.resolve();

  /** The link works when others know of the video, and of where it begins. */
  const tell = async (video: PublishedVideo, { renditions }: Packed): Promise<void> => {
    const starts = isLive ? [] : renditions.flatMap(({ groups }) => groups[0]?.key ?? []);
    await Promise.all([library.announce(video, signal), ...starts.map((group) => node.announce(group, signal))]);
    if (signal.aborted) throw abortError(signal);
    // A listing can't be called back from the nodes that have it, so from here on there is no cancelling.
    if (!isLive) await entry.change({ stage: 'listed' });
    isLive = true;
    live.resolve();
    await library.list(video, signal).catch(() => undefined); // Listed within the hour.
  };

  const growth = (packed: Packed, state: Pick<GrowthState, 'isWhole' | 'problem'>): GrowthState => {
    const made = longestOf(packed.renditions) / 1000;
    return { made, expected: state.isWhole ? made : Math.max(made, entry.facts.duration), ...state };
  };

  /** The next version; the first one has the captions, too. What only the version before it names is given back. */
  const publish = async (packed: Packed, change: VideoChange): Promise<PublishedVideo> => {
    const captions = isThere
      ? []
      : await keepCaptions({ crypto, entry }, Math.max(1000 * entry.facts.duration, longestOf(packed.renditions)));
    if (signal.aborted) throw abortError(signal);
    const parts = [...(change.growing ? [] : [first]), ...(captions.length > 0 ? [entry.part(CAPTIONS_PART)] : [])];
    const otherwisePoster = entry.choices.poster ?? packed.poster;
    const video = await versions.next({ first: packed.renditions, captions, otherwisePoster, ...change }, async (next, dropped) => {
      const changes = parts.map((part) => part.changing({ status: 'joined' }));
      await library.add(
        next,
        changes.map(({ row }) => row),
      );
      for (const { done } of changes) done();
      await entry.giveBack(dropped).catch(() => undefined); // It takes room, and does no harm.
    });
    isThere = true;
    options.onAdded([...groupsOf(packed.renditions), ...captions.flatMap(({ groups }) => groups.map(({ key }) => key))]);
    return video;
  };

  /** Publishes what there is as it becomes more. */
  const grower = async (file: SourceFile) => {
    const probe = await transcoder.probe(file, signal);
    const kinds = [...(probe.video ? ['video'] : []), ...(probe.audio ? ['audio'] : [])];
    /** Segments of picture and sound that the newest version names. */
    const named = new Map<string, number>();
    for (const { kind, groups } of known ? (await readOwnManifest(crypto, known)).renditions.slice(0, 2) : [])
      if (groups.type === 'inline')
        named.set(
          kind,
          groups.groups.reduce((sum, { durations }) => sum + durations.length, 0),
        );
    let began: number | null = null;
    let covered = 0;
    let due = 0;
    return async (packing: Packing): Promise<void> => {
      const now = clock.now();
      if (began === null) {
        began = now;
        covered = first.covered;
        due = now + PATIENCE;
      }
      const missing = Math.max(0, 1e6 * entry.facts.duration - first.covered);
      const left = ((now - began) * missing) / Math.max(1, first.covered - covered);
      if (now < due || left < PATIENCE) return;
      const { kept } = packing;
      // Sound may begin late: a player that found none would not look for it again.
      const there = kinds.map((kind) => {
        const own = first.renditions.find(({ rendition }) => rendition.kind === kind);
        return { count: own ? (kept[own.rendition.index] ?? 0) : 0, before: named.get(kind) ?? 0 };
      });
      const isLonger = there.some(({ count, before }) => count > before);
      if (!isLonger || there.some(({ count, before }) => count < Math.max(before, LEAST))) return;
      const packed = await packing.close();
      if (signal.aborted) throw abortError(signal);
      for (const { rendition, groups } of packed.renditions)
        named.set(
          rendition.kind,
          groups.reduce((sum, { descriptor }) => sum + descriptor.segments.length, 0),
        );
      const video = await publish(packed, { growing: { expected: Math.round(1000 * entry.facts.duration) } });
      hasGrown = true;
      due = clock.now() + Math.min(Math.max(SHARE * (clock.now() - began), SOONEST), LATEST);
      // Making goes on meanwhile. Who is not told now hears of the next version.
      const told = telling
        .then(() => tell(video, packed))
        .then(() => {
          if (!signal.aborted) options.onGrowth(growth(packed, { isWhole: false, problem: null }));
        });
      telling = told.catch(() => undefined);
    };
  };
  async function* growing(events: AsyncIterable<CutEvent>, grow: () => Promise<void>): AsyncGenerator<CutEvent> {
    for await (const event of events) {
      yield event;
      if (event.type === 'segment') await grow();
    }
  }

  const make = async (): Promise<Packed> => {
    const { packing, packed } = await openPart({ crypto, entry }, first, options.onProgress);
    if (packed) return packed;
    const file = await options.file();
    const grow = await grower(file);
    return packAll(packing, (kept) => growing(transcoder.cut(file, signal, kept), () => grow(packing)), signal);
  };

  const whole = async (): Promise<Packed> => {
    const isJoined = first.facts.status === 'joined';
    const packed = isJoined ? packedOf(first) : await make();
    if (signal.aborted) throw abortError(signal);
    const video = isJoined ? known : await publish(packed, { growing: null });
    if (!video) throw fail('not-found', 'The video is no longer among those of this browser.');
    options.onProgress(1);
    await telling;
    if (!isLive) await tell(video, packed);
    else if (!isJoined) await tell(video, packed).catch(() => undefined); // Renewed within the hour: the disk has it.
    if (signal.aborted) throw abortError(signal);
    if (isJoined) options.onAdded(groupsOf(packed.renditions));
    else if (hasGrown) options.onGrowth(growth(packed, { isWhole: true, problem: null }));
    return packed;
  };
  const end = async (error: unknown): Promise<never> => {
    failed.abort(asKadreelError(error));
    await telling;
    if (isLive && !options.signal.aborted) {
      options.onGrowth(growth(packedOf(first), { isWhole: false, problem: asKadreelError(error).message }));
    }
    live.reject(error);
    throw error;
  };
  const done = quiet(whole().catch(end));
  const ended = done.then(
    () => undefined,
    () => undefined,
  );
  return { live: quiet(live.promise), whole: done, ended };
}
