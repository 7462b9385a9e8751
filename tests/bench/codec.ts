/**
 * How fast a FIND_NODE reply is read, with every check that the wire demands and ids as text. The bar is msgpackr with the same checks made
 * by hand; beside it stand decoders that check nothing: those that a page can run under our Content-Security-Policy, and msgpackr's native
 * addon, which only Node has.
 */
import { decode as decodeMsgpack } from '@msgpack/msgpack';
import { unpack as unpackNative } from 'msgpackr';
import { unpack } from 'msgpackr/unpack-no-eval';
import type { Bytes } from '../../src/base/bytes.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NATS, type Nat } from '../../src/base/nat.ts';
import { decode, encode } from '../../src/base/schema.ts';
import { type ContactFields, isOpenUrl, MAX_URL_BYTES, MAX_VIA, PUBLIC_KEY_BYTES } from '../../src/kademlia/contact.ts';
import { COORDINATE_BYTES, type Coordinate } from '../../src/kademlia/coordinate.ts';
import { KEY_BYTES, keyOf } from '../../src/kademlia/key.ts';
import { CALLS, type Nearer, TOKEN_BYTES } from '../../src/wire/messages.ts';
import type { BenchRow } from './bench-row.ts';

const SAME_CHECKS = 'msgpackr and the same checks by hand';
const ROUNDS = 15;
const ROUND_MS = 100;

/** Operations a second, the contestants taking turns so that the machine's load falls on all of them. */
export default async function codecBench(): Promise<readonly BenchRow[]> {
  const reply = findNodeReply();
  const { response } = CALLS.FIND_NODE;
  const bytes = encode<Nearer>(response, reply);
  const rates = measure({
    kadreel: () => decode(response, bytes),
    msgpackr: () => unpack(bytes),
    '@msgpack/msgpack': () => decodeMsgpack(bytes),
    'msgpackr, native': () => unpackNative(bytes),
    [SAME_CHECKS]: () => nearerOf(unpack(bytes)),
  });
  const bar = median(rates[SAME_CHECKS]);
  const alone = (['msgpackr', '@msgpack/msgpack', 'msgpackr, native'] as const).map((name) => `${name} ${Math.round(median(rates[name]))}`);
  const write = measure({ kadreel: () => encode<Nearer>(response, reply) });
  return [
    {
      ...row(`decode a FIND_NODE reply, 20 contacts, ${bytes.length} bytes, all checks`, rates.kadreel),
      bar: `≥ ${Math.round(bar)} (${SAME_CHECKS})`,
      ok: median(rates.kadreel) >= bar,
      beside: `without checks: ${alone.join(', ')}`,
    },
    row('encode the same', write.kadreel),
  ];
}

/** Twenty contacts as they are in a real network: some open nodes, the others with one to three nodes that they keep links to. */
function findNodeReply(): Nearer {
  const contacts = Array.from({ length: 20 }, (_, i) => ({
    publicKey: pattern(32, i),
    open: i % 7 === 0 ? `wss://node-${i}.example.org/kadreel` : null,
    via: i % 7 === 0 ? [] : Array.from({ length: 1 + (i % 3) }, (_, j) => keyOf(pattern(KEY_BYTES, i + j))),
    coordinate: { x: i * 3.5, y: -i * 7.1, height: 5.5 },
    nat: i % 7 === 0 ? null : (NATS[i % 3] ?? null),
    stun: i % 7 === 0 ? 3478 : null,
  }));
  return { contacts, token: pattern(8, 99), open: ['wss://a.example.org/', 'wss://b.example.org/'] };
}

/** The checks of the schema, and ids as text, on what a library that checks nothing gives. */
function nearerOf(value: unknown): Nearer | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [contacts, token, open] = value as unknown[];
  if (!Array.isArray(contacts) || contacts.length > LIMITS.contacts || !isBytes(token, TOKEN_BYTES)) return null;
  if (
    !Array.isArray(open) ||
    open.length > LIMITS.openNodes ||
    !open.every((url) => typeof url === 'string' && url.length <= MAX_URL_BYTES)
  )
    return null;
  const checked: ContactFields[] = [];
  for (const contact of contacts as unknown[]) {
    if (!Array.isArray(contact) || contact.length !== 6) return null;
    const [publicKey, address, via, place, nat, stun] = contact as unknown[];
    if (!isBytes(publicKey, PUBLIC_KEY_BYTES)) return null;
    if (address !== null && !(typeof address === 'string' && address.length <= MAX_URL_BYTES && isOpenUrl(address))) return null;
    if (!Array.isArray(via) || via.length > MAX_VIA || !via.every((id) => isBytes(id, KEY_BYTES))) return null;
    if (!isBytes(place, COORDINATE_BYTES)) return null;
    if (!isUpTo(nat, NATS.length - 1) || !isUpTo(stun, 65_535)) return null;
    checked.push({
      publicKey,
      open: address,
      via: (via as Bytes[]).map(keyOf),
      coordinate: coordinateOf(place),
      nat: nat === null ? null : (NATS[nat] as Nat),
      stun,
    });
  }
  return { contacts: checked, token, open };
}

function coordinateOf(bytes: Bytes): Coordinate {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { x: view.getInt16(0) / 10, y: view.getInt16(2) / 10, height: view.getUint16(4) / 10 };
}

/** An integer in this range, or null. */
function isUpTo(value: unknown, max: number): value is number | null {
  return value === null || (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max);
}

function isBytes(value: unknown, length: number): value is Bytes {
  return value instanceof Uint8Array && value.length === length;
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

function row(what: string, rounds: readonly number[]): BenchRow {
  const [min, max] = [Math.min(...rounds), Math.max(...rounds)];
  return { what, value: median(rounds), unit: '1/s', bar: null, ok: null, n: rounds.length, min, max, beside: null };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
