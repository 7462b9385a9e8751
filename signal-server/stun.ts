/**
 * Answers STUN binding requests: a tab behind a NAT learns from where it is seen outside, so that a network of one's own needs no other
 * server. Nothing else of STUN is spoken, and no TURN.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { fail } from '../src/base/errors.ts';
import type { Clock } from '../src/base/ports.ts';
import { networkOf } from './address.ts';
import { answerBinding, readBindingRequest, refuseBinding } from './stun-message.ts';
import { createStunSeries } from './stun-series.ts';

/** What the responder did since it opened. */
export interface StunCounters {
  readonly answered: number;
  /** Datagrams that were no binding request. */
  readonly malformed: number;
  /** Requests answered with an error, so that a browser stops asking. */
  readonly stopped: number;
  /** Requests not answered because their address had had its share. */
  readonly limited: number;
}

export interface StunResponder {
  /** The UDP port, the same for IPv4 and IPv6. Rejects with `unreachable` when it can't be had. */
  readonly ready: Promise<number>;
  counters(): StunCounters;
  /** Frees the port. Idempotent. */
  close(): Promise<void>;
}

export interface StunOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly clock: Clock;
  /** Answers a second for one IPv4 address or IPv6 /64. */
  readonly perAddress?: number;
}

/**
 * A tab asks once for each connection that it opens, and then every 10 s for a minute; a household or an office shares an address. Whoever forges a
 * victim’s address sends it 5 kB a second at most.
 */
const PER_ADDRESS = 100;
/** Of the window in which answers are counted (ms). */
const WINDOW = 1_000;
/** Addresses counted in one window (items); in a flood of forged ones the rest gets no answer. */
const MAX_ADDRESSES = 10_000;
/** Tries to find a port that is free for IPv4 and for IPv6, when any will do. */
const PORT_TRIES = 10;

/** Starts one, on all addresses of this machine: behind a reverse proxy for the site, UDP still comes straight in. */
export function createStunResponder(options: StunOptions): StunResponder {
  const { clock, perAddress = PER_ADDRESS } = options;
  const counters = { answered: 0, malformed: 0, stopped: 0, limited: 0 };
  const series = createStunSeries({ clock });
  let sockets: readonly Socket[] = [];
  let closing: Promise<void> | null = null;
  let windowEnd = 0;
  const answers = new Map<string, number>();

  const mayAnswer = (address: string): boolean => {
    const now = clock.now();
    if (now >= windowEnd) {
      answers.clear();
      windowEnd = now + WINDOW;
    }
    const network = networkOf(address);
    const given = answers.get(network) ?? 0;
    if (given >= perAddress || (given === 0 && answers.size >= MAX_ADDRESSES)) return false;
    answers.set(network, given + 1);
    return true;
  };

  const answer = (socket: Socket, datagram: Uint8Array, from: RemoteInfo): void => {
    const request = readBindingRequest(datagram);
    if (!request || from.port === 0) counters.malformed++;
    else if (!mayAnswer(from.address)) counters.limited++;
    else {
      const enough = series.isEnough(from);
      counters[enough ? 'stopped' : 'answered']++;
      const reply = enough ? refuseBinding(request) : answerBinding(request, from);
      socket.send(reply, from.port, from.address, () => undefined); // What is lost is asked for again.
    }
  };

  const open = async (): Promise<number> => {
    for (let left = PORT_TRIES; ; left--) {
      try {
        sockets = await bindBoth(options.port);
        break;
      } catch (error) {
        if (options.port !== 0 || left === 1) throw listenError(error as NodeJS.ErrnoException, options.port);
      }
    }
    for (const socket of sockets) {
      socket.on('message', (datagram, from) => answer(socket, datagram, from));
      socket.on('error', () => undefined); // of one datagram: the socket goes on
    }
    return (sockets[0] as Socket).address().port;
  };
  const ready = open();

  return {
    ready,
    counters: () => ({ ...counters }),
    close() {
      closing ??= ready.then(
        () => Promise.all(sockets.map(closed)).then(() => undefined),
        () => undefined,
      );
      return closing;
    },
  };
}

/** One socket for IPv4 and one for IPv6 on the same port; the machine may lack either. */
async function bindBoth(port: number): Promise<readonly Socket[]> {
  const v4 = await bind('udp4', port).catch(unlessMissing);
  try {
    const v6 = await bind('udp6', v4?.address().port ?? port).catch(unlessMissing);
    const bound = [v4, v6].filter((socket) => socket !== null);
    if (bound.length > 0) return bound;
  } catch (error) {
    if (v4) await closed(v4);
    throw error;
  }
  throw new Error('this machine has no network address');
}

function bind(type: 'udp4' | 'udp6', port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.once('error', reject);
    socket.bind({ port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function unlessMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL') return null;
  throw error;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  const what = `UDP port ${port} for STUN`;
  if (error.code === 'EADDRINUSE')
    return fail('unreachable', `${what} is in use by another program. Choose another: STUN_PORT=${port + 1} npm start`);
  if (error.code === 'EACCES')
    return fail('unreachable', `${what} needs rights that this user lacks. Choose one above 1023: STUN_PORT=3478 npm start`);
  return fail('unreachable', `${what} can't be had: ${error.message}`, error);
}
