/** The duty to keep copies: takes groups that others offer, tells the network what is here, and serves it (design §6). */
import { type Bytes, copy } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import { deadline } from '../base/timing.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { decodeGroup, groupSize } from '../media/group.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import { KEEP_DEADLINE } from './copies.ts';
import { type GroupStore, isSegment } from './group-store.ts';
import type { Handlers } from './handlers.ts';
import type { Helpers } from './helpers.ts';
import { createOfferQueue, type Offered } from './offer-queue.ts';
import { shorten } from './shorten.ts';
import { trim } from './trim.ts';

export interface Keeper {
  readonly handlers: Pick<Handlers, 'OFFER' | 'DESCRIBE' | 'FETCH'>;
  close(): void;
}

export interface KeeperOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly groups: GroupStore;
  /** False: this node keeps nobody's video. */
  readonly keeps: boolean;
  /** Tells the network that this node holds a group. */
  readonly announce: (group: Key) => Promise<unknown>;
  /** What this node made itself, by its SHA-256: it need not be fetched. */
  readonly made?: (digest: Uint8Array) => Bytes | null;
  /** What a node shall not get from here. */
  readonly withholds?: Helpers['withholds'];
  /** An offered group is here, and the network is told so. */
  readonly onTaken?: (group: Key, descriptor: GroupDescriptor) => void;
}

/** Offered groups that are fetched at once: more would only share the same line. */
const MAX_TAKING = 3;
/** Urgency of copying: playing goes first. */
const COPY_URGENCY = 200;
/** Bytes of the reason in KEPT, as the protocol has it. */
const MAX_REASON = 100;
/** What is here already and is offered again is announced at most this often, ms: an OFFER is cheap, a lookup is not. */
const ANNOUNCE_INTERVAL = 600_000;
/** Groups of which it is remembered when they were announced. */
const MAX_ANNOUNCED = 1024;

export function createKeeper(options: KeeperOptions): Keeper {
  const { clock, crypto, groups } = options;
  const queue = createOfferQueue();
  const announced = new Map<Key, number>();
  const closing = new AbortController();
  let taking = 0;

  const pump = (): void => {
    while (taking < MAX_TAKING && !closing.signal.aborted) {
      const next = queue.next(clock.now());
      if (!next) return;
      taking++;
      void take(next).finally(() => {
        taking--;
        queue.done(next);
        pump();
      });
    }
  };

  /** Tells the network, unless it was told a while ago. Who looks for the group before it is known asks others. */
  const announce = async (group: Key, descriptor: GroupDescriptor): Promise<void> => {
    const now = clock.now();
    if ((announced.get(group) ?? Number.NEGATIVE_INFINITY) > now - ANNOUNCE_INTERVAL) return;
    announced.set(group, now);
    trim(announced, MAX_ANNOUNCED);
    options.onTaken?.(group, descriptor);
    await options.announce(group).catch(() => announced.delete(group));
  };

  /** Fetches a group from who offered it, tells the network, and says what came of it. Never rejects. */
  const take = async (offered: Offered): Promise<void> => {
    const { link, group } = offered;
    const verdict = await fetchAll(offered).then(
      () => ({ kept: true, reason: '' }),
      (error: unknown) => ({ kept: false, reason: shorten(asKadreelError(error).message, MAX_REASON) }),
    );
    if (verdict.kept) await announce(group, offered.descriptor);
    await link.call('KEPT', { group, ...verdict }).catch(() => undefined);
  };

  const fetchAll = async ({ link, group, encoded, descriptor, expires }: Offered): Promise<void> => {
    const limit = deadline(clock, expires - clock.now(), closing.signal);
    try {
      for (const [index, segment] of descriptor.segments.entries()) {
        if (await groups.segment(group, index)) continue;
        const request = { group, segment: index, size: segment.size, urgency: COPY_URGENCY };
        const bytes = options.made?.(segment.digest) ?? (await link.fetch(request, { signal: limit.signal }));
        if (!(await isSegment(crypto, bytes, segment))) throw fail('corrupt', 'The bytes do not match their hash.');
        await groups.put({ group, encoded, index, bytes, role: 'kept' });
      }
      await groups.adopt(group); // it may have been watched here
    } finally {
      limit.done();
    }
  };

  return {
    handlers: {
      async OFFER({ group, descriptor: bytes }, { link, relayed }) {
        if (!options.keeps) throw fail('refused', 'This node keeps no videos.');
        if (closing.signal.aborted) throw fail('refused', 'This node is leaving.');
        if (relayed) throw fail('refused', 'Offers need a link.');
        const encoded = copy(bytes);
        const descriptor = hashKey(crypto, encoded) === group ? decodeGroup(encoded) : null;
        if (!descriptor || isTooLong(descriptor)) throw fail('invalid', 'That is no group.');
        if (queue.has(group, link)) return { kept: false };
        if ((await groups.get(group))?.complete) {
          await groups.adopt(group);
          void announce(group, descriptor);
          return { kept: true };
        }
        if (await groups.isUnwanted(group)) throw fail('refused', 'It was removed here.');
        if (!queue.hasRoom(link)) throw fail('refused', 'Too many offers are waiting here.');
        const size = groupSize(descriptor);
        if ((await groups.room()) < queue.bytes + size) throw fail('refused', 'The space for other people’s videos is full.');
        queue.add({ link, group, encoded, descriptor, size, expires: clock.now() + KEEP_DEADLINE });
        pump();
        return { kept: false };
      },
      async DESCRIBE({ group }) {
        const stored = await groups.get(group);
        if (!stored) throw fail('not-found', 'I do not keep that group.');
        return { descriptor: stored.encoded };
      },
      async FETCH({ group, segment, offset, window, urgency }, { stream, from }) {
        if (!stream) throw fail('refused', 'Segments go over a link of their own, not through others.');
        const bytes = options.withholds?.(from.id, { group, segment }) ? null : await groups.segment(group, segment);
        if (!bytes) throw fail('not-found', 'I do not keep that segment.');
        if (offset > bytes.length) throw fail('invalid', 'The segment is shorter than that.');
        void groups.touch(group).catch(() => undefined);
        stream({ bytes: bytes.subarray(offset), credit: window, urgency });
        return { size: bytes.length - offset };
      },
    },
    close() {
      closing.abort(fail('closed', 'This node is leaving.'));
      queue.clear();
    },
  };
}

/** True for a group that spans more time than it may; a single longer segment may be a group of its own. */
function isTooLong({ segments }: GroupDescriptor): boolean {
  const duration = segments.reduce((sum, segment) => sum + segment.duration, 0);
  return segments.length > 1 && duration > LIMITS.groupSeconds * 1000;
}
