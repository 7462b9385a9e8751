/** The duty to keep copies: takes groups that others offer, tells the network what is here, and serves it (design §6). */
import { type Bytes, copy } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { decode } from '../base/schema.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type GroupDescriptor, groupDescriptorSchema } from '../media/manifest.ts';
import { type GroupStore, isSegment } from './group-store.ts';
import type { Handlers } from './handlers.ts';
import type { Link } from './link.ts';

export interface Keeper {
  readonly handlers: Pick<Handlers, 'OFFER' | 'DESCRIBE' | 'FETCH'>;
  /** Media bytes sent to others. */
  readonly served: number;
  close(): void;
}

export interface KeeperOptions {
  readonly crypto: Crypto;
  readonly groups: GroupStore;
  /** False: this node keeps nobody's video. */
  readonly keeps: boolean;
  /** Tells the network that this node holds a group. */
  readonly announce: (group: Key) => Promise<unknown>;
  /** Called after each segment is handed to a link. */
  readonly onServed?: (bytes: number) => void;
}

/** Offered groups that are fetched at once: more would only share the same line. */
const MAX_TAKING = 3;
/** Offered groups that wait their turn, from everybody; a 3-hour video has about 540. */
const MAX_WAITING = 1024;
/** Urgency of copying: playing goes first. */
const COPY_URGENCY = 200;

interface Offered {
  readonly link: Link;
  readonly group: Key;
  readonly encoded: Bytes;
  readonly descriptor: GroupDescriptor;
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { crypto, groups } = options;
  const waiting: Offered[] = [];
  const closing = new AbortController();
  let taking = 0;
  let served = 0;

  const pump = (): void => {
    while (taking < MAX_TAKING) {
      const next = waiting.shift();
      if (!next) return;
      taking++;
      void take(next).finally(() => {
        taking--;
        pump();
      });
    }
  };

  /** Fetches a group from who offered it, says what came of it, and tells the network. */
  const take = async (offered: Offered): Promise<void> => {
    const { link, group } = offered;
    const verdict = await fetchAll(offered).then(
      () => ({ kept: true, reason: '' }),
      (error: unknown) => ({ kept: false, reason: asKadreelError(error).message.slice(0, 30) }),
    );
    if (verdict.kept) await options.announce(group).catch(() => undefined);
    await link.call('KEPT', { group, ...verdict }).catch(() => undefined);
  };

  const fetchAll = async ({ link, group, encoded, descriptor }: Offered): Promise<void> => {
    for (const [index, segment] of descriptor.segments.entries()) {
      if (closing.signal.aborted) throw fail('closed', 'This node is leaving.');
      if (await groups.segment(group, index)) continue;
      const bytes = await link.fetch({ group, segment: index, size: segment.size, urgency: COPY_URGENCY }, { signal: closing.signal });
      if (!(await isSegment(crypto, bytes, segment))) throw fail('corrupt', 'The bytes do not match their hash.');
      await groups.put({ group, encoded, index, bytes, role: 'kept' });
    }
  };

  return {
    get served() {
      return served;
    },
    handlers: {
      async OFFER({ group, descriptor: bytes }, { link, relayed }) {
        if (!options.keeps) throw fail('refused', 'This node keeps no videos.');
        if (relayed) throw fail('refused', 'Offers need a link.');
        const encoded = copy(bytes);
        const descriptor = hashKey(crypto, encoded) === group ? decode(groupDescriptorSchema, encoded) : null;
        if (!descriptor || !isReasonable(descriptor)) throw fail('invalid', 'That is no group.');
        if ((await groups.get(group))?.complete) {
          void options.announce(group).catch(() => undefined);
          return { kept: true };
        }
        if (waiting.length >= MAX_WAITING) throw fail('refused', 'Too many offers are waiting here.');
        waiting.push({ link, group, encoded, descriptor });
        pump();
        return { kept: false };
      },
      async DESCRIBE({ group }) {
        const stored = await groups.get(group);
        if (!stored) throw fail('not-found', 'I do not keep that group.');
        return { descriptor: stored.encoded };
      },
      async FETCH({ group, segment, offset, window, urgency }, { stream }) {
        if (!stream) throw fail('refused', 'Segments go over a link of their own, not through others.');
        const bytes = await groups.segment(group, segment);
        if (!bytes) throw fail('not-found', 'I do not keep that segment.');
        if (offset > bytes.length) throw fail('invalid', 'The segment is shorter than that.');
        void groups.touch(group).catch(() => undefined);
        served += bytes.length - offset;
        options.onServed?.(bytes.length - offset);
        stream({ bytes: bytes.subarray(offset), credit: window, urgency });
        return { size: bytes.length - offset };
      },
    },
    close() {
      closing.abort(fail('closed', 'This node is leaving.'));
      waiting.length = 0;
    },
  };
}

/** A group within its limits, and not an empty one. */
function isReasonable({ segments }: GroupDescriptor): boolean {
  const bytes = segments.reduce((sum, segment) => sum + segment.size, 0);
  const duration = segments.reduce((sum, segment) => sum + segment.duration, 0);
  const one = segments.length === 1;
  return segments.length > 0 && bytes > 0 && bytes <= LIMITS.group && (one || duration <= LIMITS.groupSeconds * 1000);
}
