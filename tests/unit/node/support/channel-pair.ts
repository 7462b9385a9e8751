import { type Bytes, EMPTY } from '../../../../src/base/bytes.ts';
import type { Channel, ChannelListener, Clock } from '../../../../src/base/ports.ts';

/** One end of a wire in memory, with what a test wants to see and do. */
export interface TestChannel extends Channel {
  readonly closed: boolean;
  /** The most that was ever queued, bytes. */
  readonly peak: number;
  /** While true, nothing that is sent leaves: the other side does not read. Set to false, it all goes. */
  stuck: boolean;
  /** While true, the wire is cut here: nothing leaves, not even the news of our end. */
  cut: boolean;
  /** Sees what leaves, and may change it; null swallows it. */
  tap: (message: Bytes) => Bytes | null;
  /** A message out of nowhere, as if the other side had sent it. */
  inject(message: Bytes): void;
}

/** Two ends of a wire that takes 1 ms. */
export function channelPair(clock: Clock, bindings: readonly [Bytes, Bytes] = [EMPTY, EMPTY]): readonly [TestChannel, TestChannel] {
  const ends: (TestChannel & { end(reason: string): void })[] = [];
  const make = (other: 0 | 1, binding: Bytes): TestChannel & { end(reason: string): void } => {
    const early: Bytes[] = [];
    const waiting: Bytes[] = [];
    let listener: ChannelListener | null = null;
    let closed = false;
    let stuck = false;
    let queued = 0;
    let peak = 0;
    const leave = (message: Bytes): void => {
      const changed = end.cut ? null : end.tap(message);
      if (changed) clock.after(1, () => ends[other]?.inject(changed));
    };
    const end: TestChannel & { end(reason: string): void } = {
      transport: 'memory',
      binding,
      tap: (message) => message,
      cut: false,
      get queued() {
        return queued;
      },
      get peak() {
        return peak;
      },
      get closed() {
        return closed;
      },
      get stuck() {
        return stuck;
      },
      set stuck(value) {
        stuck = value;
        if (stuck) return;
        for (const message of waiting.splice(0)) leave(message);
        queued = 0;
        listener?.drain();
      },
      send(message) {
        if (closed) return;
        if (!stuck) return leave(message);
        waiting.push(message);
        queued += message.length;
        peak = Math.max(peak, queued);
      },
      inject(message) {
        if (closed) return;
        if (listener) listener.message(message);
        else early.push(message);
      },
      listen(next) {
        listener = next;
        for (const message of early.splice(0)) next.message(message);
        if (closed) next.close('closed');
      },
      close() {
        end.end('closed here');
        if (!end.cut) clock.after(1, () => ends[other]?.end('closed by the other side'));
      },
      end(reason) {
        if (closed) return;
        closed = true;
        listener?.close(reason);
      },
    };
    return end;
  };
  ends.push(make(1, bindings[0]), make(0, bindings[1]));
  return [ends[0] as TestChannel, ends[1] as TestChannel];
}
