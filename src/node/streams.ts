/**
 * Bulk bytes on a link: each stream has its own credit, the most urgent is served first, and the channel's queue stays short, so
 * that a slow reader costs its sender nothing and an urgent segment never waits behind a long queue (docs/protocol.md, rules B).
 */
import type { Bytes } from '../base/bytes.ts';
import { fail, type KadreelError } from '../base/errors.ts';
import type { Channel, Clock } from '../base/ports.ts';
import { type Deferred, deferred } from '../base/timing.ts';
import type { Frame } from '../wire/messages.ts';

/** Bytes in a data frame. Small enough to interleave streams, large enough that the frame's own cost does not show (facts: 16 to 64 KiB are alike). */
const CHUNK = 32 * 1024;
/** Bytes that may wait in the channel's queue. More only delays what becomes urgent meanwhile. */
const QUEUE_MARK = 256 * 1024;
/** First credit and most bytes in flight of a stream. On 20 to 100 Mbit/s paths a larger one overflows queues (facts: 256 KiB 2.33 MB/s of 2.41). */
export const STREAM_WINDOW = 256 * 1024;
/** Credit is given back in pieces of this size. */
const CREDIT_STEP = STREAM_WINDOW / 4;

/** The sending half of all streams on a link. */
export interface StreamSender {
  open(stream: { id: number; bytes: Bytes; credit: number; urgency: number }): void;
  credit(id: number, bytes: number): void;
  cancel(id: number): void;
  /** The channel's queue has emptied. */
  drain(): void;
  end(): void;
  /** Streams that are not finished. */
  readonly active: number;
}

interface Outgoing {
  readonly id: number;
  readonly bytes: Bytes;
  readonly urgency: number;
  at: number;
  credit: number;
}

export function createStreamSender(options: {
  channel: Channel;
  send: (frame: Frame) => void;
  sent: (bytes: number) => void;
}): StreamSender {
  const streams = new Map<number, Outgoing>();

  /** The most urgent stream that may send; among equals the one that was served longest ago, which is the map's first. */
  const pick = (): Outgoing | null => {
    let best: Outgoing | null = null;
    for (const stream of streams.values()) {
      if (stream.credit > 0 && (!best || stream.urgency < best.urgency)) best = stream;
    }
    return best;
  };

  const pump = (): void => {
    while (options.channel.queued < QUEUE_MARK) {
      const stream = pick();
      if (!stream) return;
      const length = Math.min(CHUNK, stream.credit, stream.bytes.length - stream.at);
      options.send({ type: 'data', id: stream.id, bytes: stream.bytes.subarray(stream.at, stream.at + length) });
      options.sent(length);
      stream.at += length;
      stream.credit -= length;
      streams.delete(stream.id);
      if (stream.at < stream.bytes.length) streams.set(stream.id, stream);
    }
  };

  return {
    get active() {
      return streams.size;
    },
    open({ id, bytes, credit, urgency }) {
      if (bytes.length === 0) return;
      streams.set(id, { id, bytes, urgency, at: 0, credit });
      pump();
    },
    credit(id, bytes) {
      const stream = streams.get(id);
      if (!stream) return;
      stream.credit = Math.min(stream.credit + bytes, stream.bytes.length);
      pump();
    },
    cancel(id) {
      streams.delete(id);
    },
    drain: pump,
    end() {
      streams.clear();
    },
  };
}

/** The receiving half of all streams on a link. */
export interface StreamReceiver {
  /** Expects bytes under the call `id`. Rejects with `timeout` when nothing came for `stall` ms. */
  expect(id: number, options: { stall: number; onBytes?: (bytes: number) => void }): Incoming;
  /** Bytes for a stream that has ended meanwhile are ignored; more than was announced ends it with `corrupt`. */
  data(id: number, bytes: Bytes): void;
  /** The sender gave up on a stream. */
  failed(id: number, error: KadreelError): boolean;
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
  readonly early: Bytes[];
  buffer: Bytes | null;
  received: number;
  /** Bytes in `early`. */
  waiting: number;
  owed: number;
  alive(): void;
  onBytes: (bytes: number) => void;
  close(): void;
}

export function createStreamReceiver(options: { clock: Clock; send: (frame: Frame) => void }): StreamReceiver {
  const streams = new Map<number, Expected>();

  const take = (id: number, stream: Expected, bytes: Bytes): boolean => {
    const buffer = stream.buffer as Bytes;
    if (stream.received + bytes.length > buffer.length) {
      reject(stream, fail('corrupt', 'The other node sent more bytes than it said.'));
      return false;
    }
    buffer.set(bytes, stream.received);
    stream.received += bytes.length;
    stream.owed += bytes.length;
    stream.alive();
    stream.onBytes(bytes.length);
    if (stream.received === buffer.length) {
      stream.close();
      stream.outcome.resolve(buffer);
    } else if (stream.owed >= CREDIT_STEP) {
      options.send({ type: 'credit', id, bytes: stream.owed });
      stream.owed = 0;
    }
    return true;
  };

  const reject = (stream: Expected, error: KadreelError): void => {
    stream.close();
    stream.outcome.reject(error);
  };

  return {
    expect(id, { stall, onBytes }) {
      const outcome = deferred<Bytes>();
      outcome.promise.catch(() => undefined);
      let cancelTimer = (): void => undefined;
      const stream: Expected = {
        outcome,
        early: [],
        buffer: null,
        received: 0,
        waiting: 0,
        owed: 0,
        alive() {
          cancelTimer();
          cancelTimer = options.clock.after(stall, () => {
            options.send({ type: 'cancel', id });
            reject(stream, fail('timeout', `The other node sent nothing for ${stall} ms.`));
          });
        },
        onBytes: onBytes ?? (() => undefined),
        close() {
          cancelTimer();
          streams.delete(id);
        },
      };
      streams.set(id, stream);
      return {
        bytes: outcome.promise,
        sized(size) {
          if (!streams.has(id)) return;
          stream.buffer = new Uint8Array(size);
          stream.alive();
          if (size === 0) {
            stream.close();
            outcome.resolve(stream.buffer);
          }
          for (const bytes of stream.early.splice(0)) if (!take(id, stream, bytes)) return;
        },
        stop(error) {
          if (!streams.has(id)) return;
          options.send({ type: 'cancel', id });
          reject(stream, error);
        },
      };
    },
    data(id, bytes) {
      const stream = streams.get(id);
      if (!stream) return;
      if (stream.buffer) {
        take(id, stream, bytes);
        return;
      }
      // The response that says the size is on its way through a promise: what came in the same breath waits, within the window.
      stream.waiting += bytes.length;
      if (stream.waiting > STREAM_WINDOW) reject(stream, fail('corrupt', 'The other node sent bytes before it said how many.'));
      else stream.early.push(bytes);
    },
    failed(id, error) {
      const stream = streams.get(id);
      if (!stream) return false;
      reject(stream, error);
      return true;
    },
    end(error) {
      for (const stream of [...streams.values()]) reject(stream, error);
    },
  };
}
