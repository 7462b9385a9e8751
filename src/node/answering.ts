/** The answering half of the calls on one link: each is answered once, and what one neighbour may cost us is bounded. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Contact } from '../kademlia/contact.ts';
import { CALLS, type Frame } from '../wire/messages.ts';
import { type FrameOutlet, failureCode } from './calls.ts';
import { shorten } from './shorten.ts';
import type { StreamSender } from './stream-sender.ts';

/** Calls of the other side whose work may be under way at once; more are refused. */
const MAX_WORKING = 256;
/** Streams that the other side may have under way at once, and bytes that they may hold in our memory. A player and its copying need 8 or so. */
const MAX_STREAMS = 16;
const MAX_STREAM_BYTES = 32 * 1024 * 1024;
/** Bytes of the reason in `failure`, as the protocol has it. */
const MAX_REASON = 300;

/** A call of the other side, to be answered once. `Source` is the link that it came over. */
export interface ReceivedCall<Source> {
  readonly method: number;
  readonly body: Bytes;
  readonly link: Source;
  /** Whose link it is. */
  readonly from: Contact;
  /** It came over its caller's own link. */
  readonly relayed: false;
  /** Fires when the caller no longer wants it, or the link ended. It is made when it is first looked at, which costs as much as the call. */
  readonly signal: AbortSignal;
  /** Sends bytes after the answer, as the stream of this call. */
  readonly stream: (bulk: Bulk) => void;
}

interface Bulk {
  readonly bytes: Bytes;
  readonly credit: number;
  readonly urgency: number;
}

/** The body of a response; at once where nothing is waited for. */
export type Answer = Bytes | Promise<Bytes>;

/** Calls whose answer is followed by a stream. */
const BULK: readonly number[] = [CALLS.FETCH.method, CALLS.TRANSCODE.method];

type Request = Extract<Frame, { type: 'request' }>;

/** Where answers go out. */
export interface AnswerOutlet extends FrameOutlet {
  /** The streams that go out on the link. */
  streams(): StreamSender;
}

export interface AnsweringOptions<Source> {
  readonly from: Contact;
  readonly out: AnswerOutlet;
  /** Throws or rejects with the reason why there is no answer. */
  readonly serve: (call: ReceivedCall<Source>) => Answer;
}

/** The answering half of one link. The functions below take it, for the reason given in calls.ts. */
export interface Answering<Source> extends AnsweringOptions<Source> {
  /** Calls that the other side still waits for; null without any: an idle link costs no map. */
  waiting: Map<number, Work<Source>> | null;
  /** Calls whose work has not ended, cancelled ones included; and those of them that will open a stream. */
  working: number;
  opening: number;
}

export function createAnswering<Source>({ from, out, serve }: AnsweringOptions<Source>): Answering<Source> {
  return { from, out, serve, waiting: null, working: 0, opening: 0 };
}

/** Answers a request that came over `link`. False when its id is still in use: a defect of the other side. */
export function takeRequest<Source>(answering: Answering<Source>, request: Request, link: Source): boolean {
  if (answering.waiting?.has(request.id)) return false;
  const refusal = overload(answering, request.method);
  if (refusal) answering.out.sendFrame(failure(request.id, fail('refused', refusal)));
  else work(answering, new Work(request, { link, from: answering.from }));
  return true;
}

/** Nobody waits for the answer any more. A stream that it opened is another matter. */
export function cancelRequest<Source>(answering: Answering<Source>, id: number): void {
  forget(answering, id)?.abandon(CANCELLED);
}

/** Nobody waits for any of them any more. */
export function endRequests<Source>(answering: Answering<Source>, error: () => KadreelError): void {
  for (const call of answering.waiting?.values() ?? []) call.abandon(error());
  answering.waiting = null;
}

/** Why a call is not even looked at, or null. */
function overload<Source>({ working, opening, out }: Answering<Source>, method: number): string | null {
  if (working >= MAX_WORKING) return 'too many calls at once';
  if (!BULK.includes(method)) return null;
  const { active, held } = out.streams();
  return opening + active >= MAX_STREAMS || held >= MAX_STREAM_BYTES ? 'too many transfers at once' : null;
}

/** What is answered at once, as most calls are, waits for no promise. */
function work<Source>(answering: Answering<Source>, call: Work<Source>): void {
  answering.waiting ??= new Map();
  answering.waiting.set(call.id, call);
  answering.working++;
  if (BULK.includes(call.method)) answering.opening++;
  let answer: Answer;
  try {
    answer = answering.serve(call);
  } catch (error) {
    refuse(answering, call, error);
    return;
  }
  if (answer instanceof Uint8Array) respond(answering, call, answer);
  else
    answer.then(
      (body) => respond(answering, call, body),
      (error: unknown) => refuse(answering, call, error),
    );
}

function respond<Source>(answering: Answering<Source>, call: Work<Source>, body: Bytes): void {
  if (!finish(answering, call)) return;
  answering.out.sendFrame({ type: 'response', id: call.id, body });
  if (call.bulk) answering.out.streams().open({ id: call.id, ...call.bulk });
}

function refuse<Source>(answering: Answering<Source>, call: Work<Source>, error: unknown): void {
  if (finish(answering, call)) answering.out.sendFrame(failure(call.id, asKadreelError(error)));
}

/** The work has ended. False when nobody waits for its outcome. */
function finish<Source>(answering: Answering<Source>, call: Work<Source>): boolean {
  answering.working--;
  if (BULK.includes(call.method)) answering.opening--;
  if (call.over) return false;
  forget(answering, call.id);
  return true;
}

function forget<Source>(answering: Answering<Source>, id: number): Work<Source> | null {
  const call = answering.waiting?.get(id) ?? null;
  answering.waiting?.delete(id);
  if (answering.waiting?.size === 0) answering.waiting = null;
  return call;
}

/** A call and what has become of it. A class, as an object literal with a getter costs thirty times as much to make. */
class Work<Source> implements ReceivedCall<Source> {
  readonly id: number;
  readonly method: number;
  readonly body: Bytes;
  readonly link: Source;
  readonly from: Contact;
  readonly relayed = false;
  bulk: Bulk | null = null;
  /** Why nobody waits for the answer any more; null while somebody does. */
  over: KadreelError | null = null;
  private controller: AbortController | null = null;

  constructor({ id, method, body }: Request, { link, from }: { link: Source; from: Contact }) {
    this.id = id;
    this.method = method;
    this.body = body;
    this.link = link;
    this.from = from;
  }

  readonly stream = (bulk: Bulk): void => {
    this.bulk = bulk;
  };

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.over && !this.controller.signal.aborted) this.controller.abort(this.over);
    return this.controller.signal;
  }

  abandon(reason: KadreelError): void {
    this.over = reason;
    this.controller?.abort(reason);
  }
}

/** Made once: cancelling is what a caller does most when it has what it wants. */
const CANCELLED = fail('aborted', 'The caller cancelled.');

function failure(id: number, error: KadreelError): Frame {
  return { type: 'failure', id, code: failureCode(error), reason: shorten(error.message, MAX_REASON) };
}
