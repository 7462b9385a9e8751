/**
 * Links that two people make by hand, with no server and nobody between: one sends an invitation, the other one a reply (docs/protocol.md,
 * rules I). The greeting on the new channel proves both keys, as on any other.
 */
import { type Bytes, equal } from '../base/bytes.ts';
import { asKadreelError, fail, hasCode, type KadreelError } from '../base/errors.ts';
import type { Clock, Crypto, Pairer, Pairing } from '../base/ports.ts';
import { abortError, orAbort, quiet } from '../base/timing.ts';
import type { NodeId } from '../kademlia/key.ts';
import { type PairingCode, readPairingCode, writePairingCode } from '../wire/pairing-code.ts';
import type { Peers } from './peers.ts';

export interface Invitations {
  /** A new invitation. Rejects with `unreachable` on a device without a network. */
  invite(): Promise<Invitation>;
  /** The reply to an invitation; whatever was joined before is given up. Rejects with `invalid`, `corrupt`, `unsupported` or `unreachable`. */
  join(code: string): Promise<Joining>;
  /** Who sent this invitation. Throws as `join` rejects. */
  inviterOf(code: string): NodeId;
  /** Ends all of them. */
  close(): void;
}

export interface Invitation {
  readonly code: string;
  /**
   * Resolves when linked. A wrong code (`corrupt`, `invalid`) leaves the invitation as it is; when no path opens (`unreachable`) it is spent.
   * Rejects with `timeout` or `closed` when it is over already.
   */
  accept(reply: string): Promise<void>;
  /** Frees its connection. Idempotent; does nothing once linked. */
  close(): void;
}

export interface Joining {
  /** For the inviter. */
  readonly reply: string;
  /** Rejects with `timeout` when the inviter did not take the reply in time. */
  readonly linked: Promise<void>;
}

export interface InvitationsOptions {
  readonly pairer: Pairer;
  readonly clock: Clock;
  readonly crypto: Pick<Crypto, 'hash'>;
  readonly self: NodeId;
  readonly adopt: Peers['adopt'];
}

/**
 * An invitation is good for so long, ms. It holds a connection and a place at the router, both of which the browser must keep alive; two people who
 * write to each other need a minute or two.
 */
export const INVITATION_LIFE = 600_000;
/** Invitations open at once: each costs an RTCPeerConnection. The oldest goes. */
const MAX_OPEN = 4;

export function createInvitations({ pairer, clock, crypto, self, adopt }: InvitationsOptions): Invitations {
  /** How to end each invitation that is open, the oldest first. */
  const open = new Set<(error: KadreelError) => void>();
  let leave: (error: KadreelError) => void = () => undefined;
  let closed = false;

  const read = (text: string, kind: PairingCode['kind']): { code: PairingCode; session: Bytes } => {
    const result = readPairingCode(crypto, text);
    if (result.outcome === 'foreign')
      throw fail('unsupported', 'It was made by another version of Kadreel. Reload the page on both sides, then start again.');
    if (result.outcome === 'damaged') throw fail('corrupt', DAMAGED[kind]);
    if (result.code.kind !== kind) throw fail('invalid', MISTAKEN[kind]);
    if (result.code.node === self) throw fail('invalid', OWN[kind]);
    return result;
  };

  /** Waits for the channel and makes a link of it, which finds room wherever there is any: a person asked for it. */
  const link = async (pairing: Pairing, signal: AbortSignal, side: { initiated: boolean; expected: NodeId }): Promise<void> => {
    const channel = await pairing.opened.catch((error: unknown) => {
      throw signal.aborted ? abortError(signal) : error;
    });
    if (signal.aborted) {
      channel.close();
      throw abortError(signal);
    }
    await adopt(channel, { ...side, guest: false, wanted: true });
  };

  const ensureOpen = (): void => {
    if (closed) throw fail('closed', 'This tab has left the network. Reload the page.');
  };

  /** Ends when the time is up, or from outside; whoever waits on `signal` hears why. */
  const limited = (pairing: Pairing, why: string): { signal: AbortSignal; end: (error: KadreelError) => void } => {
    const over = new AbortController();
    const end = (error: KadreelError): void => {
      cancel();
      over.abort(error);
      pairing.close();
    };
    const cancel = clock.after(INVITATION_LIFE, () => end(fail('timeout', why)));
    return { signal: over.signal, end };
  };

  return {
    async invite() {
      ensureOpen();
      const pairing = pairer.offer();
      const { signal, end } = limited(pairing, EXPIRED);
      const finish = (error: KadreelError): void => {
        open.delete(finish);
        end(error);
      };
      open.add(finish);
      const [oldest] = open;
      if (open.size > MAX_OPEN) oldest?.(fail('closed', 'Newer invitations took the place of this one.'));
      const written = await orAbort(pairing.own, signal)
        .then((endpoint) => writePairingCode(crypto, { kind: 'invitation', node: self, endpoint, to: null }))
        .catch((error: unknown) => {
          finish(asKadreelError(error));
          throw error;
        });
      let accepting = false;
      return {
        code: written.text,
        async accept(reply) {
          signal.throwIfAborted();
          if (accepting) throw fail('invalid', 'A reply code was given already, and the connection is opening. Wait for it.');
          const { code } = read(reply, 'reply');
          if (!code.to || !equal(code.to, written.session)) throw fail('invalid', OTHER);
          accepting = true;
          pairing.accept(code.endpoint);
          try {
            await link(pairing, signal, { initiated: true, expected: code.node });
            finish(fail('closed', 'This invitation has been used. Make a new one for somebody else.'));
          } catch (error) {
            const told = hasCode(error, 'unreachable') ? fail('unreachable', NO_PATH, error) : asKadreelError(error);
            finish(told);
            throw told;
          }
        },
        close: () => finish(fail('closed', 'This invitation was ended. Make a new one.')),
      };
    },
    async join(text) {
      ensureOpen();
      const { code, session } = read(text, 'invitation');
      leave(fail('closed', 'Another invitation was followed in this tab.'));
      const pairing = pairer.answer(code.endpoint);
      const { signal, end } = limited(pairing, NOT_TAKEN);
      leave = end;
      const reply = await orAbort(pairing.own, signal)
        .then((endpoint) => writePairingCode(crypto, { kind: 'reply', node: self, endpoint, to: session }).text)
        .catch((error: unknown) => {
          end(asKadreelError(error));
          throw error;
        });
      const linked = link(pairing, signal, { initiated: false, expected: code.node }).finally(() =>
        end(fail('closed', 'This invitation has been used.')),
      );
      return { reply, linked: quiet(linked) };
    },
    inviterOf: (text) => read(text, 'invitation').code.node,
    close() {
      closed = true;
      const error = fail('closed', 'This tab has left the network. Reload the page.');
      for (const finish of [...open]) finish(error);
      leave(error);
    },
  };
}

type ByKind = Readonly<Record<PairingCode['kind'], string>>;

const DAMAGED: ByKind = {
  invitation: 'The link is not whole, or was changed on its way. Copy it again from its first to its last character, or scan the QR code.',
  reply: 'The code is not whole, or has a typing mistake. Copy it again from its first to its last character.',
};
const MISTAKEN: ByKind = {
  invitation: 'This is a reply code, not an invitation. It belongs into the page of whoever sent you the invitation.',
  reply: 'This is an invitation, not a reply code. Send it to the other person; their page then shows the code that belongs here.',
};
const OWN: ByKind = {
  invitation: 'This is this tab’s own invitation. Send the link to somebody else.',
  reply: 'This code was made in this very tab. It belongs into the page of whoever sent you the invitation.',
};
const OTHER = 'This code answers another invitation. Ask for the code that was made with this very link, or send this link again.';
const EXPIRED =
  'This invitation has ended: nobody replied within 10 minutes, and this tab can’t hold a connection open for longer. Make a new one, and send the new link.';
const NOT_TAKEN = 'Nobody took the code within 10 minutes, and this tab can’t hold a connection open for longer. Ask for a new invitation.';
const NO_PATH =
  'No direct path opened between your network and theirs; the page at the other end may also have been closed. Make a new invitation and try again; if that fails too, ' +
  'bring one of you onto another network: the same Wi-Fi, or a phone’s hotspot.';
