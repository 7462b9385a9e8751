/**
 * Segments from wherever they are: this disk, else a holder. What comes is checked against the group's descriptor before anybody
 * sees it; a holder that sends other bytes is dropped and the next one is asked (design §8).
 */
import { type Bytes, copy } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import { abortError, deferred, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import { hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import { decodeGroup } from '../media/group.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import { type GroupStore, isSegment } from './group-store.ts';
import { createHolderDirectory } from './holder-directory.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';
import { type Pace, watchPace } from './pace.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Segments {
  /**
   * The bytes of a segment. Rejects with `not-found` (nobody is known to have it), `unreachable` (nobody who has it can be
   * reached now), `corrupt`, `aborted` or `timeout`. What was fetched is kept as `role`.
   */
  get(request: SegmentRequest, signal: AbortSignal): Promise<Bytes>;
  /** Gets a segment that is not here yet, so that a later `get` finds it. */
  prefetch(request: SegmentRequest, signal: AbortSignal): Promise<void>;
  /** Somebody else read a segment from this disk for our player: it counts as got from the store, unless we had just fetched it. */
  readElsewhere(segment: { group: Key; segment: number; bytes: number }): void;
  /** A player starts anew: what it reads from this disk from now on counts again. */
  countAnew(): void;
  /** A node was linked that may have what nobody had. */
  arrived(): void;
  /** A group's descriptor, from this disk or a holder. */
  descriptor(group: Key, signal: AbortSignal): Promise<{ descriptor: GroupDescriptor; encoded: Bytes }>;
  /** Finds out who holds a group, so that a later `get` does not wait for it. */
  locate(group: Key, signal: AbortSignal): Promise<readonly Holder[]>;
  /** Media bytes got since start, each segment once for each playing, by where it came from. */
  readonly received: { readonly store: number; readonly tabs: number; readonly openNodes: number };
  /** Holders that were dropped for wrong bytes. */
  readonly corrupt: number;
}

export interface SegmentRequest {
  readonly group: Key;
  readonly segment: number;
  /** 0 is needed first. */
  readonly urgency: number;
}

export interface SegmentsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly groups: GroupStore;
  readonly storeId: Bytes;
  readonly self: NodeId;
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly connect: (contact: Contact, signal: AbortSignal) => Promise<Link>;
  readonly linked: (id: NodeId) => Link | null;
  /** A whole group is here now that was not before. */
  readonly onComplete: (group: Key) => void;
}

/** Segments that may be on their way to the disk before a transfer waits for it: some 16 MB at usual bitrates. */
const MAX_KEEPING = 8;
/** Segments whose bytes are remembered as counted: 10 hours of two renditions. */
const MAX_COUNTED = 20_000;
/** Descriptors of others' groups that are remembered. */
const MAX_DESCRIPTORS = 256;

/** What ends a transfer; made once, as making an error costs more than ending one. */
const FETCHED = fail('aborted', 'Another holder was faster.');
const UNWANTED = fail('aborted', 'Nobody waits for it any more.');

type DescribedGroup = { readonly descriptor: GroupDescriptor; readonly encoded: Bytes };

interface Shared {
  readonly promise: Promise<Bytes>;
  readonly abort: AbortController;
  users: number;
}

export function createSegments(options: SegmentsOptions): Segments {
  const { clock, crypto, groups, settings } = options;
  const directory = createHolderDirectory(options);
  const descriptors = new Map<Key, DescribedGroup>();
  const fetching = new Map<string, Shared>();
  const received = { store: 0, tabs: 0, openNodes: 0 };
  /** Segments on their way to the disk. */
  const keeping = new Map<string, Bytes>();
  /** Segments that are counted already. */
  const counted = new Set<string>();

  const countRead = (name: string, bytes: number): void => {
    if (counted.has(name)) return;
    counted.add(name);
    trim(counted, MAX_COUNTED);
    received.store += bytes;
  };

  /** From this disk, from memory, else from a holder. */
  const describeAt = async (link: Link, group: Key, signal: AbortSignal): Promise<DescribedGroup> => {
    const present = await described(group);
    if (present) return present;
    const { descriptor: bytes } = await link.call('DESCRIBE', { group }, { signal });
    const encoded = copy(bytes);
    const descriptor = hashKey(crypto, encoded) === group ? decodeGroup(encoded) : null;
    if (!descriptor) throw fail('corrupt', 'A holder sent a descriptor that does not match its hash.');
    const result = { descriptor, encoded };
    descriptors.set(group, result);
    trim(descriptors, MAX_DESCRIPTORS);
    return result;
  };

  const described = async (group: Key): Promise<DescribedGroup | null> => descriptors.get(group) ?? (await groups.get(group));

  /** One try at one holder. */
  const fetchFrom = async (
    holder: Holder,
    request: SegmentRequest,
    at: { signal: AbortSignal; onBytes: (bytes: number) => void },
  ): Promise<Bytes> => {
    const { id } = holder.contact;
    const link = await options.connect(holder.contact, at.signal);
    const { descriptor, encoded } = await describeAt(link, request.group, at.signal);
    const wanted = descriptor.segments[request.segment];
    if (!wanted) throw fail('invalid', 'The group has no such segment.');
    const ended = directory.began(id, wanted.size);
    let whole = false;
    try {
      const bytes = await link.fetch({ ...request, size: wanted.size }, at);
      if (!(await isSegment(crypto, bytes, wanted))) throw fail('corrupt', 'A holder sent bytes that do not match their hash.');
      whole = true;
      directory.succeeded(request.group, id);
      if (at.signal.aborted) throw abortError(at.signal);
      countFetched(nameOf(request), link, bytes.length);
      const kept = keep(request, encoded, bytes);
      // The disk is slower than the player needs it; it only must not fall behind for good.
      if (keeping.size > MAX_KEEPING) await kept;
      return bytes;
    } finally {
      ended(whole);
    }
  };

  const countFetched = (name: string, link: Link, bytes: number): void => {
    if (counted.has(name)) return;
    counted.add(name);
    trim(counted, MAX_COUNTED);
    if (link.contact.open) received.openNodes += bytes;
    else received.tabs += bytes;
  };

  /** A full or broken disk must not stop the picture, nor count against the holder: what can't be kept is played all the same. */
  const keep = async (request: SegmentRequest, encoded: Bytes, bytes: Bytes): Promise<void> => {
    const name = nameOf(request);
    keeping.set(name, bytes);
    const completed = await groups.put({ group: request.group, encoded, index: request.segment, bytes, role: 'seen' }).catch(() => false);
    keeping.delete(name);
    if (completed) options.onComplete(request.group);
  };

  /** What to say when nobody was asked, or before anybody failed. */
  const nobody = (group: Key): KadreelError =>
    directory.knows(group)
      ? fail('unreachable', 'Nobody who keeps this part of the video can be reached now. It is tried again.')
      : fail('not-found', 'Nobody in the network is known to keep this part of the video now.');

  /** Asks holder after holder; the next one already when the present ones are slow. The first good answer wins and ends the rest. */
  const fetchSegment = async (request: SegmentRequest, signal: AbortSignal): Promise<Bytes> => {
    const { group } = request;
    const over = new AbortController();
    const outcome = deferred<Bytes>();
    let problem: KadreelError | null = null;

    const ask = async (holder: Holder, pace: Pace): Promise<void> => {
      try {
        const bytes = await fetchFrom(holder, request, { signal: over.signal, onBytes: pace.moved });
        over.abort(FETCHED);
        outcome.resolve(bytes);
      } catch (error) {
        if (over.signal.aborted) return;
        problem = asKadreelError(error);
        directory.failed(group, holder.contact.id, error);
      } finally {
        pace.end();
      }
    };
    const askAll = async (): Promise<void> => {
      const asked: Promise<void>[] = [];
      for await (const holder of directory.candidates(group, over.signal)) {
        const pace = watchPace(clock, settings.hedgeDelay);
        asked.push(ask(holder, pace));
        await pace.slow;
        if (over.signal.aborted) return;
      }
      await Promise.all(asked);
      outcome.reject(problem ?? nobody(group));
    };

    askAll().catch(outcome.reject);
    try {
      return await orAbort(outcome.promise, signal);
    } finally {
      over.abort(FETCHED);
    }
  };

  const forget = (name: string, shared: Shared): void => {
    if (fetching.get(name) === shared) fetching.delete(name);
  };

  /** One transfer for all who want the same segment; it ends when the last of them has gone. */
  const share = async (request: SegmentRequest, signal: AbortSignal): Promise<Bytes> => {
    const name = nameOf(request);
    let shared = fetching.get(name);
    if (!shared) {
      const abort = new AbortController();
      const begun: Shared = { promise: quiet(fetchSegment(request, abort.signal).finally(() => forget(name, begun))), abort, users: 0 };
      shared = begun;
      fetching.set(name, shared);
    }
    shared.users++;
    try {
      return await orAbort(shared.promise, signal);
    } finally {
      shared.users--;
      if (shared.users === 0) {
        forget(name, shared);
        shared.abort.abort(UNWANTED);
      }
    }
  };

  return {
    received,
    get corrupt() {
      return directory.corrupt;
    },
    async get(request, signal) {
      // Copies, as whoever gets them may hand their buffer away.
      const arrived = keeping.get(nameOf(request));
      if (arrived) return arrived.slice();
      const here = await groups.segment(request.group, request.segment);
      if (!here) return (await share(request, signal)).slice();
      countRead(nameOf(request), here.length);
      void groups.touch(request.group).catch(() => undefined);
      return here;
    },
    async prefetch(request, signal) {
      if (keeping.has(nameOf(request)) || (await groups.segment(request.group, request.segment))) return;
      await share(request, signal);
    },
    countAnew: () => counted.clear(),
    arrived: directory.arrived,
    readElsewhere({ group, segment, bytes }) {
      countRead(nameOf({ group, segment }), bytes);
      void groups.touch(group).catch(() => undefined);
    },
    async descriptor(group, signal) {
      const present = await described(group);
      if (present) return present;
      let problem: KadreelError | null = null;
      for await (const holder of directory.candidates(group, signal)) {
        try {
          return await describeAt(await options.connect(holder.contact, signal), group, signal);
        } catch (error) {
          if (signal.aborted) throw abortError(signal);
          directory.failed(group, holder.contact.id, error);
          problem = asKadreelError(error);
        }
      }
      throw problem ?? nobody(group);
    },
    locate: (group, signal) => directory.locate(group, signal),
  };
}

function nameOf({ group, segment }: { group: Key; segment: number }): string {
  return `${group}/${segment}`;
}
