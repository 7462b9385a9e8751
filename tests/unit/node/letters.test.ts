/** Letters between nodes that have no link (docs/protocol.md, rule L6): read by their target alone, believed only when signed. */
import { describe, expect, test } from 'vitest';
import { type Bytes, copy, EMPTY } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import { createLetters, type Letters } from '../../../src/node/letters.ts';
import type { Letter } from '../../../src/wire/letter.ts';
import { type Bench, createBench } from './support/bench.ts';

const CARRIER = 'f'.repeat(40) as NodeId;
const LETTER: Letter = { session: new Uint8Array(8).fill(7), sequence: 0, transfer: true, signals: ['offer', 'candidate'] };
const ANSWER: Letter = { session: new Uint8Array(8).fill(7), sequence: 0, transfer: true, signals: ['answer'] };

interface Person {
  readonly contact: Contact;
  readonly letters: Letters;
  readonly got: { letter: Letter; from: NodeId; carrier: NodeId }[];
}

/** `carry` stands for everybody between the two. */
function person(bench: Bench, options: { carry?: (sealed: Bytes) => Promise<Bytes>; answer?: Letter; sealer?: false } = {}): Person {
  const { signer, contact } = bench.someone();
  const got: Person['got'] = [];
  const letters = createLetters({
    crypto: bench.crypto,
    signer,
    sealer: options.sealer === false ? null : bench.crypto.sealer(signer.publicKey),
    call: async (_target, _method, { letter }) => ({ letter: (await options.carry?.(letter)) ?? EMPTY }),
    async deliver(letter, { from, carrier }) {
      got.push({ letter, from: from.id, carrier });
      return options.answer ?? null;
    },
  });
  return { contact, letters, got };
}

function pair(bench: Bench, tamper: { there?: (sealed: Bytes) => Bytes; back?: (sealed: Bytes) => Bytes } = {}): readonly [Person, Person] {
  const target = person(bench, { answer: ANSWER });
  const sender: Person = person(bench, {
    async carry(sealed) {
      const answer = await target.letters.receive(tamper.there?.(sealed) ?? sealed, { from: sender.contact, carrier: CARRIER });
      return tamper.back?.(answer) ?? answer;
    },
  });
  return [sender, target];
}

describe('a letter', () => {
  test('[L6] arrives with its answer', async () => {
    const [sender, target] = pair(createBench());
    expect(await sender.letters.send(LETTER, { to: target.contact, through: null })).toEqual(ANSWER);
    expect(target.got).toEqual([{ letter: LETTER, from: sender.contact.id, carrier: CARRIER }]);
  });

  test('[L6] may have no answer yet', async () => {
    const bench = createBench();
    const silent = person(bench);
    const sender: Person = person(bench, { carry: (sealed) => silent.letters.receive(sealed, { from: sender.contact, carrier: CARRIER }) });
    expect(await sender.letters.send(LETTER, { to: silent.contact, through: null })).toBeNull();
    expect(silent.got.length).toBe(1);
  });

  test('[L6] in somebody else’s name, to somebody else, or changed on the way is refused as `invalid`', async () => {
    const bench = createBench();
    let taken: Bytes = EMPTY;
    const [sender, target] = pair(bench, {
      there(sealed) {
        taken = copy(sealed);
        return sealed;
      },
    });
    await sender.letters.send(LETTER, { to: target.contact, through: null });
    const thief = person(bench);
    const receive = (who: Person, sealed: Bytes, from: Contact) => bench.code(who.letters.receive(sealed, { from, carrier: CARRIER }));
    expect(await receive(target, taken, thief.contact)).toBe('invalid');
    expect(await receive(thief, taken, sender.contact)).toBe('invalid');
    for (let i = 32; i < taken.length - 16; i++) {
      const changed = copy(taken);
      changed[i] = (changed[i] as number) ^ 1;
      expect(await receive(target, changed, sender.contact), `byte ${i}`).toBe('invalid');
    }
    expect(await receive(target, EMPTY, sender.contact)).toBe('invalid');
    expect(target.got.length).toBe(1);
  });

  test('[L6] whose answer is not of its target has none', async () => {
    const bench = createBench();
    const [sender, target] = pair(bench, { back: () => forged });
    let forged: Bytes = EMPTY;
    const forging = person(bench, {
      carry: async (sealed) => {
        forged = sealed;
        return EMPTY;
      },
    });
    await forging.letters.send(ANSWER, { to: sender.contact, through: null });
    expect(await sender.letters.send(LETTER, { to: target.contact, through: null })).toBeNull();
  });

  test('of a node that can only be dialled is neither sent nor taken', async () => {
    const bench = createBench();
    const [open, other] = [person(bench, { sealer: false }), person(bench)];
    expect(await bench.code(open.letters.send(LETTER, { to: other.contact, through: null }))).toBe('refused');
    expect(await bench.code(open.letters.receive(EMPTY, { from: other.contact, carrier: CARRIER }))).toBe('refused');
  });
});
