/** The paths under which a video is asked for and watched. */
import { assertNever } from '../base/errors.ts';
import { type Key, parseKey } from '../kademlia/key.ts';
import type { VideoId } from './manifest.ts';

/** What a request under `/hls/` asks for. Renditions and segments count from 0. */
export type HlsPath =
  | { readonly type: 'master'; readonly video: VideoId }
  | { readonly type: 'playlist'; readonly video: VideoId; readonly rendition: number }
  | { readonly type: 'init'; readonly video: VideoId; readonly rendition: number }
  | { readonly type: 'segment'; readonly video: VideoId; readonly rendition: number; readonly segment: number }
  /** The playlist of captions, named by their first group: a number would name others once a language is taken away. */
  | { readonly type: 'captions'; readonly video: VideoId; readonly group: Key }
  /** A segment of captions, and a sheet of pictures for the seek bar; `index` counts from 0 within the group. */
  | { readonly type: 'cues'; readonly video: VideoId; readonly group: Key; readonly index: number }
  | { readonly type: 'sheet'; readonly video: VideoId; readonly group: Key; readonly index: number };

/** Where the service worker and a gateway answer. */
export const HLS_PREFIX = '/hls/';
const WATCH_PREFIX = '/watch/';

/** A number as we write it: no sign, no leading zero, few digits. */
const NUMBER = '0|[1-9]\\d{0,5}';
const IN_GROUP = new RegExp(`^(captions|preview)/([0-9a-f]{40})/(?:(index\\.m3u8)|(${NUMBER})\\.(vtt|jpg))$`);
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
  if (!found) return parseInGroup(video, rest);
  const rendition = Number(found[1]);
  if (found[2]) return { type: 'playlist', video, rendition };
  if (found[3]) return { type: 'init', video, rendition };
  return { type: 'segment', video, rendition, segment: Number(found[4]) };
}

function parseInGroup(video: VideoId, rest: string): HlsPath | null {
  const [, folder, name = '', list, number, ending] = IN_GROUP.exec(rest) ?? [];
  const group = parseKey(name);
  if (!group) return null;
  if (list) return folder === 'captions' ? { type: 'captions', video, group } : null;
  const index = Number(number);
  if (folder === 'captions') return ending === 'vtt' ? { type: 'cues', video, group, index } : null;
  return ending === 'jpg' ? { type: 'sheet', video, group, index } : null;
}

/** The path that `parseHlsPath` reads. */
export function formatHlsPath(path: HlsPath): string {
  const base = `${HLS_PREFIX}${path.video}/`;
  switch (path.type) {
    case 'master':
      return `${base}master.m3u8`;
    case 'playlist':
      return `${base}${path.rendition}/index.m3u8`;
    case 'init':
      return `${base}${path.rendition}/init.mp4`;
    case 'segment':
      return `${base}${path.rendition}/${path.segment}.m4s`;
    case 'captions':
      return `${base}captions/${path.group}/index.m3u8`;
    case 'cues':
      return `${base}captions/${path.group}/${path.index}.vtt`;
    case 'sheet':
      return `${base}preview/${path.group}/${path.index}.jpg`;
    default:
      return assertNever(path);
  }
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
