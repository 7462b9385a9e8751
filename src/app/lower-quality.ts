/**
 * A lower quality of a video, made by helpers while it is watched, ahead of the playhead (docs/protocol.md, J9 to J14). Players ask for it as a video of its own: the same one
 * with this quality beside the others.
 */
import { type Bytes, concat, equal } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Cancel, Clock, Crypto, Random, Transcoder } from '../base/ports.ts';
import { type Deferred, deferred, orAbort, quiet } from '../base/timing.ts';
import { type Key, keyOf } from '../kademlia/key.ts';
import type { Catalogue } from '../media/hls-responder.ts';
import { type LowerQuality, withLower } from '../media/lower-quality.ts';
import type { VideoId } from '../media/manifest.ts';
import { claimedChunk, pictureOf, readSource, segmentProblem } from '../media/transcode-chunk.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';
import { formatHlsPath } from '../media/urls.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { BadHelpers } from './bad-helpers.ts';
import { doJob } from './chunk-work.ts';
import { createLowerPart, type LowerPart } from './lower-part.ts';
import { createLowerWork } from './lower-work.ts';
import type { LowerView } from './watch-session.ts';

export { lowerQualities } from '../media/lower-quality.ts';

export interface LowerMaking {
  /** Names the video with this quality in it, in this page alone. */
  readonly id: VideoId;
  /** What there is to play under that name; null until there is enough. */
  catalogue(): Catalogue | null;
  /** Whether this is asked for by that key. */
  owns(group: Key): boolean;
  /** Waits until the segment is made. Rejects with what the signal says, or with why it will not come. */
  segment(group: Key, index: number, signal: AbortSignal): Promise<Bytes>;
  /** The player is at this time (s), in whichever quality. */
  playhead(seconds: number): void;
  close(): void;
}

export interface LowerMakingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly node: Pick<DhtNode, 'segments' | 'groups' | 'helpers' | 'made' | 'copies' | 'links' | 'announce' | 'contact'>;
  readonly transcoder: Pick<Transcoder, 'convert' | 'decodes'>;
  readonly bad: BadHelpers;
  /** The share of helpers' work that a publisher checks: as the person chose. */
  readonly checkShare: () => number;
  readonly catalogue: Catalogue;
  readonly quality: LowerQuality;
  /** Where the player is (s). */
  readonly at: number;
  /** At each change, a few times a second at most. The last one says why it ended, when it was not closed. */
  readonly onView: (view: LowerView) => void;
}

/** Segments that are made ahead of what the player asked for last, which is up to 30 s ahead of what it shows. */
const AHEAD = 8;
/** Segments that are there before a player changes over. */
const READY = 2;
/** Of what one person watches there is little: so many times a publisher's share is made twice. */
const CHECKED_MORE = 2;
/** Seconds of video that helpers are taken to make in a second before they have shown it. */
const GUESS = 0.5;
/** With nobody to help it ends after so long (ms): at once when it never began, as a tab that comes back deserves some time. */
const NOBODY = 4_000;
const NOBODY_LEFT = 20_000;
/** Tries to find out what a part of the video consists of. */
const MAX_FAILURES = 3;
/** Parts whose pieces are in memory: 40 s each, some 4 MB of 360p. */
const MAX_HELD = 8;
const TICK = 1_000;
const TELL_INTERVAL = 250;

export function createLowerMaking(options: LowerMakingOptions): LowerMaking {
  const { clock, node, transcoder, quality, catalogue: signed } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const rendition = signed.manifest.renditions[quality.source];
  const groups = signed.groups[quality.source] ?? [];
  const durations = groups.flatMap((group) => group.durations);
  const init = rendition?.init ?? new Uint8Array();
  const picture = pictureOf(init);
  const id: VideoId = keyOf(options.random.bytes(20));
  const requested = new Map<number, number>();
  const compared = new Set<Key>();
  let change: Deferred<void> = deferred();
  let header: Bytes | null = null;
  let playhead = options.at;
  let isReady = false;
  let position = 0;
  /** Where a player that plays on meanwhile changes over: what it has passed by then is of no use. */
  let anchor = 0;
  let helped = false;
  let nobodySince: number | null = null;
  let told = false;
  let cancelTick: Cancel = () => undefined;

  const segmentAt = (seconds: number): number => {
    let end = 0;
    const index = durations.findIndex((duration) => {
      end += duration;
      return 1000 * seconds < end;
    });
    return index < 0 ? Math.max(0, durations.length - 1) : index;
  };

  const takeHeader = (made: Bytes): boolean => {
    if (header) return equal(header, made);
    const shape = pictureOf(made);
    if (!shape || shape.width !== quality.width || shape.height !== quality.height) return false;
    header = made.slice();
    return true;
  };
  /** The source is mostly not here; where it is, all of J5 is held. */
  const problemOf = async (job: TranscodeJob, made: MadeSegment, limit: AbortSignal): Promise<string | null> => {
    const source = await node.groups.segment(job.group, job.segment).catch(() => null);
    const chunk = source ? readSource(job, source) : claimedChunk(job, made.bytes);
    if (!chunk) return 'its pictures are not in their time';
    const problem = segmentProblem(job, chunk, made);
    if (problem) return problem;
    return (await transcoder.decodes(concat(made.init, made.bytes), chunk.times.length, limit)) === false ? 'it can’t be decoded' : null;
  };
  const work = createLowerWork({
    ...options,
    helpers: node.helpers,
    checkShare: () => Math.min(1, CHECKED_MORE * options.checkShare()),
    sourcePixels: picture ? picture.width * picture.height : 0,
    problemOf,
    // Of what the person published there may be no other copy yet.
    withholds: async ({ group }) => (await node.groups.get(group).catch(() => null))?.role !== 'own',
    async makeHere(job, limit) {
      const source = await node.segments.get({ group: job.group, segment: job.segment, urgency: 0 }, limit);
      return doJob(transcoder, job, { source, signal: limit });
    },
    onMade(job, made) {
      if (!isReady && header && !equal(header, made.init)) header = null; // Nothing of it was shown.
      if (!takeHeader(made.init)) return end(fail('corrupt', 'A helper gave a wrong header.'));
      partOf(job)?.made(job.segment, made);
    },
    onDropped: (job) => void partOf(job)?.dropped(job.segment),
    onFailed: (error) => end(asKadreelError(error)),
    onChange: () => tell(),
  });

  const parts: LowerPart[] = [];
  let first = 0;
  let start = 0;
  for (const group of groups) {
    parts.push(
      createLowerPart({
        ...options,
        ...{ init, group, first, start, problemOf, takeHeader, work, signal },
        header: () => header,
        onChange: () => update(),
      }),
    );
    first += group.durations.length;
    start += group.durations.reduce((sum, duration) => sum + duration, 0);
  }
  const partOf = ({ group }: TranscodeJob): LowerPart | undefined => parts.find(({ source }) => source === group);
  const placeOf = (segment: number): { readonly part: LowerPart; readonly index: number } | null => {
    const part = parts.findLast((one) => one.first <= segment);
    return part && segment < durations.length ? { part, index: segment - part.first } : null;
  };
  const isThere = (segment: number): boolean => {
    const place = placeOf(segment);
    return place?.part.has(place.index) ?? true;
  };

  /** What is to be made: what the player waits for, what it comes to next, then what is missing of groups that were begun. */
  const wanted = (): readonly TranscodeJob[] => {
    const first = isReady ? [] : Array.from({ length: READY }, (_, n) => anchor + n);
    const next = Array.from({ length: AHEAD }, (_, n) => position + n);
    const near = [...requested.keys(), ...first, ...next].flatMap((n) => placeOf(n) ?? []);
    const asked = new Set<LowerPart>(near.map(({ part }) => part));
    const jobs = new Map<string, TranscodeJob>();
    const add = (job: TranscodeJob | undefined): void => void (job && jobs.set(`${job.group}/${job.segment}`, job));
    for (const part of asked) {
      if (part.phase === 'new' && part.failures < MAX_FAILURES) void part.open();
      if (part.phase === 'opening') for (const job of part.missing()) add(job);
    }
    for (const { part, index } of near) add(part.missing().find(({ segment }) => segment === index));
    for (const part of parts) if (part.held > 0) for (const job of part.missing()) add(job);
    return [...jobs.values()];
  };
  /** Where the player is, and where it can change over by the time it gets there. */
  const follow = (): void => {
    position = segmentAt(playhead);
    if (position <= anchor || isEnoughAt(position)) return;
    const time = (READY * (Math.max(0, ...durations) / 1000)) / (work.speed() ?? GUESS);
    anchor = segmentAt(playhead + time);
  };
  const isEnoughAt = (segment: number): boolean => Array.from({ length: READY }, (_, n) => segment + n).every(isThere);
  /** Of each group something is compared before it is kept for others, where two can. */
  const finish = (part: LowerPart): void => {
    const isNew = !compared.has(part.source) && !work.isProved(part.source);
    compared.add(part.source);
    if (!isNew || !work.compare(part.source)) void part.keep();
  };
  const update = (): void => {
    if (signal.aborted) return;
    if (!isReady) follow();
    work.want(wanted());
    for (const part of parts) if (part.held === part.reference.durations.length && !work.isCompared(part.source)) finish(part);
    const held = parts.filter((part) => part.held > 0).sort((a, b) => Math.abs(a.first - position) - Math.abs(b.first - position));
    for (const part of held.slice(MAX_HELD)) {
      work.forget(part.source);
      part.clear();
    }
    if (!isReady && header && isEnoughAt(position) && !work.inDoubt()) isReady = true;
    change.resolve();
    change = deferred();
    tell();
  };

  const view = (problem: KadreelError | null = null): LowerView => {
    const from = segmentAt(playhead);
    const missing = durations.findIndex((_, n) => n >= from && !isThere(n));
    const until = durations.slice(0, missing < 0 ? durations.length : missing).reduce((sum, duration) => sum + duration, 0) / 1000;
    return {
      name: quality.name,
      playlistUrl: isReady ? formatHlsPath({ type: 'master', video: id }) : null,
      ahead: Math.max(0, until - playhead),
      helpers: work.helpers(),
      speed: work.speed(),
      found: parts[0] !== undefined && (placeOf(position)?.part.found ?? false),
      problem,
    };
  };
  const tell = (): void => {
    if (told || signal.aborted) return;
    told = true;
    clock.after(TELL_INTERVAL, () => {
      told = false;
      if (!signal.aborted) options.onView(view());
    });
  };
  const end = (problem: KadreelError): void => {
    if (signal.aborted) return;
    const last = view(problem);
    close(problem);
    options.onView(last);
  };
  const close = (reason: KadreelError = fail('closed', 'This quality is not played any more.')): void => {
    if (signal.aborted) return;
    closing.abort(reason);
    cancelTick();
    work.close();
    for (const part of parts) part.clear();
    change.reject(reason);
    quiet(change.promise);
  };

  /** Helpers come and go without a sound. */
  const tick = (): void => {
    cancelTick = clock.after(TICK, tick);
    for (const part of parts) part.wake();
    const stuck = placeOf(position)?.part;
    if (stuck && stuck.phase === 'new' && stuck.failures >= MAX_FAILURES)
      return end(fail('not-found', 'Nobody who is here now keeps this part of the video.'));
    const helpers = work.helpers();
    helped ||= helpers > 0;
    const isNeeded = stuck?.phase === 'open' && ![position, position + 1].every(isThere);
    nobodySince = helpers === 0 && isNeeded ? (nobodySince ?? clock.now()) : null;
    if (nobodySince !== null && clock.now() - nobodySince >= (helped ? NOBODY_LEFT : NOBODY)) {
      const who = helped ? 'Those who helped have gone' : 'No one linked helps with transcoding right now';
      return end(fail('unreachable', `${who}, and nobody has made ${quality.name} of this part before.`));
    }
    update();
  };
  anchor = segmentAt(playhead);
  update();
  cancelTick = clock.after(TICK, tick);

  return {
    id,
    catalogue: () =>
      header && isReady ? withLower(signed, quality, { init: header, groups: parts.map(({ reference }) => reference) }) : null,
    owns: (group) => parts.some(({ reference }) => reference.key === group),
    async segment(group, index, reading) {
      const part = parts.find(({ reference }) => reference.key === group);
      if (!part || !(index < part.reference.durations.length)) throw fail('not-found', 'This quality has no such segment.');
      const n = part.first + index;
      requested.set(n, (requested.get(n) ?? 0) + 1);
      position = n;
      update();
      try {
        for (;;) {
          const changing = change.promise;
          const bytes = await part.read(index, reading);
          if (bytes) return bytes;
          await orAbort(changing, reading);
        }
      } finally {
        const left = (requested.get(n) ?? 1) - 1;
        if (left > 0) requested.set(n, left);
        else requested.delete(n);
      }
    },
    playhead(seconds) {
      playhead = seconds;
      if (!isReady) update();
    },
    close: () => close(),
  };
}
