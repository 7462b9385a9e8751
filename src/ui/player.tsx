/** The player: our controls over a plain `<video>` that hls.js feeds. */
import { createEffect, createMemo, createSignal, type JSX, on, onCleanup, onMount, Show } from 'solid-js';
import type { LowerChoice } from '../app/api.ts';
import type { PreviewTiles, Problem } from '../app/state.ts';
import type { KadreelError } from '../base/errors.ts';
import { type CaptionTrack, keepCaptionLanguage, keptCaptionLanguage } from './caption-tracks.ts';
import { Controls } from './controls.tsx';
import { Cover } from './cover.tsx';
import { PlayIcon, RetryIcon } from './icons.tsx';
import { Leader } from './leader.tsx';
import { createPlayback, endOfBuffer, type Playback } from './playback.ts';
import { playerAction } from './player-keys.ts';
import { ProblemCard } from './problem-card.tsx';
import { openStream, type Stream } from './stream.ts';
import { DRY, type Quality, watchLink } from './stream-policy.ts';

export interface PlayerProps {
  /** Another one of the same video takes over where the one before is. */
  readonly playlistUrl: string;
  /** The quality that the playlist is for (`360p`); null for one that leaves the choice to the player. */
  readonly only: string | null;
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
  /** Its end has not been made yet: a player that stops there does so for no slow line. */
  readonly growing: boolean;
  /** Qualities that are made when they are asked for, and the one that is being made. */
  readonly lower: readonly LowerChoice[];
  readonly making: string | null;
  readonly onAskLower: (name: string, at: number) => void;
  /** The one that is being made is not wanted any more. */
  readonly onLeaveLower: () => void;
  /** What there is comes too slowly: bits a second that do come. Once. */
  readonly onTooSlow: (bandwidth: number) => void;
  /** Each second that is played, and each jump (s). */
  readonly onPlayhead: (at: number) => void;
}

/** The controls go away this long after the last move, in milliseconds, while it plays. */
const IDLE_AFTER = 2_600;
/** Waiting longer than this, in milliseconds, is explained. */
const SLOW_AFTER = 8_000;
/** Waiting longer than this, in milliseconds, is a stop that people notice. */
const STOP_AFTER = 1_000;

/** What is said of a wait that people notice. */
const WAITING = {
  growing: 'Still waiting for the next part: it is still being made.',
  whole: 'Still waiting for the next part. Looking for another tab that keeps it.',
};

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
  let link = watchLink();
  let isSlowTold = false;
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

  const judgeLink = (): void => {
    const bandwidth = link.tooSlow();
    if (bandwidth === null || isSlowTold || props.growing) return;
    isSlowTold = true;
    props.onTooSlow(bandwidth);
  };

  /** A busy computer stops, too, with something left to show; and after a jump there is nothing in any link. */
  const noteStop = (): void => {
    if (props.growing || !playback()?.begun() || video.seeking || endOfBuffer(video) - video.currentTime > DRY) return;
    link.stopped(performance.now());
    judgeLink();
  };

  const open = (plays = true): void => {
    const at = playback()?.time() ?? 0;
    stream?.close();
    link = watchLink();
    setQuality(-1);
    stream = openStream({
      video,
      playlistUrl: props.playlistUrl,
      startAt: at,
      only: props.only,
      onQualities(list, chosen) {
        setQualities(list);
        setQuality(chosen);
      },
      onPart(part) {
        link.loaded(part);
        judgeLink();
      },
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
  // One value: both may change at once, and what they are read from changes more often than they do.
  const source = createMemo(() => `${props.offer} ${props.playlistUrl}`);
  createEffect(
    on(
      source,
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

  const second = createMemo(() => Math.floor(playback()?.time() ?? 0));
  createEffect(on(second, () => props.onPlayhead(playback()?.time() ?? 0), { defer: true }));

  const starved = () => props.problem === null && (playback()?.waiting() ?? true) && (playback()?.playing() ?? false);
  createEffect(() => {
    setSlow(false);
    if (!starved()) return;
    const timers = [setTimeout(() => setSlow(true), SLOW_AFTER), setTimeout(noteStop, STOP_AFTER)];
    onCleanup(() => timers.forEach(clearTimeout));
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
          <p classList={{ hidden: !slow() }}>{slow() ? WAITING[props.growing ? 'growing' : 'whole'] : 'Loading'}</p>
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
              lower={props.lower.filter(({ name }) => name !== props.only)}
              making={props.making}
              onAskLower={(name) => props.onAskLower(name, playback()?.time() ?? 0)}
              onQuality={(index) => {
                // Who chooses another one does not want to be taken to it later.
                if (props.making !== null && props.only === null) props.onLeaveLower();
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
