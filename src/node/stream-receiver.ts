/**
 * The receiving half of bulk bytes on a link: each stream gives credit as it takes bytes, which tells the sender, too, what has arrived
 * (docs/protocol.md, rules B).
 */
import type { Bytes } from '../base/bytes.ts';
import { fail, type KadreelError } from '../base/errors.ts';
import type { Cancel, Clock } from '../base/ports.ts';
import { type Deferred, deferred, quiet } from '../base/timing.ts';
import type { Frame } from '../wire/messages.ts';

/** First credit and most bytes in flight of a stream. On 20 to 100 Mbit/s paths a larger one overflows queues (facts: 256 KiB 2.33 MB/s of 2.41). */
export const STREAM_WINDOW = 256 * 1024;

/** The receiving half of all streams on a link. */
export interface StreamReceiver {
  /** Expects bytes under the call `id`. They reject with `timeout` when nothing came for `stall` ms. */
  expect(id: number, options: { stall: number; onBytes?: (bytes: number) => void }): Incoming;
  /** Bytes for a stream that has ended meanwhile are ignored; more than was announced ends it with `corrupt`. */
  data(id: number, bytes: Bytes): void;
  /** The sender gave up on a stream. */
  failed(id: number, error: KadreelError): void;
  end(error: KadreelError): void;
}

export interface Incoming {
  /** The sender has said how much will come. */
  sized(size: number): void;
  readonly bytes: Promise<Bytes>;
  /** Stops expecting; does nothing when all has come. */
  stop(error: KadreelError): void;
}

interface Expected {
  readonly outcome: Deferred<Bytes>;
  readonly onBytes: (bytes: number) => void;
  /** What came before the size was known. */
  readonly early: Bytes[];
  buffer: Bytes | null;
  received: number;
  /** When the last byte came. */
  heard: number;
  cancelTimer: Cancel;
}

export function createStreamReceiver(options: {
  clock: Clock;
  send: (frame: Frame) => void;
  /** Told how many streams are not finished, when that changes. */
  onActive: (streams: number) => void;
}): StreamReceiver {
  const { clock } = options;
  const streams = new Map<number, Expected>();

  const close = (id: number, stream: Expected): void => {
    stream.cancelTimer();
    streams.delete(id);
    options.onActive(streams.size);
  };
  const reject = (id: number, stream: Expected, error: KadreelError): void => {
    close(id, stream);
    stream.outcome.reject(error);
  };
  /** Ends a stream whose sender may still be at it. */
  const abandon = (id: number, stream: Expected, error: KadreelError): void => {
    options.send({ type: 'cancel', id });
    reject(id, stream, error);
  };

  const take = (id: number, stream: Expected, bytes: Bytes): void => {
    const buffer = stream.buffer as Bytes;
    if (stream.received + bytes.length > buffer.length) {
      abandon(id, stream, fail('corrupt', 'The other node sent more bytes than it said.'));
      return;
    }
    buffer.set(bytes, stream.received);
    stream.received += bytes.length;
    stream.heard = clock.now();
    stream.onBytes(bytes.length);
    // At once for each frame, the last one as well: by it the sender learns what is under way, and how long that takes.
    if (bytes.length > 0) options.send({ type: 'credit', id, bytes: bytes.length });
    if (stream.received < buffer.length) return;
    close(id, stream);
    stream.outcome.resolve(buffer);
  };

  /** One timer for each stream: when it fires, it looks how long nothing came, and waits for the rest. */
  const watch = (id: number, stream: Expected, stall: number): void => {
    const left = stream.heard + stall - clock.now();
    if (left <= 0) abandon(id, stream, fail('timeout', `The other node sent nothing for ${stall} ms.`));
    else stream.cancelTimer = clock.after(left, () => watch(id, stream, stall));
  };

  return {
    expect(id, { stall, onBytes = () => undefined }) {
      const outcome = deferred<Bytes>();
      const stream: Expected = {
        outcome,
        onBytes,
        early: [],
        buffer: null,
        received: 0,
        heard: 0,
        cancelTimer: () => undefined,
      };
      streams.set(id, stream);
      options.onActive(streams.size);
      return {
        bytes: quiet(outcome.promise),
        sized(size) {
          if (streams.get(id) !== stream) return;
          stream.buffer = new Uint8Array(size);
          stream.heard = clock.now();
          watch(id, stream, stall);
          // An empty one is complete at once.
          if (size === 0) take(id, stream, stream.buffer);
          for (const bytes of stream.early.splice(0)) if (streams.get(id) === stream) take(id, stream, bytes);
        },
        stop(error) {
          if (streams.get(id) === stream) abandon(id, stream, error);
        },
      };
    },
    data(id, bytes) {
      const stream = streams.get(id);
      // An empty frame is no sign of progress.
      if (!stream || bytes.length === 0) return;
      if (stream.buffer) {
        take(id, stream, bytes);
        return;
      }
      // The response that says the size is on its way through a promise: what came in the same breath waits, within the window.
      stream.early.push(bytes);
      const waiting = stream.early.reduce((sum, one) => sum + one.length, 0);
      if (waiting > STREAM_WINDOW) abandon(id, stream, fail('corrupt', 'The other node sent bytes before it said how many.'));
    },
    failed(id, error) {
      const stream = streams.get(id);
      if (stream) reject(id, stream, error);
    },
    end(error) {
      for (const [id, stream] of [...streams]) reject(id, stream, error);
    },
  };
}
