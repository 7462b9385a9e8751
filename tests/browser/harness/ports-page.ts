/** What runs in a page of `ports-site.ts`: the browser's ports on `window.ports`, for tests that need whole pages. */
import { createSigner, generateKeyPair } from '../../../src/browser/crypto.ts';
import { openIdbStore } from '../../../src/browser/idb.ts';
import { openIdentity } from '../../../src/browser/identity.ts';
import { hostServiceWorker } from '../../../src/browser/service-worker-host.ts';
import { createPuncher } from '../../../src/browser/webrtc.ts';
import { encodeCatalogue } from '../../../src/media/catalogue.ts';
import { segmentKey } from '../../../src/media/segment-key.ts';
import { SAMPLE_VIDEO, sampleCatalogue, sampleGroup } from './sample-catalogue.ts';

const ports = {
  createPuncher,
  createSigner,
  encodeCatalogue,
  generateKeyPair,
  hostServiceWorker,
  openIdbStore,
  openIdentity,
  SAMPLE_VIDEO,
  sampleCatalogue,
  sampleGroup,
  segmentKey,
};

declare global {
  interface Window {
    ports: typeof ports;
  }
}

window.ports = ports;
