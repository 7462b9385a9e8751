/**
 * Where we are: network coordinates learnt from measured round trips (Dabek, Cox, Kaashoek and Morris, "Vivaldi", 2004), two dimensions and a
 * height, the step adapted to how sure we are. Others' words are claims, so no sample moves us far.
 */
import type { Random } from '../base/ports.ts';
import { type Coordinate, estimateRoundTrip } from './coordinate.ts';

/** An estimate of where a node is, and how wrong it is: 1 is a guess, 0.1 means that round trips are told with 10% of error. */
export interface Estimate extends Coordinate {
  readonly error: number;
}

/** Our own place. */
export interface Place {
  /** What we tell others: it changes only when we have moved by so much that it matters. Null until enough was measured. */
  readonly told: Coordinate | null;
  /** A round trip (ms) to a node that says it is at `other`. What can't be true is passed over. */
  sample(other: Coordinate | null, roundTrip: number): void;
  /** Milliseconds to a node that says it is there; infinite when one of us does not know where it is. */
  roundTripTo(other: Coordinate | null): number;
}

/** How far one sample moves us towards where it says we are, of the way, when we are as unsure as can be (the paper's c_c, §2.5). */
const STEP = 0.25;
/** How fast the error follows the samples (the paper's c_e). */
const ERROR_STEP = 0.25;
/** Nobody says how sure it is of its own place, as a liar would always be sure: this is a settled node's error. */
const THEIR_ERROR = 0.2;
/** Milliseconds that one sample moves us at most: from a guess, and when we are sure. */
const MOST_MOVED_AT_FIRST = 200;
const MOST_MOVED = 10;
/** Milliseconds. A round trip beyond this is no distance but a full queue or a sleeping computer. */
const MAX_ROUND_TRIP = 4_000;
/** Milliseconds of height at least: below it, two nodes behind one line would push each other sideways without end. */
const LEAST_HEIGHT = 0.1;
/** Samples before we say where we are: two dimensions and a height need three, one more tells a good one from a bad one. */
const SAMPLES_TO_TELL = 4;
/** Moved by this many ms, or this share of a usual round trip, we say so: contacts that change all the time can't be shared or compared. */
const MOVED = { ms: 5, share: 0.1 };

export function createPlace({ random }: { random: Random }): Place {
  let own: Estimate = { x: 0, y: 0, height: LEAST_HEIGHT, error: 1 };
  let told: Coordinate | null = null;
  let samples = 0;
  /** Milliseconds: of all samples of late. */
  let usual = 0;

  const tell = (): void => {
    if (samples < SAMPLES_TO_TELL) return;
    const moved =
      told === null ? Number.POSITIVE_INFINITY : Math.hypot(own.x - told.x, own.y - told.y) + Math.abs(own.height - told.height);
    if (moved > Math.max(MOVED.ms, MOVED.share * usual)) told = { x: own.x, y: own.y, height: own.height };
  };

  return {
    get told() {
      return told;
    },
    sample(other, roundTrip) {
      if (!(roundTrip > 0 && roundTrip <= MAX_ROUND_TRIP)) return;
      samples++;
      usual += (roundTrip - usual) / Math.min(samples, 16);
      // The first nodes of a network have nobody to go by: any place is as good as another.
      if (other !== null) own = update(own, other, { roundTrip, turn: random.float() });
      tell();
    },
    roundTripTo: (other) => (other === null || told === null ? Number.POSITIVE_INFINITY : estimateRoundTrip(own, other)),
  };
}

/** Where we are by one more sample. `turn` (0 to 1) is the direction to part in from a node at the same place. */
export function update(own: Estimate, other: Coordinate, { roundTrip, turn }: { roundTrip: number; turn: number }): Estimate {
  if (!(Number.isFinite(other.x) && Number.isFinite(other.y) && other.height >= 0 && Number.isFinite(other.height))) return own;
  if (!(roundTrip > 0 && roundTrip <= MAX_ROUND_TRIP)) return own;
  const told = estimateRoundTrip(own, other);
  const wrong = Math.min(1, Math.abs(told - roundTrip) / roundTrip);
  const weight = own.error / (own.error + THEIR_ERROR);
  const most = MOST_MOVED + (MOST_MOVED_AT_FIRST - MOST_MOVED) * own.error ** 2;
  const move = Math.max(-most, Math.min(most, STEP * 2 * weight * (roundTrip - told)));
  const flat = Math.hypot(own.x - other.x, own.y - other.y);
  const [dx, dy] =
    flat > LEAST_HEIGHT
      ? [(own.x - other.x) / flat, (own.y - other.y) / flat]
      : [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)];
  // The unit vector of the paper's §5.4: flat parts subtract, heights add, and the whole has the length of the told round trip.
  const whole = Math.max(told, LEAST_HEIGHT);
  const level = flat > LEAST_HEIGHT ? flat / whole : 1;
  return {
    x: own.x + move * level * dx,
    y: own.y + move * level * dy,
    height: Math.max(LEAST_HEIGHT, own.height + (move * (own.height + other.height)) / whole),
    error: Math.min(1, Math.max(0.02, own.error + ERROR_STEP * weight * (wrong - own.error))),
  };
}
