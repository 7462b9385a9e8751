/** Letters on their way to a node that there is no link to: signed and sealed here, opened and checked there. */
import { type Bytes, EMPTY } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, Sealer, Signer } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { sign, verify } from '../records/signed.ts';
import { type Letter, letterBody, letterSchema, signedLetterSchema } from '../wire/letter.ts';
import type { RequestOf, ResponseOf } from '../wire/messages.ts';

export interface Letters {
  /** Brings it to its target. Resolves with what that had to say at once, or null. Rejects as a call does. */
  send(letter: Letter, way: { to: Contact; through: NodeId | null }): Promise<Letter | null>;
  /** Answers a letter that came over a link to `carrier`, and says that it is from `from`. Rejects with `invalid` when that is not so. */
  receive(sealed: Bytes, by: { from: Contact; carrier: NodeId }): Promise<Bytes>;
}

export interface LettersOptions {
  readonly crypto: Crypto;
  readonly signer: Signer;
  /** Null where nothing is punched to. */
  readonly sealer: Sealer | null;
  readonly call: (
    target: { contact: Contact; namedBy: NodeId | null },
    method: 'SIGNAL',
    request: RequestOf<'SIGNAL'>,
  ) => Promise<ResponseOf<'SIGNAL'>>;
  /** What a letter is for. Resolves with what is said in return, or null. */
  readonly deliver: (letter: Letter, by: { from: Contact; carrier: NodeId }) => Promise<Letter | null>;
}

export function createLetters({ crypto, signer, sealer, ...options }: LettersOptions): Letters {
  const write = async (letter: Letter, to: Contact, seal: Sealer['seal']): Promise<Bytes> => {
    const body = encode(letterSchema, letter);
    const { signature } = await sign(signer, 'kadreel/signal/1', letterBody(to.publicKey, body));
    return seal(to.publicKey, encode(signedLetterSchema, { body, signature }));
  };

  /** Null when it is no letter of `from` to us. */
  const read = async (sealed: Bytes, from: Contact, unseal: Sealer['unseal']): Promise<Letter | null> => {
    const bytes = await unseal(sealed);
    const signed = bytes && decode(signedLetterSchema, bytes);
    if (!signed) return null;
    const message = { body: letterBody(signer.publicKey, signed.body), signature: signed.signature };
    const isTrue = await verify(crypto, 'kadreel/signal/1', { publicKey: from.publicKey, signed: message });
    return isTrue ? decode(letterSchema, signed.body) : null;
  };

  return {
    async send(letter, { to, through }) {
      if (!sealer) throw fail('refused', 'This node can be dialled, not punched to.');
      const sealed = await write(letter, to, sealer.seal);
      const { letter: answer } = await options.call({ contact: to, namedBy: through }, 'SIGNAL', { letter: sealed });
      return answer.length === 0 ? null : read(answer, to, sealer.unseal);
    },
    async receive(sealed, by) {
      if (!sealer) throw fail('refused', 'This node can be dialled, not punched to.');
      const letter = await read(sealed, by.from, sealer.unseal);
      if (!letter) throw fail('invalid', 'That is no letter of that node to me.');
      const answer = await options.deliver(letter, by);
      return answer ? write(answer, by.from, sealer.seal) : EMPTY;
    },
  };
}
