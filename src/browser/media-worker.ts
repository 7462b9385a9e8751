/** A worker that is asked once and replies many times, seen from the page. */
import { fail } from '../base/errors.ts';
import { abortError, type Deferred, deferred, quiet } from '../base/timing.ts';
import type { WorkerFailure } from './media-protocol.ts';

export interface MediaWorker<Request, Reply> {
  send(request: Request): void;
  /** The next reply. Rejects with what the worker failed with, `aborted`, or `missing-feature` when it can't run here. */
  next(): Promise<Exclude<Reply, WorkerFailure>>;
  /** Ends the worker at once, whatever it is doing. Idempotent. */
  close(): void;
  /** Lets go of the worker, which has answered and waits for its next request. */
  release(): void;
}

/** Takes over `worker`; it ends with `signal` or with `close`. */
export function openWorker<Request, Reply extends { readonly type: string }>(
  worker: Worker,
  signal: AbortSignal,
): MediaWorker<Request, Reply> {
  type Success = Exclude<Reply, WorkerFailure>;
  const replies: Success[] = [];
  let waiting: Deferred<Success> | null = null;
  let failure: Error | null = null;

  const release = (): void => {
    worker.onmessage = null;
    worker.onerror = null;
    signal.removeEventListener('abort', onAbort);
  };
  const close = (): void => {
    worker.terminate();
    release();
  };
  const end = (error: Error): void => {
    failure ??= error;
    close();
    waiting?.reject(failure);
    waiting = null;
  };
  const onAbort = (): void => end(abortError(signal));

  worker.onmessage = ({ data }: MessageEvent<Reply | WorkerFailure>): void => {
    if (isFailure(data)) end(fail(data.code, data.message));
    else if (waiting) {
      waiting.resolve(data as Success);
      waiting = null;
    } else replies.push(data as Success);
  };
  worker.onerror = (event): void => {
    event.preventDefault();
    end(fail('missing-feature', `The media worker stopped${event.message ? `: ${event.message}` : ''}. Reload the page and try again.`));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  return {
    send: (request) => worker.postMessage(request),
    next() {
      const ready = replies.shift();
      if (ready) return Promise.resolve(ready);
      if (failure) return Promise.reject(failure);
      waiting = deferred<Success>();
      return quiet(waiting.promise);
    },
    close,
    release,
  };
}

function isFailure(reply: { readonly type: string }): reply is WorkerFailure {
  return reply.type === 'failed';
}
