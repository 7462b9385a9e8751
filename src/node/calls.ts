/** Calls on one link: each ends once, by an answer, a failure, a deadline, its caller's signal or the end of the link. */
import type { Bytes } from '../base/bytes.ts';
import { type ErrorCode, fail, type KadreelError } from '../base/errors.ts';
import type { Cancel, Clock } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import { FAILURES, type FailureCode, type FailureName, type Frame } from '../wire/messages.ts';

export interface CallOptions {
  /** Milliseconds; the node's setting when absent. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

/** A request to send, and what is made of its answer. */
export interface Outgoing<T> {
  readonly method: number;
  /** The body; told the call's id before anything is sent. */
  readonly body: (id: number) => Bytes;
  readonly read: (answer: Bytes) => T;
  /** Milliseconds. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** Where frames go out. */
export interface FrameOutlet {
  sendFrame(frame: Frame): void;
}

/** The link under the calls. */
export interface CallOutlet extends FrameOutlet {
  /** A call that began at `since` (ms, the clock's time) had no answer before its deadline. */
  unanswered(since: number): void;
}

interface Pending {
  /** Ends it with the answer. */
  readonly answered: (body: Bytes) => void;
  readonly reject: (error: Error) => void;
  /** Milliseconds: what was allowed, and the clock time at which it is over. */
  readonly allowed: number;
  readonly due: number;
  /** Stops listening to the caller's signal; null without one. */
  readonly forget: Cancel | null;
}

/**
 * The caller's half of one link. Bodies are bytes here: who calls knows their schema. The functions below take it: a closure of each for every
 * link would cost more than all that an idle link keeps.
 */
export interface Calls {
  readonly clock: Clock;
  readonly out: CallOutlet;
  /** Null while nothing is under way: an idle link costs no map. */
  pending: Map<number, Pending> | null;
  nextId: number;
  /** What calls reject with when the link has ended; null before. */
  ended: (() => KadreelError) | null;
  /** One timer for all calls, set for the one that is due first; what is answered until then costs none. */
  timer: { readonly due: number; readonly cancel: Cancel } | null;
}

const ID_SPACE = 0xffff_ffff;

export function createCalls({ clock, out }: { clock: Clock; out: CallOutlet }): Calls {
  return { clock, out, pending: null, nextId: 1, ended: null, timer: null };
}

/** Sends a request and waits for what is made of its answer. */
export function sendCall<T>(calls: Calls, call: Outgoing<T>): Promise<T> {
  return new Promise((resolve, reject) => begin(calls, call, { resolve, reject }));
}

/** True when the frame answered a call of ours. */
export function answerCall(calls: Calls, frame: Extract<Frame, { type: 'response' | 'failure' }>): boolean {
  const call = take(calls, frame.id);
  if (!call) return false;
  if (frame.type === 'response') call.answered(frame.body);
  else call.reject(failureError(frame.code, frame.reason));
  return true;
}

/** Ends every call, and those that come later. Most links end with none under way: the error is made when it is needed. */
export function endCalls(calls: Calls, error: () => KadreelError): void {
  calls.ended = error;
  calls.timer?.cancel();
  calls.timer = null;
  for (const id of [...(calls.pending?.keys() ?? [])]) take(calls, id)?.reject(error());
}

/** Throws what the call rejects with. */
function begin<T>(calls: Calls, call: Outgoing<T>, outcome: { resolve: (value: T) => void; reject: (error: unknown) => void }): void {
  const { method, read, deadline: allowed, signal } = call;
  if (calls.ended) throw calls.ended();
  if (signal?.aborted) throw abortError(signal);
  const id = calls.nextId;
  calls.nextId = id === ID_SPACE ? 1 : id + 1;
  const request: Frame = { type: 'request', id, method, body: call.body(id) };
  const answered = (answer: Bytes): void => {
    try {
      outcome.resolve(read(answer));
    } catch (error) {
      outcome.reject(error);
    }
  };
  const due = calls.clock.now() + allowed;
  calls.pending ??= new Map();
  calls.pending.set(id, { answered, reject: outcome.reject, allowed, due, forget: signal ? listen(calls, id, signal) : null });
  setTimer(calls, due);
  calls.out.sendFrame(request);
}

/** The call that has this id has ended, or null when there is none. */
function take(calls: Calls, id: number): Pending | null {
  const call = calls.pending?.get(id);
  if (!call) return null;
  calls.pending?.delete(id);
  if (calls.pending?.size === 0) calls.pending = null;
  call.forget?.();
  return call;
}

/** Nobody waits for it any more, and the other side is told so. */
function giveUp(calls: Calls, id: number, error: Error): void {
  const call = take(calls, id);
  if (!call) return;
  calls.out.sendFrame({ type: 'cancel', id });
  call.reject(error);
}

function listen(calls: Calls, id: number, signal: AbortSignal): Cancel {
  const onAbort = (): void => giveUp(calls, id, abortError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function setTimer(calls: Calls, due: number): void {
  if (calls.timer && calls.timer.due <= due) return;
  calls.timer?.cancel();
  calls.timer = { due, cancel: calls.clock.after(due - calls.clock.now(), () => expire(calls)) };
}

function expire(calls: Calls): void {
  calls.timer = null;
  const now = calls.clock.now();
  let next = Number.POSITIVE_INFINITY;
  for (const [id, { due, allowed }] of calls.pending ?? []) {
    if (due <= now) {
      giveUp(calls, id, fail('timeout', `No answer within ${Math.round(allowed)} ms.`));
      calls.out.unanswered(due - allowed);
    } else next = Math.min(next, due);
  }
  if (calls.pending) setTimer(calls, next);
}

const ERROR_OF_FAILURE: Readonly<Record<FailureName, ErrorCode>> = {
  invalid: 'invalid',
  refused: 'refused',
  absent: 'not-found',
  token: 'refused',
  unreachable: 'unreachable',
  timeout: 'timeout',
  internal: 'internal',
};

const NAME_OF_FAILURE = new Map(Object.entries(FAILURES).map(([name, code]) => [code, name as FailureName]));

/** The error that a failure frame stands for. */
export function failureError(code: FailureCode, reason: string): KadreelError {
  return fail(ERROR_OF_FAILURE[NAME_OF_FAILURE.get(code) ?? 'internal'], `The other node said no: ${reason}`);
}

const FAILURE_OF_ERROR: Partial<Record<ErrorCode, FailureName>> = {
  invalid: 'invalid',
  refused: 'refused',
  quota: 'refused',
  'too-large': 'refused',
  'not-found': 'absent',
  unreachable: 'unreachable',
  // A link on the way ended: for who called there may be another way.
  closed: 'unreachable',
  timeout: 'timeout',
};

/** The failure code that tells another node about an error of ours. */
export function failureCode(error: KadreelError): FailureCode {
  return FAILURES[FAILURE_OF_ERROR[error.code] ?? 'internal'];
}
