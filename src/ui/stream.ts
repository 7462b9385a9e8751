/** A stream in a `<video>`, fed by hls.js. The one owner of hls.js, which is loaded only here. */
import type Hls from 'hls.js';
import { fail, type KadreelError } from '../base/errors.ts';
import type { CaptionTrack } from './caption-tracks.ts';
import { endOfBuffer } from './playback.ts';
import {
  DRY,
  type LinkWatch,
  levelOf,
  type Quality,
  qualitiesOf,
  RECOVERIES,
  RETRY_EVERY,
  STREAM_CONFIG,
  streamError,
} from './stream-policy.ts';

/** One playlist in a `<video>`. */
export interface Stream {
  setQuality(index: number): void;
  /** -1 shows none. */
  setCaptions(index: number): void;
  /** Idempotent. */
  close(): void;
}

/** What is played, from where on, and whom to tell. */
export interface StreamOptions {
  readonly video: HTMLVideoElement;
  readonly playlistUrl: string;
  /** Seconds. */
  readonly startAt: number;
  /** The quality to play, by its name; null lets the player choose. */
  readonly only: string | null;
  /** And which of them is chosen. */
  readonly onQualities: (qualities: readonly Quality[], chosen: number) => void;
  readonly onPart: (part: Parameters<LinkWatch['loaded']>[0]) => void;
  readonly onCaptions: (tracks: readonly CaptionTrack[]) => void;
  /** At most once, when nothing more can be tried. */
  readonly onFailed: (error: KadreelError) => void;
  readonly onAbandoned: (url: string) => void;
}

/** Fetches hls.js ahead of the moment when there is a video to play. */
export function preloadPlayer(): void {
  import('hls.js').catch(() => undefined); // `openStream` asks again, and tells.
}

/** Plays a playlist with hls.js, where the browser allows it; else hands it to the browser itself. */
export function openStream(options: StreamOptions): Stream {
  const { video, playlistUrl, startAt, onFailed, onAbandoned } = options;
  let hls: Hls | null = null;
  let closed = false;
  let mediaRecoveries = 0;
  let networkRecoveries = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    if (closed) return;
    closed = true;
    clearTimeout(retry);
    if (hls) hls.destroy();
    else video.removeAttribute('src');
  };
  const giveUp = (error: KadreelError): void => {
    if (closed) return;
    close();
    onFailed(error);
  };

  const start = async (): Promise<void> => {
    const { default: Player } = await import('hls.js');
    if (closed) return;
    if (!Player.isSupported()) {
      // Only browsers without Media Source come here; where it exists, "maybe" from canPlayType means nothing.
      if (video.canPlayType('application/vnd.apple.mpegurl') === '') {
        giveUp(fail('missing-feature', 'This browser can’t play streamed video (it has no Media Source Extensions).'));
        return;
      }
      video.src = playlistUrl;
      video.currentTime = startAt;
      video.addEventListener('error', () => giveUp(fail('unsupported', video.error?.message ?? '')), { once: true });
      return;
    }
    // A service worker is not told of an aborted request, so the one place that knows says it.
    class TellingLoader extends Player.DefaultConfig.loader {
      override abort(): void {
        if (this.context) onAbandoned(this.context.url);
        super.abort();
      }
    }
    const own = new Player({ ...STREAM_CONFIG, loader: TellingLoader, startPosition: startAt });
    hls = own;
    let isPlaced = startAt === 0;
    own.on(Player.Events.MANIFEST_PARSED, (_, { levels }) => {
      const chosen = levelOf(levels, options.only);
      if (chosen >= 0) own.loadLevel = chosen;
      options.onQualities(qualitiesOf(levels), chosen);
    });
    own.on(Player.Events.FRAG_LOADED, (_, { frag: { type, stats } }) => {
      const lightest = Math.min(...own.levels.map(({ bitrate }) => bitrate));
      if (type === 'main') options.onPart({ bytes: stats.loaded, ms: stats.loading.end - stats.loading.start, lightest });
    });
    own.on(Player.Events.SUBTITLE_TRACKS_UPDATED, (_, { subtitleTracks }) =>
      options.onCaptions(subtitleTracks.map(({ name, lang = '' }, index) => ({ index, name, language: lang }))),
    );
    own.on(Player.Events.FRAG_BUFFERED, () => {
      networkRecoveries = 0;
      // A playlist that grows says where to begin, which hls.js puts before what it was told when the first load had to be tried again.
      if (!isPlaced && video.currentTime < startAt) video.currentTime = startAt;
      isPlaced = true;
    });
    own.on(Player.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === Player.ErrorTypes.MEDIA_ERROR && mediaRecoveries < RECOVERIES) {
        if (++mediaRecoveries === RECOVERIES) own.swapAudioCodec();
        own.recoverMediaError();
        video.play().catch(() => undefined);
      } else if (data.type === Player.ErrorTypes.NETWORK_ERROR && data.frag && endOfBuffer(video) - video.currentTime > DRY) {
        clearTimeout(retry);
        retry = setTimeout(() => own.startLoad(video.currentTime || startAt), RETRY_EVERY);
      } else if (data.type === Player.ErrorTypes.NETWORK_ERROR && data.frag && networkRecoveries < RECOVERIES) {
        networkRecoveries++;
        own.startLoad(video.currentTime || startAt);
      } else giveUp(streamError(data, data.type === Player.ErrorTypes.NETWORK_ERROR));
    });
    own.attachMedia(video);
    own.loadSource(playlistUrl);
  };
  start().catch((error: unknown) =>
    giveUp(fail('closed', 'The player itself could not be loaded. The connection to the site may be gone.', error)),
  );

  return {
    setQuality(index) {
      if (hls) hls.nextLevel = index;
    },
    setCaptions(index) {
      if (!hls) return;
      hls.subtitleDisplay = index >= 0;
      hls.subtitleTrack = index;
    },
    close,
  };
}
