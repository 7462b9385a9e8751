/** Keeps the links that the routing table wants: joins, links to neighbours, closes what is over budget (design §4). */
import type { Cancel, Clock, Random } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Link } from './link.ts';
import type { OpenList } from './open-list.ts';
import type { Peers } from './peers.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Tending {
  start(): void;
  /** Something changed: looks again soon. */
  nudge(): void;
  close(): void;
}

export interface TendingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly table: RoutingTable;
  readonly peers: Peers;
  readonly openList: OpenList;
  /** Links that carry something now and are not closed for the budget. */
  readonly busy: () => ReadonlySet<NodeId>;
}

/** Links opened at once: each costs 10 ms of processor on both sides. */
const MAX_CONNECTING = 4;
/** After a change, ms: several changes that come together are looked at once. */
const NUDGE_DELAY = 50;
/** Between two tries to dial the same open node, ms: doubled each time, from the first to the most. */
const REDIAL_FIRST = 1_000;
const REDIAL_MOST = 30_000;
/** A link that lasted this long, ms, was not closed for want of room. */
const STEADY = 60_000;
/** Addresses whose tries are remembered. */
const MAX_TRIES = 128;

export function createTending(options: TendingOptions): Tending {
  const { clock, settings, table, peers, openList } = options;
  const connecting = new Set<NodeId>();
  const dialling = new Set<string>();
  /** How often an address was dialled without a lasting link, and when it may be dialled again. */
  const tries = new Map<string, { times: number; next: number }>();
  let cancel: Cancel = () => undefined;
  let due = Number.POSITIVE_INFINITY;
  let closed = false;

  const schedule = (ms: number): void => {
    const at = clock.now() + ms;
    if (closed || at >= due) return;
    cancel();
    due = at;
    cancel = clock.after(ms, tend);
  };

  /** Without a link to any open node, dials the addresses that are known: one more at each look, until one answers. */
  const dialOpen = (): void => {
    const now = clock.now();
    if (peers.links().some((link) => link.contact.open !== null)) return;
    const url = openList.all().find((address) => !dialling.has(address) && (tries.get(address)?.next ?? 0) <= now);
    if (!url) return;
    const times = tries.get(url)?.times ?? 0;
    // A little randomness, so that all tabs of a dead server don't come back in the same second.
    const pause = Math.min(REDIAL_FIRST * 2 ** times, REDIAL_MOST) * (0.75 + 0.5 * options.random.float());
    tries.delete(url);
    tries.set(url, { times: times + 1, next: now + pause });
    trim(tries, MAX_TRIES);
    dialling.add(url);
    peers
      .dial(url)
      .then(
        (link) => void link.ended.then(() => forgive(url, link)),
        () => schedule(NUDGE_DELAY),
      )
      .finally(() => dialling.delete(url));
  };

  /** A node that lets us in and shows us out again must not be dialled without a pause: only a link that lasted clears the record. */
  const forgive = (url: string, link: Link): void => {
    if (clock.now() - link.since >= STEADY) tries.delete(url);
  };

  const connect = (contact: Contact): void => {
    connecting.add(contact.id);
    peers
      .connect(contact)
      .catch(() => table.failed(contact.id, clock.now()))
      .finally(() => {
        connecting.delete(contact.id);
        schedule(NUDGE_DELAY);
      });
  };

  function tend(): void {
    due = Number.POSITIVE_INFINITY;
    if (closed) return;
    const now = clock.now();
    dialOpen();
    // With no link there is nobody to carry an offer: only open nodes can be reached.
    const reachable = table.wantedLinks(now).filter((contact) => contact.open !== null || table.linkCount > 0);
    for (const contact of reachable) {
      if (connecting.size >= MAX_CONNECTING) break;
      if (!connecting.has(contact.id)) connect(contact);
    }
    for (const id of table.surplusLinks(options.busy())) peers.get(id)?.close('over the budget of links');
    schedule(settings.tendInterval);
  }

  return {
    start: () => schedule(0),
    nudge: () => schedule(NUDGE_DELAY),
    close() {
      closed = true;
      cancel();
    },
  };
}
