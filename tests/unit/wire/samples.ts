/** One of everything that goes over the wire or is signed in protocol version 2: what the golden bytes are the bytes of. */
import type { Bytes } from '../../../src/base/bytes.ts';
import { encode, type Schema } from '../../../src/base/schema.ts';
import type { ContactFields } from '../../../src/kademlia/contact.ts';
import { KEY_BYTES, type Key, keyOf } from '../../../src/kademlia/key.ts';
import { additionsSchema, NO_ADDITIONS } from '../../../src/media/additions.ts';
import { groupDescriptorSchema, manifestSchema, pageSchema } from '../../../src/media/manifest.ts';
import { entryBodySchema } from '../../../src/records/entry.ts';
import { recordBodySchema } from '../../../src/records/record.ts';
import type { Signed } from '../../../src/records/signed.ts';
import type { Device } from '../../../src/records/vector-clock.ts';
import { encodeFrame } from '../../../src/wire/codec.ts';
import { type Letter, letterSchema, signedLetterSchema } from '../../../src/wire/letter.ts';
import {
  CALLS,
  FAILURES,
  type Frame,
  type Item,
  type Method,
  PROTOCOL_VERSION,
  type RequestOf,
  type ResponseOf,
} from '../../../src/wire/messages.ts';

/** Something with its schema. */
export interface Sample {
  readonly schema: Schema<unknown>;
  readonly value: unknown;
}

/** Bytes that are not zero, not equal to their neighbours', and different for each use. */
function bytes(length: number, seed: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (seed * 16 + i) & 0xff);
}

const key = (seed: number): Key => keyOf(bytes(KEY_BYTES, seed));
const TIME = 1_795_000_000_000;

const open: ContactFields = {
  publicKey: bytes(32, 1),
  open: 'wss://open.example.org/kadreel',
  via: [],
  coordinate: null,
  nat: null,
  stun: 3478,
};
const closed: ContactFields = {
  publicKey: bytes(32, 2),
  open: null,
  via: [key(1), key(3)],
  coordinate: { x: -12.5, y: 40, height: 7.3 },
  nat: 'symmetric',
  stun: null,
};
const openNodes = ['wss://open.example.org/kadreel', 'ws://[2001:db8::1]:8080/'];
const signed: Signed = { body: bytes(40, 4), signature: bytes(64, 5) };
const items: readonly Item[] = [
  { type: 'value', bytes: bytes(10, 6) },
  { type: 'record', signed },
  { type: 'entry', signed },
];
const nearer = { contacts: [open, closed], token: bytes(8, 7), open: openNodes };

export const FRAMES: { readonly [T in Frame['type']]: Extract<Frame, { type: T }> } = {
  hello: { type: 'hello', version: PROTOCOL_VERSION, contact: closed, nonce: bytes(32, 8), storeId: bytes(16, 9) },
  proof: { type: 'proof', signature: bytes(64, 10) },
  request: { type: 'request', id: 1, method: 2, body: bytes(5, 11) },
  response: { type: 'response', id: 0xffff_ffff, body: bytes(300, 12) },
  failure: { type: 'failure', id: 70_000, code: FAILURES.absent, reason: 'Nicht hier – 無い.' },
  data: { type: 'data', id: 300, bytes: bytes(40, 13) },
  credit: { type: 'credit', id: 300, bytes: 65_536 },
  cancel: { type: 'cancel', id: 128 },
  alive: { type: 'alive' },
  bye: { type: 'bye', reason: 'leaving' },
};

export const REQUESTS: { readonly [M in Method]: RequestOf<M> } = {
  PING: {},
  FIND_NODE: { target: key(20) },
  FIND_VALUE: { key: key(21), want: 2, before: Number.MAX_SAFE_INTEGER },
  STORE: { key: key(22), token: bytes(8, 23), item: items[0] as Item, replicas: 20, life: 86_400_000 },
  SIGNAL: { letter: bytes(70, 24) },
  RELAY: { to: key(25), via: key(26), hops: 16, from: closed, method: 5, body: bytes(9, 27) },
  DESCRIBE: { group: key(28) },
  FETCH: { group: key(29), segment: 7, offset: 1_048_576, window: 262_144, urgency: 0 },
  OFFER: { group: key(30), descriptor: bytes(12, 31) },
  KEPT: { group: key(32), kept: false, reason: 'quota' },
  HELP: { slots: 2, pinned: 1 },
  TRANSCODE: { job: bytes(60, 12), window: 262_144 },
  QUIET: { gap: 90_000 },
  ROUTE: { target: key(33), want: null, before: 0, early: true, hops: 8, from: closed },
};

export const RESPONSES: { readonly [M in Method]: ResponseOf<M> } = {
  PING: { token: bytes(8, 7), open: openNodes },
  FIND_NODE: nearer,
  FIND_VALUE: { ...nearer, items },
  STORE: { stored: 20 },
  SIGNAL: { letter: bytes(60, 36) },
  RELAY: { body: bytes(9, 33) },
  DESCRIBE: { descriptor: bytes(12, 34) },
  FETCH: { size: 987_654 },
  OFFER: { kept: true },
  KEPT: {},
  HELP: {},
  TRANSCODE: { init: bytes(40, 13), size: 130_000, digest: bytes(32, 14) },
  QUIET: { gap: 90_000 },
  ROUTE: { ...nearer, by: open, left: 9, items },
};

const sample = <T>(schema: Schema<T>, value: T): Sample => ({ schema: schema as Schema<unknown>, value });

/** What is sealed in a SIGNAL. */
const LETTER: Letter = { session: bytes(8, 24), sequence: 3, transfer: true, signals: ['{"type":"offer"}', '{"type":"candidate"}'] };

/** What is stored under keys, and signed; and what is sealed. */
export const STORED: Readonly<Record<string, Sample>> = {
  record: sample(recordBodySchema, {
    owner: bytes(32, 40),
    name: 'video/1',
    clock: [
      { device: '0000000000000001' as Device, counter: 1 },
      { device: '00000000000000ff' as Device, counter: 300 },
    ],
    time: TIME,
    value: bytes(20, 41),
  }),
  entry: sample(entryBodySchema, {
    topic: key(42),
    writer: bytes(32, 43),
    name: '',
    time: TIME,
    expires: TIME + 9_000_000,
    value: bytes(7, 44),
  }),
  descriptor: sample(groupDescriptorSchema, {
    segments: [
      { digest: bytes(32, 45), size: 1_234_567, duration: 4_000 },
      { digest: bytes(32, 46), size: 200, duration: 3_967 },
    ],
  }),
  letter: sample(letterSchema, LETTER),
  signedLetter: sample(signedLetterSchema, { body: bytes(30, 54), signature: bytes(64, 55) }),
  page: sample(pageSchema, [{ key: key(47), durations: [4_000, 3_967] }]),
  additions: sample(additionsSchema, {
    preview: {
      interval: 2_000,
      count: 101,
      columns: 10,
      rows: 10,
      width: 160,
      height: 90,
      groups: [{ key: key(60), durations: [0, 0] }],
    },
    captions: [{ language: 'pt-BR', name: 'português (Brasil)', groups: [{ key: key(61), durations: [60_000, 12_345] }] }],
    withdrawn: [3],
    growing: null,
  }),
  manifest: sample(manifestSchema, {
    version: 1,
    title: 'Ein Film — 映画',
    owner: bytes(32, 48),
    created: TIME,
    duration: 7_967,
    poster: key(49),
    additions: NO_ADDITIONS,
    renditions: [
      {
        kind: 'video',
        codecs: 'avc1.64001f',
        bandwidth: 2_500_000,
        averageBandwidth: 2_000_000,
        width: 1280,
        height: 720,
        frameRate: 29_970,
        init: bytes(16, 50),
        groups: { type: 'inline', groups: [{ key: key(51), durations: [4_000, 3_967] }] },
      },
      {
        kind: 'audio',
        codecs: 'mp4a.40.2',
        bandwidth: 128_000,
        averageBandwidth: 127_000,
        width: 0,
        height: 0,
        frameRate: 0,
        init: bytes(16, 52),
        groups: { type: 'pages', pages: [key(53)] },
      },
    ],
  }),
};

/** The encoded samples by file and name, as hexadecimal is made of them. */
export function encodeSamples(): Readonly<Record<'frames' | 'calls' | 'stored', Readonly<Record<string, Bytes>>>> {
  const frames = Object.entries(FRAMES).map(([name, frame]): [string, Bytes] => [name, encodeFrame(frame)]);
  const calls = Object.entries(callSamples()).map(([name, { schema, value }]): [string, Bytes] => [name, encode(schema, value)]);
  const stored = Object.entries(STORED).map(([name, { schema, value }]): [string, Bytes] => [name, encode(schema, value)]);
  return { frames: Object.fromEntries(frames), calls: Object.fromEntries(calls), stored: Object.fromEntries(stored) };
}

/** `PING request`, `PING response` and so on. */
export function callSamples(): Readonly<Record<string, Sample>> {
  const samples = (Object.keys(CALLS) as Method[]).flatMap((method): [string, Sample][] => [
    [`${method} request`, { schema: CALLS[method].request as Schema<unknown>, value: REQUESTS[method] }],
    [`${method} response`, { schema: CALLS[method].response as Schema<unknown>, value: RESPONSES[method] }],
  ]);
  return Object.fromEntries(samples);
}
