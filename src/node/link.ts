/** A live link to one proven node: calls, bulk streams, signs of life. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { decode, encode, type Schema } from '../base/schema.ts';
import { type Deferred, deferred } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { decodeFrame, encodeFrame } from '../wire/codec.ts';
import { CALLS, type Frame, type Method, type RequestOf, type ResponseOf } from '../wire/messages.ts';
import { type Answer, cancelRequest, createAnswering, endRequests, type ReceivedCall, takeRequest } from './answering.ts';
import { answerCall, type CallOptions, createCalls, endCalls, failureError, sendCall } from './calls.ts';
import type { ProvenChannel } from './handshake.ts';
import { goodbyeOf, silenceOf } from './link-end.ts';
import { shorten } from './shorten.ts';
import {
  createStreamReceiver,
  createStreamSender,
  type Incoming,
  STREAM_WINDOW,
  type StreamReceiver,
  type StreamSender,
} from './streams.ts';

/** Messages that do not check before the link is closed: a defect shows a few, an enemy sends many. */
const MAX_MALFORMED = 32;
/** Bytes queued on the channel before the link is closed: all answers that may be due (256 of 16 KiB), twice. Who lets it grow does not read. */
const MAX_QUEUED = 8 * 1024 * 1024;
/** Bytes of the reason in `bye`, as the protocol has it. */
const MAX_BYE_REASON = 100;

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
  fetch(request: FetchRequest, options?: { signal?: AbortSignal; onBytes?: (bytes: number) => void }): Promise<Bytes>;
  /** Sends a sign of life when it is due; closes a link that has been silent for too long. Called every second or so. */
  tick(now: number): void;
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

/** A call of the other side, and the link that it came over. */
export type IncomingCall = ReceivedCall<Link>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface LinkOptions {
  readonly proven: ProvenChannel;
  readonly initiated: boolean;
  readonly clock: Clock;
  /** Milliseconds, as in NodeSettings; heartbeat 0: none. */
  readonly heartbeat: number;
  readonly silence: number;
  readonly callDeadline: number;
  readonly stallDeadline: number;
  /** Answers a call: the body of the response. Throws or rejects with the reason why there is none. */
  readonly serve: (call: IncomingCall) => Answer;
  readonly onMalformed: () => void;
  readonly onSent: (bytes: number) => void;
  readonly onClose: (link: Link, reason: string) => void;
}

/**
 * A node has 64 links and an open node thousands, so an idle one is kept small: what only transfers need is made with the first one, nothing
 * stays of its making, and there is no getter, as each would give every link a shape of its own.
 */
export function createLink(options: LinkOptions): Link {
  const { clock, initiated, heartbeat, silence, callDeadline, stallDeadline, onMalformed, onSent, onClose } = options;
  const { channel, contact, storeId } = options.proven;
  const since = clock.now();
  let proven: ProvenChannel | null = options.proven;
  let lastSent = since;
  let lastHeard = since;
  let lastTick = since;
  let malformed = 0;
  let sender: StreamSender | null = null;
  let receiver: StreamReceiver | null = null;
  let whenEnded: Deferred<string> | null = null;
  let endedBecause = '';

  const send = (frame: Frame): void => {
    if (link.closed) return;
    lastSent = clock.now();
    channel.send(encodeFrame(frame));
    if (channel.queued > MAX_QUEUED) end('the other node does not read');
  };
  const sending = (): StreamSender => {
    sender ??= createStreamSender({
      channel,
      clock,
      send,
      sent: onSent,
      onActive(streams) {
        link.sending = streams > 0;
      },
    });
    return sender;
  };
  const receiving = (): StreamReceiver => {
    receiver ??= createStreamReceiver({
      clock,
      send,
      onActive(streams) {
        link.receiving = streams > 0;
      },
    });
    return receiver;
  };
  const calls = createCalls({ clock, send });
  const answering = createAnswering<Link>({ from: contact, sender: sending, send, serve: options.serve });

  const end = (reason: string): void => {
    if (link.closed) return;
    link.closed = true;
    endedBecause = reason;
    const error = (): KadreelError => fail('closed', `The link to ${contact.id.slice(0, 8)} ended: ${reason}`);
    endCalls(calls, error);
    receiver?.end(error());
    sender?.end();
    endRequests(answering, error);
    channel.close();
    whenEnded?.resolve(reason);
    onClose(link, reason);
  };

  const doubt = (): void => {
    onMalformed();
    malformed++;
    if (malformed > MAX_MALFORMED) link.close('too many malformed messages');
  };

  const receive = (frame: Frame): void => {
    switch (frame.type) {
      case 'request':
        if (!takeRequest(answering, frame, link)) doubt();
        return;
      case 'response':
        answerCall(calls, frame);
        return;
      case 'failure':
        // It answers a call, or ends the stream that a call opened.
        if (!answerCall(calls, frame)) receiver?.failed(frame.id, failureError(frame.code, frame.reason));
        return;
      case 'data':
        return receiver?.data(frame.id, frame.bytes);
      case 'credit':
        return sender?.credit(frame.id, frame.bytes);
      case 'cancel':
        cancelRequest(answering, frame.id);
        sender?.cancel(frame.id);
        return;
      case 'alive':
        return;
      case 'bye':
        return end(goodbyeOf(frame.reason));
      case 'hello':
      case 'proof':
        return doubt();
    }
  };

  const link: Writable<Link> = {
    id: contact.id,
    contact,
    storeId,
    transport: channel.transport,
    initiated,
    since,
    closed: false,
    receiving: false,
    sending: false,
    ended() {
      whenEnded ??= deferred();
      if (link.closed) whenEnded.resolve(endedBecause);
      return whenEnded.promise;
    },
    start() {
      proven?.listen({
        message(message) {
          if (link.closed) return;
          lastHeard = clock.now();
          const frame = decodeFrame(message);
          if (frame) receive(frame);
          else doubt();
        },
        drain: () => sender?.drain(),
        close: (reason) => end(reason),
      });
      proven = null;
    },
    call(method, request, { deadline = callDeadline, signal } = {}) {
      const schemas = CALLS[method];
      const read = (answer: Bytes): ResponseOf<typeof method> => {
        const response = decode(schemas.response as Schema<ResponseOf<typeof method>>, answer);
        if (response !== null) return response;
        doubt();
        throw fail('invalid', `The other node's answer to ${method} is malformed.`);
      };
      return sendCall(calls, {
        method: schemas.method,
        body: () => encode(schemas.request as Schema<typeof request>, request),
        read,
        deadline,
        signal,
      });
    },
    callRaw(method, body, { deadline = callDeadline, signal } = {}) {
      return sendCall(calls, { method, body: () => body, read: (answer) => answer, deadline, signal });
    },
    async fetch({ group, segment, size, urgency }, { signal, onBytes } = {}) {
      let incoming = null as Incoming | null;
      const onAbort = (): void => incoming?.stop(fail('aborted', 'The transfer was cancelled.'));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        const offered = await sendCall(calls, {
          method: CALLS.FETCH.method,
          body(id) {
            incoming = receiving().expect(id, { stall: stallDeadline, ...(onBytes && { onBytes }) });
            return encode(CALLS.FETCH.request, { group, segment, offset: 0, window: STREAM_WINDOW, urgency });
          },
          read: (answer) => decode(CALLS.FETCH.response, answer)?.size,
          deadline: callDeadline,
          signal,
        });
        if (!incoming || offered !== size) throw fail('corrupt', 'The other node offers a segment of another size.');
        incoming.sized(size);
        return await incoming.bytes;
      } catch (error) {
        incoming?.stop(asKadreelError(error));
        throw error;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
    tick(now) {
      if (link.closed || heartbeat === 0) return;
      // A page that was frozen, or a computer that slept, has heard nothing because it did not listen.
      if (now - lastTick > silence / 2) lastHeard = now;
      lastTick = now;
      // The reader's own patience is half as long: whoever is late here has given up, or never meant to read.
      sender?.expire(now, 2 * stallDeadline);
      if (now - lastHeard > silence) end(silenceOf(now - lastHeard));
      else if (now - lastSent >= heartbeat) send({ type: 'alive' });
    },
    close(reason) {
      if (link.closed) return;
      send({ type: 'bye', reason: shorten(reason, MAX_BYE_REASON) });
      end(reason);
    },
  };

  return link;
}
