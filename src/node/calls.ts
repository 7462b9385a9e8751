/** Calls on one link: each ends once, by an answer, a failure, a deadline, its caller's signal or the end of the link. */
import type { Bytes } from '../base/bytes.ts';
import { type ErrorCode, fail, type KadreelError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import { abortError, type Deadline, type Deferred, deadline, deferred, orAbort } from '../base/timing.ts';
import { FAILURES, type FailureCode, type FailureName, type Frame } from '../wire/messages.ts';

export interface CallOptions {
  /** Milliseconds; the node's setting when absent. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

/** The caller's half. Bodies are bytes here: who calls knows their schema. */
export interface Calls {
  /** Sends a request and waits for its body. `opened` is told the call's id before anything is sent. */
  send(method: number, body: Bytes, options: { deadline: number; signal?: AbortSignal; opened?: (id: number) => void }): Promise<Bytes>;
  /** True when the frame answered a call of ours. */
  answer(frame: Extract<Frame, { type: 'response' | 'failure' }>): boolean;
  /** Ends every call. */
  end(error: KadreelError): void;
  readonly pending: number;
}

const ID_SPACE = 0xffff_ffff;

export function createCalls(options: { clock: Clock; send: (frame: Frame) => void }): Calls {
  const pending = new Map<number, Deferred<Bytes>>();
  let nextId = 1;
  let ended: KadreelError | null = null;

  return {
    get pending() {
      return pending.size;
    },
    async send(method, body, { deadline: ms, signal, opened }) {
      if (ended) throw ended;
      if (signal?.aborted) throw abortError(signal);
      const id = nextId;
      nextId = nextId === ID_SPACE ? 1 : nextId + 1;
      const answer = deferred<Bytes>();
      pending.set(id, answer);
      const limit: Deadline = deadline(options.clock, ms, signal);
      try {
        opened?.(id);
        options.send({ type: 'request', id, method, body });
        return await orAbort(answer.promise, limit.signal);
      } catch (error) {
        if (limit.signal.aborted && !ended) options.send({ type: 'cancel', id });
        throw error;
      } finally {
        limit.done();
        pending.delete(id);
      }
    },
    answer(frame) {
      const call = pending.get(frame.id);
      if (!call) return false;
      pending.delete(frame.id);
      if (frame.type === 'response') call.resolve(frame.body);
      else call.reject(failureError(frame.code, frame.reason));
      return true;
    },
    end(error) {
      ended = error;
      for (const call of pending.values()) call.reject(error);
      pending.clear();
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
