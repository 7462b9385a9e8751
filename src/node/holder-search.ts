/** Looks for who holds a group, in the network and among the linked tabs. */
import { toHex } from '../base/bytes.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { type Holder, readHolder } from './holders.ts';
import type { Link } from './link.ts';
import type { Overlay } from './overlay.ts';

export interface HolderSearch {
  /** Who has said, signed, that it holds a group. */
  claimsOf(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined>;
  /** The same; where nobody says so who is linked, also linked tabs that turn out to have at least a part of it. */
  holdersOf(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined>;
}

/** Linked tabs that are asked for a group when no holder is known. */
const MAX_GUESSES = 8;

export function createHolderSearch(options: {
  self: NodeId;
  clock: Clock;
  crypto: Crypto;
  overlay: Pick<Overlay, 'findEntries'>;
  links: () => readonly Link[];
}): HolderSearch {
  const { self, clock, crypto } = options;

  async function* claimsOf(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined> {
    for await (const entry of options.overlay.findEntries(group, { signal })) {
      const holder = readHolder(crypto, entry, { group, now: clock.now() });
      if (holder && holder.contact.id !== self) yield holder;
    }
  }

  async function* holdersOf(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined> {
    const claimed = new Set<NodeId>();
    for await (const holder of claimsOf(group, signal)) {
      claimed.add(holder.contact.id);
      yield holder;
    }
    if (options.links().some((link) => claimed.has(link.id))) return;
    const tabs = options.links().filter((link) => link.contact.open === null);
    const answers = tabs.slice(0, MAX_GUESSES).map((link) =>
      link.call('DESCRIBE', { group }, { signal }).then(
        () => link,
        () => null,
      ),
    );
    for (const answer of answers) {
      const link = await answer;
      if (link) yield { contact: link.contact, storeId: toHex(link.storeId), expires: clock.now() };
    }
  }

  return { claimsOf, holdersOf };
}
