/**
 * Where nodes are, and how long a message takes between two of them.
 *
 * One way = great-circle distance ÷ two thirds of the speed of light × 1.5 to 2 for the detours of cables and routes + the access line of
 * both ends + nothing else; a factor for the pair (lognormal, σ 0.15) stands for what the two providers' peering makes of it. Detours: Singla et al., "The
 * Internet at the Speed of Light" (HotNets 2014). Places: 24 centres, each with the people (millions, rounded) who are on the Internet around it
 * (ITU, 2023). For comparison: the King data set, as used for Vivaldi (Dabek et al., SIGCOMM 2004), has a median round trip of 159 ms between 1,740
 * hosts all over the world; this model's is printed by the bench.
 */
import type { Random } from '../../src/base/ports.ts';

/** A place on the ground with its access line. */
export interface Place {
  /** On the unit sphere. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** One way through the access line, ms. */
  readonly access: number;
  /** 32 bits; with those of another place they decide what is special about the pair. */
  readonly salt: number;
}

export interface Geography {
  /** Somewhere, as people are spread. */
  place(): Place;
  /** Ms from one place to the other, the same both ways, always the same for the same two. */
  oneWay(a: Place, b: Place): number;
}

/** Latitude, longitude, and millions of Internet users around there. */
const CENTRES: readonly (readonly [latitude: number, longitude: number, people: number])[] = [
  [31.2, 121.5, 350], // Shanghai
  [39.9, 116.4, 330], // Beijing
  [23.1, 113.3, 350], // Guangzhou
  [28.6, 77.2, 340], // Delhi
  [19.1, 72.9, 300], // Mumbai
  [13.1, 80.3, 200], // Chennai
  [-6.2, 106.8, 250], // Jakarta
  [14.6, 121.0, 90], // Manila
  [35.7, 139.7, 155], // Tokyo, and Seoul
  [13.8, 100.5, 190], // Bangkok, and Ho Chi Minh City
  [24.9, 67.0, 110], // Karachi
  [41.0, 29.0, 150], // Istanbul, and Tehran
  [30.0, 31.2, 170], // Cairo
  [6.5, 3.4, 180], // Lagos
  [-26.2, 28.0, 110], // Johannesburg, and Nairobi
  [55.8, 37.6, 150], // Moscow
  [51.5, -0.1, 130], // London, and Paris
  [50.1, 8.7, 180], // Frankfurt, and Warsaw
  [40.4, -3.7, 100], // Madrid, and Milan
  [40.7, -74.0, 170], // New York, and Chicago
  [34.1, -118.2, 150], // Los Angeles, and Dallas
  [19.4, -99.1, 170], // Mexico City, and Bogotá
  [-23.5, -46.6, 250], // São Paulo, and Buenos Aires
  [-33.9, 151.2, 30], // Sydney
];
const PEOPLE = CENTRES.reduce((sum, [, , people]) => sum + people, 0);
/** Degrees (standard deviation) around a centre that its people live in: some 400 km. */
const SPREAD = 4;
const EARTH_RADIUS_KM = 6371;
/** Km a millisecond: two thirds of the speed of light, as in glass. */
const FIBRE = 200;
/** A path is so much longer than the great circle. */
const DETOUR = { least: 1.5, spread: 0.5 };
/** Lognormal: median in ms, and σ. Cable, DSL and mobile lines have 5 to 30 ms; fibre has less. */
const ACCESS = { median: 8, sigma: 0.6 };
const PAIR_SIGMA = 0.15;

export function createGeography(random: Random): Geography {
  return {
    place() {
      let left = random.float() * PEOPLE;
      const [latitude, longitude] = CENTRES.find(([, , people]) => {
        left -= people;
        return left < 0;
      }) ?? [0, 0];
      const phi = radians(latitude + SPREAD * normal(random.float(), random.float()));
      const lambda = radians(longitude + SPREAD * normal(random.float(), random.float()));
      return {
        x: Math.cos(phi) * Math.cos(lambda),
        y: Math.cos(phi) * Math.sin(lambda),
        z: Math.sin(phi),
        access: ACCESS.median * Math.exp(ACCESS.sigma * normal(random.float(), random.float())),
        salt: Math.floor(random.float() * 2 ** 32),
      };
    },
    oneWay(a, b) {
      const pair = a.salt ^ b.salt;
      const cosine = a.x * b.x + a.y * b.y + a.z * b.z;
      const distance = EARTH_RADIUS_KM * Math.acos(Math.max(-1, Math.min(1, cosine)));
      const detour = DETOUR.least + DETOUR.spread * draw(pair, 1);
      const peering = Math.exp(PAIR_SIGMA * normal(draw(pair, 2), draw(pair, 3)));
      return ((distance / FIBRE) * detour + a.access + b.access) * peering;
    },
  };
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** A standard normal number of two uniform ones (Box and Muller, 1958). */
function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}

/** A uniform number in [0, 1) that a seed and a counter decide (the finisher of MurmurHash3). */
function draw(seed: number, counter: number): number {
  let h = (seed + Math.imul(counter, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
