/** The simulated wires: channels with latency, open addresses that can be dialled, and punching for those that can't. */
import { createHash } from 'node:crypto';
import { EMPTY } from '../../src/base/bytes.ts';
import { fail } from '../../src/base/errors.ts';
import type { Channel, ChannelListener, Clock, Dialer, Punch, Puncher, Random } from '../../src/base/ports.ts';
import { deferred } from '../../src/base/timing.ts';

/** One place on the network: a node lives there. */
export interface Host {
  readonly name: number;
  readonly dialer: Dialer;
  readonly puncher: Puncher;
  /** Answers dialling at this address. */
  listen(url: string, accept: (channel: Channel) => void): void;
  /** Vanishes without a word: the others notice after `silence`. */
  crash(): void;
}

export interface Network {
  host(): Host;
  /** A hash of every delivery so far: the same seed gives the same one. */
  trace(): string;
  readonly messages: number;
  readonly bytes: number;
}

export interface NetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** One way, ms. */
  readonly latency: (random: Random) => number;
  /** How long the end of a crashed host stays unnoticed, ms. */
  readonly silence: number;
}

export function createNetwork(options: NetworkOptions): Network {
  const { clock, random } = options;
  const trace = createHash('sha256');
  const listeners = new Map<string, { host: SimHost; accept: (channel: Channel) => void }>();
  const offers = new Map<string, SimPunch>();
  const counters = { messages: 0, bytes: 0, hosts: 0, offers: 0 };
  const latencies = new Map<string, number>();

  /** A pair's latency is drawn once. */
  const latencyOf = (a: SimHost, b: SimHost): number => {
    const pair = a.name < b.name ? `${a.name}-${b.name}` : `${b.name}-${a.name}`;
    const known = latencies.get(pair) ?? options.latency(random);
    latencies.set(pair, known);
    return known;
  };

  interface SimHost extends Host {
    up: boolean;
    readonly ends: Set<End>;
  }

  interface End {
    readonly channel: Channel;
    deliver(message: Uint8Array<ArrayBuffer>): void;
    end(reason: string): void;
  }

  function pipe(a: SimHost, b: SimHost): [Channel, Channel] {
    const latency = latencyOf(a, b);
    const ends: End[] = [];
    const makeEnd = (host: SimHost, other: 0 | 1): End => {
      const early: Uint8Array<ArrayBuffer>[] = [];
      let listener: ChannelListener | null = null;
      let open = true;
      const end: End = {
        channel: {
          transport: 'memory',
          binding: EMPTY,
          queued: 0,
          send(message) {
            if (!open || !host.up) return;
            counters.messages++;
            counters.bytes += message.length;
            clock.after(latency, () => {
              trace.update(`${clock.now()} ${host.name} ${message.length};`);
              (ends[other] as End).deliver(message);
            });
          },
          listen(next) {
            listener = next;
            for (const message of early.splice(0)) next.message(message);
            if (!open) next.close('the connection ended');
          },
          close() {
            if (!open) return;
            end.end('closed here');
            if (host.up) clock.after(latency, () => (ends[other] as End).end('closed by the other side'));
          },
        },
        deliver(message) {
          if (!open || !host.up) return;
          if (listener) listener.message(message);
          else early.push(message);
        },
        end(reason) {
          if (!open) return;
          open = false;
          host.ends.delete(end);
          if (host.up) listener?.close(reason);
        },
      };
      host.ends.add(end);
      crashers.set(end, () => clock.after(options.silence, () => (ends[other] as End).end('silent for too long')));
      return end;
    };
    ends.push(makeEnd(a, 1), makeEnd(b, 0));
    return [(ends[0] as End).channel, (ends[1] as End).channel];
  }

  /** For each end, what tells the other side that this one has crashed. */
  const crashers = new WeakMap<End, () => void>();

  interface SimPunch {
    readonly host: SimHost;
    open(channel: Channel): void;
  }

  const startPunch = (host: SimHost, { initiator, emit }: Parameters<Puncher['start']>[0]): Punch => {
    const opened = deferred<Channel>();
    opened.promise.catch(() => undefined);
    let settled = false;
    const give = (error: Error): void => {
      if (settled) return;
      settled = true;
      opened.reject(error);
    };
    const own: SimPunch = {
      host,
      open(channel) {
        if (settled) return channel.close();
        settled = true;
        opened.resolve(channel);
      },
    };
    if (initiator) {
      const id = `offer ${counters.offers++}`;
      offers.set(id, own);
      clock.after(0, () => emit(id));
    }
    return {
      opened: opened.promise,
      accept(signal) {
        if (signal.startsWith('offer ')) {
          const offerer = offers.get(signal);
          if (!offerer?.host.up) return give(fail('unreachable', 'Nobody stands behind that offer.'));
          const answer = `answer to ${signal}`;
          offers.set(answer, own);
          clock.after(0, () => emit(answer));
        } else {
          const answerer = offers.get(signal);
          offers.delete(signal);
          if (!answerer?.host.up) return give(fail('unreachable', 'Nobody stands behind that answer.'));
          // ICE and DTLS after the answer: two round trips more.
          clock.after(4 * latencyOf(host, answerer.host), () => {
            if (!host.up || !answerer.host.up) return give(fail('unreachable', 'The other side has gone.'));
            const [ours, theirs] = pipe(host, answerer.host);
            own.open(ours);
            answerer.open(theirs);
          });
        }
      },
      close: () => give(fail('closed', 'The attempt was given up.')),
    };
  };

  return {
    host() {
      const host: SimHost = {
        name: counters.hosts++,
        up: true,
        ends: new Set(),
        dialer: {
          async dial(url, signal) {
            const target = listeners.get(url);
            await new Promise<void>((resolve) => clock.after(target ? 3 * latencyOf(host, target.host) : 1000, () => resolve()));
            if (signal.aborted || !target?.host.up) throw fail('unreachable', `Nobody answers at ${url}.`);
            const [ours, theirs] = pipe(host, target.host);
            target.accept(theirs);
            return ours;
          },
        },
        puncher: { start: (start) => startPunch(host, start) },
        listen(url, accept) {
          listeners.set(url, { host, accept });
        },
        crash() {
          host.up = false;
          for (const end of [...host.ends]) crashers.get(end)?.();
        },
      };
      return host;
    },
    trace: () => trace.copy().digest('hex'),
    get messages() {
      return counters.messages;
    },
    get bytes() {
      return counters.bytes;
    },
  };
}
