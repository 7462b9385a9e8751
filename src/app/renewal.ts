/** What was published here is stored in the network again and again, so that it does not expire while its publisher lives. */
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Clock } from '../base/ports.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { ITEM_LIFE, REPUBLISH_INTERVAL } from '../records/expiry.ts';
import { openRecord } from '../records/record.ts';
import type { Library, WithdrawnVideo } from './library.ts';

export interface Renewal {
  /** Ends it. Idempotent. */
  close(): void;
}

/** After the first link: the neighbourhood is known by then, ms. */
const SETTLING = 5_000;

export function createRenewal(options: { node: Pick<DhtNode, 'links' | 'onLinks'>; library: Library; clock: Clock }): Renewal {
  const { node, library, clock } = options;
  const closing = new AbortController();
  let due = clock.now();
  let cancel: Cancel | null = null;

  /** The oldest first: readers get the listings that were written last. A writer has so many of them at most. */
  const renew = async (): Promise<void> => {
    for (const video of await library.allWithdrawn()) {
      if (closing.signal.aborted) return;
      // Nobody has an older version any more that lives as long as that.
      if (clock.now() > timeOf(video) + ITEM_LIFE) await library.forgetWithdrawn(video.videoId);
      else await library.announceWithdrawn(video, closing.signal).catch(() => undefined);
    }
    const videos = await library.all();
    const listed = new Set(videos.slice(0, LIMITS.entriesPerWriter));
    for (const known of videos.toReversed()) {
      if (closing.signal.aborted) return;
      // It may have been changed, or taken off, while the others had their turn.
      const video = await library.get(known.videoId);
      if (!video) continue;
      // One that fails has its next turn; the others must not wait for it.
      await library.announce(video, closing.signal).catch(() => undefined);
      if (listed.has(known)) await library.list(video, closing.signal).catch(() => undefined);
    }
  };
  /** Without a link there is nobody to tell: it is done when one opens. */
  const plan = (): void => {
    if (node.links().length === 0) {
      cancel?.();
      cancel = null;
      return;
    }
    cancel ??= clock.after(Math.max(SETTLING, due - clock.now()), () => {
      cancel = null;
      due = clock.now() + REPUBLISH_INTERVAL;
      void renew().catch(() => undefined); // The disk does not answer: it is read again in an hour.
      plan();
    });
  };
  const unlisten = node.onLinks(plan);
  plan();

  return {
    close() {
      closing.abort();
      unlisten();
      cancel?.();
      cancel = null;
    },
  };
}

/** When it was taken off, ms since 1970. */
function timeOf({ record }: WithdrawnVideo): number {
  return openRecord(record)?.body.time ?? 0;
}
