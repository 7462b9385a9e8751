/** Answers a player's requests for a video, wherever they come in: in the service worker, or at an HTTP gateway. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, type ErrorCode, fail } from '../base/errors.ts';
import type { Key } from '../kademlia/key.ts';
import type { GroupReference, Manifest, Rendition, VideoId } from './manifest.ts';
import { captionsPlaylist, masterPlaylist, mediaPlaylist } from './playlist.ts';
import { type HlsPath, parseHlsPath } from './urls.ts';

/** A video's manifest with the full list of each rendition's groups, in the manifest's order. */
export interface Catalogue {
  readonly manifest: Manifest;
  readonly groups: readonly (readonly GroupReference[])[];
}

/** Where the answers come from. Both may reject with any KadreelError. */
export interface HlsSource {
  catalogue(video: VideoId, signal: AbortSignal): Promise<Catalogue>;
  /** A segment of a group, its hash checked; `index` counts from 0 within the group. */
  segment(group: Key, index: number, signal: AbortSignal): Promise<Bytes>;
}

/** An HTTP response. */
export interface HlsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes | string;
}

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** A manifest may get a new version, so a playlist is asked for each time. */
const PLAYLIST_CACHING = 'no-store';
/** A year, as RFC 9111 wants "for ever" to be written. The number of a segment never names other bytes while the manifest is the same. */
const SEGMENT_CACHING = 'public, max-age=31536000, immutable';

/** The status of each failure: it is not there, it can't be had now, the request is wrong, or something is broken here. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  'not-found': 404,
  withdrawn: 410,
  unreachable: 504,
  'no-path': 504,
  timeout: 504,
  closed: 504,
  aborted: 504,
  refused: 504,
  corrupt: 504,
  invalid: 400,
  'too-large': 400,
  quota: 500,
  unsupported: 500,
  'missing-feature': 500,
  internal: 500,
};

/** The answer to a request for `path` (no query, no fragment). Never rejects: a failure is an answer, with its reason as text. */
export async function answerHls(path: string, source: HlsSource, signal: AbortSignal): Promise<HlsAnswer> {
  try {
    const request = parseHlsPath(path);
    if (!request) throw fail('invalid', 'No such address: expected /hls/<video>/master.m3u8 or a part of that video.');
    return await answer(request, source, signal);
  } catch (error) {
    const { code, message } = asKadreelError(error);
    return {
      status: STATUS[code],
      headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
      body: `${message}\n`,
    };
  }
}

async function answer(request: HlsPath, source: HlsSource, signal: AbortSignal): Promise<HlsAnswer> {
  const { manifest, groups } = await source.catalogue(request.video, signal);
  if (request.type === 'master') return playlist(masterPlaylist(manifest));
  if (request.type === 'captions' || request.type === 'cues' || request.type === 'sheet')
    return answerAddition(request, manifest, { source, signal });
  const rendition = manifest.renditions[request.rendition];
  const list = groups[request.rendition];
  if (!rendition || !list) throw fail('not-found', `This video has no rendition ${request.rendition}.`);
  if (request.type === 'playlist') return playlist(mediaPlaylist(list, { growing: manifest.additions.growing !== null }));
  if (request.type === 'init') return media(rendition, rendition.init);
  const place = locateSegment(list, request.segment);
  if (!place) throw fail('not-found', `This rendition has no segment ${request.segment}.`);
  return media(rendition, await source.segment(place.group.key, place.index, signal));
}

type AdditionPath = Extract<HlsPath, { type: 'captions' | 'cues' | 'sheet' }>;

/** Only of groups that the manifest names: this is no way to ask for anything else. */
async function answerAddition(
  request: AdditionPath,
  { additions }: Manifest,
  { source, signal }: { source: HlsSource; signal: AbortSignal },
): Promise<HlsAnswer> {
  const { captions, preview } = additions;
  if (request.type === 'captions') {
    const own = captions.find(({ groups }) => groups[0]?.key === request.group);
    if (!own) throw fail('not-found', 'This video has no such captions.');
    return playlist(captionsPlaylist(own.groups));
  }
  const named = request.type === 'sheet' ? (preview?.groups ?? []) : captions.flatMap(({ groups }) => groups);
  const group = named.find(({ key }) => key === request.group);
  if (!group || request.index >= group.durations.length) throw fail('not-found', 'This video has no such captions or pictures.');
  const body = await source.segment(group.key, request.index, signal);
  return { status: 200, headers: { 'Content-Type': ADDITION_TYPES[request.type], 'Cache-Control': SEGMENT_CACHING }, body };
}

const ADDITION_TYPES = { cues: 'text/vtt; charset=utf-8', sheet: 'image/jpeg' } as const;

/** The group that holds the rendition's `segment`-th segment, and where in it; null past the end. */
export function locateSegment(
  groups: readonly GroupReference[],
  segment: number,
): { readonly group: GroupReference; readonly index: number } | null {
  let first = 0;
  for (const group of groups) {
    if (segment < first + group.durations.length) return { group, index: segment - first };
    first += group.durations.length;
  }
  return null;
}

function playlist(body: string): HlsAnswer {
  return { status: 200, headers: { 'Content-Type': PLAYLIST_TYPE, 'Cache-Control': PLAYLIST_CACHING }, body };
}

function media({ kind }: Rendition, body: Bytes): HlsAnswer {
  return { status: 200, headers: { 'Content-Type': `${kind}/mp4`, 'Cache-Control': SEGMENT_CACHING }, body };
}
