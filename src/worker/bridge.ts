/** The worker's line to a page, which alone has the node: finds a page that is awake, asks it, and never waits for ever. */
import { fail, type KadreelError } from '../base/errors.ts';
import {
  errorCode,
  parsePageMessage,
  type WorkerAnswer,
  type WorkerMessage,
  type WorkerNotice,
  type WorkerRequest,
} from '../browser/worker-protocol.ts';

/** A page that is awake says `here` within this time (ms), however busy; a frozen one never. */
const HERE_TIMEOUT = 2000;
/** The whole answer (ms): a page may look for a holder, link to it, and fetch from another when that is slow. */
const ANSWER_TIMEOUT = 30_000;

export interface Bridge {
  /**
   * Asks the page that made the request, else any other page of ours. Rejects with `unreachable` (no page is awake), `timeout`,
   * `aborted`, `invalid`, or the page's own failure.
   */
  ask(request: WorkerRequest, from: { clientId: string; signal: AbortSignal }): Promise<WorkerAnswer>;
  /** Tells the asking page something; nobody minds when it is gone. */
  tell(clientId: string, notice: WorkerNotice): void;
}

/** Times are parameters for tests; in the worker they are the constants above. */
export function createBridge(
  clients: Pages,
  times: { here: number; answer: number } = { here: HERE_TIMEOUT, answer: ANSWER_TIMEOUT },
): Bridge {
  const callFirst = async (clientId: string): Promise<MessagePort> => {
    const asking = await clients.get(clientId);
    if (asking?.type === 'window') {
      const port = await awake([asking], times.here);
      if (port) return port;
    }
    const others = (await clients.matchAll({ type: 'window' })).filter((client) => client.id !== asking?.id);
    const port = await awake(others, times.here);
    if (port) return port;
    throw fail('unreachable', 'No open page of this site can fetch the video. Keep a tab of it open, and try again.');
  };

  return {
    async ask(request, { clientId, signal }) {
      const port = await callFirst(clientId);
      return converse({ port, request, signal, timeout: times.answer });
    },
    tell(clientId, notice) {
      clients.get(clientId).then(
        (client) => client?.postMessage(notice),
        () => undefined,
      );
    },
  };
}

/** The part of `Clients` that is used here. */
export interface Pages {
  get(id: string): Promise<Page | undefined>;
  matchAll(options: { type: 'window' }): Promise<readonly Page[]>;
}

/** The part of a `WindowClient` that is used here. */
export interface Page {
  readonly id: string;
  readonly type: string;
  postMessage(message: WorkerNotice, transfer?: Transferable[]): void;
}

/** A port to the first of the pages that says `here`, or null when none does in time. */
function awake(pages: readonly Page[], timeout: number): Promise<MessagePort | null> {
  if (pages.length === 0) return Promise.resolve(null);
  return new Promise((resolve) => {
    const ports: MessagePort[] = [];
    const settle = (chosen: MessagePort | null): void => {
      clearTimeout(timer);
      for (const port of ports) if (port !== chosen) port.close();
      resolve(chosen);
    };
    const timer = setTimeout(() => settle(null), timeout);
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      ports.push(port1);
      port1.onmessage = (event: MessageEvent<unknown>) => {
        if (parsePageMessage(event.data)?.type === 'here') settle(port1);
      };
      page.postMessage({ kadreel: 'call' }, [port2]);
    }
  });
}

function converse(call: { port: MessagePort; request: WorkerRequest; signal: AbortSignal; timeout: number }): Promise<WorkerAnswer> {
  const { port, request, signal, timeout } = call;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      port.close();
    };
    const giveUp = (error: KadreelError): void => {
      port.postMessage({ type: 'abort' } satisfies WorkerMessage);
      settle();
      reject(error);
    };
    const onAbort = (): void => giveUp(fail('aborted', 'The player no longer wants it.'));
    const timer = setTimeout(() => {
      giveUp(fail('timeout', `The page did not get it within ${timeout / 1000} s: nobody who has it could be reached.`));
    }, timeout);
    port.onmessage = (event: MessageEvent<unknown>) => {
      const message = parsePageMessage(event.data);
      if (message?.type === 'here') return;
      settle();
      if (message?.type === 'answer') resolve(message.answer);
      else if (message) reject(fail(errorCode(message.code), message.message));
      else reject(fail('invalid', 'The page gave an answer that is none. Reload the page: it may be older than its service worker.'));
    };
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener('abort', onAbort, { once: true });
      port.postMessage({ type: 'request', request } satisfies WorkerMessage);
    }
  });
}
