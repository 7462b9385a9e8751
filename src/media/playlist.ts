/** HLS playlists of a video (RFC 8216), for players that ask for a file. */
import type { GroupReference, Manifest, Rendition } from './manifest.ts';

/** `EXT-X-MAP` in a playlist of whole frames needs 6; 7 is what fMP4 players are tested with (RFC 8216 §7). */
const VERSION = 7;
const AUDIO_GROUP = 'audio';

/** The master playlist. Addresses in it are relative to `/hls/<video>/`. */
export function masterPlaylist(manifest: Manifest): string {
  const numbered = manifest.renditions.map((rendition, index) => ({ rendition, index }));
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
  for (const { rendition, index } of videos) lines.push(...variant(rendition, { index, audio: heaviest }));
  return end(lines);
}

function variant(rendition: Rendition, options: { index: number; audio: Rendition | null }): string[] {
  const { index, audio } = options;
  const attributes = [
    `BANDWIDTH=${rendition.bandwidth + (audio?.bandwidth ?? 0)}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBandwidth + (audio?.averageBandwidth ?? 0)}`,
    `CODECS="${audio ? `${rendition.codecs},${audio.codecs}` : rendition.codecs}"`,
  ];
  if (rendition.kind === 'video') attributes.push(`RESOLUTION=${rendition.width}x${rendition.height}`);
  if (rendition.frameRate > 0) attributes.push(`FRAME-RATE=${(rendition.frameRate / 1000).toFixed(3)}`);
  if (audio) attributes.push(`AUDIO="${AUDIO_GROUP}"`);
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, `${index}/index.m3u8`];
}

/** The playlist of one rendition with all its groups. Addresses in it are relative to `/hls/<video>/<rendition>/`. */
export function mediaPlaylist(groups: readonly GroupReference[]): string {
  const durations = groups.flatMap((group) => group.durations);
  // Rounded to the nearest second no segment may be longer (RFC 8216 §4.3.3.1).
  const target = Math.max(1, ...durations.map((duration) => Math.round(duration / 1000)));
  const lines = header();
  lines.push(`#EXT-X-TARGETDURATION:${target}`, '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-MAP:URI="init.mp4"');
  durations.forEach((duration, n) => {
    lines.push(`#EXTINF:${(duration / 1000).toFixed(3)},`, `${n}.m4s`);
  });
  lines.push('#EXT-X-ENDLIST');
  return end(lines);
}

function header(): string[] {
  return ['#EXTM3U', `#EXT-X-VERSION:${VERSION}`, '#EXT-X-INDEPENDENT-SEGMENTS'];
}

function end(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
