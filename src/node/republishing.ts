/** Keeps small items where they belong while nodes come and go (Kademlia paper §2.5; docs/protocol.md, rules S12 to S16). */
import type { Cancel, Clock } from '../base/ports.ts';
import { compareDistance, type Key, type NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { openEntry } from '../records/entry.ts';
import { lifeAt } from '../records/expiry.ts';
import type { Want } from '../wire/messages.ts';
import { inTurn } from './in-turn.ts';
import type { ItemStore, KeptItem } from './item-store.ts';
import type { Link } from './link.ts';
import type { Overlay } from './overlay.ts';
import { placementOf } from './placement.ts';
import type { NodeSettings } from './settings.ts';
import type { Spreading, StoredItem } from './spreading.ts';
import type { TokenBook } from './token-book.ts';
import { trim } from './trim.ts';

export interface Republishing {
  /** Stores again what is due: the node nearest to a key after an hour, the others later, when it did not. Called every few minutes. */
  republish(signal: AbortSignal): Promise<void>;
  /** A node was linked: gives it what belongs to it, or, if it was linked before, what changed here since. */
  handOver(link: Link, signal: AbortSignal): Promise<void>;
  /** The link to a node ended. */
  lost(id: NodeId): void;
  /** A hand over brought something new, over a link that began then (ms): the others near get it as well, soon. */
  news(stored: StoredItem, since: number): void;
  /** Idempotent. */
  close(): void;
}

export interface RepublishingOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly overlay: Pick<Overlay, 'storeAll'>;
  readonly items: ItemStore;
  readonly tokenBook: TokenBook;
  readonly spreading: Pick<Spreading, 'spread'>;
}

/** Nodes of which it is remembered when they were given what belongs to them. */
const MAX_HANDED = 1024;
/** Each node that is nearer makes one wait this part of the interval longer, up to so many: it has time to do it first. */
const WAIT_FOR_NEARER = 1 / 8;
const MOST_NEARER = 8;
/** Keys that became due together are spread over this part of the interval. */
const SPREAD = 1 / 8;
/** A link may have been dead for some seconds before it was closed, ms: what was sent then did not arrive. */
const UNNOTICED = 30_000;
/** Entries are handed over again when they were written so long, ms, before the link ended: clocks differ, and some are stored late. */
const LATE_ENTRY = 600_000;
/** From a hand over to its spreading, ms: what comes together is spread together. */
const NEWS_DELAY = 2_000;
/** Things that wait to be spread at most; the rest waits for republishing. */
const MAX_NEWS = 1024;

interface Row {
  readonly key: Key;
  readonly want: Want;
}

export function createRepublishing(options: RepublishingOptions): Republishing {
  const { clock, settings, table, overlay, items } = options;
  const began = clock.now();
  /** Since when, ms, a node may have missed what was stored; infinite while it is linked. */
  const handed = new Map<NodeId, number>();
  const closing = new AbortController();
  let news: { readonly stored: StoredItem; readonly since: number }[] = [];
  let cancelNews: Cancel = () => undefined;

  /** When, ms, a row is to be stored again by a node that so many others are nearer than. What is on the disk from before comes in the first hour. */
  const dueAt = ({ key, want }: Row, rank: number): number => {
    const interval = settings.republishInterval;
    const share = Number.parseInt(key.slice(-4), 16) / 0x1_0000;
    const stored = items.storedAt(key, want);
    const base = stored === null ? began + interval * (share - 1) : stored + interval * SPREAD * share;
    return base + interval * (1 + WAIT_FOR_NEARER * Math.min(rank, MOST_NEARER));
  };

  /** What nobody else renews: a writer stores its own entries again every hour. */
  const unrenewed = ({ item }: KeptItem): boolean =>
    item.type !== 'entry' || (openEntry(item.signed)?.body.time ?? 0) <= clock.now() - settings.republishInterval;

  const storeAgain = async (row: Row, signal: AbortSignal): Promise<void> => {
    const { key, want } = row;
    const kept = (await items.all(key, want)).filter(unrenewed);
    const stored = kept.length > 0 ? await overlay.storeAll(key, kept, signal) : 0;
    items.touch(key, want);
    const { near, bits } = placementOf(table, key, settings.k);
    // Those whose duty it is have it: what is here is one copy more, for those who ask on the way.
    if (!near && stored > settings.k / 2) await items.release(key, want, lifeAt(Math.max(1, bits)));
  };

  /** True when the node is among the k nearest to a key, and of the others nobody we are linked to is nearer than we are: so only one hands it over. */
  const isOursToGive = (key: Key, to: NodeId): boolean => {
    const nearest = table.closestLinked(key, settings.k);
    const rival = nearest.find(({ id }) => id !== to);
    return nearest.some(({ id }) => id === to) && (!rival || compareDistance(key, options.self, rival.id) < 0);
  };

  const give = async (link: Link, { key, want, since, signal }: Row & { since: number | null; signal: AbortSignal }): Promise<void> => {
    const changed = items.changedAt(key, want);
    // To somebody new, what has been here for long is no news that others need.
    const isNews = since !== null || (changed !== null && changed > clock.now() - settings.republishInterval);
    for (const { item, life } of await items.all(key, want)) {
      if (link.closed || signal.aborted) return;
      if (since !== null && item.type === 'entry' && (openEntry(item.signed)?.body.time ?? 0) < since - LATE_ENTRY) continue;
      await options.tokenBook.store(link, { key, item, replicas: isNews ? 0 : 1, life }, {}).catch(() => undefined); // republishing does it again
    }
  };

  /**
   * The nearest stores it on all who are near. Another one passes it on to those that it was linked to before the one who brought it: they
   * may have been cut off from that side together with us.
   */
  const spreadNews = async (): Promise<void> => {
    const all = news;
    news = [];
    await inTurn(all, closing.signal, async ({ stored, since }) => {
      if (placementOf(table, stored.key, settings.k).rank === 0) await overlay.storeAll(stored.key, [stored], closing.signal);
      else await options.spreading.spread({ ...stored, replicas: settings.k }, { linkedBefore: since });
    });
  };

  return {
    async republish(signal) {
      const now = clock.now();
      const due = (await items.keys()).filter(
        (row) => dueAt(row, 0) <= now && dueAt(row, placementOf(table, row.key, settings.k).rank) <= now,
      );
      await inTurn(due, signal, (row) => storeAgain(row, signal));
    },
    async handOver(link, signal) {
      const since = handed.get(link.id) ?? null;
      handed.delete(link.id);
      handed.set(link.id, Number.POSITIVE_INFINITY);
      trim(handed, MAX_HANDED);
      const rows = (await items.keys()).filter(
        ({ key, want }) => (since === null || (items.changedAt(key, want) ?? 0) > since) && isOursToGive(key, link.id),
      );
      await inTurn(rows, signal, (row) => give(link, { ...row, since, signal }));
    },
    lost(id) {
      if (handed.has(id)) handed.set(id, clock.now() - UNNOTICED);
    },
    news(stored, since) {
      if (closing.signal.aborted || news.length >= MAX_NEWS) return;
      if (news.length === 0) cancelNews = clock.after(NEWS_DELAY, () => void spreadNews());
      news.push({ stored, since });
    },
    close() {
      closing.abort();
      cancelNews();
      news = [];
    },
  };
}
