/** Waiting, with an end: everything here settles when its signal aborts or its time is up. */
import { fail } from './errors.ts';
import type { Clock } from './ports.ts';

/** A promise and the two functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A promise that is settled elsewhere and that nobody may be waiting for: its rejection is not an unhandled one. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** What an aborted operation throws: the signal's own reason when it is an error of ours, else `aborted`. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error && signal.reason.name === 'KadreelError'
    ? signal.reason
    : fail('aborted', 'The operation was cancelled.');
}

/** Resolves after `ms`; rejects with `aborted` as soon as the signal fires. */
export function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      if (signal) reject(abortError(signal));
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal that also fires, with a `timeout` error, when `ms` have passed. Call `done` when the work has ended, or the timer lives on. */
export interface Deadline {
  readonly signal: AbortSignal;
  done(): void;
}

export function deadline(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(parent && abortError(parent));
  const cancel = clock.after(ms, () => controller.abort(fail('timeout', `No answer within ${Math.round(ms)} ms.`)));
  if (parent?.aborted) onAbort();
  else parent?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    done() {
      cancel();
      parent?.removeEventListener('abort', onAbort);
    },
  };
}

/** The promise, or the signal's error if that comes first. The work itself goes on; whoever started it watches the same signal. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    quiet(promise);
    return Promise.reject(abortError(signal));
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
