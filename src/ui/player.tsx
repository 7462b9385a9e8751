/** The player: our controls over a plain `<video>` that hls.js feeds. The one owner of hls.js, which is loaded only here. */
import type Hls from 'hls.js';
import { createEffect, createSignal, type JSX, on, onCleanup, onMount, Show } from 'solid-js';
import type { PreviewTiles, Problem } from '../app/state.ts';
import { fail, type KadreelError } from '../base/errors.ts';
import { type CaptionTrack, keepCaptionLanguage, keptCaptionLanguage } from './caption-tracks.ts';
import { Controls } from './controls.tsx';
import { Cover } from './cover.tsx';
import { PlayIcon, RetryIcon } from './icons.tsx';
import { Leader } from './leader.tsx';
import { createPlayback, endOfBuffer, type Playback } from './playback.ts';
import { playerAction } from './player-keys.ts';
import { ProblemCard } from './problem-card.tsx';
import { DRY, type Quality, qualitiesOf, RECOVERIES, RETRY_EVERY, STREAM_CONFIG, streamError } from './stream-policy.ts';

export interface PlayerProps {
  readonly playlistUrl: string;
  readonly videoId: string;
  readonly title: string;
  /** Seconds, until the element knows. */
  readonly duration: number;
  readonly hasVideo: boolean;
  /** Width over height. */
  readonly aspect: number;
  readonly poster: string | null;
  readonly preview: PreviewTiles | null;
  /** What there is to choose from; another one, and it begins anew where it is. */
  readonly offer: string;
  /** Why playing stopped; null plays, from where it stopped. */
  readonly problem: Problem | null;
  readonly onFailed: (error: KadreelError) => void;
  /** A request whose answer is no longer wanted, as after a seek. */
  readonly onAbandoned: (url: string) => void;
  readonly onRetry: () => void;
}

/** The controls go away this long after the last move, in milliseconds, while it plays. */
const IDLE_AFTER = 2_600;
/** Waiting longer than this, in milliseconds, is explained. */
const SLOW_AFTER = 8_000;

export function Player(props: PlayerProps): JSX.Element {
  let stage!: HTMLElement;
  let video!: HTMLVideoElement;
  const [playback, setPlayback] = createSignal<Playback | null>(null);
  const [qualities, setQualities] = createSignal<readonly Quality[]>([]);
  const [quality, setQuality] = createSignal(-1);
  const [captions, setCaptions] = createSignal<readonly CaptionTrack[]>([]);
  const [caption, setCaption] = createSignal(-1);
  const [idle, setIdle] = createSignal(false);
  const [slow, setSlow] = createSignal(false);
  let stream: Stream | null = null;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;

  const showCaptions = (index: number): void => {
    setCaption(index);
    stream?.setCaptions(index);
  };
  /** Those of the video before, if there are such here. */
  const offerCaptions = (tracks: readonly CaptionTrack[]): void => {
    setCaptions(tracks);
    const wanted = keptCaptionLanguage();
    if (wanted.shown) showCaptions(tracks.find(({ language }) => language === wanted.language)?.index ?? -1);
  };
  const chooseCaptions = (index: number): void => {
    showCaptions(index);
    const language = captions().find((track) => track.index === index)?.language;
    keepCaptionLanguage({ shown: index >= 0, language: language ?? keptCaptionLanguage().language });
  };
  const toggleCaptions = (): void => {
    const wanted = captions().find(({ language }) => language === keptCaptionLanguage().language) ?? captions()[0];
    if (wanted) chooseCaptions(caption() >= 0 ? -1 : wanted.index);
  };

  const open = (plays = true): void => {
    const at = playback()?.time() ?? 0;
    stream?.close();
    stream = openStream({
      video,
      playlistUrl: props.playlistUrl,
      startAt: at,
      onQualities: setQualities,
      onCaptions: offerCaptions,
      onFailed: props.onFailed,
      onAbandoned: props.onAbandoned,
    });
    if (plays) playback()?.play();
  };

  onMount(() => {
    setPlayback(createPlayback({ video, stage, duration: props.duration }));
    open();
    if ('mediaSession' in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: props.title, artist: 'Kadreel' });
    document.addEventListener('keydown', onKeyDown);
  });
  onCleanup(() => {
    document.removeEventListener('keydown', onKeyDown);
    clearTimeout(idleTimer);
    stream?.close();
  });
  createEffect(
    on(
      () => props.offer,
      () => {
        if (!stream) return;
        open(playback()?.playing() ?? true);
      },
      { defer: true },
    ),
  );
  createEffect(
    on(
      () => props.problem,
      (problem) => {
        if (problem) {
          stream?.close();
          stream = null;
        } else if (!stream) open();
      },
      { defer: true },
    ),
  );

  const starved = () => props.problem === null && (playback()?.waiting() ?? true) && (playback()?.playing() ?? false);
  createEffect(() => {
    setSlow(false);
    if (!starved()) return;
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER);
    onCleanup(() => clearTimeout(timer));
  });

  const stir = (): void => {
    setIdle(false);
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => setIdle(true), IDLE_AFTER);
  };

  // Playing by itself, with no pointer near, also clears the picture.
  createEffect(() => {
    if (playback()?.playing()) stir();
  });

  /** Keys work all over the page, except where they already mean something. */
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (target?.closest('input:not([type="range"]), textarea, select, [contenteditable], .popover-panel')) return;
    if (event.key === ' ' && target?.closest('button, a')) return;
    const isArrow = event.key.startsWith('Arrow');
    // Up and down scroll the page, and move a slider, unless the player itself is in use.
    if (isArrow && target?.closest('.volume')) return;
    if ((event.key === 'ArrowUp' || event.key === 'ArrowDown') && !stage.contains(target)) return;
    const action = playerAction(event.key);
    if (!action || props.problem) return;
    event.preventDefault();
    stir();
    if (action.type === 'captions') toggleCaptions();
    else playback()?.act(action);
  };

  const onPress = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    // A finger first brings the controls back; a mouse plays and pauses.
    if (event.pointerType === 'touch' && idle()) stir();
    else playback()?.act({ type: 'toggle' });
  };

  return (
    <section
      ref={stage}
      class="screen player"
      aria-label="Video player"
      data-idle={idle() && playback()?.playing() ? '' : undefined}
      data-begun={playback()?.begun() ? '' : undefined}
      style={{ '--aspect': `${props.aspect}` }}
      onPointerMove={(event) => event.pointerType !== 'touch' && stir()}
      onPointerLeave={() => setIdle(true)}
      onFocusIn={stir}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: hls.js adds a track for each language that the playlist names. */}
      <video ref={video} playsinline preload="auto" onPointerUp={onPress} onDblClick={() => playback()?.act({ type: 'fullscreen' })} />
      <Show when={!props.hasVideo || (props.poster !== null && !playback()?.begun())}>
        <div class="player-cover" data-audio={props.hasVideo ? undefined : ''}>
          <Cover videoId={props.videoId} poster={props.poster} />
        </div>
      </Show>
      <Show when={starved()}>
        <div class="player-wait" role="status">
          <Leader figure="" turn={null} />
          <p classList={{ hidden: !slow() }}>
            {slow() ? 'Still waiting for the next part. Looking for another tab that keeps it.' : 'Loading'}
          </p>
        </div>
      </Show>
      <Show when={props.problem}>
        {(problem) => (
          <div class="screen-message">
            <ProblemCard problem={problem()} onRetry={props.onRetry} />
          </div>
        )}
      </Show>
      <Show when={playback()}>
        {(own) => (
          <Show when={props.problem === null}>
            <Show when={!own().playing()}>
              <button
                type="button"
                class="big-play"
                aria-label={own().ended() ? 'Play again' : 'Play video'}
                onClick={() => own().act({ type: 'toggle' })}
              >
                <Show when={own().ended()} fallback={<PlayIcon size={34} fill="currentColor" />}>
                  <RetryIcon size={34} />
                </Show>
              </button>
            </Show>
            <Controls
              playback={own()}
              preview={props.preview}
              captions={captions()}
              caption={caption()}
              onCaption={chooseCaptions}
              qualities={qualities()}
              quality={quality()}
              onQuality={(index) => {
                setQuality(index);
                stream?.setQuality(index);
              }}
            />
          </Show>
        )}
      </Show>
    </section>
  );
}

interface Stream {
  setQuality(index: number): void;
  /** -1 shows none. */
  setCaptions(index: number): void;
  /** Idempotent. */
  close(): void;
}

interface StreamOptions {
  readonly video: HTMLVideoElement;
  readonly playlistUrl: string;
  /** Seconds. */
  readonly startAt: number;
  readonly onQualities: (qualities: readonly Quality[]) => void;
  readonly onCaptions: (tracks: readonly CaptionTrack[]) => void;
  /** At most once, when nothing more can be tried. */
  readonly onFailed: (error: KadreelError) => void;
  readonly onAbandoned: (url: string) => void;
}

/** Fetches hls.js ahead of the moment when there is a video to play. */
export function preloadPlayer(): void {
  import('hls.js').catch(() => undefined); // `openStream` asks again, and tells.
}

function openStream({ video, playlistUrl, startAt, onQualities, onCaptions, onFailed, onAbandoned }: StreamOptions): Stream {
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
    const own = new Player({ ...STREAM_CONFIG, loader: TellingLoader, startPosition: startAt > 0 ? startAt : -1 });
    hls = own;
    own.on(Player.Events.MANIFEST_PARSED, (_, { levels }) => onQualities(qualitiesOf(levels)));
    own.on(Player.Events.SUBTITLE_TRACKS_UPDATED, (_, { subtitleTracks }) =>
      onCaptions(subtitleTracks.map(({ name, lang = '' }, index) => ({ index, name, language: lang }))),
    );
    own.on(Player.Events.FRAG_BUFFERED, () => {
      networkRecoveries = 0;
    });
    own.on(Player.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === Player.ErrorTypes.MEDIA_ERROR && mediaRecoveries < RECOVERIES) {
        if (++mediaRecoveries === RECOVERIES) own.swapAudioCodec();
        own.recoverMediaError();
        video.play().catch(() => undefined);
      } else if (data.type === Player.ErrorTypes.NETWORK_ERROR && data.frag && endOfBuffer(video) - video.currentTime > DRY) {
        clearTimeout(retry);
        retry = setTimeout(() => own.startLoad(), RETRY_EVERY);
      } else if (data.type === Player.ErrorTypes.NETWORK_ERROR && data.frag && networkRecoveries < RECOVERIES) {
        networkRecoveries++;
        own.startLoad();
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
