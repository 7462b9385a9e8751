/** The link over a channel whose other end has proven who it is: frames in, frames out. */
import { type Bytes, copy } from '../base/bytes.ts';
import { asKadreelError, fail, hasCode, type KadreelError } from '../base/errors.ts';
import type { Channel, Clock } from '../base/ports.ts';
import { decode, encode, type Schema } from '../base/schema.ts';
import { type Deferred, deferred } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import { decodeFrame, encodeFrame } from '../wire/codec.ts';
import { CALLS, type Frame, type Method, type RequestOf, type ResponseOf } from '../wire/messages.ts';
import { type Answer, type Answering, type AnswerOutlet, cancelRequest, createAnswering, endRequests, takeRequest } from './answering.ts';
import { answerCall, type CallOptions, type CallOutlet, type Calls, createCalls, endCalls, failureError, sendCall } from './calls.ts';
import type { ProvenChannel } from './handshake.ts';
import type { FetchOptions, FetchRequest, IncomingCall, Link, Transcoded, TranscodeRequest } from './link.ts';
import { goodbyeOf, silenceOf } from './link-end.ts';
import { LinkListener, type Listening } from './link-listener.ts';
import { QuietGap, type QuietGaps } from './quiet-gaps.ts';
import { shorten } from './shorten.ts';
import { createStreamReceiver, type Incoming, STREAM_WINDOW, type StreamReceiver } from './stream-receiver.ts';
import { createStreamSender, type StreamSender } from './stream-sender.ts';

/** Messages that do not check before the link is closed: a defect shows a few, an enemy sends many. */
const MAX_MALFORMED = 32;
/** Bytes queued on the channel before the link is closed: all answers that may be due (256 of 16 KiB), twice. Who lets it grow does not read. */
const MAX_QUEUED = 8 * 1024 * 1024;
/** For the sign of life that was asked for after a sleep, ms: several round trips of a bad connection. */
const CHECK_DEADLINE = 2_000;
/** Bytes of the reason in `bye`, as the protocol has it. */
const MAX_BYE_REASON = 100;

/** What all links of a node share. */
export interface LinkOptions {
  readonly clock: Clock;
  /** Milliseconds, as in NodeSettings; heartbeat 0: none. */
  readonly heartbeat: number;
  readonly silence: number;
  readonly quietGaps: QuietGaps;
  readonly callDeadline: number;
  readonly stallDeadline: number;
  /** Answers a call: the body of the response. Throws or rejects with the reason why there is none. */
  readonly serve: (call: IncomingCall) => Answer;
  readonly onMalformed: () => void;
  readonly onSent: (bytes: number) => void;
  readonly onClose: (link: Link, reason: string) => void;
}

/** Of a call with bytes behind its answer: how long until that comes (ms), and how many bytes there may be. */
interface BulkOptions extends FetchOptions {
  readonly deadline: number;
  readonly least: number;
  readonly most: number;
}

/** The link over a channel whose other end has proven who it is. */
export function createLink(proven: ProvenChannel, { initiated }: { readonly initiated: boolean }, options: LinkOptions): Link {
  return new ProvenLink(proven, initiated, options);
}

/**
 * A node has 64 links and an open node thousands, so an idle one is kept small: methods, where closures of its own would double its size; what only
 * transfers need is made with the first one; and nothing stays of its making.
 */
class ProvenLink implements Link, AnswerOutlet, CallOutlet, Listening {
  readonly id: NodeId;
  readonly contact: Contact;
  readonly storeId: Bytes;
  readonly transport: Link['transport'];
  readonly initiated: boolean;
  readonly since: number;
  closed = false;
  receiving = false;
  sending = false;
  private readonly options: LinkOptions;
  private readonly channel: Channel;
  private readonly calls: Calls;
  private readonly answering: Answering<Link>;
  /** Until `start`. */
  private proven: ProvenChannel | null;
  /** Of a WebSocket. */
  private readonly gap: QuietGap | null;
  private lastSent: number;
  private lastHeard: number;
  private lastTick: number;
  private malformed = 0;
  private checking = false;
  private sender: StreamSender | null = null;
  private receiver: StreamReceiver | null = null;
  private whenEnded: Deferred<string> | null = null;
  private endedBecause = '';

  constructor(proven: ProvenChannel, initiated: boolean, options: LinkOptions) {
    const { channel, contact, storeId } = proven;
    const { clock, serve } = options;
    this.id = contact.id;
    this.contact = contact;
    this.storeId = storeId;
    this.transport = channel.transport;
    this.initiated = initiated;
    this.since = clock.now();
    this.options = options;
    this.channel = channel;
    this.proven = proven;
    this.gap = this.transport === 'websocket' ? new QuietGap(this.id, initiated, options.quietGaps) : null;
    this.lastSent = this.since;
    this.lastHeard = this.since;
    this.lastTick = this.since;
    this.calls = createCalls({ clock, out: this });
    this.answering = createAnswering<Link>({ from: contact, out: this, serve });
  }

  ended(): Promise<string> {
    this.whenEnded ??= deferred();
    if (this.closed) this.whenEnded.resolve(this.endedBecause);
    return this.whenEnded.promise;
  }

  start(): void {
    this.proven?.listen(new LinkListener(this));
    this.proven = null;
  }

  call<M extends Method>(method: M, request: RequestOf<M>, options: CallOptions = {}): Promise<ResponseOf<M>> {
    const schemas = CALLS[method];
    const read = (answer: Bytes): ResponseOf<M> => {
      const response = decode(schemas.response as Schema<ResponseOf<M>>, answer);
      if (response !== null) return response;
      this.doubt();
      throw fail('invalid', `The other node's answer to ${method} is malformed.`);
    };
    return sendCall(this.calls, {
      method: schemas.method,
      body: () => encode(schemas.request as Schema<RequestOf<M>>, request),
      read,
      deadline: options.deadline ?? this.options.callDeadline,
      signal: options.signal,
    });
  }

  callRaw(method: number, body: Bytes, { deadline = this.options.callDeadline, signal }: CallOptions = {}): Promise<Bytes> {
    return sendCall(this.calls, { method, body: () => body, read: (answer) => answer, deadline, signal });
  }

  async fetch({ group, segment, size, urgency }: FetchRequest, options: FetchOptions = {}): Promise<Bytes> {
    const request = { group, segment, offset: 0, window: STREAM_WINDOW, urgency };
    const limits = { deadline: this.options.callDeadline, least: size, most: size };
    return (await this.bulk('FETCH', request, { ...options, ...limits })).bytes;
  }

  async transcode({ job, most, deadline }: TranscodeRequest, options: FetchOptions = {}): Promise<Transcoded> {
    const { answer, bytes } = await this.bulk('TRANSCODE', { job, window: STREAM_WINDOW }, { ...options, deadline, least: 1, most });
    return { init: copy(answer.init), bytes, digest: copy(answer.digest) };
  }

  tick(now: number): void {
    const { stallDeadline, ...options } = this.options;
    if (this.closed || options.heartbeat === 0) return;
    const { heartbeat, silence } = this.gap ?? options;
    // A page that was frozen, or a computer that slept, has heard nothing because it did not listen.
    if (now - this.lastTick > silence / 2) this.lastHeard = now;
    this.lastTick = now;
    // The reader's own patience is half as long: whoever is late here has given up, or never meant to read.
    this.sender?.expire(now, 2 * stallDeadline);
    if (now - this.lastHeard > silence) this.broke(silenceOf(now - this.lastHeard));
    else if (now - this.lastSent >= heartbeat) this.sign();
  }

  quieten(gap: number): number {
    if (!this.gap || this.initiated) throw fail('refused', 'Only who opened a WebSocket chooses how quiet it is.');
    return this.gap.asked(gap);
  }

  unanswered(since: number): void {
    // Signs of life may be far apart: silence since a call began is reason enough to ask for one.
    if (this.lastHeard <= since && this.options.heartbeat > 0) this.check();
  }

  check(): void {
    if (this.checking || this.closed) return;
    this.checking = true;
    const asked = this.options.clock.now();
    this.call('PING', {}, { deadline: CHECK_DEADLINE })
      .catch(() => {
        // A no is a sign of life as well.
        if (this.lastHeard <= asked) this.broke(silenceOf(this.options.clock.now() - this.lastHeard));
      })
      .finally(() => {
        this.checking = false;
      });
  }

  close(reason: string): void {
    if (this.closed) return;
    this.sendFrame({ type: 'bye', reason: shorten(reason, MAX_BYE_REASON) });
    this.end(reason);
  }

  sendFrame(frame: Frame): void {
    if (this.closed) return;
    this.lastSent = this.options.clock.now();
    this.channel.send(encodeFrame(frame));
    if (this.channel.queued > MAX_QUEUED) this.end('the other node does not read');
  }

  streams(): StreamSender {
    const { clock, onSent } = this.options;
    this.sender ??= createStreamSender({
      channel: this.channel,
      clock,
      send: (frame) => this.sendFrame(frame),
      sent: onSent,
      onActive: (streams) => {
        this.sending = streams > 0;
      },
    });
    return this.sender;
  }

  heard(message: Bytes): void {
    if (this.closed) return;
    this.lastHeard = this.options.clock.now();
    const frame = decodeFrame(message);
    if (frame) this.receive(frame);
    else this.doubt();
  }

  drained(): void {
    this.sender?.drain();
  }

  broke(reason: string): void {
    if (!this.closed) this.gap?.broke(this.options.clock.now() - this.lastHeard);
    this.end(reason);
  }

  /** It is over, whoever said so. Idempotent. */
  end(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.endedBecause = reason;
    const error = (): KadreelError => fail('closed', `The link to ${this.id.slice(0, 8)} ended: ${reason}`);
    endCalls(this.calls, error);
    this.receiver?.end(error());
    this.sender?.end();
    endRequests(this.answering, error);
    this.channel.close();
    this.whenEnded?.resolve(reason);
    this.options.onClose(this, reason);
  }

  /** Says that this side lives; on a WebSocket of ours in a way that is answered. */
  private sign(): void {
    const { gap } = this;
    const wanted = gap?.wanted ?? null;
    if (!gap || wanted === null) return this.sendFrame({ type: 'alive' });
    this.call('QUIET', { gap: wanted }).then(
      (answer) => gap.answered(answer.gap, wanted),
      (error: unknown) => {
        // Of any other failure the link learns by itself.
        if (hasCode(error, 'invalid')) gap.unknown();
      },
    );
  }

  /** A call whose answer says how many bytes will follow it. */
  private async bulk<M extends 'FETCH' | 'TRANSCODE'>(name: M, request: RequestOf<M>, options: BulkOptions) {
    const { signal, onBytes, deadline, least, most } = options;
    const { method, ...schemas } = CALLS[name];
    let incoming = null as Incoming | null;
    const onAbort = (): void => incoming?.stop(fail('aborted', 'The transfer was cancelled.'));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answer = await sendCall(this.calls, {
        method,
        body: (id) => {
          incoming = this.arrivals().expect(id, { stall: this.options.stallDeadline, ...(onBytes && { onBytes }) });
          return encode(schemas.request as Schema<RequestOf<M>>, request);
        },
        read: (body) => decode(schemas.response as Schema<ResponseOf<M>>, body),
        deadline,
        signal,
      });
      if (!incoming || !answer || answer.size < least || answer.size > most)
        throw fail('corrupt', 'The other node offers a segment of another size.');
      incoming.sized(answer.size);
      return { answer, bytes: await incoming.bytes };
    } catch (error) {
      incoming?.stop(asKadreelError(error));
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  private arrivals(): StreamReceiver {
    this.receiver ??= createStreamReceiver({
      clock: this.options.clock,
      send: (frame) => this.sendFrame(frame),
      onActive: (streams) => {
        this.receiving = streams > 0;
      },
    });
    return this.receiver;
  }

  private doubt(): void {
    this.options.onMalformed();
    this.malformed++;
    if (this.malformed > MAX_MALFORMED) this.close('too many malformed messages');
  }

  private receive(frame: Frame): void {
    switch (frame.type) {
      case 'request':
        if (!takeRequest(this.answering, frame, this)) this.doubt();
        return;
      case 'response':
        answerCall(this.calls, frame);
        return;
      case 'failure':
        // It answers a call, or ends the stream that a call opened.
        if (!answerCall(this.calls, frame)) this.receiver?.failed(frame.id, failureError(frame.code, frame.reason));
        return;
      case 'data':
        return this.receiver?.data(frame.id, frame.bytes);
      case 'credit':
        return this.sender?.credit(frame.id, frame.bytes);
      case 'cancel':
        cancelRequest(this.answering, frame.id);
        this.sender?.cancel(frame.id);
        return;
      case 'alive':
        return;
      case 'bye':
        return this.end(goodbyeOf(frame.reason));
      case 'hello':
      case 'proof':
        return this.doubt();
    }
  }
}
