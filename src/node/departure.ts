/** Leaving for good: what this node keeps is with others before it says goodbye (design §6). */
import type { Clock } from '../base/ports.ts';
import { deadline, orAbort } from '../base/timing.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Copies } from './copies.ts';
import type { CountCopies } from './copy-count.ts';
import type { CopyIndex } from './copy-index.ts';
import { inTurn } from './in-turn.ts';
import type { ItemStore } from './item-store.ts';
import type { Link } from './link.ts';
import { placementOf } from './placement.ts';
import type { NodeSettings } from './settings.ts';
import type { TokenBook } from './token-book.ts';

export interface Departure {
  /** Gives others what would have too few copies without this node, the most endangered first, for `ms` at most. Tells how many groups have enough then, of how many. */
  handOver(ms: number): Promise<{ readonly groups: number; readonly safe: number }>;
}

export interface DepartureOptions {
  readonly clock: Clock;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly index: CopyIndex;
  readonly count: CountCopies;
  readonly copies: Copies;
  readonly items: Pick<ItemStore, 'keys' | 'all'>;
  readonly tokenBook: TokenBook;
  readonly link: (id: NodeId) => Link | null;
}

export function createDeparture(options: DepartureOptions): Departure {
  const { settings, table, index, items } = options;
  const othersOf = (group: Key): ReadonlySet<string> => options.count(group, table.isLinked).others;

  const giveGroups = async (needy: readonly Key[], { onSafe, signal }: { onSafe: () => void; signal: AbortSignal }): Promise<void> =>
    inTurn(needy, signal, async (group) => {
      // Those to whom there is a link: there is no time to open others.
      const candidates = table.closestLinked(group, settings.budget);
      const present = await options.copies.offer(group, { disks: othersOf(group), candidates, wanted: settings.copies, signal });
      if (present >= settings.copies) onSafe();
    });

  /** What is stored with the k nearest goes to the one that takes our place among them. */
  const giveItems = async (signal: AbortSignal): Promise<void> => {
    const near = (await items.keys()).filter(({ key }) => placementOf(table, key, settings.k).near);
    await inTurn(near, signal, async ({ key, want }) => {
      const next = table.closestLinked(key, settings.k)[settings.k - 1];
      const link = next && options.link(next.id);
      if (!link) return; // With fewer neighbours than k, all of them have it.
      for (const { item, life } of await items.all(key, want)) {
        await options.tokenBook.store(link, { key, item, replicas: 1, life }, { signal });
      }
    });
  };

  return {
    async handOver(ms) {
      const all = index.groups().map((group) => ({ group, others: othersOf(group).size }));
      const needy = all.filter(({ others }) => others < settings.copies).sort((a, b) => a.others - b.others);
      let safe = all.length - needy.length;
      const limit = deadline(options.clock, ms);
      const onSafe = (): void => void safe++;
      const given = [
        giveGroups(
          needy.map(({ group }) => group),
          { onSafe, signal: limit.signal },
        ),
        giveItems(limit.signal),
      ];
      await orAbort(Promise.all(given), limit.signal).catch(() => undefined); // What is not given by then is left to the others' repair.
      limit.done();
      return { groups: all.length, safe };
    },
  };
}
