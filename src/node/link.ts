/** A live link to one proven node: calls, bulk streams, signs of life. */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { Method, RequestOf, ResponseOf } from '../wire/messages.ts';
import type { ReceivedCall } from './answering.ts';
import type { CallOptions } from './calls.ts';

export interface Link {
  readonly id: NodeId;
  /** As the other node said in its HELLO. */
  readonly contact: Contact;
  /** Names the disk of the other node. */
  readonly storeId: Bytes;
  readonly transport: 'webrtc' | 'websocket' | 'memory';
  /** True when we opened it. */
  readonly initiated: boolean;
  /** Clock times, ms. */
  readonly since: number;
  readonly closed: boolean;
  /** True while bulk bytes that we asked for are coming over it. */
  readonly receiving: boolean;
  /** True while bulk bytes that the other side asked for are going over it. */
  readonly sending: boolean;
  /** Resolves with the reason when the link has ended. */
  ended(): Promise<string>;
  /** Begins to read: what came since the proof is handled now. Called once, when the link is where calls look for it. */
  start(): void;
  /** Rejects with what the other node said no with, or `timeout`, `aborted`, `closed`, `invalid`. */
  call<M extends Method>(method: M, request: RequestOf<M>, options?: CallOptions): Promise<ResponseOf<M>>;
  /** The same with bodies as bytes, for what is only carried. */
  callRaw(method: number, body: Bytes, options?: CallOptions): Promise<Bytes>;
  /** One segment. Rejects also with `corrupt` when the size is not the one expected; its hash is for the caller to check. */
  fetch(request: FetchRequest, options?: FetchOptions): Promise<Bytes>;
  /** What the other node makes of a segment. Rejects as `fetch`, and with what it says no with; whether it is right is for the caller to check. */
  transcode(request: TranscodeRequest, options?: FetchOptions): Promise<Transcoded>;
  /** Sends a sign of life when it is due; closes a link that has been silent for too long. Called every second or so. */
  tick(now: number): void;
  /** The other side asks for so long a gap (ms) between signs of life. Gives the one that holds now. Throws `refused` where there are no gaps to choose. */
  quieten(gap: number): number;
  /** Asks for a sign of life; the link ends when none comes within 2 s. */
  check(): void;
  /** Says goodbye and closes. Idempotent. */
  close(reason: string): void;
}

export interface FetchRequest {
  readonly group: RequestOf<'FETCH'>['group'];
  readonly segment: number;
  /** Bytes: what the descriptor says. */
  readonly size: number;
  /** 0 is needed first. */
  readonly urgency: number;
}

/** A job for the other node. */
export interface TranscodeRequest {
  /** Encoded. */
  readonly job: Bytes;
  /** Bytes that may come back at most. */
  readonly most: number;
  /** Milliseconds until the answer begins. */
  readonly deadline: number;
}

/** What came back: an initialisation segment, and a segment. */
export interface Transcoded {
  readonly init: Bytes;
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`, as the other node says. */
  readonly digest: Bytes;
}

/** `onBytes`: called with the bytes of each piece as it comes. */
export interface FetchOptions {
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** A call of the other side, and the link that it came over. */
export type IncomingCall = ReceivedCall<Link>;
