/** One group of a video in a lower quality: found where it was made before, or made now piece by piece, and kept as a whole for who comes next (docs/protocol.md, J12 to J14). */
import { type Bytes, equal } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Clock, Crypto, Random } from '../base/ports.ts';
import { deadline } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { DIGEST_BYTES } from '../media/group.ts';
import { type LowerQuality, madeTopic, packMade } from '../media/lower-quality.ts';
import type { GroupDescriptor, GroupReference } from '../media/manifest.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { MadeClaim } from '../node/made-groups.ts';
import type { LowerWork } from './lower-work.ts';
import { type ClaimedGroup, createMadeClaims } from './made-claims.ts';

export interface LowerPart {
  /** What its segments are asked for by, and where who made it says so. */
  readonly reference: GroupReference;
  /** The number of its first segment in the video. */
  readonly first: number;
  readonly source: Key;
  readonly phase: 'new' | 'opening' | 'open';
  /** How often in a row it could not be opened. */
  readonly failures: number;
  /** It was made before, for somebody else, and is wholly there, at least in the network. */
  readonly found: boolean;
  /** Pieces that are to be made, in order; of a part that was found, the one to compare with. */
  missing(): readonly TranscodeJob[];
  has(index: number): boolean;
  /** Begins to look for it. Resolves when `phase` is `open`, or `new` again. Never rejects. */
  open(): Promise<void>;
  /** Who helps may have changed: looks again whether what it waits for can still come. */
  wake(): void;
  /** A segment that is there; null when it is not, or not any more. Rejects with what the signal says. */
  read(index: number, signal: AbortSignal): Promise<Bytes | null>;
  made(index: number, made: MadeSegment): void;
  /** A piece does not count any more. Never rejects. */
  dropped(index: number): Promise<void>;
  /** Keeps it when all of it is there, and offers it to those who made it. Never rejects. */
  keep(): Promise<void>;
  /** Gives up what is only in memory. */
  clear(): void;
  /** Pieces in memory. */
  readonly held: number;
}

export interface LowerPartOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly node: Pick<DhtNode, 'segments' | 'groups' | 'made' | 'copies' | 'links' | 'announce' | 'contact'>;
  readonly quality: LowerQuality;
  /** The initialisation segment of the source. */
  readonly init: Bytes;
  readonly group: GroupReference;
  /** The number of its first segment, and its start (ms). */
  readonly first: number;
  readonly start: number;
  readonly problemOf: (job: TranscodeJob, made: MadeSegment, signal: AbortSignal) => Promise<string | null>;
  /** The initialisation segment of the quality; false when it is another one already. */
  readonly takeHeader: (init: Bytes) => boolean;
  readonly header: () => Bytes | null;
  readonly work: Pick<LowerWork, 'canMake' | 'allow' | 'isProved' | 'makers' | 'forget'>;
  /** Something has changed. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** To have one piece made, to compare (ms). */
const COMPARING = 60_000;

interface Found extends ClaimedGroup {
  /** It was made here, not found. */
  readonly isNew: boolean;
}

export function createLowerPart(options: LowerPartOptions): LowerPart {
  const { clock, crypto, node, work, quality, init, group, signal } = options;
  const count = group.durations.length;
  const starts = group.durations.map((_, n) => options.start + group.durations.slice(0, n).reduce((sum, duration) => sum + duration, 0));
  const topic = madeTopic(crypto, { group: group.key, init, ...quality });
  const pieces = new Map<number, MadeSegment>();
  /** Pieces that were wrong, and are not made anew yet: on the disk they may still be. */
  const gone = new Set<number>();
  /** Segments of what was found that were looked at. */
  const good = new Set<number>();
  const waiting = new Set<() => void>();
  let phase: LowerPart['phase'] = 'new';
  let failures = 0;
  let source: GroupDescriptor | null = null;
  let found: Found | null = null;
  const claims = createMadeClaims({ ...options, topic, durations: group.durations });
  /** The piece that is made to compare with what was found. */
  let spot: number | null = null;
  let keeping = false;
  /** More than one node's word stands for what was found. */
  let believed = false;
  /** Ends when the word for what turned out wrong is taken back: the next one must not come before. */
  let unsaid: Promise<unknown> = Promise.resolve();

  const jobAt = (index: number): TranscodeJob => {
    const { width, height, bitrate, rate } = quality;
    const [from = 0, to = from + (group.durations[index] ?? 0)] = [starts[index], starts[index + 1]];
    const { size = 0, digest = new Uint8Array(DIGEST_BYTES) } = source?.segments[index] ?? {};
    const times = { start: 1000 * from, end: 1000 * to };
    return { group: group.key, segment: index, size, digest, init, ...times, width, height, bitrate, rate };
  };
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  const changed = (): void => {
    wake();
    options.onChange();
  };
  const until = (isSo: () => boolean, limit: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isSo() && !limit.aborted) return;
        waiting.delete(look);
        limit.removeEventListener('abort', look);
        resolve();
      };
      waiting.add(look);
      limit.addEventListener('abort', look);
      look();
    });

  const describe = async (): Promise<void> => {
    if (source) return;
    const { descriptor } = await node.segments.descriptor(group.key, signal);
    if (descriptor.segments.length !== count) throw fail('corrupt', 'A group of this video has other segments than its list says.');
    source = descriptor;
  };

  /** What one node alone says is compared in one place with what another helper makes, where there is one. */
  const isTrue = async (claim: MadeClaim, one: ClaimedGroup): Promise<boolean> => {
    believed = true;
    if (claim.by.length > 1 || claim.by.includes(node.contact.id)) return true;
    await describe();
    const index = Math.min(count - 1, Math.floor(options.random.float() * count));
    const job = jobAt(index);
    spot = index;
    const limit = deadline(clock, COMPARING, signal);
    if (work.canMake(job, claim.by)) changed();
    await until(() => pieces.has(index) || !work.canMake(job, claim.by), limit.signal);
    limit.done();
    spot = null;
    work.allow(job);
    const own = pieces.get(index);
    believed = own !== undefined;
    const theirs = one.descriptor.segments[index];
    return !own || (theirs !== undefined && equal(await crypto.digest(own.bytes), theirs.digest));
  };
  const look = async (): Promise<void> => {
    for (const claim of await claims.list()) {
      const one = await claims.read(claim);
      if (one && (await isTrue(claim, one))) {
        found = { ...one, isNew: false };
        return;
      }
      claims.refuse(claim.group);
    }
    await describe();
  };
  /** What helpers made of it is lost, which they are not asked for twice otherwise. */
  const remake = (): void => {
    pieces.clear();
    work.forget(group.key);
  };
  /** It is not what it should be, or not to be had: it is made here instead. */
  const refuse = ({ key }: Found): void => {
    claims.refuse(key);
    found = null;
    keeping = false;
    good.clear();
    phase = 'new';
    remake();
    changed();
  };

  const readFound = async (one: Found, index: number, reading: AbortSignal): Promise<Bytes | null> => {
    try {
      const bytes = await node.segments.get({ group: one.key, segment: index, urgency: 0 }, reading);
      if (good.has(index)) return bytes;
      const header = options.header() ?? new Uint8Array();
      const problem = await options.problemOf(jobAt(index), { init: header, bytes }, reading);
      if (problem === null) {
        good.add(index);
        // Words grow old: who has seen all of it gives its own.
        if (good.size === count && believed) void node.made.vouch(topic, one.key).catch(() => undefined);
        return bytes;
      }
    } catch (error) {
      if (reading.aborted) throw error;
    }
    if (found === one) refuse(one);
    return null;
  };

  const write = async (): Promise<void> => {
    const all = [...pieces].sort(([a], [b]) => a - b);
    const isWhole = (): boolean => all.length === count && all.every(([index, piece]) => pieces.get(index) === piece);
    await unsaid;
    const segments = await Promise.all(all.map(async ([, { bytes }]) => ({ bytes, digest: await crypto.digest(bytes) })));
    const header = options.header();
    const packed =
      header && packMade(crypto, { segments, init: { bytes: header, digest: await crypto.digest(header) }, durations: group.durations });
    if (!packed) return;
    const { key, encoded } = packed;
    for (const [index, bytes] of packed.pieces.entries()) await node.groups.put({ group: key, encoded, index, bytes, role: 'seen' });
    const { descriptor } = await node.segments.descriptor(key, signal);
    if (!isWhole()) return; // One was taken back meanwhile.
    found = { key, descriptor, isNew: true };
    for (const index of group.durations.keys()) good.add(index);
    pieces.clear();
    changed();
    const makers = work.makers(group.key);
    // One helper's work is that one's word, which it gives itself: two would look like two that agree.
    const isOwnWord = work.isProved(group.key);
    await Promise.allSettled([node.announce(key, signal), ...(isOwnWord ? [node.made.vouch(topic, key)] : [])]);
    const candidates = node.links().flatMap(({ id, contact }) => (makers.includes(id) ? [contact] : []));
    await node.copies.offer(key, { disks: [], candidates, wanted: candidates.length, signal });
  };

  /** It was kept already: its other pieces still count. */
  const bringBack = async ({ key }: Found): Promise<void> => {
    let isLost = false;
    for (const index of group.durations.keys()) {
      const bytes = await node.groups.segment(key, index).catch(() => null);
      const header = options.header();
      if (gone.has(index) || pieces.has(index)) continue;
      if (bytes && header) pieces.set(index, { init: header, bytes });
      else isLost = true;
    }
    if (isLost) remake();
    unsaid = Promise.allSettled([unsaid, node.groups.remove(key), node.made.vouch(topic, null)]);
  };

  return {
    reference: { key: topic, durations: group.durations },
    first: options.first,
    source: group.key,
    get phase() {
      return phase;
    },
    get failures() {
      return failures;
    },
    get found() {
      return found?.isNew === false;
    },
    get held() {
      return pieces.size;
    },
    missing() {
      if (!source || found) return [];
      if (phase === 'opening') return spot === null || pieces.has(spot) ? [] : [jobAt(spot)];
      return [...group.durations.keys()].filter((index) => !pieces.has(index)).map(jobAt);
    },
    has: (index) => found !== null || (phase === 'open' && pieces.has(index)),
    async open() {
      if (phase !== 'new') return;
      phase = 'opening';
      try {
        await look();
        phase = 'open';
        failures = 0;
      } catch {
        phase = 'new';
        failures++;
      }
      changed();
    },
    wake,
    async read(index, reading) {
      if (found) return readFound(found, index, reading);
      const piece = phase === 'open' ? pieces.get(index) : undefined;
      return piece ? piece.bytes.slice() : null;
    },
    made(index, made) {
      gone.delete(index);
      if (!found) pieces.set(index, made);
      changed();
    },
    async dropped(index) {
      const before = found;
      found = null;
      keeping = false;
      good.clear();
      pieces.delete(index);
      gone.add(index);
      if (before) await bringBack(before);
      changed();
    },
    async keep() {
      if (keeping || found || phase !== 'open' || pieces.size < count) return;
      keeping = true;
      await write().catch(() => undefined); // It plays from memory all the same, and is not tried again.
    },
    clear() {
      pieces.clear();
    },
  };
}
