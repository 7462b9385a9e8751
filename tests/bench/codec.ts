/**
 * How fast a FIND_NODE reply is read, with every check that the wire demands, beside MessagePack libraries that check nothing. The bar is
 * the fastest that a page can run under our Content-Security-Policy; msgpackr with its native addon, which only Node has, is shown too.
 */
import { decode as decodeMsgpack } from '@msgpack/msgpack';
import { unpack as unpackNative } from 'msgpackr';
import { unpack } from 'msgpackr/unpack-no-eval';
import type { Bytes } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/schema.ts';
import { KEY_BYTES, keyOf } from '../../src/kademlia/key.ts';
import { CALLS, type Nearer } from '../../src/wire/messages.ts';

/** One line of the bench's report. */
export interface BenchRow {
  readonly what: string;
  /** The median. */
  readonly value: number;
  readonly unit: string;
  /** What the value is held against; null when nothing is. */
  readonly bar: number | null;
  readonly ok: boolean;
  /** Rounds, and the least and the greatest of them. */
  readonly n: number;
  readonly min: number;
  readonly max: number;
  /** The same work by others, in the same run. */
  readonly beside: Readonly<Record<string, number>>;
}

const ROUNDS = 15;
const ROUND_MS = 100;

/** Operations a second, the contestants taking turns so that the machine's load falls on all of them. */
export async function codecBench(): Promise<BenchRow[]> {
  const reply = findNodeReply();
  const { response } = CALLS.FIND_NODE;
  const bytes = encode<Nearer>(response, reply);
  const rates = measure({
    kadreel: () => decode(response, bytes),
    msgpackr: () => unpack(bytes),
    '@msgpack/msgpack': () => decodeMsgpack(bytes),
    'msgpackr with its native addon': () => unpackNative(bytes),
  });
  const { kadreel, ...others } = rates;
  const beside = Object.fromEntries(Object.entries(others).map(([name, rounds]) => [name, median(rounds)]));
  const bar = Math.max(median(rates.msgpackr), median(rates['@msgpack/msgpack']));

  const write = measure({ kadreel: () => encode<Nearer>(response, reply) }).kadreel;
  return [
    row({ what: `decode a FIND_NODE reply, 20 contacts, ${bytes.length} bytes, all checks`, rounds: kadreel, bar, beside }),
    row({ what: 'encode the same', rounds: write, bar: null, beside: {} }),
  ];
}

/** Twenty contacts as they are in a real network: some open nodes, the others with one to three ways to them. */
function findNodeReply(): Nearer {
  const contacts = Array.from({ length: 20 }, (_, i) => ({
    publicKey: pattern(32, i),
    open: i % 7 === 0 ? `wss://node-${i}.example.org/kadreel` : null,
    via: i % 7 === 0 ? [] : Array.from({ length: 1 + (i % 3) }, (_, j) => keyOf(pattern(KEY_BYTES, i + j))),
  }));
  return { contacts, token: pattern(8, 99), open: ['wss://a.example.org/', 'wss://b.example.org/'] };
}

function pattern(length: number, seed: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 0xff);
}

function measure<Name extends string>(contestants: Readonly<Record<Name, () => unknown>>): Record<Name, number[]> {
  const names = Object.keys(contestants) as Name[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -3; round < ROUNDS; round++) {
    for (const name of names) {
      const rate = ratePerSecond(contestants[name]);
      if (round >= 0) rates[name].push(rate);
    }
  }
  return rates;
}

function ratePerSecond(run: () => unknown): number {
  const start = performance.now();
  let count = 0;
  let spent = 0;
  while (spent < ROUND_MS) {
    for (let i = 0; i < 100; i++) run();
    count += 100;
    spent = performance.now() - start;
  }
  return (count * 1000) / spent;
}

function row(options: { what: string; rounds: readonly number[]; bar: number | null; beside: Readonly<Record<string, number>> }): BenchRow {
  const { what, rounds, bar, beside } = options;
  const value = median(rounds);
  return {
    what,
    value,
    unit: '1/s',
    bar,
    ok: bar === null || value >= bar,
    n: rounds.length,
    min: Math.min(...rounds),
    max: Math.max(...rounds),
    beside,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
