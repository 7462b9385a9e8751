/** What the page shows of a video that it can change. */
import type { Crypto } from '../base/ports.ts';
import type { OwnQuality, OwnVideo } from './api.ts';
import type { PublishedVideo } from './library.ts';
import type { OwnManifest } from './own-manifest.ts';
import { pictureAddress } from './picture-address.ts';
import { posterOf } from './video-versions.ts';

/** Its qualities are pictures; a video of sound alone has none to choose from. */
export function describeOwn(crypto: Crypto, video: PublishedVideo, { renditions, additions }: OwnManifest): OwnVideo {
  const { videoId, title, duration } = video;
  const poster = posterOf(crypto, video);
  const qualities = renditions.flatMap(({ kind, width, height, averageBandwidth }, rendition): OwnQuality[] =>
    kind === 'video' ? [{ rendition, width, height, bitrate: averageBandwidth, offered: !additions.withdrawn.includes(rendition) }] : [],
  );
  const best = qualities[0];
  return {
    ...{ videoId, title, duration: duration / 1000, qualities },
    poster: poster && pictureAddress(poster),
    width: best?.width ?? 0,
    height: best?.height ?? 0,
    captions: additions.captions.map(({ language, name }) => ({ language, name })),
  };
}
