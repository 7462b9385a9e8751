/** Proves both ends of a fresh channel to each other (docs/protocol.md, rules H). */
import { type Bytes, concat, copy, equal } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Channel, ChannelListener, Clock, Crypto, Random, Signer } from '../base/ports.ts';
import { type Deferred, deferred } from '../base/timing.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import { signedMessage } from '../records/signed.ts';
import { decodeFrame, encodeFrame } from '../wire/codec.ts';
import { type Hello, NONCE_BYTES, PROTOCOL_VERSION } from '../wire/messages.ts';

/** A channel whose other end has shown that it owns its key. */
export interface ProvenChannel {
  readonly channel: Channel;
  readonly contact: Contact;
  readonly storeId: Bytes;
  /** Milliseconds from our HELLO to their PROOF: a round trip, and the time of a signature. */
  readonly roundTrip: number;
  /** Takes over the channel; what came since the proof is given first. */
  listen(listener: ChannelListener): void;
}

export interface HandshakeOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly contact: () => Contact;
  readonly storeId: Bytes;
  /** Milliseconds. */
  readonly deadline: number;
}

/** Messages that may wait until the proof is checked, which takes some ms; a new link begins with a handful. */
const MAX_WAITING = 128;

/** Rejects with `unreachable`, `timeout`, `invalid` (another protocol, or nonsense) or `corrupt` (no proof); the channel is closed then. */
export function handshake(options: HandshakeOptions): Promise<ProvenChannel> {
  const { channel, clock, crypto, signer } = options;
  const outcome: Deferred<ProvenChannel> = deferred();
  const nonce = options.random.bytes(NONCE_BYTES);
  const greeted = clock.now();
  let roundTrip = 0;
  const held: Held = { messages: [], ended: null };
  let hello: Hello | null = null;
  let phase: 'hello' | 'proof' | 'checking' | 'proven' | 'failed' = 'hello';

  const give = (error: Error): void => {
    if (phase === 'proven' || phase === 'failed') return;
    phase = 'failed';
    held.messages.length = 0;
    stopTimer();
    outcome.reject(error);
    channel.close();
  };
  const stopTimer = clock.after(options.deadline, () => give(fail('timeout', 'The other node did not finish its greeting in time.')));

  const turns = new Turns({
    message(message) {
      if (phase === 'failed') return;
      if (phase === 'checking' || phase === 'proven') {
        if (held.messages.push(message) > MAX_WAITING) give(fail('invalid', 'The other node sent too much before its proof was checked.'));
        return;
      }
      const frame = decodeFrame(message);
      if (phase === 'hello' && frame?.type === 'hello') {
        if (frame.version !== PROTOCOL_VERSION) {
          give(fail('invalid', `The other node speaks version ${frame.version} of the protocol, this one version ${PROTOCOL_VERSION}.`));
          return;
        }
        hello = { version: frame.version, contact: frame.contact, nonce: copy(frame.nonce), storeId: frame.storeId };
        phase = 'proof';
        prove(hello).catch(give);
      } else if (phase === 'proof' && frame?.type === 'proof' && hello) {
        phase = 'checking';
        roundTrip = clock.now() - greeted;
        check(hello, copy(frame.signature)).catch(give);
      } else if (frame?.type === 'bye') give(fail('refused', `The other node refused the link: ${frame.reason}`));
      else give(fail('invalid', 'The other node did not greet as the protocol says.'));
    },
    drain: () => undefined,
    close(reason) {
      held.ended = reason;
      give(fail('unreachable', `The connection ended during the greeting: ${reason}`));
    },
  });
  channel.listen(turns);
  channel.send(encodeFrame({ type: 'hello', version: PROTOCOL_VERSION, contact: options.contact(), nonce, storeId: options.storeId }));

  async function prove(theirs: Hello): Promise<void> {
    const message = proofMessage({
      nonce: theirs.nonce,
      by: signer.publicKey,
      to: theirs.contact.publicKey,
      binding: channel.binding,
    });
    channel.send(encodeFrame({ type: 'proof', signature: await signer.sign(message) }));
  }

  async function check(theirs: Hello, signature: Bytes): Promise<void> {
    const contact = contactOf(crypto, theirs.contact);
    if (equal(contact.publicKey, signer.publicKey)) throw fail('refused', 'That node is this node.');
    const message = proofMessage({ nonce, by: contact.publicKey, to: signer.publicKey, binding: channel.binding });
    if (!(await crypto.verify(contact.publicKey, message, signature))) {
      throw fail('corrupt', 'The other node could not prove that its key is its own.');
    }
    if (phase !== 'checking') return;
    phase = 'proven';
    stopTimer();
    outcome.resolve(provenChannel({ channel, contact, storeId: theirs.storeId, roundTrip }, turns, held));
  }

  return outcome.promise;
}

/** What came when nobody listened yet. */
interface Held {
  readonly messages: Bytes[];
  ended: string | null;
}

/** Made here, so that a link keeps nothing else of its greeting. */
function provenChannel({ channel, contact, storeId, roundTrip }: Omit<ProvenChannel, 'listen'>, turns: Turns, held: Held): ProvenChannel {
  return {
    channel,
    contact,
    storeId,
    roundTrip,
    listen(listener) {
      turns.listener = listener;
      for (const message of held.messages.splice(0)) listener.message(message);
      if (held.ended !== null) listener.close(held.ended);
    },
  };
}

/** Listens to a channel for one after the other. A class, as a link keeps it: three closures would weigh six times as much. */
class Turns implements ChannelListener {
  listener: ChannelListener;

  constructor(first: ChannelListener) {
    this.listener = first;
  }

  message(message: Bytes): void {
    this.listener.message(message);
  }

  drain(): void {
    this.listener.drain();
  }

  close(reason: string): void {
    this.listener.close(reason);
  }
}

/** What a proof signs: the challenge, who answers it, to whom, and over which connection. */
function proofMessage(parts: { nonce: Bytes; by: Bytes; to: Bytes; binding: Bytes }): Bytes {
  return signedMessage('kadreel/hello/1', concat(parts.nonce, parts.by, parts.to, parts.binding));
}
