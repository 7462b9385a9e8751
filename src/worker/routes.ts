/** Answers `/hls/` requests: playlists from the manifest, segments from this disk when they are there, else through a page. */
import { fail, hasCode } from '../base/errors.ts';
import type { Clock, Store } from '../base/ports.ts';
import { deadline } from '../base/timing.ts';
import { decodeCatalogue } from '../media/catalogue.ts';
import { answerHls, type Catalogue, type HlsSource } from '../media/hls-responder.ts';
import type { VideoId } from '../media/manifest.ts';
import { segmentKey } from '../media/segment-key.ts';
import { parseHlsPath } from '../media/urls.ts';
import type { Bridge } from './bridge.ts';

/** A video may get more renditions while it is watched: after this time (ms) the page is asked again. */
const FRESH = 30_000;
/** More of it, where it is still being made (M22): the page knows at once, and players ask about as often. */
const FRESH_GROWING = 4_000;
/** Catalogues kept (items): what a person has open at once. */
const MAX_CATALOGUES = 8;
/** Whatever goes wrong below, a request ends by now (ms). */
const LONGEST = 40_000;

export interface Routes {
  /** The answer to a request below `/hls/`; never rejects. `clientId` names the page or worker that asked. */
  answer(request: Request, clientId: string): Promise<Response>;
  /** Gives up what this page asked for under this path, if it is not answered yet. */
  cancel(path: string, clientId: string): void;
}

export function createRoutes(options: { bridge: Bridge; clock: Clock; openStore: () => Promise<Store> }): Routes {
  const { bridge, clock } = options;
  const catalogues = new Map<VideoId, { catalogue: Catalogue; since: number }>();
  /** Unanswered requests, by who asked for what. */
  const pending = new Map<string, Set<AbortController>>();
  let store: Promise<Store> | null = null;

  const fetchCatalogue = async (videoId: VideoId, from: { clientId: string; signal: AbortSignal }): Promise<Catalogue> => {
    const catalogue = decodeCatalogue(await bridge.ask({ kind: 'catalogue', videoId }, from));
    if (!catalogue) throw fail('invalid', 'The page gave a description of the video that is none. Reload it.');
    const known = catalogues.get(videoId)?.catalogue;
    // Pages hear of new versions at different times, and a player must never get less than it had.
    if (known && isEarlier(catalogue, known)) return known;
    catalogues.delete(videoId);
    catalogues.set(videoId, { catalogue, since: clock.now() });
    if (catalogues.size > MAX_CATALOGUES) catalogues.delete(catalogues.keys().next().value as VideoId);
    return catalogue;
  };

  /** Null when it is not there; also when the disk does not answer, as the page may still get it from others. */
  const readStore = async (key: string): Promise<Uint8Array<ArrayBuffer> | null> => {
    store ??= options.openStore();
    try {
      return await (await store).get('segments', key);
    } catch {
      store = null; // a newer version of the database, or cleared site data: open it again next time
      return null;
    }
  };

  /** `isOpening`: a player begins, and wants what the page knows by now. */
  const sourceFor = (clientId: string, isOpening: boolean): HlsSource => ({
    async catalogue(videoId, signal) {
      const known = catalogues.get(videoId);
      if (known && !isOpening && clock.now() - known.since < freshFor(known.catalogue)) return known.catalogue;
      try {
        return await fetchCatalogue(videoId, { clientId, signal });
      } catch (error) {
        if (known && !hasCode(error, 'withdrawn')) return known.catalogue; // old is better than nothing: what it names never changes
        throw error;
      }
    },
    async segment(group, index, signal) {
      const bytes = await readStore(segmentKey(group, index));
      if (bytes) {
        bridge.tell(clientId, { kadreel: 'read', group, index, bytes: bytes.length });
        return bytes;
      }
      return bridge.ask({ kind: 'segment', group, index }, { clientId, signal });
    },
  });

  return {
    async answer(request, clientId) {
      const path = new URL(request.url).pathname;
      const name = `${clientId} ${path}`;
      const controller = new AbortController();
      const all = pending.get(name) ?? new Set();
      pending.set(name, all.add(controller));
      const onAbort = (): void => controller.abort();
      request.signal.addEventListener('abort', onAbort, { once: true });
      const limit = deadline(clock, LONGEST, controller.signal);
      try {
        const { status, headers, body } = await answerHls(path, sourceFor(clientId, parseHlsPath(path)?.type === 'master'), limit.signal);
        return new Response(request.method === 'HEAD' ? null : body, { status, headers: { ...headers, ...ISOLATION } });
      } finally {
        limit.done();
        request.signal.removeEventListener('abort', onAbort);
        all.delete(controller);
        if (all.size === 0) pending.delete(name);
      }
    },
    cancel(path, clientId) {
      for (const controller of pending.get(`${clientId} ${path}`) ?? []) controller.abort();
    },
  };
}

/** Whether one is of a beginning of which the other one has more. */
function isEarlier({ manifest: one }: Catalogue, { manifest: other }: Catalogue): boolean {
  return one.additions.growing !== null && (other.additions.growing === null || one.duration < other.duration);
}

/** Milliseconds. */
function freshFor({ manifest }: Catalogue): number {
  return manifest.additions.growing ? FRESH_GROWING : FRESH;
}

/** The page is cross-origin isolated: whatever it loads must allow that. */
const ISOLATION = { 'Cross-Origin-Resource-Policy': 'same-origin', 'X-Content-Type-Options': 'nosniff' };
