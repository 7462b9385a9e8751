/** The simulated wires: what a node may rely on, and what befalls it. */
import { expect, test } from 'vitest';
import type { Channel } from '../../src/base/ports.ts';
import { deferred } from '../../src/base/timing.ts';
import { mean, quantile } from './figures.ts';
import { createGeography } from './latency.ts';
import { canPunch, drawNat, HOME_NATS, type Nat } from './nat.ts';
import { createNetwork, type Host, type NetworkOptions } from './network.ts';
import { seededRandom } from './random.ts';
import { createScheduler } from './scheduler.ts';

const patient = new AbortController().signal;

function setup(options: Partial<NetworkOptions> = {}) {
  const scheduler = createScheduler();
  const network = createNetwork({ scheduler, random: seededRandom(5), silence: 6_500, ...options });
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await scheduler.advance(60_000, () => settled);
    return promise;
  };
  /** A connection from a new host to another one. */
  const connect = async (): Promise<{ a: Host; b: Host; there: Channel; here: Channel }> => {
    const [a, b] = [network.host(), network.host()];
    const accepted = deferred<Channel>();
    b.listen(`ws://${b.name}/`, accepted.resolve);
    const here = await run(a.dialer.dial(`ws://${b.name}/`, patient));
    return { a, b, here, there: await accepted.promise };
  };
  return { scheduler, network, run, connect };
}

/** What a channel gets. */
function listen(channel: Channel): { numbers: number[]; closed: string[] } {
  const got = { numbers: [] as number[], closed: [] as string[] };
  channel.listen({
    message: (message) => got.numbers.push(message[0] as number),
    drain: () => undefined,
    close: (reason) => got.closed.push(reason),
  });
  return got;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 256);
const sendAll = (channel: Channel, count: number): void => {
  for (const number of numbers(count)) channel.send(new Uint8Array([number]));
};

test('messages arrive in order after the latency of the pair, also when packets are lost', async () => {
  for (const loss of [0, 0.3]) {
    const at = setup({ loss });
    const { a, b, here, there } = await at.connect();
    const got = listen(there);
    const start = at.scheduler.time();
    sendAll(here, 100);
    await at.scheduler.advance(at.network.oneWay(a, b) - 0.001);
    expect(got.numbers).toEqual([]);
    await at.scheduler.advance(60_000, () => got.numbers.length === 100);
    expect(got.numbers).toEqual(numbers(100));
    const late = at.scheduler.time() - start - at.network.oneWay(a, b);
    // Without a loss only the queues on the way are in between; with many, at least one pause of a retransmission.
    if (loss === 0) expect(late).toBeLessThan(15);
    else expect(late).toBeGreaterThan(200);
  }
});

test('what was sent before the close arrives, what came before anybody listened too, and the close comes last and once', async () => {
  const { scheduler, connect } = setup();
  const { here, there } = await connect();
  sendAll(here, 3);
  here.close();
  here.close();
  here.send(new Uint8Array([9]));
  await scheduler.advance(5_000);
  const got = listen(there);
  expect(got).toEqual({ numbers: [0, 1, 2], closed: ['the connection ended'] });
  there.send(new Uint8Array([1]));
  there.close();
  await scheduler.advance(5_000);
  expect(got.closed).toHaveLength(1);
});

test('a crash is silent: what was on its way arrives, and the other side hears of it after the silence', async () => {
  const { scheduler, connect } = setup();
  const { a, here, there } = await connect();
  const [got, own] = [listen(there), listen(here)];
  sendAll(here, 2);
  a.crash();
  sendAll(here, 2);
  await scheduler.advance(6_000);
  expect(got).toEqual({ numbers: [0, 1], closed: [] });
  await scheduler.advance(1_000);
  expect(got.closed).toEqual(['nothing heard for 7 s']);
  expect(own).toEqual({ numbers: [], closed: [] });
});

test('a short partition only delays, a long one breaks the links across; nobody new comes across; healing ends it', async () => {
  const { scheduler, network, connect, run } = setup();
  const [one, two, three] = [await connect(), await connect(), await connect()];
  const [got, same] = [listen(one.there), listen(three.there)];
  const ends = [listen(two.there), listen(two.here)];
  const left = new Set([one.a, two.a, three.a, three.b]);
  network.partition((host) => Number(left.has(host)));
  sendAll(one.here, 3);
  sendAll(three.here, 3);
  two.b.listen('ws://other/', () => undefined);
  await expect(run(one.a.dialer.dial('ws://other/', patient))).rejects.toMatchObject({ code: 'unreachable' });
  expect(got.numbers).toEqual([]);
  expect(same.numbers).toEqual([0, 1, 2]);
  network.heal();
  sendAll(one.here, 2);
  await scheduler.advance(5_000);
  expect(got).toEqual({ numbers: [0, 1, 2, 0, 1], closed: [] });

  network.partition((host) => Number(left.has(host)));
  await scheduler.advance(7_000);
  expect(ends.map(({ closed }) => closed)).toEqual([['nothing heard for 7 s'], ['nothing heard for 7 s']]);
  expect(same.closed).toEqual([]);
  network.heal();
  await run(one.a.dialer.dial('ws://other/', patient));
});

test('two hosts punch through their NATs where real ones do, in 4.2 round trips with the signalling, and not elsewhere', async () => {
  const kinds: readonly Nat[] = ['open', 'cone', 'restricted', 'symmetric'];
  for (const nat of kinds) {
    for (const other of kinds) {
      const at = setup();
      const { place } = at.network.host();
      const [a, b] = [at.network.host({ place, nat }), at.network.host({ place: at.network.host().place, nat: other })];
      const start = at.scheduler.time();
      let answered = start;
      const answer = b.puncher.start({
        initiator: false,
        emit(signal) {
          answered = at.scheduler.time();
          offer.accept(signal);
        },
      });
      const offer = a.puncher.start({ initiator: true, emit: (signal) => answer.accept(signal) });
      const works = canPunch(nat, other);
      if (works) {
        const [here, there] = await Promise.all([at.run(offer.opened), answer.opened]);
        expect((at.scheduler.time() - answered) / (2 * at.network.oneWay(a, b))).toBeCloseTo(3.2, 1);
        const got = listen(there);
        sendAll(here, 1);
        await at.scheduler.advance(1_000);
        expect(got.numbers).toEqual([0]);
      } else {
        await expect(at.run(offer.opened)).rejects.toMatchObject({ code: 'unreachable' });
        await expect(answer.opened).rejects.toMatchObject({ code: 'unreachable' });
      }
    }
  }
  expect(kinds.flatMap((a) => kinds.filter((b) => !canPunch(a, b)).map((b) => `${a} ${b}`))).toEqual([
    'restricted symmetric',
    'symmetric restricted',
    'symmetric symmetric',
  ]);
});

test('kinds of NAT are drawn with their shares', () => {
  const random = seededRandom(9);
  const counts: Record<Nat, number> = { open: 0, cone: 0, restricted: 0, symmetric: 0 };
  for (let i = 0; i < 10_000; i++) counts[drawNat(HOME_NATS, random)]++;
  for (const [nat, share] of Object.entries(HOME_NATS)) expect(counts[nat as Nat] / 10_000).toBeCloseTo(share, 1);
});

test('latency is the same both ways and every time, and spread as between homes all over the world', () => {
  const geography = createGeography(seededRandom(11));
  const places = Array.from({ length: 300 }, () => geography.place());
  const trips: number[] = [];
  let difference = 0;
  for (const a of places) {
    for (const b of places) {
      difference = Math.max(difference, Math.abs(geography.oneWay(a, b) - geography.oneWay(b, a)));
      if (a !== b) trips.push(2 * geography.oneWay(a, b));
    }
  }
  expect(difference).toBeLessThan(1e-9);
  // King's hosts all over the world have a median of 159 ms; nothing takes no time, and hardly anything half a second.
  expect(quantile(trips, 0.5)).toBeGreaterThan(110);
  expect(quantile(trips, 0.5)).toBeLessThan(210);
  expect(mean(trips)).toBeGreaterThan(110);
  expect(quantile(trips, 0.01)).toBeGreaterThan(5);
  expect(quantile(trips, 0.99)).toBeLessThan(500);
});
