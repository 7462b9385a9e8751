/** Offers, answers and candidates that others carry (docs/protocol.md, rules L6 to L8). */
import { describe, expect, test } from 'vitest';
import { fail } from '../../../src/base/errors.ts';
import type { Nat } from '../../../src/base/nat.ts';
import type { Channel, Punch } from '../../../src/base/ports.ts';
import { type Deferred, deadline, deferred, quiet } from '../../../src/base/timing.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import type { Link } from '../../../src/node/link.ts';
import { createPunching, type Punching } from '../../../src/node/punch.ts';
import type { Letter } from '../../../src/wire/letter.ts';
import { seededRandom } from '../../sim/random.ts';
import { type Bench, createBench } from './support/bench.ts';
import { channelPair } from './support/channel-pair.ts';
import { fakeLink } from './support/fake-link.ts';

interface Attempt {
  readonly initiator: boolean;
  readonly accepted: string[];
  readonly emit: (payload: string) => void;
  readonly opened: Deferred<Channel>;
  closed: boolean;
}

interface Side {
  readonly contact: Contact;
  readonly punching: Punching;
  /** What the puncher port was asked to begin. */
  readonly attempts: Attempt[];
  readonly links: { from: NodeId; initiated: boolean; guest: boolean }[];
  /** Signals on their way; the test delivers, drops or turns them round. */
  readonly outbox: { letter: Letter; to: Contact; through: NodeId | null; answered: (answer: Letter | null) => void }[];
  refuse: string | null;
  /** Asked before an attempt of another node's begins. */
  admits: (from: Contact, how: { transfer: boolean; reserved: number }) => boolean;
}

/** A puncher that opens when an offer (`offer`) has been answered (`answer`) and both have seen the other's candidate. */
function side(bench: Bench, options: { puncher?: boolean; nat?: Nat; relays?: boolean } = {}): Side {
  const { contact: someone, storeId } = bench.someone();
  const contact = { ...someone, nat: options.nat ?? null };
  const attempts: Attempt[] = [];
  const links: Side['links'] = [];
  const outbox: Side['outbox'] = [];
  const result: Omit<Side, 'punching'> = { contact, attempts, links, outbox, refuse: null, admits: () => true };
  const puncher = {
    nat: options.nat ?? null,
    relays: options.relays ?? false,
    start({ initiator, emit }: { initiator: boolean; emit: (signal: string) => void }): Punch {
      const attempt: Attempt = { initiator, accepted: [], emit, opened: deferred<Channel>(), closed: false };
      quiet(attempt.opened.promise);
      attempts.push(attempt);
      if (initiator) {
        emit('offer');
        emit('candidate');
      }
      return {
        opened: attempt.opened.promise,
        accept(signal) {
          attempt.accepted.push(signal);
          if (signal === 'nonsense') attempt.opened.reject(fail('unreachable', 'Nonsense.'));
          if (signal === 'offer') {
            emit('answer');
            emit('candidate');
          }
          if (signal === 'candidate' && attempt.accepted[0] !== 'candidate')
            bench.clock.after(HANDSHAKE, () => attempt.opened.resolve(channelPair(bench.clock)[0]));
        },
        close() {
          attempt.closed = true;
          attempt.opened.reject(fail('closed', 'Given up.'));
        },
      };
    },
  };
  return Object.assign(result, {
    punching: createPunching({
      puncher: options.puncher === false ? null : puncher,
      self: contact.id,
      clock: bench.clock,
      random: bench.random,
      deadline: 15_000,
      admits: (from, how) => result.admits(from, how),
      async send(letter, { to, through }) {
        if (result.refuse) throw fail('unreachable', result.refuse);
        const answer = deferred<Letter | null>();
        outbox.push({ letter, to, through, answered: answer.resolve });
        return answer.promise;
      },
      async adopt(_, { initiated, expected, guest }): Promise<Link> {
        links.push({ from: expected, initiated, guest });
        return fakeLink({ contact: { ...contact, id: expected }, storeId });
      },
    }),
  });
}

/** Delivers everything that waits, as `order` sorts it, until nothing moves. */
async function deliver(bench: Bench, sides: readonly Side[], order = <T>(all: T[]): T[] => all): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await bench.advance(GATHERED);
    const moving = order(sides.flatMap((from) => from.outbox.splice(0).map((sent) => ({ from, sent }))));
    if (moving.length === 0 && round > 2) return;
    for (const { from, sent } of moving) {
      const to = sides.find((one) => one.contact.id === sent.to.id);
      to?.punching.deliver(sent.letter, { from: from.contact, carrier: NOBODY }).then(sent.answered, () => undefined);
    }
  }
}

/** A letter out of nothing: the first of an attempt unless something else is said. */
function letter(signal: string, changes: Partial<Letter> = {}): Letter {
  return { session: new Uint8Array(8), sequence: 0, transfer: false, signals: [signal], ...changes };
}

/** From the last candidate to an open channel, ms: the other side must have heard the answer. */
const HANDSHAKE = 60;
/** Until what a side says at once is in its outbox, ms. */
const GATHERED = 21;
const patient = { signal: new AbortController().signal, transfer: false };
/** Who carried a signal when it does not matter. */
const NOBODY = 'f'.repeat(40) as NodeId;
const sorted = (a: Side, b: Side): readonly [Side, Side] => (a.contact.id < b.contact.id ? [a, b] : [b, a]);

describe('an attempt', () => {
  test('[L6] ends with a link at both sides', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const link = a.punching.punch(b.contact, patient);
    await deliver(bench, [a, b]);
    expect((await bench.run(link)).id).toBe(b.contact.id);
    expect(a.links).toEqual([{ from: b.contact.id, initiated: true, guest: false }]);
    expect(b.links).toEqual([{ from: a.contact.id, initiated: false, guest: false }]);
    await bench.advance(60_000);
    expect(bench.pending).toBe(0);
  });

  test.each([1, 2, 3, 4, 5, 6])('[L6] signals that arrive in any order, some twice, are taken in theirs (seed %i)', async (seed) => {
    const bench = createBench(seed);
    const random = seededRandom(seed);
    const [a, b] = [side(bench), side(bench)];
    const link = a.punching.punch(b.contact, patient);
    await deliver(bench, [a, b], (all) => [...all, ...all].sort(() => random.float() - 0.5));
    await bench.run(link);
    expect(b.attempts.length).toBe(1);
    expect(b.attempts[0]?.accepted).toEqual(['offer', 'candidate']);
    expect(a.attempts[0]?.accepted).toEqual(['answer', 'candidate']);
  });

  test('[L6] whose offer can’t be carried fails at once; a lost candidate does not matter', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    a.refuse = 'no way there';
    expect(await bench.code(a.punching.punch(b.contact, patient))).toBe('unreachable');
    expect(a.attempts[0]?.closed).toBe(true);
    a.refuse = null;
    const link = a.punching.punch(b.contact, patient);
    await bench.advance(GATHERED);
    a.refuse = 'lost';
    a.attempts[1]?.emit('late');
    await bench.advance(GATHERED);
    a.refuse = null;
    await deliver(bench, [a, b]);
    await bench.run(link);
  });

  test('that is given up frees everything, also a channel that opens just then', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const abort = new AbortController();
    const link = quiet(a.punching.punch(b.contact, { signal: abort.signal, transfer: false }));
    await bench.advance(GATHERED);
    const [late] = channelPair(bench.clock);
    abort.abort();
    a.attempts[0]?.opened.resolve(late);
    expect(await bench.code(link)).toBe('aborted');
    await bench.advance(10);
    expect(a.attempts[0]?.closed).toBe(true);
    expect(late.closed).toBe(true);
    expect(a.links).toEqual([]);
    a.attempts[0]?.emit('candidate');
    await bench.advance(GATHERED);
    expect(a.outbox.filter(({ letter }) => letter.sequence > 0)).toEqual([]);
  });

  test('that the other side never finishes ends after 15 s', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    quiet(b.punching.deliver(letter('offer'), { from: a.contact, carrier: NOBODY }));
    await bench.advance(14_900);
    expect(b.attempts[0]?.closed).toBe(false);
    await bench.advance(200);
    expect(b.attempts[0]?.closed).toBe(true);
    expect(bench.pending).toBe(0);
  });
});

describe('NATs', () => {
  test('[L9] two that can’t be punched together are told so before anything is spent, unless a relay stands by', async () => {
    const bench = createBench();
    const symmetric = (): Side => side(bench, { nat: 'symmetric' });
    const [a, b] = [symmetric(), symmetric()];
    expect(await bench.code(a.punching.punch(b.contact, patient))).toBe('no-path');
    expect(a.attempts).toEqual([]);
    const [relayed, mapped] = [side(bench, { nat: 'symmetric', relays: true }), side(bench, { nat: 'mapped' })];
    for (const [from, to] of [
      [relayed, b],
      [mapped, b],
    ] as const) {
      quiet(from.punching.punch(to.contact, patient));
      expect(from.attempts.length).toBe(1);
      from.punching.close();
    }
  });

  test('[L9] who answered, but can’t be connected to, has no path; who never did can’t be reached', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const unheard = quiet(a.punching.punch(b.contact, patient));
    await bench.advance(GATHERED);
    a.attempts[0]?.opened.reject(fail('unreachable', 'ICE failed.'));
    expect(await bench.code(unheard)).toBe('unreachable');
    a.outbox.splice(0);
    const answered = quiet(a.punching.punch(b.contact, patient));
    await bench.advance(GATHERED);
    for (const { letter: offer, answered: hear } of a.outbox.splice(0)) hear(letter('answer', { session: offer.session }));
    await bench.advance(1);
    a.attempts[1]?.opened.reject(fail('unreachable', 'ICE failed.'));
    expect(await bench.code(answered)).toBe('no-path');
  });

  test('[L9] where no path was found who offered spends nothing for 2 min, then 8, unless it wakes up elsewhere', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    /** What an attempt of `from` comes to when both sides hear of each other and no path opens; null when it cost nothing. */
    const attempt = async (from: Side, to: Side): Promise<string | null> => {
      const begun = from.attempts.length;
      const punched = quiet(from.punching.punch(to.contact, patient));
      await bench.advance(GATHERED);
      for (const { letter: offer, answered } of from.outbox.splice(0)) {
        to.punching.deliver(offer, { from: from.contact, carrier: NOBODY }).then(answered, () => undefined);
      }
      await bench.advance(GATHERED);
      for (const one of [from, to]) one.attempts.at(-1)?.opened.reject(fail('unreachable', 'ICE failed.'));
      const code = await bench.code(punched);
      return from.attempts.length === begun ? null : code;
    };
    expect(await attempt(a, b)).toBe('no-path');
    expect(await attempt(a, b)).toBe(null);
    await bench.advance(120_000);
    expect(await attempt(a, b)).toBe('no-path');
    await bench.advance(470_000);
    expect(await attempt(a, b)).toBe(null);
    // Whoever keeps an old offer and sends it again must not be able to stop the other side's own attempts.
    expect(await attempt(b, a)).toBe('no-path');
    a.punching.wake();
    expect(await attempt(a, b)).toBe('no-path');
  });

  test('[L9] time that runs out after an answer is a missing path, too', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const limit = deadline(bench.clock, 15_000);
    const punched = quiet(a.punching.punch(b.contact, { signal: limit.signal, transfer: false }));
    await bench.advance(GATHERED);
    for (const { letter: offer, answered } of a.outbox.splice(0)) answered(letter('answer', { session: offer.session }));
    await bench.advance(15_000);
    expect(await bench.code(punched)).toBe('no-path');
  });
});

describe('room', () => {
  test('[T3] is asked for before anything is spent, with what is promised already; no is an answer at once', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const asked: { transfer: boolean; reserved: number }[] = [];
    b.admits = (_, how) => {
      asked.push(how);
      return how.reserved < 2;
    };
    const offer = (transfer: boolean) => {
      const { contact } = bench.someone();
      return bench.run(
        b.punching.deliver(letter('offer', { session: bench.random.bytes(8), transfer }), { from: contact, carrier: NOBODY }),
      );
    };
    await offer(true);
    await offer(false);
    expect(await bench.code(offer(false))).toBe('refused');
    expect(asked).toEqual([
      { transfer: true, reserved: 0 },
      { transfer: false, reserved: 1 },
      { transfer: false, reserved: 2 },
    ]);
    expect(b.attempts.length).toBe(2);
    b.punching.close();
    a.punching.close();
  });

  test('[T3] that an offer asks for a transfer is told to the other side, and its link is a guest there', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const link = a.punching.punch(b.contact, { ...patient, transfer: true });
    await deliver(bench, [a, b]);
    await bench.run(link);
    expect(a.links).toEqual([{ from: b.contact.id, initiated: true, guest: false }]);
    expect(b.links).toEqual([{ from: a.contact.id, initiated: false, guest: true }]);
  });

  test('[L6] the answer is in the response to the offer, and what comes later goes through the node that carried it', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    quiet(a.punching.punch(b.contact, patient));
    await bench.advance(GATHERED);
    const [offer] = a.outbox.splice(0) as [Side['outbox'][number]];
    expect(offer.through).toBeNull();
    const hear = (): Promise<Letter | null> => bench.run(b.punching.deliver(offer.letter, { from: a.contact, carrier: NOBODY }));
    expect(await hear()).toMatchObject({ sequence: 0, signals: ['answer', 'candidate'] });
    // The response may get lost with a carrier, and the offer come again another way.
    expect(await hear()).toMatchObject({ sequence: 0, signals: ['answer', 'candidate'] });
    b.attempts[0]?.emit('late candidate');
    b.attempts[0]?.emit('another');
    await bench.advance(GATHERED);
    expect(b.outbox.map(({ letter: { sequence, signals }, through }) => [sequence, signals, through])).toEqual([
      [1, ['late candidate', 'another'], NOBODY],
    ]);
    a.punching.close();
    b.punching.close();
  });
});

describe('an answer that is late', () => {
  test('[L6] is sent as a signal of its own', async () => {
    const bench = createBench();
    const b = side(bench);
    const { contact } = bench.someone();
    const response = b.punching.deliver(letter('slow offer'), { from: contact, carrier: NOBODY });
    await bench.advance(499);
    expect(b.outbox).toEqual([]);
    await bench.advance(GATHERED);
    expect(await response).toBeNull();
    b.attempts[0]?.emit('answer');
    await bench.advance(GATHERED);
    expect(b.outbox).toMatchObject([{ letter: { sequence: 0, signals: ['answer'] }, through: NOBODY }]);
    b.punching.close();
  });

  test('[L6] and never comes, as the attempt ends, leaves the response empty', async () => {
    const bench = createBench();
    const b = side(bench);
    const { contact } = bench.someone();
    const response = b.punching.deliver(letter('nonsense'), { from: contact, carrier: NOBODY });
    expect(await response).toBeNull();
    expect(b.outbox).toEqual([]);
  });
});

describe('glare', () => {
  test.each([1, 2, 3])('[L7] the offer of the lesser id goes on, and both callers get its link (seed %i)', async (seed) => {
    const bench = createBench(seed);
    const [a, b] = [side(bench), side(bench)];
    const [lesser, greater] = sorted(a, b);
    const links = [lesser.punching.punch(greater.contact, patient), greater.punching.punch(lesser.contact, patient)];
    await deliver(bench, [a, b]);
    expect((await bench.run(links[0] as Promise<Link>)).id).toBe(greater.contact.id);
    expect((await bench.run(links[1] as Promise<Link>)).id).toBe(lesser.contact.id);
    expect(lesser.links).toEqual([{ from: greater.contact.id, initiated: true, guest: false }]);
    expect(greater.links).toEqual([{ from: lesser.contact.id, initiated: false, guest: false }]);
    expect([...a.attempts, ...b.attempts].every((attempt) => attempt.closed)).toBe(true);
  });

  test('[L5] [L7] a forged offer in the name of the lesser id does not end ours', async () => {
    const bench = createBench();
    const [lesser, greater] = sorted(side(bench), side(bench));
    const link = greater.punching.punch(lesser.contact, patient);
    await bench.run(
      greater.punching.deliver(letter('nonsense', { session: new Uint8Array(8).fill(9) }), { from: lesser.contact, carrier: NOBODY }),
    );
    await bench.advance(5);
    await deliver(bench, [lesser, greater]);
    expect((await bench.run(link)).id).toBe(lesser.contact.id);
  });

  test('an attempt of ours waits for theirs, and begins when that failed', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    quiet(b.punching.deliver(letter('offer'), { from: a.contact, carrier: NOBODY }));
    const link = b.punching.punch(a.contact, patient);
    await bench.advance(GATHERED);
    expect(b.attempts.length).toBe(1);
    b.outbox.splice(0);
    b.attempts[0]?.opened.reject(fail('unreachable', 'No path.'));
    await bench.advance(GATHERED);
    await deliver(bench, [a, b]);
    expect((await bench.run(link)).id).toBe(a.contact.id);
    expect(b.attempts.length).toBe(2);
  });

  test('an offer that nobody stands behind any more holds up our own attempt for 3 s only', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    quiet(b.punching.deliver(letter('offer'), { from: a.contact, carrier: NOBODY }));
    const link = b.punching.punch(a.contact, patient);
    await bench.advance(2_900);
    expect(b.attempts.length).toBe(1);
    b.outbox.splice(0);
    await bench.advance(200 + GATHERED);
    expect(b.attempts.length).toBe(2);
    await deliver(bench, [a, b]);
    expect((await bench.run(link)).id).toBe(a.contact.id);
  });

  test('a slow attempt of theirs that opens after all ends ours, which had begun meanwhile', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    quiet(b.punching.deliver(letter('offer'), { from: a.contact, carrier: NOBODY }));
    const link = b.punching.punch(a.contact, patient);
    await bench.advance(3_100);
    expect(b.attempts.map(({ closed }) => closed)).toEqual([false, false]);
    b.attempts[0]?.opened.resolve(channelPair(bench.clock)[0]);
    expect((await bench.run(link)).id).toBe(a.contact.id);
    expect(b.links).toEqual([{ from: a.contact.id, initiated: false, guest: false }]);
    expect(b.attempts.map(({ closed }) => closed)).toEqual([true, true]);
  });
});

describe('nonsense', () => {
  test('[L8] late candidates of an attempt that is over begin nothing', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const link = a.punching.punch(b.contact, patient);
    await bench.advance(GATHERED);
    const { session } = (a.outbox[0] as Side['outbox'][number]).letter;
    await deliver(bench, [a, b]);
    await bench.run(link);
    for (const to of [a, b]) {
      const from = to === a ? b : a;
      await bench.run(to.punching.deliver(letter('late', { session, sequence: 2 }), { from: from.contact, carrier: NOBODY }));
    }
    expect([a.attempts.length, b.attempts.length]).toEqual([1, 1]);
  });

  test('[L8] nor do those that come two minutes later, when other attempts have ended since', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const dial = async (): Promise<Letter> => {
      const link = a.punching.punch(b.contact, patient);
      await bench.advance(GATHERED);
      const { letter: first } = a.outbox.at(-1) as Side['outbox'][number];
      await deliver(bench, [a, b]);
      await bench.run(link);
      return first;
    };
    const { session } = await dial();
    await bench.advance(110_000);
    await dial();
    await bench.run(b.punching.deliver(letter('late', { session, sequence: 2 }), { from: a.contact, carrier: NOBODY }));
    expect(b.attempts.length).toBe(2);
  });

  test('a session that one node began is not touched by another', async () => {
    const bench = createBench();
    const [a, b, thief] = [side(bench), side(bench), side(bench)];
    quiet(a.punching.punch(b.contact, patient));
    await bench.advance(GATHERED);
    const { session } = (a.outbox[0] as Side['outbox'][number]).letter;
    await bench.run(a.punching.deliver(letter('nonsense', { session }), { from: thief.contact, carrier: NOBODY }));
    expect(a.attempts[0]?.accepted).toEqual([]);
    a.punching.close();
  });

  test('[L8] a flood of offers begins 32 at once, and no more than its share later', async () => {
    const bench = createBench();
    const [victim] = [side(bench)];
    const flood = async (payload: string, times: number): Promise<number> => {
      let refused = 0;
      for (let i = 0; i < times; i++) {
        const { contact } = bench.someone();
        const sent = letter(payload, { session: bench.random.bytes(8) });
        void victim.punching.deliver(sent, { from: contact, carrier: NOBODY }).catch(() => refused++);
        await bench.advance(0);
      }
      return refused;
    };
    expect(await flood('offer', 100)).toBe(68);
    await bench.advance(60_000);
    expect(await flood('nonsense', 1_000)).toBeGreaterThan(900);
    const begun = victim.attempts.length;
    await bench.advance(60_000);
    await flood('nonsense', 1_000);
    expect(victim.attempts.length - begun).toBeLessThanOrEqual(64);
    victim.punching.close();
    await bench.advance(20_000);
    expect(bench.pending).toBe(0);
  });

  test('signals in our own name, and to nodes that can’t be punched to, are refused', async () => {
    const bench = createBench();
    const [a, open] = [side(bench), side(bench, { puncher: false })];
    const by = { from: a.contact, carrier: NOBODY };
    expect(await bench.code(a.punching.deliver(letter('offer'), by))).toBe('refused');
    expect(await bench.code(open.punching.deliver(letter('offer'), by))).toBe('refused');
    expect(await bench.code(open.punching.punch(a.contact, patient))).toBe('refused');
  });

  test('signals far ahead of what is expected are dropped, and the one that is missing is still taken', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const send = (sequence: number, payload: string) =>
      b.punching.deliver(letter(payload, { sequence }), { from: a.contact, carrier: NOBODY });
    for (let sequence = 255; sequence > 0; sequence--) void send(sequence, 'x').catch(() => undefined);
    quiet(send(0, 'offer'));
    await bench.advance(1);
    expect(b.attempts[0]?.accepted.length).toBe(65);
    b.punching.close();
  });

  test('after closing nothing begins', async () => {
    const bench = createBench();
    const [a, b] = [side(bench), side(bench)];
    const link = quiet(a.punching.punch(b.contact, patient));
    await bench.advance(GATHERED);
    a.punching.close();
    expect(await bench.code(link)).toBe('closed');
    expect(await bench.code(a.punching.punch(b.contact, patient))).toBe('closed');
    expect(
      await bench.code(a.punching.deliver(letter('offer', { session: new Uint8Array(8) }), { from: b.contact, carrier: NOBODY })),
    ).toBe('refused');
  });
});
