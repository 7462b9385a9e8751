/** Who holds which group, as found of late, and whom to ask first. */
import { toHex } from '../base/bytes.ts';
import { hasCode } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { orAbort, quiet } from '../base/timing.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';
import { trim } from './trim.ts';

export interface HolderDirectory {
  /** Holders of a group one by one, the most promising first, while the lookup may still find more. */
  candidates(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined>;
  /** Looks for holders without asking any. */
  locate(group: Key, signal: AbortSignal): Promise<readonly Holder[]>;
  /** A transfer of so many bytes began at a holder; call the result when it has ended. */
  began(id: NodeId, bytes: number): () => void;
  succeeded(id: NodeId): void;
  /** A holder that sent wrong bytes (`corrupt`) is never asked again. */
  failed(id: NodeId, error: unknown): void;
  /** Holders that sent wrong bytes. */
  readonly corrupt: number;
}

export interface HolderDirectoryOptions {
  readonly clock: Clock;
  readonly self: NodeId;
  /** Nodes with the same one share our disk: there is nothing to get from them. */
  readonly storeId: Uint8Array;
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly linked: (id: NodeId) => Link | null;
}

/** Found holders are used this long before they are looked for anew, ms: a minute of playing needs no new lookup. */
const HOLDERS_FRESH = 60_000;
/** Groups whose holders are remembered. */
const MAX_GROUPS = 256;
/** Nodes whose failures are remembered. */
const MAX_NODES = 1024;
/** Holders of one group tried before giving up. */
const MAX_TRIES = 8;

interface Known {
  readonly holders: Map<NodeId, Holder>;
  readonly since: number;
  /** Each called once, at the next holder found or at the end. */
  readonly watchers: Set<() => void>;
  /** Settles when the lookup has ended. */
  looked: Promise<void>;
  looking: boolean;
}

export function createHolderDirectory(options: HolderDirectoryOptions): HolderDirectory {
  const { clock } = options;
  const known = new Map<Key, Known>();
  const banned = new Set<NodeId>();
  const failures = new Map<NodeId, number>();
  /** Bytes under way from each holder, for choosing the least loaded. */
  const load = new Map<NodeId, number>();
  const ownStore = toHex(options.storeId);
  let corrupt = 0;

  const wake = (entry: Known): void => {
    const watchers = [...entry.watchers];
    entry.watchers.clear();
    for (const watcher of watchers) watcher();
  };

  const look = async (group: Key, entry: Known): Promise<void> => {
    try {
      for await (const holder of options.holdersOf(group, new AbortController().signal)) {
        const { id } = holder.contact;
        if (id === options.self || holder.storeId === ownStore || banned.has(id)) continue;
        entry.holders.set(id, holder);
        wake(entry);
      }
    } finally {
      entry.looking = false;
      wake(entry);
    }
  };

  /** Starts a lookup for holders, or joins the one that was done a short while ago. */
  const seek = (group: Key): Known => {
    const present = known.get(group);
    if (present && clock.now() - present.since < HOLDERS_FRESH && (present.looking || present.holders.size > 0)) return present;
    const entry: Known = { holders: new Map(), since: clock.now(), watchers: new Set(), looked: Promise.resolve(), looking: true };
    entry.looked = quiet(look(group, entry));
    known.set(group, entry);
    trim(known, MAX_GROUPS);
    return entry;
  };

  /** Few failures first, then those with a link, then those with the least under way. */
  const cost = ({ contact: { id } }: Holder): number =>
    (failures.get(id) ?? 0) * 1e12 + (options.linked(id) ? 0 : 1e10) + (load.get(id) ?? 0);

  const best = (entry: Known, tried: ReadonlySet<NodeId>): Holder | null => {
    let found: Holder | null = null;
    for (const holder of entry.holders.values()) {
      if (tried.has(holder.contact.id) || banned.has(holder.contact.id)) continue;
      if (!found || cost(holder) < cost(found)) found = holder;
    }
    return found;
  };

  return {
    get corrupt() {
      return corrupt;
    },
    async *candidates(group, signal) {
      const entry = seek(group);
      const tried = new Set<NodeId>();
      while (tried.size < MAX_TRIES) {
        const next = best(entry, tried);
        if (next) {
          tried.add(next.contact.id);
          yield next;
        } else if (!entry.looking) break;
        else await orAbort(new Promise<void>((resolve) => entry.watchers.add(resolve)), signal);
      }
      // All of them failed: whoever asks again gets a new lookup.
      if (known.get(group) === entry) known.delete(group);
    },
    async locate(group, signal) {
      const entry = seek(group);
      await orAbort(entry.looked, signal);
      return [...entry.holders.values()];
    },
    began(id, bytes) {
      load.set(id, (load.get(id) ?? 0) + bytes);
      return () => {
        const left = (load.get(id) ?? 0) - bytes;
        if (left > 0) load.set(id, left);
        else load.delete(id);
      };
    },
    succeeded(id) {
      failures.delete(id);
    },
    failed(id, error) {
      failures.set(id, (failures.get(id) ?? 0) + 1);
      trim(failures, MAX_NODES);
      if (!hasCode(error, 'corrupt')) return;
      corrupt++;
      banned.add(id);
      trim(banned, MAX_NODES);
      options.linked(id)?.close('sent bytes that do not match their hash');
    },
  };
}
