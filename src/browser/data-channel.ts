/** An open data channel as the Channel that the core knows, whoever set the connection up. */
import { type Bytes, EMPTY } from '../base/bytes.ts';
import type { Channel } from '../base/ports.ts';
import { createMailbox } from './mailbox.ts';

/** What is still queued at `close()` gets this long to leave (ms). */
const FLUSH_TIMEOUT = 2000;
/** `drain` comes at this many queued bytes: the port's promise. */
const LOW_MARK = 64 * 1024;

/** The connection below a channel. */
export interface Connection {
  /** Frees it. Idempotent. */
  end(): void;
  /** Calls `listener` when it broke or ended, with the reason. */
  onBroken(listener: (reason: string) => void): void;
}

/** Listens on a data channel from now on; the Channel is made when the binding is known. */
export function holdDataChannel(dataChannel: RTCDataChannel, connection: Connection): (binding: Bytes) => Channel {
  const closeBecause = (reason: string): void => {
    mailbox.discard(reason);
    connection.end();
  };
  const mailbox = createMailbox(() => closeBecause('The other side sent too much before it was heard.'));

  dataChannel.binaryType = 'arraybuffer';
  dataChannel.bufferedAmountLowThreshold = LOW_MARK;
  // simple-peer's own handlers would copy every message into a stream that nobody reads.
  dataChannel.onmessage = (event: MessageEvent<unknown>) => {
    // Text is no message of ours: an empty one, which does not decode either, lets the reader count it.
    mailbox.deliver(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : EMPTY);
  };
  dataChannel.onbufferedamountlow = () => mailbox.drain();
  dataChannel.addEventListener('close', () => mailbox.end('The other side closed the connection.'));
  connection.onBroken((reason) => mailbox.end(reason));

  return (binding) => ({
    transport: 'webrtc',
    binding,
    get queued() {
      return dataChannel.bufferedAmount;
    },
    send(message) {
      if (!mailbox.open || dataChannel.readyState !== 'open') return;
      try {
        dataChannel.send(message);
      } catch (error) {
        closeBecause(`The browser could not queue a message: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    listen: (listener) => mailbox.listen(listener),
    close() {
      if (!mailbox.open) return;
      mailbox.discard('Closed here.');
      // A data channel sends what it has before it closes; its close event makes whoever owns the connection free the rest.
      dataChannel.close();
      setTimeout(() => connection.end(), FLUSH_TIMEOUT);
    },
  });
}
