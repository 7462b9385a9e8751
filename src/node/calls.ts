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
  /** Ends every call. */
  end(error: KadreelError): void;
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

const ID_SPACE = 0xffff_ffff;

/** Made only when it is due: nearly every call is answered. */
const late = (ms: number): KadreelError => fail('timeout', `No answer within ${Math.round(ms)} ms.`);

export function createCalls(options: { clock: Clock; send: (frame: Frame) => void }): Calls {
  const { clock } = options;
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let ended: KadreelError | null = null;
  /** One timer for all calls, set for the one that is due first; what is answered until then costs none. */
  let timer: { readonly due: number; readonly cancel: Cancel } | null = null;

  const takeId = (): number => {
    const id = nextId;
    nextId = nextId === ID_SPACE ? 1 : nextId + 1;
    return id;
  };

  /** The call that has this id has ended, or null when there is none. */
  const take = (id: number): Pending | null => {
    const call = pending.get(id);
    if (!call) return null;
    pending.delete(id);
    call.forget?.();
    return call;
  };

  /** Nobody waits for it any more, and the other side is told so. */
  const giveUp = (id: number, error: Error): void => {
    const call = take(id);
    if (!call) return;
    options.send({ type: 'cancel', id });
    call.reject(error);
  };

  const setTimer = (due: number): void => {
    if (timer && timer.due <= due) return;
    timer?.cancel();
    timer = { due, cancel: clock.after(due - clock.now(), expire) };
  };

  const expire = (): void => {
    timer = null;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [id, { due, allowed }] of pending) {
      if (due <= now) giveUp(id, late(allowed));
      else next = Math.min(next, due);
    }
    if (pending.size > 0) setTimer(next);
  };

  const listen = (signal: AbortSignal, id: number): Cancel => {
    const onAbort = (): void => giveUp(id, abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    return () => signal.removeEventListener('abort', onAbort);
  };

  return {
    send: ({ method, body, read, deadline: allowed, signal }) =>
      new Promise((resolve, reject) => {
        if (ended) throw ended;
        if (signal?.aborted) throw abortError(signal);
        const id = takeId();
        const request: Frame = { type: 'request', id, method, body: body(id) };
        const answered = (answer: Bytes): void => {
          try {
            resolve(read(answer));
          } catch (error) {
            reject(error);
          }
        };
        const due = clock.now() + allowed;
        pending.set(id, { answered, reject, allowed, due, forget: signal ? listen(signal, id) : null });
        setTimer(due);
        options.send(request);
      }),
    answer(frame) {
      const call = take(frame.id);
      if (!call) return false;
      if (frame.type === 'response') call.answered(frame.body);
      else call.reject(failureError(frame.code, frame.reason));
      return true;
    },
    end(error) {
      ended = error;
      timer?.cancel();
      timer = null;
      for (const id of [...pending.keys()]) take(id)?.reject(error);
    },
  };
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
