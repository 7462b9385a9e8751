/** What runs in a page of `ports-site.ts`: the browser's ports on `window.ports`, for tests that need two pages. */
import { createSigner, generateKeyPair } from '../../../src/browser/crypto.ts';
import { openIdbStore } from '../../../src/browser/idb.ts';
import { openIdentity } from '../../../src/browser/identity.ts';
import { hostServiceWorker } from '../../../src/browser/service-worker-host.ts';
import { createPuncher } from '../../../src/browser/webrtc.ts';

const ports = { createPuncher, createSigner, generateKeyPair, hostServiceWorker, openIdbStore, openIdentity };

declare global {
  interface Window {
    ports: typeof ports;
  }
}

window.ports = ports;
