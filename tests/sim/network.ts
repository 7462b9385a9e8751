/** The simulated wires: open addresses that can be dialled, punching for hosts that can't, crashes and partitions. */
import type { Bytes } from '../../src/base/bytes.ts';
import { fail } from '../../src/base/errors.ts';
import type { Nat as Verdict } from '../../src/base/nat.ts';
import type { Channel, Dialer, Punch, Puncher, Random } from '../../src/base/ports.ts';
import { deferred, quiet } from '../../src/base/timing.ts';
import { silenceOf } from '../../src/node/link-end.ts';
import { createGeography, type Place } from './latency.ts';
import { canPunch, drawNat, type Nat, type NatShares } from './nat.ts';
import { breakEnd, createPipe, type End, isCut, type PipeHost, release } from './pipe.ts';
import type { Scheduler } from './scheduler.ts';
import { createTrace } from './trace.ts';

/** One place on the network: a node lives there. */
export interface Host extends PipeHost {
  readonly place: Place;
  readonly nat: Nat;
  /** Ends of direct connections that it began: each costs a browser an RTCPeerConnection. */
  readonly punches: number;
  readonly dialer: Dialer;
  readonly puncher: Puncher;
  /** Answers dialling at this address. */
  listen(url: string, accept: (channel: Channel) => void): void;
  /** Vanishes without a word: the others notice after `silence`. */
  crash(): void;
}

export interface Network {
  /** A host somewhere, or where another one was. */
  host(at?: { readonly place: Place; readonly nat: Nat }): Host;
  /** Ms one way between two hosts, without what changes from message to message. */
  oneWay(a: Host, b: Host): number;
  /** Cuts hosts off from those of another side, hosts that come later too. Links across die after `silence`. */
  partition(side: (host: Host) => number): void;
  /** Ends the partition: what was sent of late comes through, and everybody can be reached again. */
  heal(): void;
  /** A hash of every delivery so far: the same seed gives the same one. */
  trace(): string;
  readonly messages: number;
  readonly bytes: number;
  /** As of a host, of all of them. */
  readonly punches: number;
  /** Has every message looked at when it is sent, besides those who look already. */
  watch(look: Look): void;
}

/** Looks at a message as it leaves an end of a connection. */
export type Look = (end: End, message: Bytes) => void;

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** How long the end of a crashed host stays unnoticed, ms. */
  readonly silence: number;
  /** The part of all packets that get lost. Channels are reliable, so a loss is a delay that holds up what is behind it. */
  readonly loss?: number;
  /** The part of all dials and punches that fail for no reason. */
  readonly failures?: number;
  /** What closed hosts are behind; without it all of them can be punched to. */
  readonly nats?: NatShares | null;
}

interface SimHost extends Host {
  up: boolean;
  punches: number;
  side: number;
  /** A connection has shown what it is behind. */
  judged: boolean;
}

interface SimPunch {
  readonly host: SimHost;
  open(channel: Channel): void;
  fail(): void;
}

/** Round trips from dialling to an open WebSocket: TCP, TLS 1.3, and the upgrade. The server has it half a round trip earlier. */
const DIAL_TRIPS = 3;
/** Round trips from the answer's coming to an open data channel: 4.2 in all, of which signalling takes one (measured in Chromium). */
const PUNCH_TRIPS = 3.2;
/** Ms until it is clear that nobody answers a dial, and that no path can be punched. */
const DIAL_PATIENCE = 3_000;
const PUNCH_PATIENCE = 10_000;
/** What a tab finds out about its own. */
const VERDICTS: Readonly<Record<Nat, Verdict>> = { open: 'open', cone: 'mapped', restricted: 'mapped', symmetric: 'symmetric' };
/** Characters of an offer or answer with two or three candidates. */
const SIGNAL_SIZE = 190;

export function createNetwork(options: NetworkOptions): Network {
  const { scheduler, random, silence, loss = 0, failures = 0, nats = null } = options;
  const { clock } = scheduler;
  const geography = createGeography(random);
  const trace = createTrace();
  const listeners = new Map<string, { host: SimHost; accept: (channel: Channel) => void }>();
  const punches = new Map<string, SimPunch>();
  const hosts = new Set<SimHost>();
  const looks: Look[] = [];
  let sideOf: ((host: Host) => number) | null = null;
  const counters = { messages: 0, bytes: 0, hosts: 0, offers: 0, punches: 0, partitions: 0 };

  const oneWay = (a: Host, b: Host): number => geography.oneWay(a.place, b.place);
  const fails = (): boolean => failures > 0 && random.float() < failures;
  /** Whether a packet gets from one to the other now. */
  const reaches = (a: SimHost, b: SimHost): boolean => a.up && b.up && a.side === b.side;

  const wires = {
    scheduler,
    random,
    loss,
    sent(end: End, message: Bytes) {
      counters.messages++;
      counters.bytes += message.length;
      for (const look of looks) look(end, message);
    },
    arrived: (end: End, message: Bytes) => trace.add(clock.now(), end.host.name, message.length),
  };
  const connect = (a: SimHost, b: SimHost): readonly [Channel, Channel] => createPipe(wires, { a, b, latency: oneWay(a, b) });

  const dial = async (host: SimHost, url: string, signal: AbortSignal): Promise<Channel> => {
    const target = listeners.get(url);
    const answers = target !== undefined && reaches(host, target.host) && !fails();
    const pause = answers ? 2 * DIAL_TRIPS * oneWay(host, target.host) : DIAL_PATIENCE;
    await new Promise<void>((resolve) => void clock.after(pause, resolve));
    if (signal.aborted || !answers || !reaches(host, target.host)) throw fail('unreachable', `Nobody answers at ${url}.`);
    const [ours, theirs] = connect(host, target.host);
    target.accept(theirs);
    return ours;
  };

  const startPunch = (host: SimHost, { initiator, emit }: Parameters<Puncher['start']>[0]): Punch => {
    counters.punches++;
    host.punches++;
    const opened = deferred<Channel>();
    quiet(opened.promise);
    let settled = false;
    let own: string | null = null;
    const settle = (run: () => void): void => {
      if (settled) return;
      settled = true;
      if (own) punches.delete(own);
      run();
    };
    const giveUp = (code: 'unreachable' | 'closed', reason: string): void => settle(() => opened.reject(fail(code, reason)));
    const punch: SimPunch = {
      host,
      open(channel) {
        host.judged = true;
        if (settled) channel.close();
        else settle(() => opened.resolve(channel));
      },
      fail: () => giveUp('unreachable', 'No direct path opens.'),
    };
    const tell = (kind: string, number: string): void => {
      own = `${kind} ${number}`;
      punches.set(own, punch);
      const text = own.padEnd(SIGNAL_SIZE);
      clock.after(0, () => emit(text));
    };
    if (initiator) tell('offer', String(counters.offers++));
    return {
      opened: opened.promise,
      accept(signal) {
        const name = signal.trimEnd();
        const [kind, number = ''] = name.split(' ');
        const other = punches.get(name);
        if (!other) return giveUp('unreachable', 'Nobody stands behind that signal.');
        if (kind === 'offer') return tell('answer', number);
        const works = canPunch(host.nat, other.host.nat) && !fails();
        clock.after(works ? 2 * PUNCH_TRIPS * oneWay(host, other.host) : PUNCH_PATIENCE, () => {
          if (!works || !reaches(host, other.host)) {
            punch.fail();
            other.fail();
            return;
          }
          const [ours, theirs] = connect(host, other.host);
          punch.open(ours);
          other.open(theirs);
        });
      },
      close: () => giveUp('closed', 'The attempt was given up.'),
    };
  };

  /** For the ends of these hosts that a partition or a crash has cut off: the other side notices by their silence. */
  const noticeSilence = (end: End, isStill: () => boolean): void => {
    clock.after(silence, () => {
      if (end.peer && isStill()) breakEnd(end.peer, silenceOf(silence));
    });
  };

  const network: Network = {
    host({ place, nat } = { place: geography.place(), nat: nats ? drawNat(nats, random) : 'cone' }) {
      const host: SimHost = {
        name: counters.hosts++,
        up: true,
        punches: 0,
        side: 0,
        judged: false,
        ends: new Set(),
        place,
        nat,
        dialer: { dial: (url, signal) => dial(host, url, signal) },
        puncher: {
          start: (start) => startPunch(host, start),
          get nat() {
            return host.judged ? VERDICTS[host.nat] : null;
          },
          relays: false,
        },
        listen: (url, accept) => void listeners.set(url, { host, accept }),
        crash() {
          if (!host.up) return;
          host.up = false;
          hosts.delete(host);
          for (const end of [...host.ends]) noticeSilence(end, () => true);
        },
      };
      hosts.add(host);
      host.side = sideOf?.(host) ?? 0;
      return host;
    },
    oneWay,
    partition(side) {
      const number = ++counters.partitions;
      sideOf = side;
      for (const host of hosts) host.side = side(host);
      for (const host of hosts) {
        for (const end of host.ends) if (isCut(end)) noticeSilence(end, () => counters.partitions === number && isCut(end));
      }
    },
    heal() {
      counters.partitions++;
      sideOf = null;
      for (const host of hosts) host.side = 0;
      for (const host of hosts) for (const end of host.ends) release(end);
    },
    trace: trace.digest,
    get messages() {
      return counters.messages;
    },
    get bytes() {
      return counters.bytes;
    },
    get punches() {
      return counters.punches;
    },
    watch: (look) => void looks.push(look),
  };
  return network;
}
