/** The links of this node: at most one to each node, however it came about. */
import type { Bytes } from '../base/bytes.ts';
import { fail, type KadreelError } from '../base/errors.ts';
import type { Cancel, Channel, Clock, Crypto, Dialer, Random, Signer } from '../base/ports.ts';
import { deadline, orAbort, quiet } from '../base/timing.ts';
import type { Admission } from '../kademlia/admission.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { encodeFrame } from '../wire/codec.ts';
import type { Answer } from './answering.ts';
import { handshake, type ProvenChannel } from './handshake.ts';
import type { IncomingCall, Link } from './link.ts';
import { NO_ROOM } from './link-end.ts';
import { createLink, type LinkOptions } from './proven-link.ts';
import { createQuietGaps } from './quiet-gaps.ts';
import type { NodeSettings } from './settings.ts';
import { trim } from './trim.ts';

export interface Peers {
  get(id: NodeId): Link | null;
  links(): readonly Link[];
  /**
   * The live link to a node, or a new one: dialled when it is open, punched when it is not. Joins an attempt that is under way. `transfer`: something
   * is wanted of that very node, not a place in its routing table. Rejects with `refused` when one of the two has no room.
   */
  connect(contact: Contact, options?: { signal?: AbortSignal; transfer?: boolean }): Promise<Link>;
  /** The link to whoever answers at an open node's address. */
  dial(url: string, options?: { signal?: AbortSignal }): Promise<Link>;
  /** Makes a link of a channel that somebody opened to us, or that was punched. Resolves with the link that stands between the two in the end. */
  adopt(channel: Channel, options: AdoptOptions): Promise<Link>;
  /** Asks every linked node for a sign of life, and ends the links on which none comes within 2 s. */
  check(): void;
  /** Ends everything; later calls reject with `closed`. */
  close(reason: string): void;
}

/** What is known of a channel before its other end has said who it is. */
export interface AdoptOptions {
  readonly initiated: boolean;
  readonly expected: NodeId | null;
  /** The other side does not want it for its routing table, or did not say what for. */
  readonly guest?: boolean;
  /** A person asked for it here: it finds room as a link of our own does. */
  readonly wanted?: boolean;
}

export interface PeersOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly dialer: Dialer;
  readonly settings: NodeSettings;
  readonly contact: () => Contact;
  readonly self: NodeId;
  readonly storeId: Bytes;
  /** Opens a channel to a closed node through others. */
  readonly punch: (contact: Contact, options: { signal: AbortSignal; transfer: boolean }) => Promise<Link>;
  /** Whether there is room for a link, and which one goes for it. */
  readonly admit: (contact: Contact, side: { initiated: boolean; guest: boolean }) => Admission;
  readonly serve: (call: IncomingCall) => Answer;
  /** `roundTrip`: ms, as the greeting took. */
  readonly onLink: (link: Link, seen: { guest: boolean; roundTrip: number }) => void;
  readonly onUnlink: (link: Link, reason: string) => void;
  readonly onMalformed: () => void;
  readonly onSent: (bytes: number) => void;
  /** This computer stood still for a while. */
  readonly onWake: () => void;
}

/** How often links are looked at for signs of life, ms: a hidden tab's timers run no oftener. */
const TICK = 1_000;
/** Between two looks, ms: more is no throttled timer but a sleep, or a frozen page. */
const STOOD_STILL = 5_000;
/** Attempts from both sides that end within this time of each other, ms, were under way at once: as long as an attempt may take. */
const GLARE = 15_000;
/** Addresses whose answering node is remembered. */
const MAX_DIALLED = 64;

export function createPeers(options: PeersOptions): Peers {
  const { clock, settings, self } = options;
  const links = new Map<NodeId, Link>();
  /** Attempts under way, by node id or address. */
  const attempts = new Map<string, Promise<Link>>();
  /** Who answered at an address of late. */
  const dialled = new Map<string, Link>();
  /** Channels that are no link: in their greeting, or given up for another one. */
  const loose = new Set<Channel>();
  const closing = new AbortController();
  let cancelTick: Cancel = () => undefined;
  let ticked = clock.now();

  const tick = (): void => {
    const now = clock.now();
    for (const link of [...links.values()]) link.tick(now);
    if (now - ticked > STOOD_STILL) options.onWake();
    ticked = now;
    cancelTick = clock.after(TICK, tick);
  };
  if (settings.heartbeat > 0) cancelTick = clock.after(TICK, tick);

  /** One attempt for each target; callers come and go, the attempt ends by itself. */
  const once = (name: string, attempt: (signal: AbortSignal) => Promise<Link>): Promise<Link> => {
    const present = attempts.get(name);
    if (present) return present;
    const limit = deadline(clock, settings.connectDeadline, closing.signal);
    const promise = attempt(limit.signal).finally(() => {
      limit.done();
      attempts.delete(name);
    });
    attempts.set(name, promise);
    return quiet(promise);
  };

  const reach = (url: string, expected: NodeId | null): Promise<Link> =>
    once(url, async (signal) => {
      const channel = await options.dialer.dial(url, signal);
      const link = await peers.adopt(channel, { initiated: true, expected });
      dialled.delete(url);
      dialled.set(url, link);
      trim(dialled, MAX_DIALLED);
      return link;
    });

  const waitFor = (attempt: Promise<Link>, signal?: AbortSignal): Promise<Link> => (signal ? orAbort(attempt, signal) : attempt);

  /** The other side comes to the same verdict. What it still sends is not read; the channel goes when both know. */
  const giveUp = ({ channel, listen }: ProvenChannel): void => {
    loose.add(channel);
    const end = (): void => {
      cancel();
      loose.delete(channel);
      channel.close();
    };
    const cancel = clock.after(settings.handshakeDeadline, end);
    listen({ message: () => undefined, drain: () => undefined, close: end });
  };

  /** Closes the link that the new one takes the place of; where there is no place, says so to the other side. */
  const makeRoom = ({ channel, contact }: ProvenChannel, side: { initiated: boolean; guest: boolean }): void => {
    const { taken, instead } = options.admit(contact, side);
    if (taken) {
      if (instead) links.get(instead)?.close(NO_ROOM);
      return;
    }
    channel.send(encodeFrame({ type: 'bye', reason: NO_ROOM }));
    channel.close();
    throw fail('refused', 'There is no room for another link.');
  };

  const onClose = (link: Link, reason: string): void => {
    if (links.get(link.id) !== link) return;
    links.delete(link.id);
    options.onUnlink(link, reason);
  };

  /** One for all links, which keep it. */
  const linkOptions: LinkOptions = {
    clock,
    heartbeat: settings.heartbeat,
    silence: settings.silence,
    quietGaps: createQuietGaps({ least: settings.socketHeartbeat, most: settings.socketHeartbeatMost }),
    callDeadline: settings.callDeadline,
    stallDeadline: settings.stallDeadline,
    serve: options.serve,
    onMalformed: options.onMalformed,
    onSent: options.onSent,
    onClose,
  };

  const peers: Peers = {
    get: (id) => links.get(id) ?? null,
    links: () => [...links.values()],
    async connect(contact, { signal, transfer = false } = {}) {
      if (closing.signal.aborted) throw closed();
      if (contact.id === self) throw fail('internal', 'A node does not link to itself.');
      const present = links.get(contact.id);
      if (present) return present;
      const { open } = contact;
      if (!open) {
        return waitFor(
          once(contact.id, (limit) => options.punch(contact, { signal: limit, transfer })),
          signal,
        );
      }
      // To name nodes that do not exist behind an address costs nothing: who lives there need not be asked again for each.
      if (dialled.get(open)?.closed === false) throw otherNode();
      const link = await waitFor(reach(open, contact.id), signal);
      // The attempt may be one that began with the address alone.
      if (link.id !== contact.id) throw otherNode();
      return link;
    },
    async dial(url, { signal } = {}) {
      if (closing.signal.aborted) throw closed();
      return waitFor(reach(url, null), signal);
    },
    async adopt(channel, { initiated, expected, guest = !initiated, wanted = initiated }) {
      if (closing.signal.aborted) {
        channel.close();
        throw closed();
      }
      loose.add(channel);
      const proven = await handshake({
        channel,
        clock,
        random: options.random,
        crypto: options.crypto,
        signer: options.signer,
        contact: options.contact,
        storeId: options.storeId,
        deadline: settings.handshakeDeadline,
      }).finally(() => loose.delete(channel));
      const { id } = proven.contact;
      if (closing.signal.aborted || (expected && id !== expected)) {
        channel.close();
        throw closing.signal.aborted ? closed() : otherNode();
      }
      const present = links.get(id);
      if (present && keepsPresent(present, { initiated, now: clock.now(), self })) {
        giveUp(proven);
        return present;
      }
      if (!present) makeRoom(proven, { initiated: wanted, guest });
      const link = createLink(proven, { initiated }, linkOptions);
      links.set(id, link);
      present?.close('replaced by a newer link');
      options.onLink(link, { guest, roundTrip: proven.roundTrip });
      link.start();
      return link;
    },
    check() {
      for (const link of [...links.values()]) link.check();
    },
    close(reason) {
      if (closing.signal.aborted) return;
      cancelTick();
      closing.abort(closed());
      for (const link of [...links.values()]) link.close(reason);
      for (const channel of [...loose]) channel.close();
      loose.clear();
    },
  };
  return peers;
}

/**
 * Whether the link that stands is kept when another one to the same node has been proven. Two that were opened at about the same time
 * from both sides: the one of the node with the lesser id stays, and both decide so without asking. Else the newer: nobody who has a
 * live link opens another, so the other side has lost the present one.
 */
function keepsPresent(present: Link, fresh: { initiated: boolean; now: number; self: NodeId }): boolean {
  if (present.initiated === fresh.initiated || fresh.now - present.since > GLARE) return false;
  return present.initiated ? fresh.self < present.id : present.id < fresh.self;
}

function closed(): KadreelError {
  return fail('closed', 'This node has been closed.');
}

function otherNode(): KadreelError {
  return fail('corrupt', 'Another node answered than the one that was asked for.');
}
