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
  /**
   * Holders of a group one by one, the most promising first, while the lookup may still find more. Gives none of those that failed a
   * moment ago, and looks for new ones only after a pause that grows, so that a player which asks again and again costs nobody anything.
   */
  candidates(group: Key, signal: AbortSignal): AsyncGenerator<Holder, void, undefined>;
  /** True when somebody has said of late that it holds the group, reachable or not. */
  knows(group: Key): boolean;
  /** A node was linked: what led to nothing before may lead to it. */
  arrived(): void;
  /** Looks for holders without asking any. */
  locate(group: Key, signal: AbortSignal): Promise<readonly Holder[]>;
  /** A transfer of so many bytes began at a holder; call the result when it has ended, with whether all of them came: so it is known how fast the holder is. */
  began(id: NodeId, bytes: number): (whole: boolean) => void;
  succeeded(group: Key, id: NodeId): void;
  /** A holder that sent wrong bytes (`corrupt`) is never asked again; one that said no is not asked for this group again for a while. */
  failed(group: Key, id: NodeId, error: unknown): void;
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
/** Pauses, ms, doubled each time: of a node that did not answer, and of a lookup that led to nothing. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 60_000;
/** Groups whose holders are remembered, and holders of one: a hostile node can sign for as many as it likes. */
const MAX_GROUPS = 256;
const MAX_HOLDERS = 64;
/** Nodes whose failures are remembered. */
const MAX_NODES = 1024;
/** Holders of one group tried before giving up. */
const MAX_TRIES = 8;
/** What a holder's place in the answer is worth, ms for each before it: who answered knows how busy and how far each is. */
const PLACE = 300;
/** A new connection costs about so much, ms: signalling, ICE and DTLS. */
const CONNECTION = 1_000;
/** Bytes for which the wait is estimated: a segment of the middle rendition. */
const TYPICAL = 1_000_000;
/** Bytes a millisecond where nothing was measured: 8 Mbit/s. */
const USUAL_SPEED = 1_000;
/** How much of a new measurement goes into the speed of a holder. */
const NEW_SPEED = 0.3;

interface Known {
  /** In the order in which they were found, which is that of the answers. */
  readonly holders: Map<NodeId, Holder>;
  readonly since: number;
  /** Each called once, at the next holder found or at the end. */
  readonly watchers: Set<() => void>;
  /** Settles when the lookup has ended. */
  looked: Promise<void>;
  looking: boolean;
  /** How often in a row all holders failed, or none was found. */
  fruitless: number;
  /** Set when this lookup led to nothing: the next one comes then. */
  retryAt: number | null;
}

export function createHolderDirectory(options: HolderDirectoryOptions): HolderDirectory {
  const { clock } = options;
  const known = new Map<Key, Known>();
  const banned = new Set<NodeId>();
  const failures = new Map<NodeId, { times: number; at: number; retryAt: number }>();
  /** Bytes under way from each holder, for choosing the least loaded. */
  const load = new Map<NodeId, number>();
  /** Bytes a millisecond that a holder sent, as measured. */
  const speeds = new Map<NodeId, number>();
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
        if (entry.holders.size >= MAX_HOLDERS) break;
      }
    } finally {
      entry.looking = false;
      if (entry.holders.size === 0) pause(entry);
      wake(entry);
    }
  };

  const pause = (entry: Known): void => {
    entry.retryAt = clock.now() + pauseAfter(++entry.fruitless);
  };

  /** Starts a lookup for holders, or joins the one that was done a short while ago. */
  const seek = (group: Key): Known => {
    const present = known.get(group);
    const now = clock.now();
    if (present && (present.looking || now < (present.retryAt ?? present.since + HOLDERS_FRESH))) return present;
    const entry: Known = {
      holders: new Map(),
      since: now,
      watchers: new Set(),
      looked: Promise.resolve(),
      looking: true,
      fruitless: present?.fruitless ?? 0,
      retryAt: null,
    };
    entry.looked = quiet(look(group, entry));
    known.delete(group);
    known.set(group, entry);
    trim(known, MAX_GROUPS);
    return entry;
  };

  /** What went wrong at a node, unless it has come back since: a link that is younger than the failure. */
  const failureOf = (id: NodeId): { times: number; retryAt: number } | null => {
    const failure = failures.get(id);
    const link = options.linked(id);
    return failure && !(link && link.since > failure.at) ? failure : null;
  };

  /** How long a segment from a holder would take about, ms: by what is under way from it, its speed, its place in the answer, and whether there is a link. */
  const costOf = (id: NodeId, place: number): number =>
    place * PLACE + (options.linked(id) ? 0 : CONNECTION) + ((load.get(id) ?? 0) + TYPICAL) / (speeds.get(id) ?? USUAL_SPEED);

  const measure = (id: NodeId, speed: number): void => {
    const before = speeds.get(id) ?? speed;
    speeds.delete(id);
    speeds.set(id, before + NEW_SPEED * (speed - before));
    trim(speeds, MAX_NODES);
  };

  const best = (entry: Known, tried: ReadonlySet<NodeId>): Holder | null => {
    let found: { holder: Holder; failures: number; cost: number } | null = null;
    let place = 0;
    for (const holder of entry.holders.values()) {
      const { id } = holder.contact;
      const cost = costOf(id, place++);
      const failure = failureOf(id);
      if (tried.has(id) || banned.has(id) || (failure?.retryAt ?? 0) > clock.now()) continue;
      const failures = failure?.times ?? 0;
      // Who failed comes after all others.
      if (!found || failures < found.failures || (failures === found.failures && cost < found.cost)) found = { holder, failures, cost };
    }
    return found?.holder ?? null;
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
      // Whoever comes here has had no luck with any of them so far.
      if (clock.now() >= (entry.retryAt ?? 0)) pause(entry);
    },
    knows: (group) => (known.get(group)?.holders.size ?? 0) > 0,
    arrived() {
      for (const entry of known.values()) {
        if (entry.retryAt === null) continue;
        entry.fruitless = 0;
        entry.retryAt = Math.min(entry.retryAt, clock.now() + FIRST_PAUSE);
      }
    },
    async locate(group, signal) {
      const entry = seek(group);
      await orAbort(entry.looked, signal);
      return [...entry.holders.values()];
    },
    began(id, bytes) {
      const since = clock.now();
      load.set(id, (load.get(id) ?? 0) + bytes);
      return (whole) => {
        if (whole) measure(id, bytes / Math.max(1, clock.now() - since));
        const left = (load.get(id) ?? 0) - bytes;
        if (left > 0) load.set(id, left);
        else load.delete(id);
      };
    },
    succeeded(group, id) {
      failures.delete(id);
      const entry = known.get(group);
      if (!entry) return;
      entry.fruitless = 0;
      entry.retryAt = null;
    },
    failed(group, id, error) {
      if (hasCode(error, 'corrupt')) {
        corrupt++;
        banned.add(id);
        trim(banned, MAX_NODES);
        options.linked(id)?.close('sent bytes that do not match their hash');
      } else if (hasCode(error, 'not-found') || hasCode(error, 'refused')) {
        known.get(group)?.holders.delete(id);
      } else {
        const before = failureOf(id);
        const now = clock.now();
        // Requests that fail together are one failure.
        if (before && now < before.retryAt) return;
        const times = (before?.times ?? 0) + 1;
        failures.delete(id);
        failures.set(id, { times, at: now, retryAt: now + pauseAfter(times) });
        trim(failures, MAX_NODES);
      }
    },
  };
}

function pauseAfter(times: number): number {
  return Math.min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE);
}
