/** HLS playlists of a video (RFC 8216), for players that ask for a file. */
import type { Captions, GroupReference, Manifest, Rendition } from './manifest.ts';

/** `EXT-X-MAP` in a playlist of whole frames needs 6; 7 is what fMP4 players are tested with (RFC 8216 §7). */
const VERSION = 7;
const AUDIO_GROUP = 'audio';
const CAPTIONS_GROUP = 'captions';

/** The master playlist. Addresses in it are relative to `/hls/<video>/`. */
export function masterPlaylist(manifest: Manifest): string {
  const { captions, withdrawn } = manifest.additions;
  const numbered = manifest.renditions
    .map((rendition, index) => ({ rendition, index }))
    .filter(({ index }) => !withdrawn.includes(index) || withdrawn.length >= manifest.renditions.length);
  const videos = numbered.filter(({ rendition }) => rendition.kind === 'video');
  const audios = numbered.filter(({ rendition }) => rendition.kind === 'audio');
  const lines = header();
  if (videos.length === 0) {
    for (const { rendition, index } of audios) lines.push(...variant(rendition, { index, audio: null }));
    return end(lines);
  }
  // Players put the loudest claim on the network: a variant's bandwidth is with its heaviest sound (RFC 8216 §4.3.4.2).
  const heaviest = audios.reduce<Rendition | null>(
    (best, { rendition }) => (best && best.bandwidth >= rendition.bandwidth ? best : rendition),
    null,
  );
  audios.forEach(({ index }, n) => {
    const name = n === 0 ? 'Sound' : `Sound ${n + 1}`;
    const chosen = n === 0 ? 'YES' : 'NO';
    lines.push(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${AUDIO_GROUP}",NAME="${name}",DEFAULT=${chosen},AUTOSELECT=YES,URI="${index}/index.m3u8"`,
    );
  });
  lines.push(...captions.map(captionsLine));
  for (const { rendition, index } of videos) lines.push(...variant(rendition, { index, audio: heaviest, captions: captions.length > 0 }));
  return end(lines);
}

/** Languages may share a name, and names in a group must differ (RFC 8216 §4.3.4.1.1). */
function captionsLine({ language, name, groups }: Captions, index: number, all: readonly Captions[]): string {
  const taken = all.slice(0, index).some((other) => other.name === name);
  const attributes = [
    'TYPE=SUBTITLES',
    `GROUP-ID="${CAPTIONS_GROUP}"`,
    `NAME="${taken ? `${name} (${language}, ${index + 1})` : name}"`,
    `LANGUAGE="${language}"`,
    'DEFAULT=NO,AUTOSELECT=YES,FORCED=NO',
    `URI="captions/${groups[0]?.key}/index.m3u8"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

function variant(rendition: Rendition, options: { index: number; audio: Rendition | null; captions?: boolean }): string[] {
  const { index, audio, captions = false } = options;
  const attributes = [
    `BANDWIDTH=${rendition.bandwidth + (audio?.bandwidth ?? 0)}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBandwidth + (audio?.averageBandwidth ?? 0)}`,
    `CODECS="${audio ? `${rendition.codecs},${audio.codecs}` : rendition.codecs}"`,
  ];
  if (rendition.kind === 'video') attributes.push(`RESOLUTION=${rendition.width}x${rendition.height}`);
  if (rendition.frameRate > 0) attributes.push(`FRAME-RATE=${(rendition.frameRate / 1000).toFixed(3)}`);
  if (audio) attributes.push(`AUDIO="${AUDIO_GROUP}"`);
  if (captions) attributes.push(`SUBTITLES="${CAPTIONS_GROUP}"`);
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, `${index}/index.m3u8`];
}

/**
 * Seconds: no longer segment comes out of a file that is copied. A playlist that grows must not change its target duration (RFC 8216 §6.2.1), so what has not
 * come yet counts.
 */
const LONGEST_TO_COME = 20;

/**
 * The playlist of one rendition with all its groups; `growing`: others will follow them. Addresses in it are relative to `/hls/<video>/<rendition>/`.
 */
export function mediaPlaylist(groups: readonly GroupReference[], { growing = false } = {}): string {
  const durations = groups.flatMap((group) => group.durations);
  // Rounded to the nearest second no segment may be longer (RFC 8216 §4.3.3.1).
  const target = Math.max(growing ? LONGEST_TO_COME : 1, ...durations.map((duration) => Math.round(duration / 1000)));
  const lines = header();
  lines.push(`#EXT-X-TARGETDURATION:${target}`, '#EXT-X-MEDIA-SEQUENCE:0', `#EXT-X-PLAYLIST-TYPE:${growing ? 'EVENT' : 'VOD'}`);
  // A player takes it for a broadcast, and would begin near its end.
  if (growing) lines.push('#EXT-X-START:TIME-OFFSET=0,PRECISE=YES');
  lines.push('#EXT-X-MAP:URI="init.mp4"');
  durations.forEach((duration, n) => {
    lines.push(`#EXTINF:${(duration / 1000).toFixed(3)},`, `${n}.m4s`);
  });
  if (!growing) lines.push('#EXT-X-ENDLIST');
  return end(lines);
}

/** The playlist of one language's captions. Addresses in it are relative to `/hls/<video>/captions/<first group>/`. */
export function captionsPlaylist(groups: readonly GroupReference[]): string {
  const durations = groups.flatMap((group) => group.durations);
  const target = Math.max(1, ...durations.map((duration) => Math.round(duration / 1000)));
  const lines = header();
  lines.push(`#EXT-X-TARGETDURATION:${target}`, '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:VOD');
  for (const { key, durations: own } of groups) {
    own.forEach((duration, n) => {
      lines.push(`#EXTINF:${(duration / 1000).toFixed(3)},`, `../${key}/${n}.vtt`);
    });
  }
  lines.push('#EXT-X-ENDLIST');
  return end(lines);
}

function header(): string[] {
  return ['#EXTM3U', `#EXT-X-VERSION:${VERSION}`, '#EXT-X-INDEPENDENT-SEGMENTS'];
}

function end(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
