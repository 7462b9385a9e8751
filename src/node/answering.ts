/** The answering half of the calls on one link: each is answered once, and what one neighbour may cost us is bounded. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Contact } from '../kademlia/contact.ts';
import { CALLS, type Frame } from '../wire/messages.ts';
import { failureCode } from './calls.ts';
import { shorten } from './shorten.ts';
import type { StreamSender } from './streams.ts';

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

export interface Answering<Source> {
  /** Answers a request that came over `link`. False when its id is still in use: a defect of the other side. */
  take(request: Request, link: Source): boolean;
  /** Nobody waits for the answer any more. A stream that it opened is another matter. */
  cancel(id: number): void;
  end(error: () => KadreelError): void;
}

type Request = Extract<Frame, { type: 'request' }>;

export interface AnsweringOptions<Source> {
  readonly from: Contact;
  /** The streams that go out on the link. */
  readonly sender: () => StreamSender;
  readonly send: (frame: Frame) => void;
  /** Throws or rejects with the reason why there is no answer. */
  readonly serve: (call: ReceivedCall<Source>) => Answer;
}

/** Of one link; the functions below take it, as in calls.ts. */
interface State<Source> extends AnsweringOptions<Source> {
  /** Calls that the other side still waits for; null without any: an idle link costs no map. */
  waiting: Map<number, Work<Source>> | null;
  /** Calls whose work has not ended, cancelled ones included; and those of them that will open a stream. */
  working: number;
  opening: number;
}

export function createAnswering<Source>({ from, sender, send, serve }: AnsweringOptions<Source>): Answering<Source> {
  const state: State<Source> = { from, sender, send, serve, waiting: null, working: 0, opening: 0 };
  return {
    take(request, link) {
      if (state.waiting?.has(request.id)) return false;
      const refusal = overload(state, request.method);
      if (refusal) send(failure(request.id, fail('refused', refusal)));
      else work(state, new Work(request, { link, from }));
      return true;
    },
    cancel(id) {
      const call = forget(state, id);
      call?.abandon(CANCELLED);
    },
    end(error) {
      for (const call of state.waiting?.values() ?? []) call.abandon(error());
      state.waiting = null;
    },
  };
}

/** Why a call is not even looked at, or null. */
function overload<Source>({ working, opening, sender }: State<Source>, method: number): string | null {
  if (working >= MAX_WORKING) return 'too many calls at once';
  if (method !== CALLS.FETCH.method) return null;
  const { active, held } = sender();
  return opening + active >= MAX_STREAMS || held >= MAX_STREAM_BYTES ? 'too many transfers at once' : null;
}

/** What is answered at once, as most calls are, waits for no promise. */
function work<Source>(state: State<Source>, call: Work<Source>): void {
  state.waiting ??= new Map();
  state.waiting.set(call.id, call);
  state.working++;
  if (call.method === CALLS.FETCH.method) state.opening++;
  let answer: Answer;
  try {
    answer = state.serve(call);
  } catch (error) {
    refuse(state, call, error);
    return;
  }
  if (answer instanceof Uint8Array) respond(state, call, answer);
  else
    answer.then(
      (body) => respond(state, call, body),
      (error: unknown) => refuse(state, call, error),
    );
}

function respond<Source>(state: State<Source>, call: Work<Source>, body: Bytes): void {
  if (!finish(state, call)) return;
  state.send({ type: 'response', id: call.id, body });
  if (call.bulk) state.sender().open({ id: call.id, ...call.bulk });
}

function refuse<Source>(state: State<Source>, call: Work<Source>, error: unknown): void {
  if (finish(state, call)) state.send(failure(call.id, asKadreelError(error)));
}

/** The work has ended. False when nobody waits for its outcome. */
function finish<Source>(state: State<Source>, call: Work<Source>): boolean {
  state.working--;
  if (call.method === CALLS.FETCH.method) state.opening--;
  if (call.over) return false;
  forget(state, call.id);
  return true;
}

function forget<Source>(state: State<Source>, id: number): Work<Source> | null {
  const call = state.waiting?.get(id) ?? null;
  state.waiting?.delete(id);
  if (state.waiting?.size === 0) state.waiting = null;
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
