/** Keeps the links that the routing table wants: dials open nodes, links to whom the plan names, closes what is in the way (design §4). */
import { hasCode } from '../base/errors.ts';
import type { Cancel, Clock, Random } from '../base/ports.ts';
import { type Deferred, deferred, orAbort } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { LinkPlan } from '../kademlia/link-plan.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Link } from './link.ts';
import { isNoRoom, NO_ROOM } from './link-end.ts';
import type { OpenList } from './open-list.ts';
import type { Peers } from './peers.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Tending {
  start(): void;
  /** Something changed that matters for the plan: looks again soon. */
  nudge(): void;
  /** Forgets how often addresses were dialled in vain, and looks at once. */
  wake(): void;
  /** A person named this address: it is dialled at once, whatever came of it before. */
  dial(url: string): void;
  /** Whether there is a link to the node that the address leads to. */
  reaches(url: string): boolean;
  /** While candidates for the far buckets are gathered: no links to those yet, only to neighbours and open nodes. */
  hold(): void;
  release(): void;
  /** Resolves when nobody is wanted any more who could be had now, or after `ms`. Rejects with `aborted`. */
  calm(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface TendingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly peers: Peers;
  readonly openList: OpenList;
  /** Links that carry something now are not closed for want of room. */
  readonly isBusy: (id: NodeId) => boolean;
  /** Nobody known can be a neighbour, or a link in some far quarter: others must be asked. */
  readonly onShort: (short: LinkPlan['short']) => void;
}

/** Links opened at once: each costs 10 ms of processor on both sides. */
const MAX_CONNECTING = 6;
/** After a change, ms: several changes that come together are looked at once. */
const NUDGE_DELAY = 50;
/** Between two tries to dial the same open node, ms: doubled each time, from the first to the most. */
const REDIAL_FIRST = 1_000;
const REDIAL_MOST = 30_000;
/** The same after it had no room for us, ms, for who has no link at all: places of guests are free again soon. */
const REDIAL_NEEDY = 4_000;
/** And for who has others, ms: they are in greater need of it, and it will still be full. */
const REDIAL_FULL = 600_000;
const REDIAL_FULL_MOST = 7_200_000;
/** A link that lasted this long, ms, was not closed for want of room. */
const STEADY = 60_000;
/** Addresses whose tries are remembered. */
const MAX_TRIES = 128;
/** When there was nothing to better, the next look comes later, up to so many times. */
const MOST_REST = 10;

export function createTending(options: TendingOptions): Tending {
  const { clock, settings, table, peers, openList } = options;
  const connecting = new Set<NodeId>();
  const dialling = new Set<string>();
  /** How often an address was dialled without a lasting link, and when it may be dialled again. */
  const tries = new Map<string, { times: number; next: number }>();
  /** Which node an address led to when it was last dialled. */
  const led = new Map<string, NodeId>();
  let cancel: Cancel = () => undefined;
  let due = Number.POSITIVE_INFINITY;
  let held = false;
  let rest = 1;
  let nextBetter = Number.POSITIVE_INFINITY;
  let waiting: Deferred<void>[] = [];
  let closed = false;

  const schedule = (ms: number): void => {
    const at = clock.now() + ms;
    if (closed || at >= due) return;
    cancel();
    due = at;
    cancel = clock.after(ms, tend);
  };

  const reaches = (url: string): boolean => {
    const id = led.get(url);
    return (id !== undefined && peers.get(id) !== null) || peers.links().some((link) => link.contact.open === url);
  };

  /** What a person named is linked, whatever else is. Gives when to look again. */
  const dialAdded = (now: number): number => {
    const missing = openList.added().filter((url) => !dialling.has(url) && !reaches(url));
    for (const url of missing) if ((tries.get(url)?.next ?? 0) <= now) dial(url);
    return Math.min(...missing.map((url) => tries.get(url)?.next ?? 0));
  };

  /** Without a link to any open node, dials the addresses that are known: one more at each look, until one answers. Gives when to look again. */
  const dialOpen = (now: number): number => {
    const known = table.openNodes();
    if (known[0] && table.isLinked(known[0].id)) return Number.POSITIVE_INFINITY;
    if (table.linkCount > 0 && table.openAgain > now) return table.openAgain;
    // What the plan knows as a node is its business, as long as there is a network to plan in.
    const planned = new Set(table.linkCount > 0 ? known.map((node) => node.open) : []);
    const free = openList.all().filter((address) => !dialling.has(address) && !planned.has(address));
    const timesOf = (address: string): number => tries.get(address)?.times ?? 0;
    const ready = free.filter((address) => (tries.get(address)?.next ?? 0) <= now);
    const fewest = Math.min(...ready.map(timesOf));
    const least = ready.filter((address) => timesOf(address) === fewest);
    // Any of them: all tabs know the same addresses, and should not all go to the first.
    const url = least[Math.floor(options.random.float() * least.length)];
    if (!url) return Math.min(...free.map((address) => tries.get(address)?.next ?? 0));
    dial(url);
    return now + (free.length > 1 ? NEXT_ADDRESS : REDIAL_MOST);
  };

  const dial = (url: string): void => {
    const times = tries.get(url)?.times ?? 0;
    note(url, times + 1, Math.min(REDIAL_FIRST * 2 ** times, REDIAL_MOST));
    dialling.add(url);
    peers
      .dial(url)
      .then(
        (link) => {
          led.delete(url);
          led.set(url, link.id);
          trim(led, MAX_TRIES);
          void link.ended().then((reason) => settle(url, link, reason));
        },
        () => schedule(NUDGE_DELAY),
      )
      .finally(() => dialling.delete(url));
  };

  const note = (url: string, times: number, pause: number): void => {
    tries.delete(url);
    // A little randomness, so that all tabs of a dead server don't come back in the same second.
    tries.set(url, { times, next: clock.now() + pause * (0.75 + 0.5 * options.random.float()) });
    trim(tries, MAX_TRIES);
  };

  /** A node that lets us in and shows us out again must not be dialled without a pause: only a link that lasted clears the record. */
  const settle = (url: string, link: Link, reason: string): void => {
    const times = tries.get(url)?.times ?? 1;
    const doubled = 2 ** (times - 1);
    if (isNoRoom(reason)) {
      const needy = table.linkCount === 0;
      note(url, times, needy ? Math.min(REDIAL_NEEDY * doubled, REDIAL_MOST) : Math.min(REDIAL_FULL * doubled, REDIAL_FULL_MOST));
    } else if (clock.now() - link.since >= STEADY) tries.delete(url);
  };

  const connect = (contact: Contact): void => {
    connecting.add(contact.id);
    peers
      .connect(contact)
      .catch((error: unknown) => {
        // It lives: it can be asked through others, and is named to others.
        if (hasCode(error, 'refused') || hasCode(error, 'no-path')) table.refused(contact.id, clock.now());
        // Without any link it is we who can't be reached.
        else if (contact.open !== null || table.linkCount > 0) table.failed(contact.id, clock.now());
      })
      .finally(() => {
        connecting.delete(contact.id);
        schedule(NUDGE_DELAY);
      });
  };

  /**
   * At a slow pace, as each costs a connection, of which a tab has 500: one more link in a far bucket, or one that takes the place of another because its
   * node is much nearer in time.
   */
  const improve = (now: number, plan: LinkPlan): void => {
    if (now < nextBetter) return;
    const contact = plan.spare() ?? table.nearerLink({ now, underWay: connecting, far: true });
    if (contact) connect(contact);
    rest = contact ? 1 : Math.min(2 * rest, MOST_REST);
    nextBetter = now + rest * settings.tendInterval * (0.75 + 0.5 * options.random.float());
  };

  function tend(): void {
    due = Number.POSITIVE_INFINITY;
    if (closed) return;
    const now = clock.now();
    const dialAt = Math.min(dialAdded(now), dialOpen(now));
    const plan = table.plan({ now, underWay: connecting, far: !held });
    // With no link there is nobody to carry an offer: only open nodes can be reached.
    const reachable = plan.wanted.filter((contact) => contact.open !== null || table.linkCount > 0);
    for (const contact of reachable.slice(0, Math.max(0, MAX_CONNECTING - connecting.size))) connect(contact);
    const surplus = table.surplusLinks({ now, isBusy: options.isBusy });
    for (const id of surplus.ready) peers.get(id)?.close(NO_ROOM);
    if (reachable.length === 0 && connecting.size === 0) {
      for (const one of waiting.splice(0)) one.resolve();
      if (!held && table.linkCount > 0) {
        options.onShort(plan.short);
        improve(now, plan);
      }
    }
    const at = Math.min(dialAt, plan.again, surplus.again, nextBetter);
    if (Number.isFinite(at)) schedule(Math.max(NUDGE_DELAY, at - now));
  }

  return {
    start() {
      nextBetter = clock.now() + settings.tendInterval * (0.75 + 0.5 * options.random.float());
      schedule(0);
    },
    nudge: () => schedule(NUDGE_DELAY),
    wake() {
      tries.clear();
      schedule(0);
    },
    dial(url) {
      tries.delete(url);
      schedule(0);
    },
    reaches,
    hold() {
      held = true;
    },
    release() {
      held = false;
      schedule(0);
    },
    async calm(ms, signal) {
      const quiet = deferred<void>();
      waiting.push(quiet);
      schedule(NUDGE_DELAY);
      const stop = clock.after(ms, quiet.resolve);
      try {
        await orAbort(quiet.promise, signal);
      } finally {
        stop();
        waiting = waiting.filter((one) => one !== quiet);
      }
    },
    close() {
      closed = true;
      cancel();
      for (const one of waiting.splice(0)) one.resolve();
    },
  };
}

/** An address that does not answer does not hold up the next one for longer than this, ms. */
const NEXT_ADDRESS = 2_000;
