/** Workers that look at files and cut them. One that has answered its question waits for the next: starting one takes as long as cutting ten seconds. */
import type { CutEvent } from '../base/ports.ts';
import type { CutReply, CutRequest, WorkerFailure } from './media-protocol.ts';
import { type MediaWorker, openWorker } from './media-worker.ts';

/** It waits so long (ms), as it holds its code and what it read of the file. */
const PATIENCE = 30_000;

/** `forget` ends its waiting, not the worker. */
let spare: { readonly worker: Worker; forget(): void } | null = null;

/** A worker for one request; it ends with `signal` or with `close`. */
export function openCutWorker(signal: AbortSignal): MediaWorker<CutRequest, CutReply> {
  return openWorker<CutRequest, CutReply>(takeSpare() ?? startWorker(), signal);
}

/** The one answer to a question. */
export async function askCutWorker(request: CutRequest, signal: AbortSignal): Promise<Exclude<CutReply, WorkerFailure>> {
  const worker = takeSpare() ?? startWorker();
  const opened = openWorker<CutRequest, CutReply>(worker, signal);
  try {
    opened.send(request);
    const reply = await opened.next();
    opened.release();
    keep(worker, signal);
    return reply;
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** What a worker answers to a request, up to `done`; false when it can't do it. Breaking out ends the worker. */
export async function* eventsOf(worker: MediaWorker<CutRequest, CutReply>, request: CutRequest): AsyncGenerator<CutEvent, boolean> {
  try {
    worker.send(request);
    for (;;) {
      const reply = await worker.next();
      if (reply.type === 'uncuttable') return false;
      if (reply.type === 'ended') return true;
      if (reply.type !== 'event') continue;
      yield reply.event;
      if (reply.event.type === 'segment') worker.send({ type: 'credit' });
    }
  } finally {
    worker.close();
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./cut.worker.ts', import.meta.url), { type: 'module', name: 'cut' });
}

function takeSpare(): Worker | null {
  const taken = spare;
  spare = null;
  taken?.forget();
  return taken?.worker ?? null;
}

/** It ends with the signal of the question, too: what is given up leaves nothing. */
function keep(worker: Worker, signal: AbortSignal): void {
  const end = (): void => takeSpare()?.terminate();
  end();
  const timer = setTimeout(end, PATIENCE);
  signal.addEventListener('abort', end, { once: true });
  spare = {
    worker,
    forget() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    },
  };
  if (signal.aborted) end();
}
