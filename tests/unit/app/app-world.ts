/** Whole pages without a browser: each a simulated node with a disk, an account and a made-up transcoder. */
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
// Loaded before the virtual clock runs: what is loaded later takes no time then.
import '../../../src/app/chunk-work.ts';
import { createKadreel, type KadreelApp } from '../../../src/app/kadreel.ts';
import '../../../src/app/editor.ts';
import '../../../src/app/publication.ts';
import '../../../src/app/publication-end.ts';
import '../../../src/app/quality-sharing.ts';
import type { NetworkKeeper } from '../../../src/app/network-settings.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { HelpConditions, Signer, Store } from '../../../src/base/ports.ts';
import type { Catalogue } from '../../../src/media/hls-responder.ts';
import { deviceOf } from '../../../src/records/vector-clock.ts';
import { seededRandom } from '../../sim/random.ts';
import { createWorld, type SimNode, type World } from '../../sim/world.ts';
import { createMemoryPairers } from '../node/support/memory-pairer.ts';
import { createFakeTranscoder, type FakeCut, type FakeTranscoder } from './fake-transcoder.ts';
import { createMemoryFiles, type MemoryFiles } from './memory-files.ts';
import { createMemoryLocks, type MemoryLocks } from './memory-locks.ts';
import { createMemorySiblings, type MemorySiblings } from './memory-siblings.ts';

export interface Tab extends SimNode {
  readonly app: KadreelApp;
  readonly account: Signer;
  readonly transcoder: FakeTranscoder;
  /** Cuts, encodes and conversions under way. */
  working(): number;
}

export interface AppWorld extends World {
  tab(options?: TabOptions): Tab;
  /** An open node, which keeps no video. */
  openNode(): SimNode;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
}

export interface TabOptions {
  readonly cut?: FakeCut;
  readonly store?: Store;
  readonly keeps?: boolean;
  readonly quota?: number;
  readonly account?: Signer;
  readonly playable?: Promise<void>;
  /** What is known of files: of the same browser as the store. */
  readonly files?: MemoryFiles;
  readonly conditions?: ReturnType<HelpConditions['current']>;
}

const NO_SETTINGS: NetworkKeeper = {
  current: { openNodes: [], iceServers: [] },
  change: () => Promise.reject(fail('internal', 'Not in these tests.')),
  onChange: () => undefined,
};
const NO_OBJECTION: ReturnType<HelpConditions['current']> = { onBattery: false, metered: false };
/** Bytes of a tab's disk. */
const DISK = 1e9;

export function createAppWorld(seed: number): AppWorld {
  const world = createWorld({ seed });
  const random = seededRandom(seed + 1);
  /** Tabs that know the same files are of one browser. */
  const browsers = new Map<unknown, { readonly locks: MemoryLocks; readonly siblings: MemorySiblings }>();
  const people = createMemoryPairers({ clock: world.scheduler.clock, random: seededRandom(seed + 2) });
  return {
    ...world,
    openNode: () => world.add({ open: 'ws://open-0/ws' }),
    tab({
      cut = {},
      store = createMemoryStore(DISK),
      keeps = true,
      quota = 1e8,
      account,
      playable = Promise.resolve(),
      files = createMemoryFiles(),
      conditions = NO_OBJECTION,
    } = {}) {
      const browser = browsers.get(files) ?? { locks: createMemoryLocks(), siblings: createMemorySiblings() };
      browsers.set(files, browser);
      const locks = browser.locks.tab();
      const siblings = browser.siblings.tab();
      const added = world.add({ store, keeps, quota });
      const signer = account ?? world.crypto.signer(random);
      const transcoder = createFakeTranscoder(cut);
      const app = createKadreel({
        clock: world.scheduler.clock,
        random: seededRandom(Math.floor(random.float() * 2 ** 32)),
        crypto: world.crypto,
        store,
        account: signer,
        device: deviceOf(random.bytes(8)),
        ...{ transcoder, locks, siblings, files: files.keeper },
        conditions: { current: () => conditions, onChange: () => () => undefined },
        node: added.node,
        network: NO_SETTINGS,
        pairer: people.create(),
        quota,
        origin: 'https://kadreel.test',
        iceServers: { current: () => [], found: () => [] },
        connections: () => 0,
        playable,
        abandon: () => undefined,
      });
      const crash = (): void => {
        locks.close();
        added.crash();
      };
      return { ...added, app, account: signer, transcoder, crash, working: () => transcoder.running };
    },
    async pass(ms) {
      await world.scheduler.advance(ms);
    },
  };
}

/** Every segment of a video, rendition after rendition, as the service worker would ask for them. */
export async function playAll(app: KadreelApp, { groups }: Catalogue): Promise<readonly Bytes[]> {
  const { signal } = new AbortController();
  const played: Bytes[] = [];
  for (const list of groups) {
    for (const { key, durations } of list) {
      for (let index = 0; index < durations.length; index++) played.push(await app.segment(key, index, signal));
    }
  }
  return played;
}

/** What is on a disk of media and publications: empty when nothing was left behind. */
export async function leftOn(store: Store): Promise<readonly string[]> {
  const [groups, segments, library] = await Promise.all([store.keys('groups'), store.keys('segments'), store.keys('library')]);
  return [...groups, ...segments, ...library];
}
