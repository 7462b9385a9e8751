/**
 * Links to closed nodes: offers, answers and candidates go as SIGNAL calls that others carry, until a direct channel opens
 * (design §5). Who carries them is not known here.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Channel, Clock, Punch, Puncher, Random } from '../base/ports.ts';
import { orAbort, quiet } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RequestOf } from '../wire/messages.ts';
import type { Link } from './link.ts';

export interface Punching {
  /** Opens a link to a closed node. Rejects with `unreachable`, `timeout` or `aborted`. */
  punch(contact: Contact, signal: AbortSignal): Promise<Link>;
  /** A signal came from `from`. Rejects with `refused` when this node can't take another attempt. */
  signalled(from: Contact, request: RequestOf<'SIGNAL'>): Promise<void>;
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
  readonly send: (to: Contact, request: Omit<RequestOf<'SIGNAL'>, 'from'>) => Promise<unknown>;
  readonly adopt: (channel: Channel, options: { initiated: boolean; expected: NodeId }) => Promise<Link>;
}

/** Attempts under way that others began, at most: each costs an RTCPeerConnection. */
const MAX_ANSWERING = 32;
/** Signals of one attempt that may wait for an earlier one that is still on its way. */
const MAX_AHEAD = 64;
const SESSION_BYTES = 8;

interface Session {
  readonly contact: Contact;
  readonly initiated: boolean;
  readonly punch: Punch;
  expected: number;
  readonly ahead: Map<number, string>;
  /** Settles with the link, whichever attempt it came from in the end. */
  readonly link: Promise<Link>;
  readonly close: () => void;
}

export function createPunching(options: PunchingOptions): Punching {
  const { self, clock } = options;
  const sessions = new Map<string, Session>();
  let closed = false;

  const nameOf = (id: NodeId, session: Bytes): string => `${id}/${toHex(session)}`;

  /** The attempt that the node `id` began and that we are answering, if any. */
  const answering = (id: NodeId): Session | null => {
    for (const session of sessions.values()) if (!session.initiated && session.contact.id === id) return session;
    return null;
  };
  const offering = (id: NodeId): Session | null => {
    for (const session of sessions.values()) if (session.initiated && session.contact.id === id) return session;
    return null;
  };

  const begin = (contact: Contact, id: Bytes, initiated: boolean): Session => {
    if (!options.puncher) throw fail('refused', 'This node can be dialled, not punched to.');
    const name = nameOf(contact.id, id);
    let sequence = 0;
    const punch = options.puncher.start({
      initiator: initiated,
      emit(payload) {
        const request = { session: id, sequence: sequence++, payload };
        options.send(contact, request).catch((error: Error) => {
          // Without the offer or the answer there is nothing to wait for; a lost candidate may not matter.
          if (request.sequence === 0) giveUp(error);
        });
      },
    });
    let giveUp: (error: Error) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const link = Promise.race([punch.opened, failed]).then((channel) => options.adopt(channel, { initiated, expected: contact.id }));
    const session: Session = {
      contact,
      initiated,
      punch,
      expected: 0,
      ahead: new Map(),
      link: quiet(
        link.finally(() => {
          sessions.delete(name);
          punch.close();
        }),
      ),
      close: () => giveUp(fail('closed', 'The attempt was given up.')),
    };
    sessions.set(name, session);
    return session;
  };

  return {
    async punch(contact, signal) {
      if (closed) throw fail('closed', 'This node has been closed.');
      const theirs = answering(contact.id);
      if (theirs) return orAbort(theirs.link, signal);
      const session = begin(contact, options.random.bytes(SESSION_BYTES), true);
      try {
        return await orAbort(session.link, signal);
      } catch (error) {
        session.close();
        // Glare: our offer made way for theirs, whose link is as good.
        const other = answering(contact.id);
        if (other && !signal.aborted) return orAbort(other.link, signal);
        throw error;
      }
    },
    async signalled(from, { session: id, sequence, payload }) {
      const name = nameOf(from.id, id);
      let session = sessions.get(name);
      if (!session) {
        // Late candidates of an attempt that has ended look like a new one that does not start at 0.
        if (closed || sequence > MAX_AHEAD) throw fail('refused', 'There is no such attempt.');
        const ours = offering(from.id);
        // Glare: the offer of the lesser id goes on, and both sides know which that is.
        if (ours && self < from.id) return;
        if ([...sessions.values()].filter((one) => !one.initiated).length >= MAX_ANSWERING)
          throw fail('refused', 'Too many attempts at once.');
        session = begin(from, new Uint8Array(id), false);
        const begun = session;
        const cancel = clock.after(options.deadline, () => begun.close());
        quiet(begun.link.finally(cancel));
        ours?.close();
      }
      if (sequence < session.expected || session.ahead.size >= MAX_AHEAD) return;
      session.ahead.set(sequence, payload);
      for (let next = session.ahead.get(session.expected); next !== undefined; next = session.ahead.get(session.expected)) {
        session.ahead.delete(session.expected);
        session.expected++;
        session.punch.accept(next);
      }
    },
    close() {
      closed = true;
      for (const session of [...sessions.values()]) session.close();
    },
  };
}
