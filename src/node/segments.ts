/**
 * Segments from wherever they are: this disk, else a holder. What comes is checked against the group's descriptor before anybody
 * sees it; a holder that sends other bytes is dropped and the next one is asked (design §8).
 */
import { type Bytes, copy } from '../base/bytes.ts';
import { asKadreelError, fail, hasCode } from '../base/errors.ts';
import type { Cancel, Clock, Crypto } from '../base/ports.ts';
import { decode } from '../base/schema.ts';
import { abortError, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import { hashKey, type Key, type NodeId } from '../kademlia/key.ts';
import { type GroupDescriptor, groupDescriptorSchema } from '../media/manifest.ts';
import { type GroupStore, isSegment } from './group-store.ts';
import { createHolderDirectory } from './holder-directory.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';
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
  /** A group's descriptor, from this disk or a holder. */
  descriptor(group: Key, signal: AbortSignal): Promise<{ descriptor: GroupDescriptor; encoded: Bytes }>;
  /** Finds out who holds a group, so that a later `get` does not wait for it. */
  locate(group: Key, signal: AbortSignal): Promise<readonly Holder[]>;
  /** Media bytes got since start, each segment once, by where it came from. */
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

/** Segments whose bytes are remembered as counted: 10 hours of two renditions. */
const MAX_COUNTED = 20_000;
/** Descriptors of others' groups that are remembered. */
const MAX_DESCRIPTORS = 256;

interface Shared {
  readonly promise: Promise<Bytes>;
  readonly abort: AbortController;
  users: number;
}

export function createSegments(options: SegmentsOptions): Segments {
  const { clock, crypto, groups, settings } = options;
  const directory = createHolderDirectory(options);
  const descriptors = new Map<Key, { descriptor: GroupDescriptor; encoded: Bytes }>();
  const fetching = new Map<string, Shared>();
  const received = { store: 0, tabs: 0, openNodes: 0 };
  /** Segments that are counted already. */
  const counted = new Set<string>();

  const countRead = (name: string, bytes: number): void => {
    if (counted.has(name)) return;
    counted.add(name);
    trim(counted, MAX_COUNTED);
    received.store += bytes;
  };

  const describeAt = async (link: Link, group: Key, signal: AbortSignal): Promise<{ descriptor: GroupDescriptor; encoded: Bytes }> => {
    const present = descriptors.get(group);
    if (present) return present;
    const { descriptor: bytes } = await link.call('DESCRIBE', { group }, { signal });
    const encoded = copy(bytes);
    const descriptor = hashKey(crypto, encoded) === group ? decode(groupDescriptorSchema, encoded) : null;
    if (!descriptor) throw fail('corrupt', 'A holder sent a descriptor that does not match its hash.');
    const result = { descriptor, encoded };
    descriptors.set(group, result);
    trim(descriptors, MAX_DESCRIPTORS);
    return result;
  };

  /** One try at one holder. */
  const fetchFrom = async (holder: Holder, request: SegmentRequest, at: { signal: AbortSignal; onFirst: () => void }): Promise<Bytes> => {
    const { id } = holder.contact;
    const link = await options.connect(holder.contact, at.signal);
    const { descriptor, encoded } = await describeAt(link, request.group, at.signal);
    const wanted = descriptor.segments[request.segment];
    if (!wanted) throw fail('invalid', 'The group has no such segment.');
    const ended = directory.began(id, wanted.size);
    try {
      const bytes = await link.fetch({ ...request, size: wanted.size }, { signal: at.signal, onBytes: at.onFirst });
      if (!(await isSegment(crypto, bytes, wanted))) throw fail('corrupt', 'A holder sent bytes that do not match their hash.');
      counted.add(nameOf(request));
      trim(counted, MAX_COUNTED);
      if (holder.contact.open) received.openNodes += bytes.length;
      else received.tabs += bytes.length;
      directory.succeeded(id);
      await keep(request, encoded, bytes);
      return bytes;
    } finally {
      ended();
    }
  };

  /** A full disk must not stop the picture: what can't be kept is played all the same. */
  const keep = async (request: SegmentRequest, encoded: Bytes, bytes: Bytes): Promise<void> => {
    try {
      const completed = await groups.put({ group: request.group, encoded, index: request.segment, bytes, role: 'seen' });
      if (completed) options.onComplete(request.group);
    } catch (error) {
      if (!hasCode(error, 'quota')) throw error;
    }
  };

  /** Asks holder after holder; the next one already when the present one is late. The first good answer wins and cancels the rest. */
  const fetchSegment = async (request: SegmentRequest, signal: AbortSignal): Promise<Bytes> => {
    const winner = new AbortController();
    const onAbort = (): void => winner.abort(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const running = new Set<Promise<Bytes | null>>();
    let problem = fail('not-found', 'Nobody in the network is known to keep this part of the video now.');
    try {
      for await (const holder of directory.candidates(request.group, winner.signal)) {
        const late = lateness(clock, settings.hedgeDelay);
        const attempt = fetchFrom(holder, request, { signal: winner.signal, onFirst: late.cancel }).catch((error: unknown) => {
          if (!winner.signal.aborted) {
            directory.failed(holder.contact.id, error);
            problem = asKadreelError(error);
          }
          return null;
        });
        running.add(attempt);
        void attempt.finally(() => running.delete(attempt));
        const bytes = await Promise.race([...running, late.promise]);
        late.cancel();
        if (signal.aborted) throw abortError(signal);
        if (bytes) return bytes;
      }
      while (running.size > 0) {
        const bytes = await orAbort(Promise.race(running), signal);
        if (bytes) return bytes;
      }
      throw problem;
    } finally {
      signal.removeEventListener('abort', onAbort);
      winner.abort(fail('aborted', 'Another holder was faster.'));
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
        shared.abort.abort(fail('aborted', 'Nobody waits for it any more.'));
      }
    }
  };

  return {
    received,
    get corrupt() {
      return directory.corrupt;
    },
    async get(request, signal) {
      const here = await groups.segment(request.group, request.segment);
      if (here) {
        countRead(nameOf(request), here.length);
        void groups.touch(request.group).catch(() => undefined);
        return here;
      }
      return share(request, signal);
    },
    async prefetch(request, signal) {
      if (!(await groups.segment(request.group, request.segment))) await share(request, signal);
    },
    readElsewhere({ group, segment, bytes }) {
      countRead(nameOf({ group, segment }), bytes);
      void groups.touch(group).catch(() => undefined);
    },
    async descriptor(group, signal) {
      const here = await groups.get(group);
      if (here) return { descriptor: here.descriptor, encoded: here.encoded };
      const present = descriptors.get(group);
      if (present) return present;
      let problem = fail('not-found', 'Nobody in the network is known to keep this part of the video now.');
      for await (const holder of directory.candidates(group, signal)) {
        try {
          return await describeAt(await options.connect(holder.contact, signal), group, signal);
        } catch (error) {
          if (signal.aborted) throw abortError(signal);
          directory.failed(holder.contact.id, error);
          problem = asKadreelError(error);
        }
      }
      throw problem;
    },
    locate: (group, signal) => directory.locate(group, signal),
  };
}

function nameOf({ group, segment }: { group: Key; segment: number }): string {
  return `${group}/${segment}`;
}

/** Resolves with null after `ms`, unless cancelled before: then never. */
function lateness(clock: Clock, ms: number): { promise: Promise<null>; cancel: Cancel } {
  let cancel: Cancel = () => undefined;
  const promise = new Promise<null>((resolve) => {
    cancel = clock.after(ms, () => resolve(null));
  });
  return { promise, cancel };
}
