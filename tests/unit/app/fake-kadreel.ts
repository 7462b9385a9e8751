/** A `Kadreel` that does what a test or a preview tells it: every call is recorded, and answered from outside. */
import type {
  CopiesReport,
  Edit,
  Invitation,
  Joining,
  Kadreel,
  NetworkSettings,
  NetworkView,
  NodeHealth,
  OwnVideo,
  PublishOptions,
  Unfinished,
  VideoCard,
  VideoEdit,
  WatchSession,
} from '../../../src/app/api.ts';
import { planPublication } from '../../../src/app/preflight.ts';
import { NO_SPEEDS } from '../../../src/app/speeds.ts';
import { fail } from '../../../src/base/errors.ts';
import type { MediaProbe, SourceFile } from '../../../src/base/ports.ts';
import { abortError, type Deferred, deferred } from '../../../src/base/timing.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import type { Manifest, VideoId } from '../../../src/media/manifest.ts';

export interface FakeKadreel {
  readonly kadreel: Kadreel;
  /** Open calls, oldest first. Each is settled by whoever plays the world. */
  readonly probes: Call<SourceFile, MediaProbe>[];
  readonly publications: (Call<SourceFile, { videoId: VideoId; watchUrl: string; done: Promise<CopiesReport> }> & {
    readonly options: PublishOptions;
  })[];
  readonly watches: Call<VideoId, WatchSession>[];
  readonly newest: Call<null, readonly VideoCard[]>[];
  readonly mine: Call<null, readonly VideoCard[]>[];
  readonly invitations: Call<null, Invitation>[];
  readonly joins: Call<string, Joining>[];
  /** Addresses that the player gave up. */
  readonly abandoned: readonly string[];
  /** Changes of the network's settings, and what the page is told of the network. */
  readonly changes: Call<NetworkSettings, void>[];
  readonly owns: Call<VideoId, OwnVideo>[];
  readonly edits: Call<{ readonly videoId: VideoId; readonly edit: VideoEdit }, Edit>[];
  readonly removals: Call<VideoId, Awaited<ReturnType<Kadreel['remove']>>>[];
  network: { settings: NetworkSettings; view: NetworkView };
  /** Unfinished publications that were gone on with, and given up. */
  readonly goings: Call<{ readonly id: string; readonly file: SourceFile | null }, void>[];
  readonly discards: Call<string, void>[];
  /** Tells everyone who listens. */
  unfinished(unfinished: readonly Unfinished[]): void;
  health(health: NodeHealth): void;
  readonly healthListeners: () => number;
}

export interface Call<A, R> extends Deferred<R> {
  readonly argument: A;
  readonly signal: AbortSignal | undefined;
}

export function createFakeKadreel(): FakeKadreel {
  const goings: FakeKadreel['goings'] = [];
  const discards: FakeKadreel['discards'] = [];
  const unfinishedListeners = new Set<(unfinished: readonly Unfinished[]) => void>();
  const listeners = new Set<(health: NodeHealth) => void>();
  const probes: FakeKadreel['probes'] = [];
  const publications: FakeKadreel['publications'] = [];
  const watches: FakeKadreel['watches'] = [];
  const newest: FakeKadreel['newest'] = [];
  const mine: FakeKadreel['mine'] = [];
  const invitations: FakeKadreel['invitations'] = [];
  const joins: FakeKadreel['joins'] = [];
  const abandoned: string[] = [];
  const changes: FakeKadreel['changes'] = [];
  const owns: FakeKadreel['owns'] = [];
  const edits: FakeKadreel['edits'] = [];
  const removals: FakeKadreel['removals'] = [];
  const network: FakeKadreel['network'] = {
    settings: { openNodes: [], iceServers: [] },
    view: {
      tabs: 0,
      openNodes: [],
      iceServers: [],
      stunFound: [],
      nat: null,
      connections: 0,
      help: { on: false, slots: 1, checkShare: 0.05, rest: null, jobs: 0, seconds: 0 },
    },
  };
  return {
    probes,
    publications,
    watches,
    newest,
    mine,
    invitations,
    joins,
    abandoned,
    changes,
    owns,
    edits,
    removals,
    network,
    goings,
    discards,
    unfinished: (unfinished) => {
      for (const listener of unfinishedListeners) listener(unfinished);
    },
    healthListeners: () => listeners.size,
    health: (health) => {
      for (const listener of listeners) listener(health);
    },
    kadreel: {
      node: {
        id: 'a1'.repeat(20) as Key,
        stats: () => ({
          links: { tabs: 0, openNodes: 0 },
          linked: [],
          received: { store: 0, tabs: 0, openNodes: 0 },
          served: 0,
          kept: { groups: 0, bytes: 0, own: 0, quota: 0 },
          corruptHolders: 0,
          malformed: 0,
          connections: 0,
          nat: null,
        }),
      },
      probe: (file, signal) => open(probes, file, signal),
      preflight: async (file, probe) => planPublication({ size: file.size, probe, speeds: NO_SPEEDS, room: 1e9 }),
      pictures: async () => [],
      still: async () => ({ bytes: new Uint8Array([0xff, 0xd8, 0xff]), mime: 'image/jpeg' }),
      publish(file, options) {
        const own = { ...call<SourceFile, Awaited<ReturnType<Kadreel['publish']>>>(file, options.signal), options };
        publications.push(own);
        return own.promise;
      },
      network: { settings: () => network.settings, change: (settings) => open(changes, settings, undefined) },
      help: {
        view: () => network.view.help,
        async set(on) {
          network.view = { ...network.view, help: { ...network.view.help, on } };
        },
        async tune(tuning) {
          if (tuning.slots === 0) throw fail('invalid', 'A tab makes 1 to 16 pieces at once, not 0.');
          network.view = { ...network.view, help: { ...network.view.help, ...tuning } };
        },
      },
      networkView: () => network.view,
      invite: () => open(invitations, null, undefined),
      join: (url) => open(joins, url, undefined),
      inviterOf(url) {
        if (url === 'damaged') throw fail('corrupt', 'The link is not whole.');
        return 'c3'.repeat(20) as Key;
      },
      manifest: () => Promise.resolve(fakeManifest()),
      watch: (videoId, signal) => open(watches, videoId, signal),
      abandon: (url) => void abandoned.push(url),
      newest: (signal) => open(newest, null, signal),
      mine: () => open(mine, null, undefined),
      onUnfinished(listener) {
        unfinishedListeners.add(listener);
        return () => unfinishedListeners.delete(listener);
      },
      goOn: (id, file) => open(goings, { id, file: file ?? null }, undefined),
      discard: (id) => open(discards, id, undefined),
      own: (videoId) => open(owns, videoId, undefined),
      edit: (videoId, edit) => open(edits, { videoId, edit }, undefined),
      remove: (videoId) => open(removals, videoId, undefined),
      picturesOf: async () => [{ bytes: new Uint8Array([0xff, 0xd8, 0xff]), mime: 'image/jpeg' }],
      onHealth(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
}

/** An own video with two qualities and captions in one language. */
export const OWN_VIDEO: OwnVideo = {
  videoId: 'ab'.repeat(20) as Key,
  title: 'A film',
  duration: 61.5,
  poster: null,
  width: 1280,
  height: 720,
  captions: [{ language: 'en', name: 'English' }],
  qualities: [
    { rendition: 0, width: 1280, height: 720, bitrate: 1_500_000, offered: true },
    { rendition: 2, width: 640, height: 360, bitrate: 500_000, offered: true },
  ],
};

export function fakeManifest(change: Partial<Manifest> = {}): Manifest {
  const rendition = {
    codecs: 'avc1.64001f',
    bandwidth: 2_000_000,
    averageBandwidth: 1_500_000,
    width: 1280,
    height: 720,
    frameRate: 25_000,
    init: new Uint8Array(4),
    groups: { type: 'inline', groups: [] },
  } as const;
  return {
    version: 1,
    title: 'A film',
    owner: new Uint8Array(32),
    created: 1_000,
    duration: 61_500,
    poster: null,
    additions: { preview: null, captions: [], withdrawn: [], growing: null },
    renditions: [
      { ...rendition, kind: 'video' },
      { ...rendition, kind: 'audio', codecs: 'mp4a.40.2', width: 0, height: 0, frameRate: 0 },
    ],
    ...change,
  };
}

function open<A, R>(calls: Call<A, R>[], argument: A, signal: AbortSignal | undefined): Promise<R> {
  const own = call<A, R>(argument, signal);
  calls.push(own);
  return own.promise;
}

/** Rejects by itself when its signal fires, as every real call does. */
function call<A, R>(argument: A, signal: AbortSignal | undefined): Call<A, R> {
  const own = deferred<R>();
  signal?.addEventListener('abort', () => own.reject(abortError(signal)), { once: true });
  return { ...own, argument, signal };
}
