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
import { type Packed, type Packing, packAll, packedOf } from './packing.ts';
import { openPart } from './part-work.ts';
import { groupsOf, longestOf } from './qualities.ts';
import type { VideoVersions } from './video-versions.ts';

export interface FirstQuality {
  /** Resolves when the link works. Rejects when nothing could be made, or nobody could be told. */
  readonly live: Promise<void>;
  /** What was made, once all of it is in the video. */
  readonly whole: Promise<Packed>;
}

export interface FirstQualityOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly node: Pick<DhtNode, 'announce'>;
  readonly library: Pick<Library, 'add' | 'announce' | 'list'>;
  readonly transcoder: Pick<Transcoder, 'cut'>;
  readonly versions: VideoVersions;
  readonly entry: JournalEntry;
  /** What an earlier page made of it. */
  readonly known: PublishedVideo | null;
  readonly file: () => Promise<SourceFile>;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  /** Told only where the link works before all of it is made. */
  readonly onGrowth: (growth: GrowthState) => void;
  /** Groups that are in the video now, and were not in it before. */
  readonly onAdded: (groups: readonly Key[]) => void;
  readonly signal: AbortSignal;
}

/** What takes longer than this (ms) is published from its beginning on: a file that is copied mostly takes less. */
const PATIENCE = 2_000;
/** Segments that a video has at least: a player that has begun needs the next one soon. */
const LEAST = 2;
/**
 * Each version costs some 100 KiB that nodes near its key take: the next one comes after an eighth of the time that the work took so far, within these
 * bounds (ms). Three hours of converting are some 120 versions.
 */
const SHARE = 1 / 8;
const [SOONEST, LATEST] = [10_000, 120_000];

/** Begins at once. */
export function makeFirstQuality(options: FirstQualityOptions): FirstQuality {
  const { clock, crypto, node, library, transcoder, versions, entry, known, signal } = options;
  const first = entry.part(FIRST_PART);
  const poster = entry.choices.poster;
  const began = clock.now();
  const live = deferred<void>();
  let isLive = known !== null && entry.facts.stage !== 'cutting';
  if (isLive) live.resolve();
  let due = began + PATIENCE;
  /** There was a version before all of it was made. */
  let hasGrown = isLive;
  /** Segments of each rendition that there must be for the next version. */
  let least = LEAST;
  /** Groups that somebody was told of. */
  const added = new Set<Key>();
  let telling: Promise<void> = Promise.resolve();

  const add = ({ renditions }: Packed): void => {
    const groups = groupsOf(renditions).filter((group) => !added.has(group));
    for (const group of groups) added.add(group);
    options.onAdded(groups);
  };

  /** The link works when others know of the video, and of where it begins. */
  const tell = async (video: PublishedVideo, { renditions }: Packed): Promise<void> => {
    const starts = isLive ? [] : renditions.flatMap(({ groups }) => groups[0]?.key ?? []);
    await Promise.all([library.announce(video, signal), ...starts.map((group) => node.announce(group, signal))]);
    if (signal.aborted) throw abortError(signal);
    // A listing can't be called back from the nodes that have it, so from here on there is no cancelling.
    if (!isLive) await entry.change({ stage: 'listed' });
    isLive = true;
    await library.list(video).catch(() => undefined); // Listed within the hour.
    live.resolve();
  };

  const growth = (packed: Packed, state: Pick<GrowthState, 'isWhole' | 'problem'>): GrowthState => {
    const made = longestOf(packed.renditions) / 1000;
    return { made, expected: state.isWhole ? made : Math.max(made, entry.facts.duration), ...state };
  };
  const told = { isWhole: false, problem: null };
  const covered = first.covered;
  /** Milliseconds to the end, by how fast it went so far. */
  const left = (): number => {
    const whole = 1e6 * entry.facts.duration;
    return ((clock.now() - began) * Math.max(0, whole - first.covered)) / Math.max(1, first.covered - covered);
  };
  const grow = async (packing: Packing): Promise<void> => {
    const { kept } = packing;
    if (clock.now() < due || left() < PATIENCE || kept.length === 0 || Math.min(...kept) < least) return;
    const packed = await packing.close();
    const expected = Math.round(1000 * entry.facts.duration);
    const video = await versions.next({ first: packed.renditions, growing: { expected }, otherwisePoster: poster }, (next) =>
      library.add(next),
    );
    hasGrown = true;
    least = Math.min(...packing.kept) + 1;
    due = clock.now() + Math.min(Math.max(SHARE * (clock.now() - began), SOONEST), LATEST);
    // Making goes on meanwhile. Who was not told now hears of the next version.
    telling = telling
      .then(() => tell(video, packed))
      .then(
        () => options.onGrowth(growth(packed, told)),
        () => undefined,
      );
    add(packed);
  };
  async function* growing(events: AsyncIterable<CutEvent>, packing: Packing): AsyncGenerator<CutEvent> {
    for await (const event of events) {
      yield event;
      if (event.type === 'segment') await grow(packing);
    }
  }

  const make = async (): Promise<Packed> => {
    const { packing, packed } = await openPart({ crypto, entry }, first, options.onProgress);
    if (packed) return packed;
    const file = await options.file();
    return packAll(packing, (kept) => growing(transcoder.cut(file, signal, kept), packing), signal);
  };
  /** Its last version, whole. */
  const publish = async (packed: Packed): Promise<PublishedVideo> => {
    const captions = await keepCaptions({ crypto, entry }, longestOf(packed.renditions));
    const parts = [first, ...(captions.length > 0 ? [entry.part(CAPTIONS_PART)] : [])];
    const change = { first: packed.renditions, growing: null, captions, otherwisePoster: poster ?? packed.poster };
    const video = await versions.next(change, async (next) => {
      const changes = parts.map((part) => part.changing({ status: 'joined' }));
      await library.add(
        next,
        changes.map(({ row }) => row),
      );
      for (const { done } of changes) done();
    });
    const groups = captions.flatMap((one) => one.groups.map(({ key }) => key));
    if (groups.length > 0) options.onAdded(groups);
    return video;
  };

  const whole = async (): Promise<Packed> => {
    const isJoined = first.facts.status === 'joined';
    const packed = isJoined ? packedOf(first) : await make();
    if (signal.aborted) throw abortError(signal);
    const video = isJoined ? known : await publish(packed);
    if (!video) throw fail('not-found', 'The video is no longer among those of this browser.');
    options.onProgress(1);
    await telling;
    if (!isLive) await tell(video, packed);
    else if (!isJoined) await tell(video, packed).catch(() => undefined); // Renewed within the hour: the disk has it.
    if (signal.aborted) throw abortError(signal);
    if (hasGrown && !isJoined) options.onGrowth(growth(packed, { isWhole: true, problem: null }));
    add(packed);
    return packed;
  };
  const done = quiet(whole());
  done.catch((error: unknown) => {
    if (isLive && !signal.aborted) options.onGrowth(growth(packedOf(first), { isWhole: false, problem: asKadreelError(error).message }));
    live.reject(error);
  });
  return { live: quiet(live.promise), whole: done };
}
