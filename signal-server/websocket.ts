/** Links over WebSockets: the door where others dial this open node, and the dialer by which it dials other open nodes. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { type Bytes, EMPTY } from '../src/base/bytes.ts';
import { fail } from '../src/base/errors.ts';
import { LIMITS } from '../src/base/limits.ts';
import type { Channel, ChannelListener, Dialer } from '../src/base/ports.ts';
import { abortError } from '../src/base/timing.ts';
import { remoteAddress } from './address.ts';

/** The path where an open node takes WebSockets. */
export const SOCKET_PATH = '/ws';

/** How many sockets are let in, so that a flood costs the flooder and not everybody else. */
export interface SocketLimits {
  /** In all. One costs about 10 kB. */
  readonly sockets: number;
  /** From one IPv4 address or IPv6 /64. A household or an office shares one, so it is generous. */
  readonly perAddress: number;
  /** Believe `X-Forwarded-For` from everybody, not only from a proxy on this machine. */
  readonly trustProxy: boolean;
}

/** What holds where nothing else is said. */
export const SOCKET_LIMITS: SocketLimits = { sockets: 10_000, perAddress: 64, trustProxy: false };

/** What the door did since it opened. */
export interface SocketCounters {
  readonly sockets: number;
  readonly accepted: number;
  readonly refused: number;
}

export interface SocketDoor {
  /** For the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  counters(): SocketCounters;
  /** Lets nobody in any more, and says goodbye to who is in. */
  close(): void;
}

/** `drain` comes at this many queued bytes: the port's promise. */
const LOW_MARK = 64 * 1024;
/**
 * A queue above this (bytes) means that the other side has stopped reading. For guests it is small: an open node sends nobody bulk, and
 * whoever asks much and reads nothing must not fill its memory.
 */
const MAX_QUEUED = { guest: 1024 * 1024, dialled: 16 * 1024 * 1024 } as const;
/** A dialled node that has not answered by now (ms) is as good as gone. */
const OPEN_TIMEOUT = 10_000;
/** From the door's close to the cut of connections whose other side does not answer (ms). */
const CLOSE_TIMEOUT = 1_000;
/** Close codes of RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
/** One message of the protocol; compression off: with it a socket costs 232 kB, and 5 times the processor. */
const OPTIONS = { perMessageDeflate: false, maxPayload: LIMITS.message } as const;

/** The door. `accept` gets each connection that was let in. */
export function createSocketDoor(limits: SocketLimits, accept: (channel: Channel) => void): SocketDoor {
  const server = new WebSocketServer({ noServer: true, clientTracking: true, ...OPTIONS });
  const perAddress = new Map<string, number>();
  let accepted = 0;
  let refused = 0;
  let open = true;

  const refuse = (socket: Duplex, status: string): void => {
    refused++;
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };

  return {
    upgrade(request, socket, head) {
      const address = remoteAddress(request, limits.trustProxy);
      const present = (address && perAddress.get(address)) || 0;
      if (!open || server.clients.size >= limits.sockets) return refuse(socket, '503 Service Unavailable');
      if (address !== null && present >= limits.perAddress) return refuse(socket, '429 Too Many Requests');
      if (pathOf(request) !== SOCKET_PATH) return refuse(socket, '404 Not Found');
      server.handleUpgrade(request, socket, head, (client) => {
        accepted++;
        if (address !== null) {
          perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
          client.once('close', () => {
            const left = (perAddress.get(address) ?? 1) - 1;
            if (left === 0) perAddress.delete(address);
            else perAddress.set(address, left);
          });
        }
        accept(channelOf(client, MAX_QUEUED.guest));
      });
    },
    counters: () => ({ sockets: server.clients.size, accepted, refused }),
    close() {
      open = false;
      for (const client of server.clients) end(client, GOING_AWAY, 'The open node is closing.');
      const cut = setTimeout(() => {
        for (const client of server.clients) client.terminate();
      }, CLOSE_TIMEOUT);
      server.close(() => clearTimeout(cut));
    },
  };
}

/** The Dialer port. */
export function createNodeDialer(): Dialer {
  return {
    dial(url, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(abortError(signal));
          return;
        }
        let socket: WebSocket;
        try {
          socket = new WebSocket(url, { handshakeTimeout: OPEN_TIMEOUT, followRedirects: false, ...OPTIONS });
        } catch (error) {
          reject(fail('invalid', `“${url.slice(0, 100)}” is not the address of an open node. It must begin with ws:// or wss://.`, error));
          return;
        }
        const settle = (): void => {
          signal.removeEventListener('abort', onAbort);
          socket.off('open', onOpen);
          socket.off('error', onError);
        };
        const onAbort = (): void => {
          settle();
          socket.on('error', () => undefined); // ws reports the abandoned handshake
          socket.terminate();
          reject(abortError(signal));
        };
        const onError = (error: Error): void => {
          settle();
          socket.on('error', () => undefined);
          reject(fail('unreachable', `The open node at ${url} can't be reached: ${error.message}`, error));
        };
        const onOpen = (): void => {
          settle();
          resolve(channelOf(socket, MAX_QUEUED.dialled));
        };
        signal.addEventListener('abort', onAbort, { once: true });
        socket.on('open', onOpen);
        socket.on('error', onError);
      });
    },
  };
}

/** An open socket as a Channel. It is not read before somebody listens. */
function channelOf(socket: WebSocket, maxQueued: number): Channel {
  let listener: ChannelListener | null = null;
  let ended: string | null = null;
  let told = false;
  let draining = false;

  const tell = (): void => {
    if (!listener || ended === null || told) return;
    told = true;
    const [hearer, reason] = [listener, ended];
    queueMicrotask(() => hearer.close(reason)); // the listener may be the one that is calling our close()
  };
  const finish = (reason: string): void => {
    ended ??= reason;
    tell();
  };
  const close = (code: number, reason: string): void => {
    if (ended !== null) return;
    finish(reason);
    end(socket, code, reason);
  };
  const sent = (): void => {
    if (!draining || ended !== null || socket.bufferedAmount > LOW_MARK) return;
    draining = false;
    listener?.drain();
  };

  socket.binaryType = 'nodebuffer';
  socket.pause();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (ended !== null) return;
    if (!isBinary) close(UNSUPPORTED_DATA, 'Only binary messages are spoken here.');
    else listener?.message(ownBytes(data));
  });
  socket.on('error', (error) => finish(`The connection broke: ${error.message}`));
  socket.on('close', (_code, reason) => finish(reason.toString() || 'The other side closed the connection.'));

  return {
    transport: 'websocket',
    binding: EMPTY, // TLS, where there is any, ends at a proxy or is not shown to a page
    get queued() {
      return socket.bufferedAmount;
    },
    send(message) {
      if (ended !== null || socket.readyState !== WebSocket.OPEN) return;
      socket.send(message, sent);
      if (socket.bufferedAmount > maxQueued) close(GOING_AWAY, 'The other side stopped reading.');
      else if (socket.bufferedAmount > LOW_MARK) draining = true;
    },
    listen(next) {
      if (listener) throw fail('internal', 'This channel has a listener already.');
      listener = next;
      if (ended === null) socket.resume();
      tell();
    },
    close: () => close(1000, 'Closed.'),
  };
}

/** The message in a buffer of its own: ws hands out views on what it read from the network. */
function ownBytes(data: Buffer): Bytes {
  return new Uint8Array(data);
}

/** Sends what is queued, then closes with a reason. ws itself cuts when the other side does not answer (30 s). */
function end(socket: WebSocket, code: number, reason: string): void {
  socket.resume(); // its answer must be read
  socket.close(code, reason);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] as string;
}
