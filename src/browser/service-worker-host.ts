/** The page's side of the service worker: registers it, comes under its control, and answers what it asks. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { GroupReference } from '../media/manifest.ts';
import {
  type PageMessage,
  type PageNotice,
  parseNotice,
  parseWorkerMessage,
  type WorkerAnswer,
  type WorkerRequest,
} from './worker-protocol.ts';

export type { WorkerAnswer, WorkerRequest } from './worker-protocol.ts';

/** A first visit has to fetch and install the whole app shell before the worker takes over (ms). */
const CONTROL_TIMEOUT = 30_000;
/** How long a page counts as just begun (ms): long enough for a slow start, too short to be watching. */
const START = 10_000;
/** In sessionStorage: the files for whose sake this tab was started again. */
const RESTARTED_KEY = 'kadreel-restarted';

export interface ServiceWorkerHost {
  /**
   * Resolves when `/hls/` requests of this page are answered. Rejects with `missing-feature` where there are no service workers
   * (also on the development server), `timeout` or `internal`.
   */
  readonly ready: Promise<void>;
  /**
   * The player no longer wants what it asked for at this address. To be called beside its own abort: Chromium does not tell a service
   * worker that a request was aborted.
   */
  cancel(url: string): void;
  /** Stops answering. The worker stays. Idempotent. */
  close(): void;
}

export interface ServiceWorkerHostOptions {
  /** Gives what the worker asks for. The answer's buffer is taken away. `signal` fires when nobody waits for it any more. */
  answer(request: WorkerRequest, signal: AbortSignal): Promise<WorkerAnswer>;
  /** The worker gave this page a segment from the disk, of this many bytes, without asking. */
  read?(segment: { group: GroupReference['key']; index: number; bytes: number }): void;
}

/** Registers the worker and serves it from now on. */
export function hostServiceWorker(options: ServiceWorkerHostOptions): ServiceWorkerHost {
  const container = globalThis.navigator?.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    const ready = Promise.reject(
      fail(
        'missing-feature',
        'This page can’t play videos: the browser offers it no service worker. Use an ordinary window (not a private one), and open the page by https:// or on localhost.',
      ),
    );
    ready.catch(() => undefined);
    return { ready, cancel: () => undefined, close: () => undefined };
  }
  const closing = new AbortController();
  container.addEventListener(
    'message',
    (event) => {
      const notice = parseNotice(event.data);
      if (notice?.kadreel === 'read') options.read?.(notice);
      const port = event.ports[0];
      if (notice?.kadreel === 'call' && port) answerCall(port, { answer: options.answer, closing: closing.signal });
    },
    { signal: closing.signal },
  );
  container.startMessages();
  const ready = control(container);
  ready.catch(() => undefined);
  return {
    ready,
    cancel(url) {
      const { pathname } = new URL(url, location.href);
      container.controller?.postMessage({ kadreel: 'cancel', path: pathname } satisfies PageNotice);
    },
    close: () => closing.abort(),
  };
}

function answerCall(port: MessagePort, page: { answer: ServiceWorkerHostOptions['answer']; closing: AbortSignal }): void {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const end = (message: PageMessage | null, transfer: ArrayBuffer[] = []): void => {
    page.closing.removeEventListener('abort', abort);
    if (message) port.postMessage(message, transfer);
    port.close();
  };
  const refuse = (error: unknown): void => {
    const { code, message } = asKadreelError(error);
    end({ type: 'failure', code, message });
  };

  port.onmessage = (event: MessageEvent<unknown>) => {
    const message = parseWorkerMessage(event.data);
    if (message?.type === 'request') {
      // Only now: of several pages that say `here` one gets the request, and the others hear nothing more.
      page.closing.addEventListener('abort', abort, { once: true });
      page
        .answer(message.request, controller.signal)
        .then((answer) => {
          // What shows only a part of a larger buffer is copied: the rest may be somebody else's.
          const own = answer.byteLength === answer.buffer.byteLength ? answer : answer.slice();
          end({ type: 'answer', answer: own }, [own.buffer]);
        })
        .catch(refuse);
    } else if (message) {
      abort();
    } else {
      refuse(fail('invalid', 'The page and its service worker are of different versions. Reload the page.'));
    }
  };
  port.postMessage({ type: 'here' } satisfies PageMessage);
}

async function control(container: ServiceWorkerContainer): Promise<void> {
  if (!import.meta.env.PROD) {
    throw fail(
      'missing-feature',
      'The development server has no service worker, so videos do not play. Build the site and open it by “npm start”.',
    );
  }
  container.addEventListener('controllerchange', restartIfOlder, { signal: AbortSignal.timeout(START) });
  let registration: ServiceWorkerRegistration;
  try {
    registration = await container.register('/sw.js', { scope: '/', updateViaCache: 'none' });
  } catch (error) {
    throw fail(
      'missing-feature',
      'This page can’t play videos: the browser did not start its service worker. Allow storage for this site, or use an ordinary window.',
      error,
    );
  }
  const wasControlled = container.controller !== null;
  await controlled(container, registration);
  await restartIfOlder();
  // A newer worker waits until no page of the older one is left, or until it is asked: see there. Asked last, when the older one has
  // answered this page.
  if (wasControlled) registration.waiting?.postMessage({ kadreel: 'activate' } satisfies PageNotice);
}

/**
 * Starts the page again when it is made of other files than the worker keeps: a newer worker has taken over in the moment between two
 * pages, or because we asked it to, and the page's files may be gone. It has just begun, so nothing is lost.
 */
async function restartIfOlder(): Promise<void> {
  if (performance.now() > START) return;
  const index = await fetch('/index.html').then(
    (response) => (response.ok ? response.text() : null),
    () => null,
  );
  if (index === null) return;
  // Only paths: an extension may have put scripts of its own into the page.
  const scripts = [...document.scripts].map((script) => script.getAttribute('src') ?? '').filter((address) => address.startsWith('/'));
  const foreign = scripts.filter((address) => !index.includes(address)).join(' ');
  if (foreign === '' || !firstTime(foreign)) return;
  location.reload();
}

/** False when this tab has been started again for the same files before: then that does not help, and must not go on for ever. */
function firstTime(foreign: string): boolean {
  try {
    if (sessionStorage.getItem(RESTARTED_KEY) === foreign) return false;
    sessionStorage.setItem(RESTARTED_KEY, foreign);
    return true;
  } catch {
    return false; // no storage, no memory of it
  }
}

/** Until a worker controls the page. After a hard reload none does until it is asked; a first one claims its pages by itself. */
function controlled(container: ServiceWorkerContainer, registration: ServiceWorkerRegistration): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      container.removeEventListener('controllerchange', check);
    };
    const check = (): void => {
      if (!container.controller) return;
      settle();
      resolve();
    };
    const timer = setTimeout(() => {
      settle();
      reject(fail('timeout', 'The service worker, which plays the videos, did not start in time. Reload the page.'));
    }, CONTROL_TIMEOUT);
    container.addEventListener('controllerchange', check);
    registration.active?.postMessage({ kadreel: 'claim' } satisfies PageNotice);
    check();
  });
}
