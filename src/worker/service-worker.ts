/** The service worker: a player's HLS requests, and the site itself when it is offline. It may die at any time and keeps nothing that matters. */

import { wait } from '../base/timing.ts';
import { browserClock } from '../browser/clock.ts';
import { openIdbStore } from '../browser/idb.ts';
import { parsePageNotice } from '../browser/worker-protocol.ts';
import { HLS_PREFIX } from '../media/urls.ts';
import { createAppShell, type ShellFile } from './app-shell.ts';
import { createBridge } from './bridge.ts';
import { createRoutes } from './routes.ts';

declare const self: ServiceWorkerGlobalScope & {
  /** The build puts the list of the site's files here. */
  readonly __WB_MANIFEST: readonly ShellFile[];
};

const shell = createAppShell(self.__WB_MANIFEST, self.location.origin);
const routes = createRoutes({ bridge: createBridge(self.clients), clock: browserClock, openStore: () => openIdbStore() });

self.addEventListener('install', (event) => event.waitUntil(shell.install()));

self.addEventListener('activate', (event) => event.waitUntil(shell.activate().then(() => self.clients.claim())));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const asksForVideo = url.origin === self.location.origin && url.pathname.startsWith(HLS_PREFIX) && request.mode !== 'navigate';
  if (asksForVideo && (request.method === 'GET' || request.method === 'HEAD')) {
    event.respondWith(routes.answer(request, event.clientId));
    return;
  }
  const answer = shell.answer(request);
  if (answer) event.respondWith(answer);
});

self.addEventListener('message', (event) => {
  const notice = parsePageNotice(event.data);
  if (notice?.kadreel === 'claim') event.waitUntil(self.clients.claim());
  if (notice?.kadreel === 'cancel' && event.source instanceof Client) routes.cancel(notice.path, event.source.id);
  if (notice?.kadreel === 'activate') event.waitUntil(activateWhenAlone());
});

/**
 * A tab that was closed a moment ago is still counted: so long (ms) and so often the pages are counted again. Before the first time, too:
 * if the older worker is answering its page in the moment when we take its place, Chromium lets it live on until it has been idle for 30 s.
 */
const RECOUNT = 200;
const MAX_COUNTS = 6;

/** Takes the older worker's place when the page that asked is the only one: another may be playing, with the older one's files. */
async function activateWhenAlone(): Promise<void> {
  for (let count = 0; count < MAX_COUNTS; count++) {
    await wait(browserClock, RECOUNT);
    const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (pages.length <= 1) return self.skipWaiting();
  }
}
