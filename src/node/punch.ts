/**
 * Links to closed nodes: offers, answers and candidates go as SIGNAL calls that others carry, until a direct channel opens
 * (design §5). Who carries them is not known here.
 */
import { type Bytes, copy, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Channel, Clock, Punch, Puncher, Random } from '../base/ports.ts';
import { abortError, type Deferred, deferred, orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RequestOf } from '../wire/messages.ts';
import type { Link } from './link.ts';
import { createRate } from './rate.ts';
import { trim } from './trim.ts';

export interface Punching {
  /** Opens a link to a closed node. Rejects with `unreachable`, `timeout` or `aborted`. */
  punch(contact: Contact, options: { signal: AbortSignal; transfer: boolean }): Promise<Link>;
  /**
   * A signal came from `from`, which is a claim, over a link to `carrier`. Rejects with `refused` when this node can't take another attempt, or has no
   * room for such a link. Resolves with what this side has to say first when it has that soon, the answer to an offer, and else with ''.
   */
  signalled(from: Contact, request: RequestOf<'SIGNAL'>, carrier: NodeId): Promise<string>;
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
  /** `through`: a node that has a link to the other side, when one is known. Resolves with what the other side said first, or ''. */
  readonly send: (to: Contact, request: Omit<RequestOf<'SIGNAL'>, 'from'>, through: NodeId | null) => Promise<string>;
  readonly adopt: (channel: Channel, options: { initiated: boolean; expected: NodeId; guest: boolean }) => Promise<Link>;
}

/** Attempts under way that others began, at most: each costs an RTCPeerConnection. */
const MAX_ANSWERING = 32;
/**
 * Attempts that others may begin: so many at once, and then one in so many ms. A tab may have 500 RTCPeerConnections, those closed in
 * the last minute included, so this leaves half of them for our own.
 */
const ANSWER_RATE = { burst: 64, interval: 400 };
/** A browser has its answer after 20 to 60 ms. One that comes later than this, ms, goes as a call of its own: carriers should not have to wait for it. */
const ANSWER_WAIT = 500;
/** Signals of one attempt that may wait for an earlier one that is still on its way. */
const MAX_AHEAD = 64;
/** Attempts that have ended and are remembered, so that their late candidates do not look like new ones. */
const MAX_ENDED = 512;
const SESSION_BYTES = 8;

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
  take(sequence: number, payload: string): void;
  /** The first signal of this side, which is then not sent by itself; '' when it takes too long, or the attempt ends without one. */
  first(): Promise<string>;
  /** Ends the attempt with a link that came about otherwise. */
  yield(link: Link): void;
  close(): void;
}

export function createPunching(options: PunchingOptions): Punching {
  const { self, clock } = options;
  const sessions = new Map<string, Session>();
  const ended = new Set<string>();
  const rate = createRate({ clock, ...ANSWER_RATE });
  let closed = false;

  /** The attempt with a node that is under way from our side, or from the other. */
  const find = (id: NodeId, side: { initiated: boolean }): Session | null => {
    for (const session of sessions.values()) if (session.initiated === side.initiated && session.contact.id === id) return session;
    return null;
  };

  const remember = (name: string): void => {
    ended.add(name);
    trim(ended, MAX_ENDED);
  };

  const begin = (contact: Contact, { id, initiated, transfer, through }: Beginning): Session => {
    if (!options.puncher) throw fail('refused', 'This node can be dialled, not punched to.');
    const name = nameOf(contact.id, id);
    const outcome = deferred<Link>();
    const ahead = new Map<number, string>();
    let over = false;
    let sent = 0;
    let expected = 0;
    /** The first signal of this side, and who waits for it. */
    let said = '';
    let asked: Deferred<string> | null = null;
    const tell = (): void => {
      asked?.resolve(said);
      asked = null;
    };

    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      tell();
      sessions.delete(name);
      remember(name);
      punch.close();
      settle();
    };
    const giveUp = (error: unknown): void => end(() => outcome.reject(error));

    const punch: Punch = options.puncher.start({
      initiator: initiated,
      emit(payload) {
        if (over) return;
        const sequence = sent++;
        if (sequence === 0) said = payload;
        if (asked) {
          tell();
          return;
        }
        options.send(contact, { session: id, sequence, transfer, payload }, through).then(
          (answer) => {
            if (answer !== '') session.take(0, answer);
          },
          (error: unknown) => {
            // Without the offer or the answer there is nothing to wait for; a lost candidate may not matter.
            if (sequence === 0) giveUp(error);
          },
        );
      },
    });
    punch.opened
      .then((channel) => {
        if (!over) return options.adopt(channel, { initiated, expected: contact.id, guest: !initiated && transfer });
        channel.close();
        throw fail('closed', 'The attempt was given up.');
      })
      .then((link) => end(() => outcome.resolve(link)), giveUp);

    const session: Session = {
      contact,
      initiated,
      link: quiet(outcome.promise),
      take(sequence, payload) {
        if (over || sequence < expected || sequence > expected + MAX_AHEAD) return;
        ahead.set(sequence, payload);
        for (let next = ahead.get(expected); next !== undefined; next = ahead.get(expected)) {
          ahead.delete(expected);
          expected++;
          punch.accept(next);
        }
      },
      async first() {
        // Whoever offers tries another way when the first one breaks: it is told again.
        if (said !== '' || over) return said;
        asked ??= deferred();
        const waiting = asked.promise;
        const cancel = clock.after(ANSWER_WAIT, tell);
        return waiting.finally(cancel);
      },
      yield: (link) => end(() => outcome.resolve(link)),
      close: () => end(() => outcome.reject(fail('closed', 'The attempt was given up.'))),
    };
    sessions.set(name, session);
    return session;
  };

  /** Begins to answer an offer, or a signal behind it that was faster. Null: our own offer to the same node goes on. */
  const answer = (from: Contact, { session: id, transfer }: RequestOf<'SIGNAL'>, carrier: NodeId): Session | null => {
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
    // Ours goes on until theirs has a link: who sent this signal is not proven before.
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
        const link = await orAbort(theirs.link, signal).catch(() => null);
        if (link) return link;
        if (signal.aborted) throw abortError(signal);
      }
      const session = begin(contact, { id: options.random.bytes(SESSION_BYTES), initiated: true, transfer, through: null });
      try {
        return await orAbort(session.link, signal);
      } finally {
        session.close();
      }
    },
    async signalled(from, request, carrier) {
      const { session: id, sequence, payload } = request;
      if (closed || from.id === self) throw fail('refused', 'There is no such attempt.');
      const name = nameOf(from.id, id);
      // Late candidates of an attempt that is over are no news.
      if (ended.has(name)) return '';
      const session = sessions.get(name) ?? answer(from, request, carrier);
      if (!session) return '';
      const first = sequence === 0 && !session.initiated ? session.first() : '';
      session.take(sequence, payload);
      return first;
    },
    close() {
      closed = true;
      for (const session of [...sessions.values()]) session.close();
    },
  };
}

function nameOf(id: NodeId, session: Bytes): string {
  return `${id}/${toHex(session)}`;
}
