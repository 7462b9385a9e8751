/**
 * How many bytes of bulk may be under way on one link, learnt from the delay that they cause: a data channel by itself fills every queue on its
 * path, and collapses when one overflows. The law is FAST TCP's (Wei, Jin, Low and Hegde, 2006) with LEDBAT's target for the delay (RFC 6817).
 */
import type { Clock } from '../base/ports.ts';

export interface SendWindow {
  /** Whether more may be sent now. */
  readonly isOpen: boolean;
  /** Bytes, as they stand. */
  readonly size: number;
  sent(stream: number, bytes: number): void;
  /** The other side has taken so many bytes of a stream. More than were sent count for nothing. */
  arrived(stream: number, bytes: number): void;
  /** Nothing more will be told of a stream. */
  forget(stream: number): void;
  /** Forgets what was sent more than `limit` ms ago and never told of: its stream has ended at the other side. */
  expire(now: number, limit: number): void;
}

/** Bytes at first, at least and at most. At first: several holders may begin at once, on a path whose queue takes 250 KB. */
const FIRST = 128 * 1024;
const LEAST = 64 * 1024;
const MOST = 8 * 1024 * 1024;
/**
 * Ms of delay, besides the path's own, that the bytes may cause: half of it ends the doubling. Busy computers are late by 20 ms now and then, which must
 * not pass for a queue.
 */
const TARGET = 40;
/** Round trips of which the least counts. */
const SAMPLES = 4;
/** Bytes more in each round trip when nothing is delayed, and the most that is sent at once. */
const STEP = 32 * 1024;
/** Ms for which the shortest round trip is believed to be the path's own; then it is learnt anew. */
const BASE_LIFE = 30_000;

interface Flight {
  /** Bytes sent and arrived so far. */
  sent: number;
  arrived: number;
  /** Where each piece ends, and when it was sent; oldest first. */
  readonly pieces: { readonly end: number; readonly at: number }[];
}

export function createSendWindow({ clock }: { readonly clock: Clock }): SendWindow {
  const flights = new Map<number, Flight>();
  let size = FIRST;
  let under = 0;
  let doubling = true;
  let wasFull = false;
  /** The least round trip of this life of the base, and of the one before. */
  let [least, before] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let baseEnds = clock.now() + BASE_LIFE;
  /** Late frames are no queue: the least of the last few counts. */
  const last: number[] = [];
  let nextCut = 0;

  const learn = (roundTrip: number, bytes: number): void => {
    const now = clock.now();
    if (now >= baseEnds) {
      [before, least] = [least, Number.POSITIVE_INFINITY];
      baseEnds = now + BASE_LIFE;
    }
    least = Math.min(least, roundTrip);
    const path = Math.min(least, before);
    last.push(roundTrip);
    if (last.length > SAMPLES) last.shift();
    const measured = Math.min(...last);
    const delay = measured - path;
    if (delay > TARGET / 2) doubling = false;
    if (delay > TARGET) {
      if (now < nextCut) return;
      nextCut = now + roundTrip;
      size = Math.max(LEAST, size * Math.max(0.5, (path + TARGET) / measured));
    } else if (wasFull) {
      size = Math.min(MOST, size + (doubling ? bytes / 2 : STEP * (1 - delay / TARGET) * Math.min(1, bytes / size)));
    }
  };

  const drop = (stream: number, flight: Flight): void => {
    under -= flight.sent - flight.arrived;
    flights.delete(stream);
  };

  return {
    get isOpen() {
      if (under + STEP <= size || under === 0) return true;
      wasFull = true;
      return false;
    },
    get size() {
      return size;
    },
    sent(stream, bytes) {
      let flight = flights.get(stream);
      if (!flight) {
        flight = { sent: 0, arrived: 0, pieces: [] };
        flights.set(stream, flight);
      }
      // After a pause what was learnt of being full is old.
      if (under === 0) wasFull = false;
      under += bytes;
      flight.sent += bytes;
      flight.pieces.push({ end: flight.sent, at: clock.now() });
    },
    arrived(stream, bytes) {
      const flight = flights.get(stream);
      if (!flight) return;
      const told = Math.min(bytes, flight.sent - flight.arrived);
      under -= told;
      flight.arrived += told;
      let at: number | null = null;
      while (flight.pieces[0] && flight.pieces[0].end <= flight.arrived) at = flight.pieces.shift()?.at ?? null;
      if (flight.arrived === flight.sent) flights.delete(stream);
      if (at !== null) learn(clock.now() - at, told);
    },
    forget(stream) {
      const flight = flights.get(stream);
      if (flight) drop(stream, flight);
    },
    expire(now, limit) {
      for (const [stream, flight] of [...flights]) if (now - (flight.pieces.at(-1)?.at ?? now) > limit) drop(stream, flight);
    },
  };
}
