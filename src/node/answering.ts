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

export interface Answering {
  /** False when the request's id is still in use: a defect of the other side. */
  take(request: Request): boolean;
  /** Nobody waits for the answer any more. A stream that it opened is another matter. */
  cancel(id: number): void;
  end(error: KadreelError): void;
}

type Request = Extract<Frame, { type: 'request' }>;

export function createAnswering<Source>(options: {
  from: Contact;
  /** The link that calls come over, and the streams that go out on it. */
  link: () => Source;
  sender: () => StreamSender;
  send: (frame: Frame) => void;
  /** Throws or rejects with the reason why there is no answer. */
  serve: (call: ReceivedCall<Source>) => Answer;
}): Answering {
  const { send } = options;
  /** Calls that the other side still waits for. */
  const waiting = new Map<number, Work<Source>>();
  /** Calls whose work has not ended, cancelled ones included; and those of them that will open a stream. */
  let working = 0;
  let opening = 0;

  /** Why a call is not even looked at, or null. */
  const overload = (method: number): string | null => {
    if (working >= MAX_WORKING) return 'too many calls at once';
    if (method !== CALLS.FETCH.method) return null;
    const sender = options.sender();
    return opening + sender.active >= MAX_STREAMS || sender.held >= MAX_STREAM_BYTES ? 'too many transfers at once' : null;
  };

  const begin = (work: Work<Source>): void => {
    waiting.set(work.id, work);
    working++;
    if (work.method === CALLS.FETCH.method) opening++;
  };

  /** The work has ended. False when nobody waits for its outcome. */
  const finish = (work: Work<Source>): boolean => {
    working--;
    if (work.method === CALLS.FETCH.method) opening--;
    return !work.over && waiting.delete(work.id);
  };

  const respond = (work: Work<Source>, body: Bytes): void => {
    if (!finish(work)) return;
    send({ type: 'response', id: work.id, body });
    if (work.bulk) options.sender().open({ id: work.id, ...work.bulk });
  };

  const refuse = (work: Work<Source>, error: unknown): void => {
    if (finish(work)) send(failure(work.id, asKadreelError(error)));
  };

  /** What is answered at once, as most calls are, waits for no promise. */
  const serve = (work: Work<Source>): void => {
    let answer: Answer;
    try {
      answer = options.serve(work);
    } catch (error) {
      refuse(work, error);
      return;
    }
    if (answer instanceof Uint8Array) respond(work, answer);
    else
      answer.then(
        (body) => respond(work, body),
        (error: unknown) => refuse(work, error),
      );
  };

  return {
    take(request) {
      if (waiting.has(request.id)) return false;
      const refusal = overload(request.method);
      if (refusal) {
        send(failure(request.id, fail('refused', refusal)));
        return true;
      }
      const work = new Work(request, { link: options.link(), from: options.from });
      begin(work);
      serve(work);
      return true;
    },
    cancel(id) {
      waiting.get(id)?.abandon(CANCELLED);
      waiting.delete(id);
    },
    end(error) {
      for (const work of waiting.values()) work.abandon(error);
      waiting.clear();
    },
  };
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
