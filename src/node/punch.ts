/**
 * Links to closed nodes: offers, answers and candidates go in letters that others carry, until a direct channel opens
 * (design §5). How they travel is not known here.
 */
import { type Bytes, copy, equal, toHex } from '../base/bytes.ts';
import { fail, hasCode, type KadreelError } from '../base/errors.ts';
import type { Channel, Clock, Punch, Puncher, Random } from '../base/ports.ts';
import { deferred, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { type Letter, SESSION_BYTES } from '../wire/letter.ts';
import type { Link } from './link.ts';
import { createNoPaths } from './no-paths.ts';
import { createPost } from './post.ts';
import { createRate } from './rate.ts';

export interface Punching {
  /** Opens a link to a closed node. Rejects with `unreachable`, `no-path` (it lives), `refused`, `timeout` or `aborted`. */
  punch(contact: Contact, options: { signal: AbortSignal; transfer: boolean }): Promise<Link>;
  /**
   * A letter of `from` came over a link to `carrier`. Rejects with `refused` when this node can't take another attempt, or has no room for such a
   * link. Resolves with what this side has to say first when it has that soon, the answer to an offer, and else with null.
   */
  deliver(letter: Letter, by: { from: Contact; carrier: NodeId }): Promise<Letter | null>;
  /** Forgets to whom no path was found: the network may be another one now. */
  wake(): void;
  close(): void;
}

export interface PunchingOptions {
  /** Null: this node has no means to be punched to, as an open node in Node. */
  readonly puncher: Puncher | null;
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds for an attempt that the other side began. */
  readonly deadline: number;
  /** Before anything is spent on an attempt: whether there would be room for its link, besides those already promised. */
  readonly admits: (from: Contact, how: { transfer: boolean; reserved: number }) => boolean;
  /** `through`: a node that has a link to the other side, when one is known. Resolves with what the other side said first, or null. */
  readonly send: (letter: Letter, way: { to: Contact; through: NodeId | null }) => Promise<Letter | null>;
  readonly adopt: (channel: Channel, options: { initiated: boolean; expected: NodeId; guest: boolean }) => Promise<Link>;
}

/** Attempts under way that others began, at most: each costs an RTCPeerConnection. */
const MAX_ANSWERING = 32;
/**
 * Attempts that others may begin: so many at once, and then one in so many ms. A tab may have 500 RTCPeerConnections, those closed in
 * the last minute included, so this leaves half of them for our own.
 */
const ANSWER_RATE = { burst: 64, interval: 400 };
/**
 * How long our own attempt waits for one of the other side (ms): 3.2 round trips of 600 ms take two thirds of it. Whoever wakes from sleep is handed old offers,
 * which nobody stands behind any more.
 */
const THEIR_TIME = 3_000;
/** Letters of one attempt that may wait for an earlier one that is still on its way. */
const MAX_AHEAD = 64;
/**
 * Attempts that have ended and are remembered, so that their late candidates do not look like new ones: so many, and so long (ms), which is several
 * times what a letter may be under way.
 */
const ENDED = { most: 512, memory: 120_000 };

interface Beginning {
  readonly id: Bytes;
  readonly initiated: boolean;
  readonly transfer: boolean;
  readonly through: NodeId | null;
}

interface Session {
  readonly contact: Contact;
  readonly initiated: boolean;
  /** Settles with the link, whichever attempt it came from in the end. */
  readonly link: Promise<Link>;
  take(letter: Letter): void;
  /** The first letter of this side, which is then not sent by itself; null when it takes too long, or the attempt ends without one. */
  first(): Promise<Letter | null>;
  /** Why it failed, by all that is known of it. */
  explain(error: unknown): unknown;
  /** Ends the attempt with a link that came about otherwise. */
  yield(link: Link): void;
  close(): void;
}

export function createPunching(options: PunchingOptions): Punching {
  const { self, clock } = options;
  const sessions = new Map<string, Session>();
  /** By name, when it may be forgotten; the oldest first. */
  const ended = new Map<string, number>();
  const noPaths = createNoPaths({ clock });
  const rate = createRate({ clock, ...ANSWER_RATE });
  let closed = false;

  /** The attempt with a node that is under way from our side, or from the other. */
  const find = (id: NodeId, side: { initiated: boolean }): Session | null => {
    for (const session of sessions.values()) if (session.initiated === side.initiated && session.contact.id === id) return session;
    return null;
  };

  const remember = (name: string): void => {
    const now = clock.now();
    ended.delete(name);
    ended.set(name, now + ENDED.memory);
    for (const [oldest, until] of ended) {
      if (until > now && ended.size <= ENDED.most) break;
      ended.delete(oldest);
    }
  };

  const begin = (contact: Contact, { id, initiated, transfer, through }: Beginning): Session => {
    if (!options.puncher) throw fail('refused', 'This node can be dialled, not punched to.');
    const name = nameOf(contact.id, id);
    if (options.puncher.nat === 'symmetric' && contact.nat === 'symmetric' && !options.puncher.relays) throw noPath(BOTH_SYMMETRIC);
    const outcome = deferred<Link>();
    const ahead = new Map<number, readonly string[]>();
    let over = false;
    let opened = false;
    let expected = 0;
    const post = createPost({
      clock,
      write: (sequence, signals) => ({ session: id, sequence, transfer, signals }),
      send(letter) {
        options.send(letter, { to: contact, through }).then(
          (answer) => {
            if (answer) session.take(answer);
          },
          (error: unknown) => {
            // Without the offer or the answer there is nothing to wait for; a lost candidate may not matter.
            if (letter.sequence === 0) giveUp(error);
          },
        );
      },
    });

    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      post.close();
      sessions.delete(name);
      remember(name);
      punch.close();
      settle();
    };
    const giveUp = (error: unknown): void => end(() => outcome.reject(error));
    /** Who has answered lives; it is the way that is missing. */
    const explain = (error: unknown): unknown => {
      if (over || opened || expected === 0 || !(hasCode(error, 'unreachable') || hasCode(error, 'timeout'))) return error;
      // An offer may be an old one that somebody kept and sent again; an answer to ours is new.
      if (initiated) noPaths.add(contact.id);
      return noPath(error.message);
    };

    const punch: Punch = options.puncher.start({
      initiator: initiated,
      emit: (text) => post.add(text),
    });
    punch.opened
      .then((channel) => {
        opened = true;
        if (!over) return options.adopt(channel, { initiated, expected: contact.id, guest: !initiated && transfer });
        channel.close();
        throw fail('closed', 'The attempt was given up.');
      })
      .then(
        (link) => {
          noPaths.delete(contact.id);
          end(() => outcome.resolve(link));
        },
        (error: unknown) => giveUp(explain(error)),
      );

    const session: Session = {
      contact,
      initiated,
      link: quiet(outcome.promise),
      take({ session: named, sequence, signals }) {
        if (over || !equal(named, id) || sequence < expected || sequence > expected + MAX_AHEAD) return;
        ahead.set(sequence, signals);
        for (let next = ahead.get(expected); next !== undefined; next = ahead.get(expected)) {
          ahead.delete(expected);
          expected++;
          for (const text of next) punch.accept(text);
        }
      },
      first: post.first,
      explain,
      yield: (link) => end(() => outcome.resolve(link)),
      close: () => end(() => outcome.reject(fail('closed', 'The attempt was given up.'))),
    };
    sessions.set(name, session);
    return session;
  };

  /** The link of an attempt that the other side began; null when it fails, or takes longer than good ones do. */
  const soon = (link: Promise<Link>): Promise<Link | null> => {
    const late = deferred<null>();
    const stop = clock.after(THEIR_TIME, () => late.resolve(null));
    return Promise.race([link.catch(() => null), late.promise]).finally(stop);
  };

  /** Begins to answer an offer, or a signal behind it that was faster. Null: our own offer to the same node goes on. */
  const answer = ({ session: id, transfer }: Letter, { from, carrier }: { from: Contact; carrier: NodeId }): Session | null => {
    const ours = find(from.id, { initiated: true });
    // Glare: the offer of the lesser id goes on, and both sides know which that is.
    if (ours && self < from.id) {
      remember(nameOf(from.id, id));
      return null;
    }
    let reserved = 0;
    for (const one of sessions.values()) if (!one.initiated) reserved++;
    if (!ours && !options.admits(from, { transfer, reserved })) throw fail('refused', 'There is no room for another link.');
    if (reserved >= MAX_ANSWERING || !rate.take()) throw fail('refused', 'Too many attempts at once.');
    const theirs = begin(from, { id: copy(id), initiated: false, transfer, through: carrier === from.id ? null : carrier });
    const cancel = clock.after(options.deadline, theirs.close);
    // Ours goes on until theirs has a link: it may be an old letter that somebody kept.
    theirs.link
      .then(
        (link) => ours?.yield(link),
        () => undefined,
      )
      .finally(cancel);
    return theirs;
  };

  return {
    async punch(contact, { signal, transfer }) {
      if (closed) throw fail('closed', 'This node has been closed.');
      const theirs = find(contact.id, { initiated: false });
      if (theirs) {
        const link = await orAbort(soon(theirs.link), signal);
        if (link) return link;
      }
      if (noPaths.isPaused(contact.id)) throw noPath('None opened when it was tried before; it is tried again later.');
      const session = begin(contact, { id: options.random.bytes(SESSION_BYTES), initiated: true, transfer, through: null });
      theirs?.link.then(session.yield, () => undefined);
      try {
        return await orAbort(session.link, signal);
      } catch (error) {
        throw session.explain(error);
      } finally {
        session.close();
      }
    },
    async deliver(letter, by) {
      const { session: id, sequence } = letter;
      if (closed || by.from.id === self) throw fail('refused', 'There is no such attempt.');
      const name = nameOf(by.from.id, id);
      // Late candidates of an attempt that is over are no news.
      if (ended.has(name)) return null;
      const session = sessions.get(name) ?? answer(letter, by);
      if (!session) return null;
      const first = sequence === 0 && !session.initiated ? session.first() : null;
      session.take(letter);
      return first;
    },
    wake: noPaths.clear,
    close() {
      closed = true;
      for (const session of [...sessions.values()]) session.close();
    },
  };
}

const BOTH_SYMMETRIC = 'Both are behind a NAT that shows another address to everyone, and no TURN server is set.';

function noPath(why: string): KadreelError {
  return fail('no-path', `The other tab answers, but no direct connection to it opens. ${why}`);
}

function nameOf(id: NodeId, session: Bytes): string {
  return `${id}/${toHex(session)}`;
}
