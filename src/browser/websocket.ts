/** Connections to open nodes. */
import { EMPTY } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Channel, Dialer } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import { createMailbox } from './mailbox.ts';

/** A server that has not answered by now (ms) is as good as gone: others wait. */
const OPEN_TIMEOUT = 10_000;
/** `drain` comes at this many queued bytes: the port's promise. */
const LOW_MARK = 64 * 1024;
/** How often the queue is looked at while it is above the mark (ms): a WebSocket has no event for it. */
const POLL = 20;
/** A queue above this (bytes) means that the other side has stopped reading; the same as a data channel holds. */
const MAX_QUEUED = 16 * 1024 * 1024;

/** The Dialer port. */
export function createDialer(): Dialer {
  return {
    dial(url, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(abortError(signal));
          return;
        }
        if (!/^wss?:\/\//i.test(url) || !URL.canParse(url)) {
          reject(fail('invalid', `“${url.slice(0, 100)}” is not the address of an open node. It must begin with ws:// or wss://.`));
          return;
        }
        let socket: WebSocket;
        try {
          socket = new WebSocket(url);
        } catch (error) {
          reject(fail('unreachable', `The browser does not let this page connect to ${url}: a page at https:// needs wss://.`, error));
          return;
        }
        socket.binaryType = 'arraybuffer';
        const channel = wrap(socket);

        const settle = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          socket.removeEventListener('open', onOpen);
          socket.removeEventListener('close', onClose);
        };
        const giveUp = (error: Error): void => {
          settle();
          channel.close();
          reject(error);
        };
        const onAbort = (): void => giveUp(abortError(signal));
        const onClose = (): void =>
          giveUp(fail('unreachable', `The open node at ${url} can’t be reached: it is down, or something is in between.`));
        const onOpen = (): void => {
          settle();
          resolve(channel);
        };
        const timer = setTimeout(
          () => giveUp(fail('unreachable', `The open node at ${url} did not answer in ${OPEN_TIMEOUT / 1000} s.`)),
          OPEN_TIMEOUT,
        );
        signal.addEventListener('abort', onAbort, { once: true });
        socket.addEventListener('open', onOpen);
        socket.addEventListener('close', onClose);
      });
    },
  };
}

function wrap(socket: WebSocket): Channel {
  let poll: ReturnType<typeof setInterval> | null = null;

  const stopPolling = (): void => {
    if (poll !== null) clearInterval(poll);
    poll = null;
  };
  const close = (reason: string): void => {
    if (!mailbox.open) return;
    stopPolling();
    mailbox.discard(reason);
    socket.close(); // sends what is queued first (RFC 6455 §7.1.2)
  };
  const mailbox = createMailbox(() => close('The open node sent too much before it was heard.'));

  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    // Text is no message of ours: an empty one, which does not decode either, lets the reader count it.
    mailbox.deliver(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : EMPTY);
  });
  socket.addEventListener('close', (event) => {
    stopPolling();
    mailbox.end(event.reason || (event.wasClean ? 'The open node closed the connection.' : 'The connection to the open node broke.'));
  });

  return {
    transport: 'websocket',
    binding: EMPTY, // TLS, where there is any, has its own certificate; a page can't see which
    get queued() {
      return socket.bufferedAmount;
    },
    send(message) {
      if (!mailbox.open || socket.readyState !== WebSocket.OPEN) return;
      socket.send(message);
      if (socket.bufferedAmount > MAX_QUEUED) {
        close('The open node stopped reading.');
        return;
      }
      if (socket.bufferedAmount <= LOW_MARK || poll !== null) return;
      poll = setInterval(() => {
        if (socket.bufferedAmount > LOW_MARK) return;
        stopPolling();
        mailbox.drain();
      }, POLL);
    },
    listen: (listener) => mailbox.listen(listener),
    close: () => close('Closed here.'),
  };
}
