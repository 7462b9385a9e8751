/** The receiving half of a Channel: keeps what comes before anybody listens, and says once that it is over. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { ChannelListener } from '../base/ports.ts';

/** Bytes kept for a listener that has not come yet. HELLO is below 1 KiB; whoever sends so much unheard is no friend. */
const MAX_EARLY = 1024 * 1024;

export interface Mailbox {
  /** False once it has ended. */
  readonly open: boolean;
  deliver(message: Bytes): void;
  drain(): void;
  /** The other side or the network ended it: what came before is still delivered, then the reason. Only the first end counts. */
  end(reason: string): void;
  /** We ended it: nothing more is delivered but the reason. */
  discard(reason: string): void;
  /** As `Channel.listen`. */
  listen(listener: ChannelListener): void;
}

/** `onFlood` is called when more came early than is kept. */
export function createMailbox(onFlood: () => void): Mailbox {
  let listener: ChannelListener | null = null;
  let early: Bytes[] = [];
  let earlyBytes = 0;
  let ended: string | null = null;
  let told = false;

  // Later, not at once: a listener may well be the one whose call of `close()` ended it.
  const tell = (): void =>
    queueMicrotask(() => {
      if (!listener || ended === null || told) return;
      told = true;
      listener.close(ended);
    });

  const end = (reason: string): void => {
    if (ended !== null) return;
    ended = reason;
    tell();
  };

  return {
    get open() {
      return ended === null;
    },
    deliver(message) {
      if (ended !== null) return;
      if (listener) {
        listener.message(message);
        return;
      }
      early.push(message);
      earlyBytes += message.length;
      if (earlyBytes > MAX_EARLY) onFlood();
    },
    drain() {
      if (ended === null) listener?.drain();
    },
    end,
    discard(reason) {
      early = [];
      end(reason);
    },
    listen(next) {
      if (listener) throw fail('internal', 'This channel has a listener already.');
      listener = next;
      for (let message = early.shift(); message; message = early.shift()) next.message(message);
      tell();
    },
  };
}
