/**
 * Bulk bytes on a link: each stream has its own credit, the most urgent is served first, and the channel's queue stays short, so
 * that a slow reader costs its sender nothing and an urgent segment never waits behind a long queue (docs/protocol.md, rules B).
 */
import type { Bytes } from '../base/bytes.ts';
import { fail, type KadreelError } from '../base/errors.ts';
import type { Cancel, Channel, Clock } from '../base/ports.ts';
import { type Deferred, deferred, quiet } from '../base/timing.ts';
import { FAILURES, type Frame } from '../wire/messages.ts';

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
  /** Ends streams that have not moved for `stall` ms: their reader has gone, and their bytes must not stay in memory. */
  expire(now: number, stall: number): void;
  end(): void;
  /** Streams that are not finished, and the bytes that they hold in memory. */
  readonly active: number;
  readonly held: number;
}

interface Outgoing {
  readonly id: number;
  readonly bytes: Bytes;
  readonly urgency: number;
  at: number;
  credit: number;
  /** When it last got credit or sent something. */
  moved: number;
}

export function createStreamSender(options: {
  channel: Channel;
  clock: Clock;
  send: (frame: Frame) => void;
  sent: (bytes: number) => void;
  /** Told how many streams are not finished, when that may have changed. */
  onActive: (streams: number) => void;
}): StreamSender {
  const { clock } = options;
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
      const bytes = stream.bytes.subarray(stream.at, stream.at + length);
      stream.at += length;
      stream.credit -= length;
      stream.moved = clock.now();
      streams.delete(stream.id);
      if (stream.at < stream.bytes.length) streams.set(stream.id, stream);
      else options.onActive(streams.size);
      options.send({ type: 'data', id: stream.id, bytes });
      options.sent(length);
    }
  };

  return {
    get active() {
      return streams.size;
    },
    get held() {
      let bytes = 0;
      for (const stream of streams.values()) bytes += stream.bytes.length;
      return bytes;
    },
    open({ id, bytes, credit, urgency }) {
      if (bytes.length === 0) return;
      streams.set(id, { id, bytes, urgency, at: 0, credit: Math.min(credit, bytes.length), moved: clock.now() });
      options.onActive(streams.size);
      pump();
    },
    credit(id, bytes) {
      const stream = streams.get(id);
      if (!stream || bytes === 0) return;
      stream.credit = Math.min(stream.credit + bytes, stream.bytes.length);
      stream.moved = clock.now();
      pump();
    },
    cancel(id) {
      if (streams.delete(id)) options.onActive(streams.size);
    },
    drain: pump,
    expire(now, stall) {
      for (const { id, moved } of [...streams.values()]) {
        if (now - moved <= stall) continue;
        streams.delete(id);
        options.onActive(streams.size);
        options.send({ type: 'failure', id, code: FAILURES.timeout, reason: 'you did not go on reading' });
      }
    },
    end() {
      streams.clear();
      options.onActive(0);
    },
  };
}

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
  /** Bytes received, and not given back as credit yet. */
  owed: number;
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
    stream.owed += bytes.length;
    stream.heard = clock.now();
    stream.onBytes(bytes.length);
    if (stream.received === buffer.length) {
      close(id, stream);
      stream.outcome.resolve(buffer);
    } else if (stream.owed >= CREDIT_STEP) {
      options.send({ type: 'credit', id, bytes: stream.owed });
      stream.owed = 0;
    }
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
        owed: 0,
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
