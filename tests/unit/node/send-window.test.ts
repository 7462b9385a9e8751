/** The window of bulk on a link, against a path with a rate, a delay of its own and a queue (docs/protocol.md, rule B6). */
import { describe, expect, test } from 'vitest';
import { createSendWindow } from '../../../src/node/send-window.ts';
import { manualClock } from '../support/manual-clock.ts';

const CHUNK = 32 * 1024;

interface Path {
  /** Bytes a ms. */
  readonly rate: number;
  /** There and back without any queue, ms. */
  readonly roundTrip: number;
  /** Late by chance: up to so many ms. */
  readonly jitter?: number;
}

/** Sends for `ms`, and tells what the path carried in the second half of it, and the longest queue then and before (bytes). */
function run({ rate, roundTrip, jitter = 0 }: Path, ms: number, senders = 1) {
  const clock = manualClock();
  const windows = Array.from({ length: senders }, () => createSendWindow({ clock }));
  const arrivals: { at: number; sender: number; stream: number }[] = [];
  let free = 0;
  let carried = 0;
  let chance = 1;
  let [worstEarly, worstLate] = [0, 0];
  for (let now = 0; now < ms; now++) {
    clock.advance(1);
    for (const { sender, stream } of arrivals.filter(({ at }) => at <= now)) windows[sender]?.arrived(stream, CHUNK);
    arrivals.splice(0, arrivals.length, ...arrivals.filter(({ at }) => at > now));
    for (const [sender, window] of windows.entries()) {
      while (window.isOpen) {
        const stream = now % 3;
        window.sent(stream, CHUNK);
        free = Math.max(free, now) + CHUNK / rate;
        const queue = (free - now) * rate;
        if (now < ms / 2) worstEarly = Math.max(worstEarly, queue);
        else {
          worstLate = Math.max(worstLate, queue);
          carried += CHUNK;
        }
        chance = (chance * 48_271) % 0x7fff_ffff;
        arrivals.push({ at: free + roundTrip + (chance % 1000) * (jitter / 1000), sender, stream });
      }
    }
  }
  return { share: carried / (rate * (ms / 2)), worstEarly, worstLate, windows };
}

const MBIT = 1000 / 8;

describe('the window', () => {
  test.each([
    [2, 100],
    [20, 50],
    [20, 20],
    [20, 200],
    [100, 20],
    [100, 100],
    [500, 10],
  ])('[B6] fills %d Mbit/s at %d ms, and lets its bytes wait for no longer than 80 ms', (mbit, roundTrip) => {
    const { share, worstLate } = run({ rate: mbit * MBIT, roundTrip, jitter: 4 }, 20_000);
    expect(share).toBeGreaterThan(0.85);
    expect(worstLate / (mbit * MBIT)).toBeLessThan(Math.max(80, (2.4 * CHUNK) / (mbit * MBIT)));
  });

  test.each([
    [20, 100],
    [20, 30],
    [8, 60],
  ])('[B6] still fills %d Mbit/s at %d ms between computers that are late by up to 60 ms', (mbit, roundTrip) => {
    expect(run({ rate: mbit * MBIT, roundTrip, jitter: 60 }, 20_000).share).toBeGreaterThan(0.7);
  });

  test('[B6] never puts 250 KB into the queue of 20 Mbit/s, not even at first; three that send at once let each other wait for no longer than 200 ms', () => {
    expect(run({ rate: 20 * MBIT, roundTrip: 50 }, 10_000).worstEarly).toBeLessThan(250_000);
    const together = run({ rate: 20 * MBIT, roundTrip: 50 }, 20_000, 3);
    expect(together.worstLate / (20 * MBIT)).toBeLessThan(200);
    expect(together.share).toBeGreaterThan(0.85);
  });

  test('[B6] follows a path that becomes slower, and one that becomes longer', () => {
    const clock = manualClock();
    const window = createSendWindow({ clock });
    /** One chunk after the other, each so many ms under way. */
    const pass = (roundTrip: number, times: number): void => {
      for (let i = 0; i < times; i++) {
        for (let stream = 0; window.isOpen; stream++) window.sent(stream % 8, CHUNK);
        clock.advance(roundTrip);
        for (let stream = 0; stream < 8; stream++) window.arrived(stream, 64 * CHUNK);
      }
    };
    pass(20, 50);
    const wide = window.size;
    pass(400, 20);
    expect(window.size).toBeLessThan(wide / 4);
    const narrow = window.size;
    // After a minute the new round trip is taken for the path's own.
    pass(400, 250);
    expect(window.size).toBeGreaterThan(2 * narrow);
  });

  test('streams that end early, or are never told of, are not counted for ever; what was not sent can’t arrive', () => {
    const clock = manualClock();
    const window = createSendWindow({ clock });
    while (window.isOpen) window.sent(1, CHUNK);
    window.forget(1);
    expect(window.isOpen).toBe(true);
    while (window.isOpen) window.sent(2, CHUNK);
    window.expire(clock.now() + 8_000, 8_000);
    expect(window.isOpen).toBe(false);
    window.expire(clock.now() + 8_001, 8_000);
    expect(window.isOpen).toBe(true);
    while (window.isOpen) window.sent(3, CHUNK);
    const { size } = window;
    window.arrived(3, CHUNK);
    window.arrived(4, 100 * CHUNK);
    window.arrived(3, 100 * CHUNK);
    while (window.isOpen) window.sent(5, CHUNK);
    expect(window.size).toBeLessThan(3 * size);
  });
});
