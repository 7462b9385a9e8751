/** A `<video>` element's state as signals, and what can be done to it. */
import { createSignal, onCleanup } from 'solid-js';
import type { PlayerAction } from './player-keys.ts';

export interface Playback {
  readonly video: HTMLVideoElement;
  playing(): boolean;
  /** Has shown at least one moment of the video. */
  begun(): boolean;
  /** Wants to play and has nothing to show. */
  waiting(): boolean;
  ended(): boolean;
  /** Seconds. */
  time(): number;
  /** Seconds; 0 while unknown. */
  duration(): number;
  /** Where what is loaded from here on ends: seconds. */
  bufferedTo(): number;
  volume(): number;
  muted(): boolean;
  rate(): number;
  fullscreen(): boolean;
  inPicture(): boolean;
  readonly canPicture: boolean;
  /** Tries to play with sound; when the browser wants a press first, nothing happens. */
  play(): void;
  seek(seconds: number): void;
  setVolume(volume: number): void;
  setRate(rate: number): void;
  togglePicture(): void;
  /** Captions are not the element's. */
  act(action: Exclude<PlayerAction, { type: 'captions' }>): void;
}

/** Remembered from one video to the next, for the life of the tab. */
const kept = { volume: 1, muted: false, rate: 1 };

/** `stage` is what goes to full screen: the video with its controls. `duration` stands until the element knows better. */
export function createPlayback(options: { video: HTMLVideoElement; stage: HTMLElement; duration: number }): Playback {
  const { video, stage } = options;
  const [playing, setPlaying] = createSignal(false);
  const [begun, setBegun] = createSignal(false);
  const [waiting, setWaiting] = createSignal(true);
  const [ended, setEnded] = createSignal(false);
  const [time, setTime] = createSignal(0);
  const [duration, setDuration] = createSignal(options.duration);
  const [bufferedTo, setBufferedTo] = createSignal(0);
  const [volume, setVolume] = createSignal(kept.volume);
  const [muted, setMuted] = createSignal(kept.muted);
  const [rate, setRate] = createSignal(kept.rate);
  const [fullscreen, setFullscreen] = createSignal(false);
  const [inPicture, setInPicture] = createSignal(false);
  const gone = new AbortController();
  onCleanup(() => gone.abort());

  video.volume = kept.volume;
  video.muted = kept.muted;
  video.defaultPlaybackRate = kept.rate;
  video.playbackRate = kept.rate;

  const on = (names: string, run: () => void): void => {
    for (const name of names.split(' ')) video.addEventListener(name, run, { signal: gone.signal });
  };
  on('play playing pause ended emptied', () => {
    setPlaying(!video.paused && !video.ended);
    setEnded(video.ended);
  });
  on('timeupdate seeking seeked emptied', () => {
    // Loading anew (after a failure) passes through 0: the place is kept until the video is there again.
    if (video.readyState > 0) setTime(video.currentTime);
    setEnded(video.ended);
  });
  on('timeupdate', () => {
    if (video.currentTime > 0) setBegun(true);
  });
  on('playing', () => setBegun(true));
  on('durationchange progress', () => {
    const { duration, seekable } = video;
    // iPhones give no length to a playlist that grows: what can be reached is what there is.
    const length = Number.isFinite(duration) || seekable.length === 0 ? duration : seekable.end(seekable.length - 1);
    if (Number.isFinite(length) && length > 0) setDuration(length);
  });
  on('waiting seeking', () => setWaiting(true));
  on('playing canplay seeked timeupdate pause error', () => {
    setWaiting(!video.paused && !video.ended && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
  });
  on('progress timeupdate seeked emptied', () => setBufferedTo(endOfBuffer(video)));
  on('volumechange', () => {
    setVolume(video.volume);
    setMuted(video.muted);
    kept.volume = video.volume;
    kept.muted = video.muted;
  });
  on('ratechange', () => {
    setRate(video.playbackRate);
    kept.rate = video.playbackRate;
  });
  on('enterpictureinpicture leavepictureinpicture', () => setInPicture(document.pictureInPictureElement === video));
  on('webkitbeginfullscreen', () => setFullscreen(true));
  on('webkitendfullscreen', () => setFullscreen(false));
  document.addEventListener('fullscreenchange', () => setFullscreen(document.fullscreenElement === stage), { signal: gone.signal });

  const play = (): void => {
    // Rejected when the browser wants a press first, or when the source changes meanwhile: the play button is there.
    video.play().catch(() => undefined);
  };
  const seek = (seconds: number): void => {
    const last = duration();
    video.currentTime = Math.max(0, last > 0 ? Math.min(seconds, last) : seconds);
    setTime(video.currentTime);
  };
  const toggle = (): void => {
    if (video.paused || video.ended) play();
    else video.pause();
  };
  const changeVolume = (value: number): void => {
    video.volume = Math.min(1, Math.max(0, value));
    video.muted = video.volume === 0;
  };
  const toggleFullscreen = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => undefined);
    else (video as PhoneVideo).webkitEnterFullscreen?.();
  };

  return {
    video,
    playing,
    begun,
    waiting,
    ended,
    time,
    duration,
    bufferedTo,
    volume,
    muted,
    rate,
    fullscreen,
    inPicture,
    canPicture: document.pictureInPictureEnabled === true,
    play,
    seek,
    setVolume: changeVolume,
    setRate(value) {
      video.defaultPlaybackRate = value;
      video.playbackRate = value;
    },
    togglePicture() {
      const change = document.pictureInPictureElement === video ? document.exitPictureInPicture() : video.requestPictureInPicture();
      change.catch(() => undefined);
    },
    act(action) {
      switch (action.type) {
        case 'toggle':
          return toggle();
        case 'skip':
          return seek(video.currentTime + action.by);
        case 'jump':
          return seek(action.to * duration());
        case 'louder':
          return changeVolume((video.muted ? 0 : video.volume) + action.by);
        case 'mute':
          if (video.muted && video.volume === 0) video.volume = 0.5;
          video.muted = !video.muted;
          return;
        case 'fullscreen':
          return toggleFullscreen();
      }
    },
  };
}

/** iPhones put only the bare video on the whole screen. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** The end of the loaded stretch that holds the present moment, or that moment itself. Seconds. */
export function endOfBuffer(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i)) return buffered.end(i);
  }
  return currentTime;
}
