/** The page: opens this browser's identity and disk, starts the node, and shows the user interface. The only place that knows them all. */

import type { KadreelPage } from './app/api.ts';
import { createIceServers } from './app/ice-servers.ts';
import { createKadreel, type KadreelApp } from './app/kadreel.ts';
import { openNetworkSettings } from './app/network-settings.ts';
import { fromHex } from './base/bytes.ts';
import { browserClock } from './browser/clock.ts';
import { createCrypto } from './browser/crypto.ts';
import { createFileKeeper } from './browser/file-keeper.ts';
import { createHelpConditions } from './browser/help-conditions.ts';
import { openIdbStore } from './browser/idb.ts';
import { openIdentity } from './browser/identity.ts';
import { createLocks } from './browser/locks.ts';
import { createPairer } from './browser/pairer.ts';
import { browserRandom } from './browser/random.ts';
import { hostServiceWorker } from './browser/service-worker-host.ts';
import { createSiblings } from './browser/siblings.ts';
import { createTranscoder } from './browser/transcoder.ts';
import { createPuncher } from './browser/webrtc.ts';
import { createDialer } from './browser/websocket.ts';
import { createDhtNode } from './node/dht-node.ts';
import { deviceOf } from './records/vector-clock.ts';
import { startUi } from './ui/start.ts';

declare global {
  interface Window {
    /** For programs and tests: see `KadreelPage`. There once the node has started. */
    kadreel?: KadreelPage;
  }
}

/** The most that is kept of others' videos: the lesser of 2 GB and a tenth of what the browser grants. */
const MOST_KEPT = 2e9;
const SHARE_KEPT = 0.1;

async function start(): Promise<KadreelApp> {
  const [identity, store] = await Promise.all([openIdentity(), openIdbStore()]);
  const crypto = createCrypto();
  const [{ granted }, network] = await Promise.all([
    store.capacity(),
    openNetworkSettings({ store, siblings, secure: location.protocol === 'https:' }),
  ]);
  const iceServers = createIceServers({ network, links: () => node.links() });
  const puncher = createPuncher({ iceServers: iceServers.current });
  const pairer = createPairer({ iceServers: iceServers.current });
  const quota = Math.floor(Math.min(MOST_KEPT, granted * SHARE_KEPT));
  const node = createDhtNode({
    ports: {
      clock: browserClock,
      random: browserRandom,
      crypto,
      signer: identity.signer,
      sealer: identity.sealer,
      store,
      dialer: createDialer(),
      puncher,
    },
    storeId: identity.storeId,
    open: null,
    bootstrap: [`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`],
    media: { keeps: true, quota },
  });
  const kadreel = createKadreel({
    clock: browserClock,
    random: browserRandom,
    crypto,
    store,
    account: identity.account,
    device: deviceOf(fromHex(identity.device) ?? identity.storeId.slice(0, 8)),
    transcoder: createTranscoder(),
    conditions: createHelpConditions(),
    files,
    locks: createLocks(),
    siblings,
    node,
    network,
    iceServers,
    pairer,
    quota,
    origin: location.origin,
    connections: () => puncher.constructed + pairer.constructed,
    playable: worker.ready,
    abandon: worker.cancel,
  });
  node.start();
  window.kadreel = kadreel;
  addEventListener('online', node.wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') node.wake();
  });
  addEventListener('pagehide', () => kadreel.close('the tab was closed'));
  // A page that the browser brings back from its memory has said goodbye to everybody: it starts anew, as the same node.
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  return kadreel;
}

const files = createFileKeeper();
const siblings = createSiblings();
const worker = hostServiceWorker({
  async answer(request, signal) {
    const app = await kadreel;
    return request.kind === 'catalogue' ? app.catalogue(request.videoId, signal) : app.segment(request.group, request.index, signal);
  },
  read: (segment) => void kadreel.then((app) => app.read(segment)).catch(() => undefined), // Without a node nobody counts.
});
const kadreel = start();

startUi({ root: document.getElementById('app') as HTMLElement, kadreel, clock: browserClock, picker: files });
