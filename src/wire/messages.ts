/**
 * Everything that goes over a link (docs/protocol.md §3 and §4): one schema for each thing, from which its type, its writer and
 * its checked reader come. Binary fields that were read are views on the message: copy what is kept.
 */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, boolean, fixed, type Infer, list, nullable, type Schema, shared, string, struct, uint, union } from '../base/schema.ts';
import { type ContactFields, contactSchema } from '../kademlia/contact.ts';
import { type Key, keySchema } from '../kademlia/key.ts';
import { type Signed, signedSchema } from '../records/signed.ts';

/** Protocol version in HELLO. Nodes of different versions do not link. */
export const PROTOCOL_VERSION = 3;

/** Random bytes that the other side signs: never the same twice. */
export const NONCE_BYTES = 32;
/** Random bytes that name a disk. */
export const STORE_ID_BYTES = 16;
/** A keyed hash, cut: 2^64 guesses at 5 minutes each are none. */
export const TOKEN_BYTES = 8;
/** Ids of calls, and counts of bytes, fit 32 bits. */
export const MAX_UINT32 = 0xffff_ffff;

/** First frame each way. */
export interface Hello {
  readonly version: number;
  /** Who I am and how I am reached. */
  readonly contact: ContactFields;
  /** For the other side to sign. */
  readonly nonce: Bytes;
  /** Names the disk that this node keeps things on: nodes that share it count as one copy. */
  readonly storeId: Bytes;
}

export type Frame =
  | ({ readonly type: 'hello' } & Hello)
  /** Second frame each way: my signature over the other's nonce, both public keys and the channel's binding. */
  | { readonly type: 'proof'; readonly signature: Bytes }
  /** A call. `id` is the caller's, unused on this link before; `body` is as `CALLS[method].request` says. */
  | { readonly type: 'request'; readonly id: number; readonly method: number; readonly body: Bytes }
  /** The one answer to a call that succeeded. */
  | { readonly type: 'response'; readonly id: number; readonly body: Bytes }
  /** The one answer to a call that did not. */
  | { readonly type: 'failure'; readonly id: number; readonly code: FailureCode; readonly reason: string }
  /** Bulk bytes of the stream that call `id` opened. */
  | { readonly type: 'data'; readonly id: number; readonly bytes: Bytes }
  /** The reader of stream `id` lets the sender send this many bytes more. */
  | { readonly type: 'credit'; readonly id: number; readonly bytes: number }
  /** The reader no longer wants call or stream `id`. Nothing answers it. */
  | { readonly type: 'cancel'; readonly id: number }
  /** I am alive. Sent when nothing else was for a while. */
  | { readonly type: 'alive' }
  /** I am going. */
  | { readonly type: 'bye'; readonly reason: string };

/** Why a call failed, as the wire says it. */
export const FAILURES = {
  /** The method or its arguments are not ones I know. */
  invalid: 1,
  /** I will not: not kept here, no room, not my duty, over your share. */
  refused: 2,
  /** I do not have it. */
  absent: 3,
  /** The token is not one that I issued to you of late. */
  token: 4,
  /** A relayed call found no way on. */
  unreachable: 5,
  /** A relayed call got no answer in time. */
  timeout: 6,
  /** My fault. */
  internal: 7,
} as const;

/** A failure by name. */
export type FailureName = keyof typeof FAILURES;
/** A failure by its number on the wire. */
export type FailureCode = (typeof FAILURES)[FailureName];

const failureCode = uint(255) as Schema<FailureCode>; // an unknown code reads as `internal`: see node/rpc

export const frameSchema: Schema<Frame> = union<Frame>({
  hello: [
    0,
    struct<Hello>({ version: uint(MAX_UINT32), contact: contactSchema, nonce: fixed(NONCE_BYTES), storeId: shared(STORE_ID_BYTES) }),
  ],
  proof: [1, struct<{ signature: Bytes }>({ signature: fixed(64) })],
  request: [
    2,
    struct<{ id: number; method: number; body: Bytes }>({ id: uint(MAX_UINT32), method: uint(255), body: binary(LIMITS.message) }),
  ],
  response: [3, struct<{ id: number; body: Bytes }>({ id: uint(MAX_UINT32), body: binary(LIMITS.message) })],
  failure: [4, struct<{ id: number; code: FailureCode; reason: string }>({ id: uint(MAX_UINT32), code: failureCode, reason: string(300) })],
  data: [5, struct<{ id: number; bytes: Bytes }>({ id: uint(MAX_UINT32), bytes: binary(LIMITS.message) })],
  credit: [6, struct<{ id: number; bytes: number }>({ id: uint(MAX_UINT32), bytes: uint(MAX_UINT32) })],
  cancel: [7, struct<{ id: number }>({ id: uint(MAX_UINT32) })],
  alive: [8, struct<object>({})],
  bye: [9, struct<{ reason: string }>({ reason: string(100) })],
});

/** What a storing node is asked to keep. */
export type Item =
  /** Immutable bytes; the key is their hash. */
  | { readonly type: 'value'; readonly bytes: Bytes }
  | { readonly type: 'record'; readonly signed: Signed }
  | { readonly type: 'entry'; readonly signed: Signed };

export const itemSchema: Schema<Item> = union<Item>({
  value: [0, struct<{ bytes: Bytes }>({ bytes: binary(LIMITS.value) })],
  record: [1, struct<{ signed: Signed }>({ signed: signedSchema })],
  entry: [2, struct<{ signed: Signed }>({ signed: signedSchema })],
});

/** What a FIND_VALUE asks for under a key. */
export const WANT = { value: 0, record: 1, entries: 2 } as const;
export type Want = keyof typeof WANT;

const contacts = list(contactSchema, LIMITS.contacts);
const openNodes = list(string(300), LIMITS.openNodes);

const ping = {
  method: 1,
  request: struct<object>({}),
  /** `open`: addresses of open nodes that the answering node knows. */
  response: struct<{ token: Bytes; open: readonly string[] }>({ token: fixed(TOKEN_BYTES), open: openNodes }),
};

/** What every lookup step learns: nearer contacts, a token for a later STORE, open nodes. */
export interface Nearer {
  readonly contacts: readonly ContactFields[];
  readonly token: Bytes;
  readonly open: readonly string[];
}

const findNode = {
  method: 2,
  request: struct<{ target: Key }>({ target: keySchema }),
  response: struct<Nearer>({ contacts, token: fixed(TOKEN_BYTES), open: openNodes }),
};

const findValue = {
  method: 3,
  /** `want` is a value of `WANT`; for entries, `before` (ms) pages backwards in time. */
  request: struct<{ key: Key; want: number; before: number }>({ key: keySchema, want: uint(2), before: uint(Number.MAX_SAFE_INTEGER) }),
  response: struct<Nearer & { items: readonly Item[] }>({
    contacts,
    token: fixed(TOKEN_BYTES),
    open: openNodes,
    items: list(itemSchema, LIMITS.entriesPerTopic),
  }),
};

const store = {
  method: 4,
  /**
   * `replicas`: on how many nodes, the asked one included; it passes the item on to its linked nodes nearest to the key. 1: there alone. 0: a hand over,
   * which the asked one spreads only if it was news to it and nobody it knows is nearer. `life`: ms that the item may still be kept when nobody publishes it again.
   */
  request: struct<{ key: Key; token: Bytes; item: Item; replicas: number; life: number }>({
    key: keySchema,
    token: fixed(TOKEN_BYTES),
    item: itemSchema,
    replicas: uint(LIMITS.replicas),
    life: uint(MAX_UINT32),
  }),
  /** `stored`: how many nodes have it now, the asked one included. */
  response: struct<{ stored: number }>({ stored: uint(LIMITS.replicas) }),
};

const signal = {
  method: 5,
  /** `letter`: a sealed `Letter`, of the caller to the called. */
  request: struct<{ letter: Bytes }>({ letter: binary(LIMITS.letter) }),
  /** `letter`: what the called side has to say first, sealed to the caller, when it has that soon after an offer; else empty. */
  response: struct<{ letter: Bytes }>({ letter: binary(LIMITS.letter) }),
};

const relay = {
  method: 6,
  /**
   * Carries a small call to a node that the caller has no link to, hop by hop, each hop to its linked node nearest to `to`; or
   * first to `via`, which keeps a link to it.
   */
  request: struct<{ to: Key; via: Key | null; hops: number; from: ContactFields; method: number; body: Bytes }>({
    to: keySchema,
    via: nullable(keySchema),
    hops: uint(16),
    from: contactSchema,
    method: uint(255),
    body: binary(LIMITS.relayed),
  }),
  response: struct<{ body: Bytes }>({ body: binary(LIMITS.relayed) }),
};

const describe = {
  method: 7,
  /** The descriptor of a group that the asked node keeps. */
  request: struct<{ group: Key }>({ group: keySchema }),
  response: struct<{ descriptor: Bytes }>({ descriptor: binary(LIMITS.value) }),
};

const fetch = {
  method: 8,
  /** One segment, from byte `offset`. Its bytes follow as a stream under the call's id; `window` is the first credit; urgency 0 comes first. */
  request: struct<{ group: Key; segment: number; offset: number; window: number; urgency: number }>({
    group: keySchema,
    segment: uint(LIMITS.groupSegments),
    offset: uint(LIMITS.group),
    window: uint(MAX_UINT32),
    urgency: uint(255),
  }),
  /** `size`: bytes that will follow. */
  response: struct<{ size: number }>({ size: uint(LIMITS.group) }),
};

const offer = {
  method: 9,
  /** Asks the node to keep a copy of a group, which it fetches from the asker. */
  request: struct<{ group: Key; descriptor: Bytes }>({ group: keySchema, descriptor: binary(LIMITS.value) }),
  /** `kept`: it is on my disk already. Otherwise I fetch it now and say KEPT when I have it. */
  response: struct<{ kept: boolean }>({ kept: boolean }),
};

const kept = {
  method: 10,
  /** What was offered is on my disk, or it is not and why. */
  request: struct<{ group: Key; kept: boolean; reason: string }>({ group: keySchema, kept: boolean, reason: string(100) }),
  response: struct<object>({}),
};

const route = {
  method: 11,
  /**
   * A recursive lookup: each node passes it to its linked node nearest to `target`, and the answer comes back along the path. `want`: a value of `WANT`, or nil
   * for nodes alone. `early`: the first node on the way that has something may answer. `from`: who asks, for the token.
   */
  request: struct<{ target: Key; want: number | null; before: number; early: boolean; hops: number; from: ContactFields }>({
    target: keySchema,
    want: nullable(uint(2)),
    before: uint(Number.MAX_SAFE_INTEGER),
    early: boolean,
    hops: uint(16),
    from: contactSchema,
  }),
  /** `by`: who answers, and whose token it is; `left`: hops that it might still have taken. */
  response: struct<Nearer & { by: ContactFields; left: number; items: readonly Item[] }>({
    by: contactSchema,
    left: uint(16),
    contacts,
    token: fixed(TOKEN_BYTES),
    open: openNodes,
    items: list(itemSchema, LIMITS.entriesPerTopic),
  }),
};

const help = {
  method: 12,
  /** The caller does jobs for others: `slots` at once, 0 for none. `pinned`: the number of its converter and arguments, which must be the asker's. */
  request: struct<{ slots: number; pinned: number }>({ slots: uint(LIMITS.helperSlots), pinned: uint(0xffff) }),
  response: struct<object>({}),
};

const transcode = {
  method: 13,
  /** A job (`media/transcode-job.ts`), encoded. The segment that is made follows as a stream under the call's id; `window` is the first credit. */
  request: struct<{ job: Bytes; window: number }>({ job: binary(LIMITS.job), window: uint(MAX_UINT32) }),
  /** The initialisation segment of what was made, how many bytes of it will follow, and their SHA-256. */
  response: struct<{ init: Bytes; size: number; digest: Bytes }>({
    init: binary(LIMITS.init),
    size: uint(LIMITS.group),
    digest: fixed(32),
  }),
};

const quiet = {
  method: 14,
  /** On a WebSocket, by who opened it: from now on each side is quiet for `gap` ms before it gives a sign of life. */
  request: struct<{ gap: number }>({ gap: uint(MAX_UINT32) }),
  /** The gap that holds, as asked or less. */
  response: struct<{ gap: number }>({ gap: uint(MAX_UINT32) }),
};

/** Every call: its number, and the schemas of its two bodies. */
export const CALLS = {
  PING: ping,
  FIND_NODE: findNode,
  FIND_VALUE: findValue,
  STORE: store,
  SIGNAL: signal,
  RELAY: relay,
  DESCRIBE: describe,
  FETCH: fetch,
  OFFER: offer,
  KEPT: kept,
  ROUTE: route,
  HELP: help,
  TRANSCODE: transcode,
  QUIET: quiet,
} as const;

/** A call by name. */
export type Method = keyof typeof CALLS;
/** The arguments of a call. */
export type RequestOf<M extends Method> = Infer<(typeof CALLS)[M]['request']>;
/** What answers a call. */
export type ResponseOf<M extends Method> = Infer<(typeof CALLS)[M]['response']>;

/** The method with this number, or null. */
export function methodOf(number: number): Method | null {
  return METHODS.get(number) ?? null;
}

const METHODS = new Map((Object.keys(CALLS) as Method[]).map((name) => [CALLS[name].method as number, name]));
