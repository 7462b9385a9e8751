/**
 * The sending half of bulk bytes on a link: each stream has its own credit, the most urgent is served first, and the channel's queue stays short, so
 * that a slow reader costs its sender nothing and an urgent segment never waits behind a long queue (docs/protocol.md, rules B).
 */
import type { Bytes } from '../base/bytes.ts';
import type { Channel, Clock } from '../base/ports.ts';
import { FAILURES, type Frame } from '../wire/messages.ts';
import { createSendWindow } from './send-window.ts';

/** Bytes in a data frame. Small enough to interleave streams, large enough that the frame's own cost does not show (facts: 16 to 64 KiB are alike). */
const CHUNK = 32 * 1024;
/** Bytes that may wait in the channel's queue. More only delays what becomes urgent meanwhile. */
const QUEUE_MARK = 256 * 1024;

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
  const flow = createSendWindow({ clock });

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
      const stream = flow.isOpen ? pick() : null;
      if (!stream) return;
      const length = Math.min(CHUNK, stream.credit, stream.bytes.length - stream.at);
      const bytes = stream.bytes.subarray(stream.at, stream.at + length);
      stream.at += length;
      stream.credit -= length;
      stream.moved = clock.now();
      flow.sent(stream.id, length);
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
      if (bytes === 0) return;
      flow.arrived(id, bytes);
      const stream = streams.get(id);
      if (stream) {
        stream.credit = Math.min(stream.credit + bytes, stream.bytes.length);
        stream.moved = clock.now();
      }
      pump();
    },
    cancel(id) {
      flow.forget(id);
      if (streams.delete(id)) options.onActive(streams.size);
      pump();
    },
    drain: pump,
    expire(now, stall) {
      flow.expire(now, stall);
      for (const { id, moved } of [...streams.values()]) {
        if (now - moved <= stall) continue;
        streams.delete(id);
        flow.forget(id);
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
