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

/** The caller's half. Bodies are bytes here: who calls knows their schema. */
export interface Calls {
  send<T>(call: Outgoing<T>): Promise<T>;
  /** True when the frame answered a call of ours. */
  answer(frame: Extract<Frame, { type: 'response' | 'failure' }>): boolean;
  /** Ends every call, and those that come later. Most links end with none under way: the error is made when it is needed. */
  end(error: () => KadreelError): void;
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

/** Of one link. The functions below take it, as a closure of each for every link would cost more than all that a link keeps. */
interface State {
  readonly clock: Clock;
  readonly send: (frame: Frame) => void;
  /** Null while nothing is under way: an idle link costs no map. */
  pending: Map<number, Pending> | null;
  nextId: number;
  ended: (() => KadreelError) | null;
  /** One timer for all calls, set for the one that is due first; what is answered until then costs none. */
  timer: { readonly due: number; readonly cancel: Cancel } | null;
}

const ID_SPACE = 0xffff_ffff;

export function createCalls({ clock, send }: { clock: Clock; send: (frame: Frame) => void }): Calls {
  const state: State = { clock, send, pending: null, nextId: 1, ended: null, timer: null };
  return {
    send: (call) => new Promise((resolve, reject) => begin(state, call, { resolve, reject })),
    answer(frame) {
      const call = take(state, frame.id);
      if (!call) return false;
      if (frame.type === 'response') call.answered(frame.body);
      else call.reject(failureError(frame.code, frame.reason));
      return true;
    },
    end(error) {
      state.ended = error;
      state.timer?.cancel();
      state.timer = null;
      for (const id of [...(state.pending?.keys() ?? [])]) take(state, id)?.reject(error());
    },
  };
}

/** Throws what the call rejects with. */
function begin<T>(state: State, call: Outgoing<T>, outcome: { resolve: (value: T) => void; reject: (error: unknown) => void }): void {
  const { method, read, deadline: allowed, signal } = call;
  if (state.ended) throw state.ended();
  if (signal?.aborted) throw abortError(signal);
  const id = state.nextId;
  state.nextId = id === ID_SPACE ? 1 : id + 1;
  const request: Frame = { type: 'request', id, method, body: call.body(id) };
  const answered = (answer: Bytes): void => {
    try {
      outcome.resolve(read(answer));
    } catch (error) {
      outcome.reject(error);
    }
  };
  const due = state.clock.now() + allowed;
  state.pending ??= new Map();
  state.pending.set(id, { answered, reject: outcome.reject, allowed, due, forget: signal ? listen(state, id, signal) : null });
  setTimer(state, due);
  state.send(request);
}

/** The call that has this id has ended, or null when there is none. */
function take(state: State, id: number): Pending | null {
  const call = state.pending?.get(id);
  if (!call) return null;
  state.pending?.delete(id);
  if (state.pending?.size === 0) state.pending = null;
  call.forget?.();
  return call;
}

/** Nobody waits for it any more, and the other side is told so. */
function giveUp(state: State, id: number, error: Error): void {
  const call = take(state, id);
  if (!call) return;
  state.send({ type: 'cancel', id });
  call.reject(error);
}

function listen(state: State, id: number, signal: AbortSignal): Cancel {
  const onAbort = (): void => giveUp(state, id, abortError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function setTimer(state: State, due: number): void {
  if (state.timer && state.timer.due <= due) return;
  state.timer?.cancel();
  state.timer = { due, cancel: state.clock.after(due - state.clock.now(), () => expire(state)) };
}

function expire(state: State): void {
  state.timer = null;
  const now = state.clock.now();
  let next = Number.POSITIVE_INFINITY;
  for (const [id, { due, allowed }] of state.pending ?? []) {
    if (due <= now) giveUp(state, id, fail('timeout', `No answer within ${Math.round(allowed)} ms.`));
    else next = Math.min(next, due);
  }
  if (state.pending) setTimer(state, next);
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
