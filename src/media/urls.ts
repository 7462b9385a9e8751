/** The paths under which a video is asked for and watched. */
import { type Key, parseKey } from '../kademlia/key.ts';
import type { VideoId } from './manifest.ts';

/** What a request under `/hls/` asks for. Renditions and segments count from 0. */
export type HlsPath =
  | { readonly type: 'master'; readonly video: VideoId }
  | { readonly type: 'playlist'; readonly video: VideoId; readonly rendition: number }
  | { readonly type: 'init'; readonly video: VideoId; readonly rendition: number }
  | { readonly type: 'segment'; readonly video: VideoId; readonly rendition: number; readonly segment: number };

/** Where the service worker and a gateway answer. */
export const HLS_PREFIX = '/hls/';
const WATCH_PREFIX = '/watch/';

/** A number as we write it: no sign, no leading zero, few digits. */
const NUMBER = '0|[1-9]\\d{0,5}';
const IN_RENDITION = new RegExp(`^(${NUMBER})/(?:(index\\.m3u8)|(init\\.mp4)|(${NUMBER})\\.m4s)$`);

/** What the path asks for, or null when it is none of ours. The path is without query and fragment. */
export function parseHlsPath(path: string): HlsPath | null {
  if (!path.startsWith(HLS_PREFIX)) return null;
  const slash = path.indexOf('/', HLS_PREFIX.length);
  if (slash < 0) return null;
  const video = parseKey(path.slice(HLS_PREFIX.length, slash));
  const rest = path.slice(slash + 1);
  if (!video) return null;
  if (rest === 'master.m3u8') return { type: 'master', video };
  const found = IN_RENDITION.exec(rest);
  if (!found) return null;
  const rendition = Number(found[1]);
  if (found[2]) return { type: 'playlist', video, rendition };
  if (found[3]) return { type: 'init', video, rendition };
  return { type: 'segment', video, rendition, segment: Number(found[4]) };
}

/** The path that `parseHlsPath` reads. */
export function formatHlsPath(path: HlsPath): string {
  const base = `${HLS_PREFIX}${path.video}/`;
  return path.type === 'master' ? `${base}master.m3u8` : `${base}${path.rendition}/${fileName(path)}`;
}

/** The last part of a path below a rendition: how its playlist names things. */
export function fileName(path: Exclude<HlsPath, { type: 'master' }>): string {
  if (path.type === 'playlist') return 'index.m3u8';
  return path.type === 'init' ? 'init.mp4' : `${path.segment}.m4s`;
}

/** The video that a page's path shows, or null. A slash at the end is forgiven. */
export function parseWatchPath(path: string): VideoId | null {
  if (!path.startsWith(WATCH_PREFIX)) return null;
  return parseKey(path.slice(WATCH_PREFIX.length).replace(/\/$/, ''));
}

/** The path of the page that shows a video. */
export function formatWatchPath(video: Key): string {
  return WATCH_PREFIX + video;
}
