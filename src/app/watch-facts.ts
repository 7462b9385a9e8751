/** What the page of a video shows of it. Pure. */
import type { Manifest, SeekPreview, VideoId } from '../media/manifest.ts';
import { formatHlsPath } from '../media/urls.ts';
import type { WatchSession } from './api.ts';
import type { PreviewTiles, WatchFacts } from './state.ts';

/** The facts of a video that was opened. */
export function factsOf(videoId: VideoId, { manifest, playlistUrl }: WatchSession): WatchFacts {
  const best = manifest.renditions.find(({ kind }) => kind === 'video');
  return {
    title: manifest.title,
    duration: manifest.duration / 1000,
    created: manifest.created,
    hasVideo: best !== undefined,
    hasAudio: hasAudio(manifest),
    width: best?.width ?? 0,
    height: best?.height ?? 0,
    playlistUrl,
    preview: tilesOf(videoId, manifest.additions.preview),
    growing: growingOf(manifest),
    offer: offerOf(manifest),
  };
}

function growingOf({ duration, additions: { growing } }: Manifest): WatchFacts['growing'] {
  return growing && { made: duration / 1000, expected: Math.max(duration, growing.expected) / 1000 };
}

/** Captions and withdrawn qualities. */
function offerOf({ additions }: Manifest): string {
  return [additions.withdrawn.join(), ...additions.captions.map(({ language, groups }) => `${language} ${groups[0]?.key}`)].join('/');
}

function tilesOf(video: VideoId, preview: SeekPreview | null): PreviewTiles | null {
  if (!preview) return null;
  const { groups, interval, ...grid } = preview;
  const sheets = groups.flatMap(({ key, durations }) =>
    durations.map((_, index) => formatHlsPath({ type: 'sheet', video, group: key, index })),
  );
  return { ...grid, interval: interval / 1000, sheets };
}

function hasAudio({ renditions }: Manifest): boolean {
  return renditions.some(({ kind }) => kind === 'audio');
}
