/** The links of this node: at most one to each node, however it came about. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Cancel, Channel, Clock, Crypto, Dialer, Random, Signer } from '../base/ports.ts';
import { deadline, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { handshake } from './handshake.ts';
import { createLink, type IncomingCall, type Link } from './link.ts';
import type { NodeSettings } from './settings.ts';

export interface Peers {
  get(id: NodeId): Link | null;
  links(): readonly Link[];
  /** The live link to a node, or a new one: dialled when it is open, punched when it is not. Joins an attempt that is under way. */
  connect(contact: Contact, options?: { signal?: AbortSignal }): Promise<Link>;
  /** The link to whoever answers at an open node's address. */
  dial(url: string, options?: { signal?: AbortSignal }): Promise<Link>;
  /** Makes a link of a channel that somebody opened to us, or that was punched. Resolves with the link that stands between the two in the end. */
  adopt(channel: Channel, options: { initiated: boolean; expected: NodeId | null }): Promise<Link>;
  /** Ends everything; later calls reject with `closed`. */
  close(reason: string): void;
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
  readonly punch: (contact: Contact, signal: AbortSignal) => Promise<Link>;
  readonly serve: (call: IncomingCall) => Promise<Bytes>;
  readonly onLink: (link: Link) => void;
  readonly onUnlink: (link: Link, reason: string) => void;
  readonly onMalformed: () => void;
  readonly onSent: (bytes: number) => void;
}

/** How often links are looked at for signs of life, ms: a hidden tab's timers run no oftener. */
const TICK = 1_000;

export function createPeers(options: PeersOptions): Peers {
  const { clock, settings, self } = options;
  const links = new Map<NodeId, Link>();
  /** Attempts under way, by node id or address. */
  const attempts = new Map<string, Promise<Link>>();
  const closing = new AbortController();
  let cancelTick: Cancel = () => undefined;

  const tick = (): void => {
    const now = clock.now();
    for (const link of [...links.values()]) link.tick(now);
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
      return peers.adopt(channel, { initiated: true, expected });
    });

  const waitFor = (attempt: Promise<Link>, signal?: AbortSignal): Promise<Link> => (signal ? orAbort(attempt, signal) : attempt);

  const peers: Peers = {
    get: (id) => links.get(id) ?? null,
    links: () => [...links.values()],
    async connect(contact, { signal } = {}) {
      if (closing.signal.aborted) throw fail('closed', 'This node has been closed.');
      if (contact.id === self) throw fail('internal', 'A node does not link to itself.');
      const link = links.get(contact.id);
      if (link) return link;
      const { open } = contact;
      const attempt = open ? reach(open, contact.id) : once(contact.id, (limit) => options.punch(contact, limit));
      return waitFor(attempt, signal);
    },
    async dial(url, { signal } = {}) {
      if (closing.signal.aborted) throw fail('closed', 'This node has been closed.');
      return waitFor(reach(url, null), signal);
    },
    async adopt(channel, { initiated, expected }) {
      const proven = await handshake({
        channel,
        clock,
        random: options.random,
        crypto: options.crypto,
        signer: options.signer,
        contact: options.contact,
        storeId: options.storeId,
        deadline: settings.handshakeDeadline,
      });
      const { id } = proven.contact;
      if (closing.signal.aborted || (expected && id !== expected)) {
        channel.close();
        throw expected && id !== expected
          ? fail('corrupt', 'Another node answered than the one that was asked for.')
          : fail('closed', 'This node has been closed.');
      }
      const present = links.get(id);
      if (present && !present.closed && keepsPresent(present, initiated, { self, other: id })) {
        // The other side comes to the same verdict. What it still sends here is not read; the channel goes when both know.
        proven.listen({ message: () => undefined, drain: () => undefined, close: () => undefined });
        clock.after(settings.handshakeDeadline, () => channel.close());
        return present;
      }
      const link = createLink({
        proven,
        initiated,
        clock,
        heartbeat: settings.heartbeat,
        silence: settings.silence,
        callDeadline: settings.callDeadline,
        stallDeadline: settings.stallDeadline,
        serve: options.serve,
        onMalformed: options.onMalformed,
        onSent: options.onSent,
        onClose(ended, reason) {
          if (links.get(id) !== ended) return;
          links.delete(id);
          options.onUnlink(ended, reason);
        },
      });
      links.set(id, link);
      if (present) present.close('replaced by a newer link');
      options.onLink(link);
      return link;
    },
    close(reason) {
      if (closing.signal.aborted) return;
      cancelTick();
      closing.abort(fail('closed', 'This node has been closed.'));
      for (const link of [...links.values()]) link.close(reason);
    },
  };
  return peers;
}

/**
 * Which of two links between the same nodes stays: the one that the node with the lesser id opened; of two by the same node, the
 * newer. Both sides decide the same without asking.
 */
function keepsPresent(present: Link, initiated: boolean, ids: { self: NodeId; other: NodeId }): boolean {
  if (present.initiated === initiated) return false;
  const presentOpener = present.initiated ? ids.self : ids.other;
  return presentOpener < (present.initiated ? ids.other : ids.self);
}
