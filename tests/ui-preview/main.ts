/**
 * The user interface on a made-up network, for looking at it: the scene is named by `?scene=` on the first address and
 * kept for the tab. Nothing here is part of the site.
 */
import type { Kadreel, NodeHealth, QualityState, SharedWork, Unfinished, VideoCard } from '../../src/app/api.ts';
import { fail } from '../../src/base/errors.ts';
import type { MediaProbe } from '../../src/base/ports.ts';
import type { Key } from '../../src/kademlia/key.ts';
import { startUi } from '../../src/ui/start.ts';
import { createFakeKadreel, fakeManifest } from '../unit/app/fake-kadreel.ts';

const scene = new URLSearchParams(location.search).get('scene') ?? sessionStorage.getItem('scene') ?? 'full';
sessionStorage.setItem('scene', scene);
const is = (...names: readonly string[]): boolean => names.includes(scene);

const HEALTH: NodeHealth = {
  phase: 'online',
  id: '3fa9c04e5b7d21886ac0ffee1234567890abcdef' as Key,
  links: { tabs: 4, openNodes: 1 },
  openNodes: ['wss://kadreel.example'],
  kept: { bytes: 38_400_000, quota: 2_000_000_000 },
  served: 112_600_000,
  problem: null,
};
const NOBODY: NodeHealth = { ...HEALTH, links: { tabs: 0, openNodes: 1 }, kept: { bytes: 0, quota: 2e9 }, served: 0 };

const TITLES = [
  'Night bus 23, the whole line',
  'How the tide mill works',
  'Grandmother’s dumplings, step by step, with every mistake left in so that you can see what happens',
  'Rehearsal, 14 November',
  'A walk through Tallinn in the first snow',
  'Sharpening a plane iron',
  'Swifts over the station roof',
  'Lecture 7: Distance is XOR',
];
/** Minutes. */
const AGES = [2, 47, 190, 1500, 4400, 9000, 60_000, 400_000];
const SECONDS = [5025, 372, 1284, 3161, 948, 41, 77, 4210];

const cards = (count: number, from = 0): readonly VideoCard[] =>
  Array.from({ length: count }, (_, index) => {
    const n = index + from;
    return {
      videoId: `${(n * 2654435761 + 40503).toString(16).padStart(12, '7')}`.repeat(4).slice(0, 40) as Key,
      title: TITLES[n % TITLES.length] as string,
      duration: SECONDS[n % SECONDS.length] as number,
      created: Date.now() - (AGES[n % AGES.length] as number) * 60_000,
      poster: n % 3 === 1 ? poster(n) : null,
    };
  });

/** Four who work, one of whom was wrong. Each piece lasts 3 s or so. */
const SHARED: SharedWork = {
  workers: ['own', 'b81f', '2e9c', '77d0'].map((id, row) => ({
    id: id === 'own' ? id : (id.repeat(10) as Key),
    made: row === 3 ? 1 : 7 - row,
    dropped: row === 3,
    spans: Array.from({ length: row === 3 ? 2 : 8 - row }, (_, n) => {
      const last = n === 7 - row;
      const from = 1_000_000 + n * (3_000 + 300 * row) + 100 * row;
      const outcome =
        row === 3 && n === 1 ? 'wrong' : last ? null : row === 1 && n === 2 ? 'checked' : row === 2 && n === 4 ? 'lost' : 'made';
      return { quality: n < 4 ? '240p' : '360p', segment: n, from, until: outcome === null ? null : from + 2_900 + 300 * row, outcome };
    }),
  })),
  speedUp: 3.14,
  secondsLeft: 84,
};

function poster(n: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 180;
  const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
  const sky = pen.createLinearGradient(0, 0, 0, 180);
  sky.addColorStop(0, ['#31506b', '#7a5c61', '#1f2a38'][n % 3] as string);
  sky.addColorStop(1, ['#e8b77d', '#e9d8a6', '#94a3a8'][n % 3] as string);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, 320, 180);
  pen.fillStyle = 'rgba(20,24,28,.85)';
  for (let x = 0; x < 320; x += 22) pen.fillRect(x, 180 - 30 - ((x * 7 + n * 13) % 61), 19, 120);
  return canvas.toDataURL('image/jpeg', 0.7);
}

/** As long as a real one. */
const CODE =
  'ED-pwE5bfSGIasD_7hI0VniQq83voKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8CvNE-uHY4lFTBekuTaGoVBg3ndNO_CAECAwQFBgcICQoLDA0ODxDLwwHLAHEH7kjeXalx';

const PROBE: MediaProbe = {
  duration: 372.4,
  container: is('transcode') ? 'avi' : 'mp4',
  video: {
    codec: is('transcode') ? 'mpeg4' : 'avc1.64001f',
    width: 1920,
    height: 1080,
    rotation: 0,
    frameRate: 25,
    variable: false,
    bitrate: 5_200_000,
    copied: !is('transcode'),
  },
  audio: { codec: is('transcode') ? 'mp3' : 'mp4a.40.2', channels: 2, sampleRate: 48_000, bitrate: 160_000, copied: !is('transcode') },
  plan: is('transcode') ? 'transcode' : 'copy',
};

const REST = { kind: 'video' as const, fileName: 'night-bus-23.mov', fraction: 0.43, videoId: null, problem: null };
const UNFINISHED: readonly Unfinished[] = [
  { ...REST, id: '01', title: 'Night bus 23, the whole line', phase: 'asks' },
  {
    ...REST,
    id: '02',
    title: TITLES[2] as string,
    phase: 'needs-file',
    problem: '“mill.mp4” is another file than “night-bus-23.mov”, with which this publication was begun. Choose that one.',
  },
  { ...REST, id: '03', title: 'How the tide mill works', phase: 'working', fraction: 0.87, videoId: '77'.repeat(20) as Key },
  { ...REST, id: '04', title: 'Swifts over the station roof', phase: 'elsewhere' },
  {
    ...REST,
    id: '05',
    title: 'Rehearsal',
    phase: 'failed',
    problem: 'The disk, or this site’s share of it, is full. Free some space, or remove videos that you keep.',
  },
  {
    ...REST,
    id: '06',
    title: '',
    phase: 'unreadable',
    problem: 'What was noted of it can’t be read: it is damaged, or another version of Kadreel wrote it. Nothing of it was changed.',
  },
];

const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), ms));
const never = <T>(): Promise<T> => new Promise(() => undefined);

const kadreel: Kadreel = {
  ...createFakeKadreel().kadreel,
  networkView: () =>
    is('alone', 'empty')
      ? {
          tabs: 0,
          openNodes: [],
          iceServers: [],
          stunFound: [],
          nat: null,
          connections: 0,
          help: { on: false, slots: 1, checkShare: 0.05, rest: null, jobs: 0, seconds: 0 },
        }
      : {
          tabs: 4,
          openNodes: [
            { url: 'wss://kadreel.example/ws', linked: true, added: true },
            { url: 'ws://192.0.2.17:8080/ws', linked: false, added: true },
            { url: `wss://${'a-rather-long-name.'.repeat(4)}example/ws`, linked: true, added: false },
          ],
          iceServers: [
            { urls: 'stun:kadreel.example:3478', username: null },
            { urls: 'turn:relay.example:3478?transport=tcp', username: 'kadreel' },
          ],
          stunFound: ['stun:example.org:3478'],
          nat: 'mapped',
          connections: 31,
          help: { on: true, slots: 2, checkShare: 0.1, rest: is('refused') ? 'battery' : null, jobs: 12, seconds: 48 },
        },
  network: {
    settings: () => ({ openNodes: [], iceServers: [] }),
    change: () =>
      is('refused')
        ? Promise.reject(
            fail(
              'invalid',
              '“htp:/x” is not the address of an open node. Type it like example.org, https://example.org or http://192.0.2.1:8080.',
            ),
          )
        : Promise.resolve(),
  },
  onUnfinished(listener) {
    listener(is('unfinished') ? UNFINISHED : []);
    return () => undefined;
  },
  onHealth(listener) {
    const health: NodeHealth = is('alone', 'nobody')
      ? is('nobody')
        ? NOBODY
        : {
            ...NOBODY,
            phase: 'alone',
            links: { tabs: 0, openNodes: 0 },
            openNodes: [],
            problem: 'No open node answers. Check that you are online; this tab goes on trying by itself.',
          }
      : is('joining')
        ? { ...NOBODY, phase: 'joining', links: { tabs: 0, openNodes: 0 }, openNodes: [] }
        : HEALTH;
    listener(health);
    return () => undefined;
  },
  invite() {
    if (is('invite-making')) return never();
    if (is('invite-failed')) return Promise.reject(fail('unreachable', 'This browser found no network address of this device.'));
    return Promise.resolve({
      url: `https://video.example/join#${CODE}`,
      accept: (code) =>
        code.length < 20
          ? Promise.reject(
              fail('corrupt', 'The code is not whole, or has a typing mistake. Copy it again from its first to its last character.'),
            )
          : after(1_000, undefined),
      close: () => undefined,
    });
  },
  join: () => Promise.resolve({ code: CODE, linked: is('join-linked') ? Promise.resolve() : never() }),
  inviterOf(url) {
    if (url.length < 20)
      throw fail(
        'corrupt',
        'The link is not whole, or was changed on its way. Copy it again from its first to its last character, or scan the QR code.',
      );
    return HEALTH.id as Key;
  },
  newest() {
    if (is('loading', 'joining')) return never();
    if (is('empty', 'alone', 'nobody')) return Promise.resolve([]);
    if (is('feed-failed')) return Promise.reject(fail('timeout', 'None of the three nodes that were asked answered within 10 s.'));
    return Promise.resolve(cards(8));
  },
  mine: () => Promise.resolve(is('empty', 'alone', 'loading', 'joining') ? [] : cards(3, 4)),
  own: (videoId) =>
    is('not-own')
      ? Promise.reject(fail('not-found', 'This browser did not publish the video, or its data was cleared.'))
      : Promise.resolve({
          videoId,
          title: TITLES[1] as string,
          duration: 372,
          poster: poster(1),
          width: 1280,
          height: 720,
          captions: [
            { language: 'en', name: 'English' },
            { language: 'pt-BR', name: 'Português (Brasil)' },
          ],
          qualities: [
            { rendition: 0, width: 1280, height: 720, bitrate: 2_480_000, offered: true },
            { rendition: 2, width: 426, height: 240, bitrate: 310_000, offered: false },
            { rendition: 3, width: 640, height: 360, bitrate: 690_000, offered: true },
          ],
        }),
  picturesOf: () => Promise.resolve([]),
  edit: (videoId) => Promise.resolve({ videoId, done: is('nobody', 'copying') ? never() : after(100, { stored: 3, wanted: 5 }) }),
  remove: (videoId) => Promise.resolve({ videoId, done: never() }),
  probe: (file) => {
    if (is('probing')) return never();
    if (is('probe-failed')) {
      return Promise.reject(fail('unsupported', `${file.name} begins like text, not like a video.`));
    }
    return after(200, PROBE);
  },
  async publish(_file, { onProgress, onGrowth, onQualities, onSharedWork, signal }) {
    if (is('publish-failed')) throw fail('quota', 'The browser allows 612 MB here, and this video needs 1.4 GB.');
    onProgress?.({ stage: 'read', fraction: 0.02, secondsLeft: null });
    await after(150, null);
    onProgress?.({ stage: is('transcode') ? 'transcode' : 'cut', fraction: 0.43, secondsLeft: is('transcode') ? 227 : 14 });
    if (is('working', 'transcode')) {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(fail('aborted', 'Cancelled.')), { once: true }));
    }
    const { videoId } = cards(1, 1)[0] as VideoCard;
    if (is('growing', 'growing-failed')) {
      const problem = is('growing-failed') ? 'The file is damaged in its middle. Choose another copy of it.' : null;
      void after(500, null).then(() => {
        onGrowth?.({ made: 84, expected: 1284, isWhole: false, problem });
        onProgress?.({ stage: 'transcode', fraction: 0.07, secondsLeft: 1_520 });
      });
    }
    if (is('shared')) {
      const quality = (name: string, phase: QualityState['phase'], fraction: number): QualityState => ({
        name,
        phase,
        fraction,
        problem: null,
      });
      void after(500, null).then(() => {
        onQualities?.([quality('480p', 'making', 0.4), quality('360p', 'making', 0.85), quality('240p', 'made', 1)]);
        onSharedWork?.(SHARED);
      });
    }
    return {
      videoId,
      watchUrl: `${location.origin}/watch/${videoId}`,
      done: is('nobody', 'copying', 'shared', 'growing', 'growing-failed') ? never() : after(100, { stored: 3, wanted: 5 }),
    };
  },
  async watch() {
    if (is('watch-loading')) return never();
    if (is('watch-failed')) throw fail('not-found', 'None of the tabs that are open now keeps this video.');
    let bytes = 800_000;
    return {
      manifest: fakeManifest({
        title: TITLES[1] as string,
        created: Date.now() - 47 * 60_000,
        duration: 30_000,
        ...(is('growing') ? { additions: { preview: null, captions: [], withdrawn: [], growing: { expected: 1_284_000 } } } : {}),
        ...(is('audio') ? { renditions: fakeManifest().renditions.filter(({ kind }) => kind === 'audio') } : {}),
      }),
      playlistUrl: is('stream-failed')
        ? '/hls/none/master.m3u8'
        : is('stalled')
          ? '/hls/stalled/master.m3u8'
          : `/hls/${is('audio') ? 'audio' : 'film'}/master.m3u8`,
      sources() {
        bytes += 431_000;
        return { store: 2_140_000, tabs: bytes, openNodes: 0 };
      },
      onVersion: () => () => undefined,
      lower: async () => [
        { name: '360p', bitrate: 850_000 },
        { name: '240p', bitrate: 460_000 },
      ],
      askLower: ({ name, onView }) => {
        const nothing = { name, playlistUrl: null, ahead: 0, helpers: 0, speed: null, found: false, problem: null };
        if (is('lower-making')) void after(800, null).then(() => onView({ ...nothing, helpers: 2, speed: 1.4, ahead: 3 }));
        if (is('lower-playing'))
          void after(800, null).then(() => onView({ ...nothing, playlistUrl: '/hls/film/master.m3u8', helpers: 1, speed: 0.6, ahead: 11 }));
        if (is('lower-failed'))
          void after(800, null).then(() =>
            onView({
              ...nothing,
              problem: fail('unreachable', 'No one linked helps with transcoding right now, and nobody has made 360p of this part before.'),
            }),
          );
        return { playhead: () => undefined, close: () => undefined };
      },
      close: () => undefined,
    };
  },
};

const ui = startUi({
  root: document.querySelector('#app') as HTMLElement,
  kadreel: is('starting')
    ? never()
    : is('node-failed')
      ? Promise.reject(fail('missing-feature', 'This browser has no IndexedDB.'))
      : Promise.resolve(kadreel),
  clock: {
    now: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  },
});

if (is('lower-slow')) setTimeout(() => ui.loop.dispatch({ type: 'stream-too-slow', bandwidth: 1.2e6 }), 1_500);
