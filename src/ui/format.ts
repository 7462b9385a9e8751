/** Numbers as a person reads them. Pure. */

import type { BytesBySource, NodeHealth, PublishStage } from '../app/api.ts';
import { assertNever } from '../base/errors.ts';

/** `0 bytes`, `812 bytes`, `38 MB`, `1.2 GB`: decimal units, two digits where they say something. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return plural(Math.round(bytes), 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? trimZero(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;
}

/** Seconds as `0:09`, `12:34` or `1:02:03`. */
export function formatTime(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const pair = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pair(minutes)}:${pair(whole % 60)}` : `${minutes}:${pair(whole % 60)}`;
}

/** The same for ears: `1 hour 2 minutes 3 seconds`. */
export function speakTime(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const;
  const spoken = parts.filter(([value]) => value > 0).map(([value, word]) => plural(value, word));
  return spoken.length > 0 ? spoken.join(' ') : '0 seconds';
}

/** How long ago, both in milliseconds since 1970: `just now`, `5 minutes ago`, `3 days ago`, `2 years ago`. */
export function formatAge(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${plural(minutes, 'minute')} ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${plural(hours, 'hour')} ago`;
  const days = Math.floor(hours / 24);
  if (days < 30) return `${plural(days, 'day')} ago`;
  if (days < 365) return `${plural(Math.floor(days / 30), 'month')} ago`;
  return `${plural(Math.floor(days / 365), 'year')} ago`;
}

/** Seconds still to go: `a few seconds left`, `about 40 s left`, `about 4 min left`; null gives `working out how long`. */
export function formatLeft(seconds: number | null): string {
  if (seconds === null) return 'working out how long';
  if (seconds < 5) return 'a few seconds left';
  if (seconds < 55) return `about ${5 * Math.ceil(seconds / 5)} s left`;
  if (seconds < 3600) return `about ${Math.ceil(seconds / 60)} min left`;
  return `about ${trimZero((seconds / 3600).toFixed(1))} h left`;
}

/** `1 tab`, `4 tabs`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** An id as people compare it: `3fa9c04e…cdef`. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** The line of the node's health: one word for the phase, then its figures; narrow screens show the first only. */
export function healthLine({ phase, links, kept }: NodeHealth): { readonly word: string; readonly figures: readonly string[] } {
  const keeping = `${formatBytes(kept.bytes)} kept`;
  switch (phase) {
    case 'starting':
      return { word: 'Starting', figures: [] };
    case 'joining':
      return { word: 'Joining', figures: [] };
    case 'online':
      return { word: 'Online', figures: [plural(links.tabs, 'tab'), plural(links.openNodes, 'open node'), keeping] };
    case 'peers-only':
      return { word: 'Online', figures: ['no open node', plural(links.tabs, 'tab'), keeping] };
    case 'alone':
      return { word: 'Alone', figures: ['0 tabs', keeping] };
    case 'failed':
      return { word: 'Not running', figures: [] };
    default:
      return assertNever(phase);
  }
}

/** Who served the bytes that have come so far: only those who did are named. Bytes count once in a tab, so a second viewing may have none. */
export function servedBy({ store, tabs, openNodes }: BytesBySource): string {
  const sources = [tabs > 0 && 'other tabs', openNodes > 0 && 'an open node', store > 0 && 'this disk'].filter((name) => name !== false);
  if (sources.length === 0) return 'Where the bytes come from';
  const last = sources.pop();
  return `Served by ${sources.length > 0 ? `${sources.join(', ')} and ${last}` : last}`;
}

/** What a stage of publishing is called while it runs. */
export function stageName(stage: PublishStage): string {
  switch (stage) {
    case 'read':
      return 'Reading the file';
    case 'transcode':
      return 'Converting to H.264';
    case 'cut':
      return 'Cutting and hashing';
    case 'announce':
      return 'Telling the network';
    case 'copies':
      return 'Copying to other tabs';
    default:
      return assertNever(stage);
  }
}

/** A codec by the name that people know: `avc1.64001f` is `H.264`. What is unknown stays as it is. */
export function codecName(codec: string): string {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^(avc|h\.?264)/i, 'H.264'],
    [/^(hvc1|hev1|hevc|h\.?265)/i, 'HEVC'],
    [/^(av01|av1)/i, 'AV1'],
    [/^vp0?9/i, 'VP9'],
    [/^vp0?8/i, 'VP8'],
    [/^(mp4a|aac)/i, 'AAC'],
    [/^opus/i, 'Opus'],
    [/^vorbis/i, 'Vorbis'],
    [/^(mp3|mpga)/i, 'MP3'],
    [/^flac/i, 'FLAC'],
    [/^(ac-?3)/i, 'AC-3'],
    [/^mpeg-?2(video)?$/i, 'MPEG-2'],
    [/^mpeg-?4$/i, 'MPEG-4'],
  ];
  return known.find(([pattern]) => pattern.test(codec))?.[1] ?? codec;
}

/** A container by its short name: `AVI (Audio Video Interleaved)` is `AVI`. */
export function containerName(container: string): string {
  const short = container.replace(/\s*\(.*\)\s*$/, '');
  return short.length <= 5 ? short.toUpperCase() : short;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
