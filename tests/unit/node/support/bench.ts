import type { Bytes } from '../../../../src/base/bytes.ts';
import type { Random, Signer } from '../../../../src/base/ports.ts';
import type { Contact } from '../../../../src/kademlia/contact.ts';
import { hashKey } from '../../../../src/kademlia/key.ts';
import { createSimCrypto, type SimCrypto } from '../../../sim/crypto.ts';
import { seededRandom } from '../../../sim/random.ts';
import { createScheduler, type Scheduler } from '../../../sim/scheduler.ts';

/** Virtual time, seeded randomness and simulated signatures for one test. */
export interface Bench extends Pick<Scheduler, 'clock' | 'advance' | 'pending'> {
  readonly random: Random;
  readonly crypto: SimCrypto;
  /** Somebody new, who can sign. */
  someone(open?: string | null): { signer: Signer; contact: Contact; storeId: Bytes };
  /** Lets time pass until the promise settles, at most an hour. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** The error code with which the promise rejects, or `null` when it does not. */
  code(promise: Promise<unknown>): Promise<string | null>;
}

const HOUR = 3_600_000;

export function createBench(seed = 1): Bench {
  const scheduler = createScheduler();
  const random = seededRandom(seed);
  const crypto = createSimCrypto();
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    const outcome = { settled: false };
    const note = (): void => {
      outcome.settled = true;
    };
    promise.then(note, note);
    await scheduler.advance(HOUR, () => outcome.settled);
    if (!outcome.settled) throw new Error('Nothing came of it within a virtual hour.');
    return promise;
  };
  return {
    clock: scheduler.clock,
    advance: scheduler.advance,
    get pending() {
      return scheduler.pending;
    },
    random,
    crypto,
    someone(open = null) {
      const signer = crypto.signer(random);
      const contact = {
        id: hashKey(crypto, signer.publicKey),
        publicKey: signer.publicKey,
        open,
        via: [],
        coordinate: null,
        nat: null,
        stun: null,
      };
      return { signer, contact, storeId: random.bytes(16) };
    },
    run,
    code: (promise) =>
      run(promise).then(
        () => null,
        (error: { code?: string }) => error.code ?? String(error),
      ),
  };
}
