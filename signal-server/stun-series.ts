/**
 * Who asks again and again: Chromium sends each STUN server a request every 10 s for each connection, as long as it lives, which is 40 kB an
 * hour and connection. The first answers say all that there is to know.
 */
import type { Clock } from '../src/base/ports.ts';
import type { Sender } from './stun-message.ts';

export interface StunSeries {
  /** One more request. True when its sender has asked for long enough, and should be told to stop. */
  isEnough(from: Sender): boolean;
}

/**
 * Ms from the first request of a series. Chromium asks on after an error within 50 s of its first request, and never after that (libwebrtc's
 * `stun_port.cc`: RETRY_TIMEOUT).
 */
const ENOUGH = 55_000;
/** Longer between two requests, ms, and it is another connection at the same outside port. */
const LONGEST_GAP = 15_000;
/** Senders remembered; those beyond are answered as before. */
const MOST = 10_000;

export function createStunSeries({ clock }: { readonly clock: Clock }): StunSeries {
  /** Longest silent first. */
  const senders = new Map<string, { readonly first: number; readonly last: number }>();
  return {
    isEnough({ address, port }) {
      const now = clock.now();
      for (const [name, { last }] of senders) {
        if (now - last <= LONGEST_GAP) break;
        senders.delete(name);
      }
      const name = `${address} ${port}`;
      const first = senders.get(name)?.first ?? now;
      senders.delete(name);
      // Told once: who still asks did not hear it, or is somebody else.
      if (now - first >= ENOUGH) return true;
      if (senders.size < MOST) senders.set(name, { first, last: now });
      return false;
    },
  };
}
